//! Signed events of the real binary: made, exported, verified, refused when a byte is changed.

use crate::process::{Home, stderr, stdout, wait};
use std::fmt::Write as _;
use std::fs;

/// An hour of calm at a pass a minute, then the disk fills within six hours.
fn trace() -> String {
    let mut text = String::from("timestamp,disk.used_percent{/},cpu.busy_percent\n");
    for minute in 0..420 {
        let used = 40.0 + f64::from((minute - 60).max(0)) / 6.0;
        let at = 1_704_067_200 + 60 * minute;
        writeln!(text, "{at},{used:.3},{}", 20 + minute % 3).unwrap();
    }
    text
}

#[test]
fn events_are_exported_and_verified_and_a_changed_byte_is_named_by_its_line() {
    let home = Home::new("");
    home.configure("");
    let config = fs::read_to_string(home.path("agent.toml")).unwrap();
    fs::write(home.path("agent.toml"), config.replace("'1s'", "'60s'")).unwrap();
    fs::write(home.path("web-1.csv"), trace()).unwrap();
    let recording = home.path("web-1.csv").display().to_string();
    let daemon = home.run_with(&["run", "--trace", &recording, "--speed", "1800"]);
    let file = home.path("events.jsonl");
    let path = file.display().to_string();
    let none = home.ask(&["export", "--events", "--output", &path]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("has signed no events yet") && !file.exists());
    let told = || {
        home.status()["last_event"]["sequence"]
            .as_u64()
            .unwrap_or(0)
    };
    wait("two events", || told() >= 2, || home.log());

    let exported = home.ask(&["export", "--events", "--output", &path]);
    assert_eq!(exported.status.code(), Some(0), "{}", stderr(&exported));
    assert!(
        stderr(&exported).contains(" events in "),
        "{}",
        stderr(&exported)
    );
    // offline, with the agent's own key
    daemon.kill();
    let verified = home.ask(&["verify", &path]);
    assert_eq!(verified.status.code(), Some(0), "{}", stderr(&verified));
    assert!(
        stdout(&verified).contains("numbers 1 to "),
        "{}",
        stdout(&verified)
    );

    let text = fs::read_to_string(&file).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    for place in [60, 200, 400] {
        let mut bytes = second.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = format!("{first}\n{}", String::from_utf8(bytes).unwrap());
        fs::write(&file, changed).unwrap();
        let refused = home.ask(&["verify", &path]);
        assert_eq!(refused.status.code(), Some(1), "byte {place}");
        assert!(
            stderr(&refused).contains("events.jsonl:2: "),
            "{}",
            stderr(&refused)
        );
    }
    // one left out in the middle
    fs::write(&file, second).unwrap();
    let begins_later = home.ask(&["verify", &path]);
    assert!(!stdout(&begins_later).contains("numbers 1 to "));
}
