//! Start, stop, crash, reload.

use crate::process::{Home, stderr, stdout, wait};
use nix::sys::signal::Signal;
use std::fs;

#[test]
fn it_starts_answers_and_leaves_when_told() {
    let home = Home::new("");
    let daemon = home.run();
    let status = home.status();
    assert_eq!(
        (status["schema"].as_u64(), status["host"].as_str()),
        (Some(1), Some("web-1"))
    );
    assert!(status["collect"]["series"].as_u64() > Some(5), "{status}");
    assert!(status["own"]["resident_bytes"].as_u64() > Some(500_000));
    assert_eq!(daemon.terminate(), Some(0));
    assert!(!home.socket().exists(), "the socket is gone");
    assert!(home.state().join("memory").exists() && home.state().join("record").exists());
}

#[test]
fn sigint_is_an_orderly_end_too() {
    let home = Home::new("");
    let mut daemon = home.run();
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.wait(), Some(0));
    assert!(home.log().contains("saved, leaving"));
}

#[test]
fn after_a_kill_it_starts_again_with_the_same_key() {
    let home = Home::new("");
    let daemon = home.run();
    let key = home.status()["key"].clone();
    daemon.kill();
    assert!(
        home.socket().exists(),
        "a killed agent leaves its socket behind"
    );
    let output = home.ask(&["status"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("the agent is not running")
            && stderr(&output).contains("arki-agent run")
    );
    let daemon = home.run();
    assert_eq!(home.status()["key"], key);
    assert_eq!(home.status()["healthy"], true);
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn what_was_learned_goes_on_after_a_stop() {
    let home = Home::new("");
    let daemon = home.run();
    home.next_pass();
    let series = home.status()["collect"]["series"].clone();
    daemon.terminate();
    let _daemon = home.run();
    assert!(home.status()["collect"]["series"].as_u64() >= series.as_u64());
    assert!(home.log().matches("predicting").count() == 2);
}

#[test]
fn damaged_state_is_set_aside_said_and_degrades() {
    let home = Home::new("");
    home.run().terminate();
    for name in ["memory", "record"] {
        let path = home.state().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(path, bytes).unwrap();
    }
    let _daemon = home.run();
    let output = home.ask(&["status"]);
    assert_eq!(output.status.code(), Some(1), "degraded");
    let text = stdout(&output);
    assert!(
        text.contains("Problem") && text.contains("memory.damaged-1"),
        "{text}"
    );
    assert!(home.state().join("record.damaged-1").exists());
}

#[test]
fn a_second_daemon_is_refused_and_the_first_goes_on() {
    let home = Home::new("");
    let _daemon = home.run();
    let mut second = home.start();
    assert_eq!(second.wait(), Some(1));
    assert!(
        home.log()
            .contains("another agent runs on this state directory"),
        "{}",
        home.log()
    );
    home.next_pass();
}

#[test]
fn two_agents_do_not_share_a_socket() {
    let home = Home::new("");
    let _daemon = home.run();
    let other = Home::new(&format!("socket = '{}'", home.socket().display()));
    assert_eq!(other.start().wait(), Some(1));
    assert!(
        other.log().contains("another agent answers here"),
        "{}",
        other.log()
    );
    assert_eq!(home.status()["healthy"], true);
}

#[test]
fn sighup_reads_the_configuration_again_and_a_bad_one_changes_nothing() {
    let home = Home::new("");
    let daemon = home.run();
    home.configure("[[series]]\nmatch = 'load.per_core'\nbound = 1e6");
    daemon.signal(Signal::SIGHUP);
    let bound = || home.ask_json(&["explain", "load.per_core", "--json"])["bound"].as_f64();
    wait("the new bound", || bound() == Some(1e6), || home.log());

    home.configure("intervall = '1s'");
    daemon.signal(Signal::SIGHUP);
    let problem = || {
        // The file is bad for every command; the daemon is asked at its socket.
        home.ask_without_file(&["status", "--json"])["problems"][0]["text"]
            .as_str()
            .map(str::to_owned)
    };
    wait("the refusal", || problem().is_some(), || home.log());
    let text = problem().unwrap();
    assert!(
        text.contains("did you mean `interval`") && text.contains("the old one stays"),
        "{text}"
    );

    home.configure("");
    daemon.signal(Signal::SIGHUP);
    wait(
        "health",
        || home.status()["healthy"] == true && bound().is_none(),
        || home.log(),
    );
}

#[test]
fn systemd_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    manager
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .unwrap();
    let home = Home::new("");
    let daemon = home.run_notifying(&path);
    let mut seen = String::new();
    while !seen.contains("STATUS=") {
        let mut buffer = [0; 512];
        let bytes = manager.recv(&mut buffer).unwrap();
        seen.push_str(&String::from_utf8_lossy(&buffer[..bytes]));
        seen.push(' ');
    }
    assert!(
        seen.starts_with("READY=1 ") && seen.contains("WATCHDOG=1"),
        "{seen}"
    );
    daemon.terminate();
}
