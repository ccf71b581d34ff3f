//! A state directory on a disk that is full or has become read-only: the agent lives, says so, and goes on by itself
//! as soon as it can write. A tmpfs of its own stands for the disk, which takes root.

use crate::process::{Home, Mounted, wait};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// The problem that `status` names, and the exit code that goes with it.
fn degraded(home: &Home, expected: &str) {
    let output = home.ask(&["status"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let flat: Vec<&str> = text.split_whitespace().collect();
    assert!(flat.join(" ").contains(expected), "{expected} in\n{text}");
}

fn is_healthy(home: &Home) -> bool {
    home.ask(&["status"]).status.code() == Some(0)
}

/// Announces a context, which is to be written at once.
fn announce(home: &Home, name: &str) {
    let output = home.ask(&["context", "begin", name, "--ttl", "2h"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    // the last bytes, too
    while file.write_all(&[0]).is_ok() {}
}

#[test]
fn a_full_disk_is_said_and_what_waited_is_written_when_there_is_room() {
    let home = Home::new("");
    let Some(_disk) = Mounted::tmpfs(&home.state()) else {
        return;
    };
    let daemon = home.run();
    let filler = home.state().join("filler");
    fill(&filler);
    announce(&home, "migration");
    degraded(&home, "storage: ");
    degraded(&home, "No space left on device");
    home.next_pass();
    fs::remove_file(&filler).unwrap();
    wait("the agent to recover", || is_healthy(&home), || home.log());
    daemon.kill();
    let _daemon = home.run();
    let listed = home.ask(&["context", "list"]);
    assert!(
        String::from_utf8(listed.stdout)
            .unwrap()
            .contains("migration")
    );
}

#[test]
fn an_agent_starts_on_a_full_disk_and_says_so() {
    let home = Home::new("");
    let Some(_disk) = Mounted::tmpfs(&home.state()) else {
        return;
    };
    home.run().terminate();
    let filler = home.state().join("filler");
    fill(&filler);
    let _daemon = home.run();
    announce(&home, "migration");
    degraded(&home, "No space left on device");
    fs::remove_file(&filler).unwrap();
    wait("the agent to recover", || is_healthy(&home), || home.log());
}

#[test]
fn a_disk_that_becomes_read_only_is_said_and_used_again_when_it_can_be_written() {
    let home = Home::new("");
    let Some(disk) = Mounted::tmpfs(&home.state()) else {
        return;
    };
    let daemon = home.run();
    disk.remount("ro");
    announce(&home, "migration");
    degraded(&home, "Read-only file system");
    home.next_pass();
    disk.remount("rw");
    wait("the agent to recover", || is_healthy(&home), || home.log());
    disk.remount("ro");
    assert_eq!(
        daemon.terminate(),
        Some(0),
        "it leaves although nothing can be saved"
    );
}
