//! What the commands say and how they end.

use crate::process::{Home, stderr, stdout};

#[test]
fn exit_codes_tell_usage_and_configuration_from_failures() {
    let home = Home::new("");
    assert_eq!(home.ask(&["--help"]).status.code(), Some(0));
    assert_eq!(home.ask(&["statuss"]).status.code(), Some(64));
    assert_eq!(home.ask(&["status"]).status.code(), Some(3));
    assert_eq!(home.ask(&["explain", "x"]).status.code(), Some(3));
    home.configure("series_max = 0");
    for command in ["run", "status", "doctor"] {
        assert_eq!(home.ask(&[command]).status.code(), Some(78), "{command}");
    }
}

#[test]
fn a_bad_configuration_is_refused_in_these_words() {
    let home = Home::new("intervall = '30s'");
    let said =
        stderr(&home.ask(&["run"])).replace(&home.path("agent.toml").display().to_string(), "FILE");
    assert!(
        said.starts_with("arki-agent: FILE: unknown key `intervall` (did you mean `interval`?); allowed here: interval, state_dir,"),
        "{said}"
    );
}

#[test]
fn doctor_says_what_can_be_done_and_leaves_nothing_behind() {
    let home = Home::new("");
    let text = stdout(&home.ask(&["doctor"]));
    for name in [
        "configuration",
        "state directory",
        "disk space",
        "key",
        "daemon",
        "clock",
        "kernel",
        "collect cpu",
    ] {
        assert!(text.contains(name), "{name} in\n{text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(!home.state().exists());
}

#[test]
fn status_fits_a_terminal() {
    let home = Home::new("");
    let _daemon = home.run();
    home.next_pass();
    let output = home.ask(&["status", "--fail-on-prediction"]);
    let text = stdout(&output);
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(text.lines().count() <= 24, "{text}");
    for heading in [
        "Cost", "Hub", "Collect", "Voters", "Context", "Predicts", "Ledger",
    ] {
        assert!(text.contains(heading), "{heading} in\n{text}");
    }
}

#[test]
fn a_file_that_is_no_chain_fails_with_its_line() {
    let home = Home::new("");
    home.run().terminate();
    std::fs::write(home.path("events.jsonl"), "{}\n").unwrap();
    let path = home.path("events.jsonl").display().to_string();
    let output = home.ask(&["verify", &path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("events.jsonl:1: no DSSE envelope"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_exported_events_of_the_example_verify_with_the_public_key_alone() {
    let home = Home::new("");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/verify");
    let (events, key) = (
        format!("{folder}/events.jsonl"),
        format!("{folder}/web-1.pub"),
    );
    let output = home.ask(&["verify", &events, "--key", &key]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains(" of web-1, numbers 1 to "),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_context_is_begun_listed_and_ended() {
    let home = Home::new("");
    assert_eq!(home.ask(&["context", "list"]).status.code(), Some(3));
    let _daemon = home.run();
    let begun = home.ask(&[
        "context", "begin", "backup", "--ttl", "2h", "--series", "disk.*",
    ]);
    assert_eq!(stdout(&begun), "backup is known for 2 h 00\n");
    home.next_pass();
    let listed = stdout(&home.ask(&["context", "list"]));
    assert!(
        listed.contains("backup (announced) since ") && listed.contains(": disk.*"),
        "{listed}"
    );
    assert!(stdout(&home.ask(&["status"])).contains("backup (announced until "));
    assert_eq!(
        home.ask(&["context", "end", "backup"]).status.code(),
        Some(0)
    );
    let again = home.ask(&["context", "end", "backup"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(
        home.ask(&["context", "begin", "x", "--ttl", "soon"])
            .status
            .code(),
        Some(64)
    );
}
