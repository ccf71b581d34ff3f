//! Real processes, killed (SIGKILL) while they write; and a disk that takes no more.
//!
//! The writer is this test binary itself, started again; it says each number once it is recorded. `ARKI_KILLS=1000`
//! runs the full number.

use super::{drain, open};
use crate::outbox::BYTES_MAX;
use arki_model::wire::Kind;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const DIRECTORY: &str = "ARKI_TEST_OUTBOX";

/// Writes until it is killed, or until the disk takes no more.
#[test]
#[ignore = "the other end of the tests below"]
fn writer() {
    let Some(path) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let (mut outbox, _) = open(Path::new(&path), BYTES_MAX);
    let mut out = std::io::stdout();
    writeln!(out, "\nopen").unwrap();
    loop {
        let number = outbox.last_number(Kind::Events) + 1;
        match outbox.append(Kind::Events, number, &payload(number)) {
            Ok(number) => writeln!(out, "recorded {number}").unwrap(),
            Err(error) => {
                writeln!(out, "refused {error}").unwrap();
                return;
            }
        }
    }
}

/// 1 KiB that tells its number.
fn payload(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(128)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the process that is killed is this binary"
)]
fn start(path: &Path, before: &str) -> Child {
    let command = format!(
        "{before} exec '{}' --exact outbox::tests::kill::writer --ignored --nocapture --quiet",
        std::env::current_exe().unwrap().display()
    );
    Command::new("/bin/sh")
        .args(["-c", &command])
        .env(DIRECTORY, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the writer said until it ended: the highest number that it had recorded, and why it was refused.
fn heard(child: &mut Child) -> (u64, Option<String>) {
    let (mut highest, mut refused) = (0, None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        if let Some(number) = line.strip_prefix("recorded ") {
            // A number without its line end may be cut off itself.
            highest = number.parse().unwrap_or(highest).max(highest);
        }
        refused = refused.or(line.strip_prefix("refused ").map(str::to_owned));
    }
    (highest, refused)
}

#[test]
fn nothing_recorded_is_lost_when_the_agent_is_killed_at_any_moment() {
    let kills = std::env::var("ARKI_KILLS").map_or(20, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut drained = 0;
    for kill in 0..kills {
        let mut child = start(dir.path(), "");
        // Another moment each time, from its start to some writes later.
        std::thread::sleep(Duration::from_micros(3_000 + kill * 7_919 % 20_000));
        child.kill().unwrap();
        let (recorded, _) = heard(&mut child);
        child.wait().unwrap();

        let (mut outbox, notes) = open(dir.path(), BYTES_MAX);
        assert!(notes.is_empty(), "{notes:?}");
        for (number, bytes) in drain(&mut outbox, Kind::Events) {
            assert_eq!(number, drained + 1, "after kill {kill}");
            assert!(bytes == payload(number), "after kill {kill}");
            drained = number;
        }
        assert!(
            drained >= recorded,
            "kill {kill}: {recorded} was recorded, {drained} came"
        );
    }
    assert!(drained > 0, "the writer never came to write");
}

#[test]
fn a_disk_that_takes_no_more_is_said_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // Files of at most 8 blocks of 512 bytes: a write fails in the middle, as on a full disk.
    let mut child = start(dir.path(), "trap '' XFSZ; ulimit -f 8;");
    let (recorded, refused) = heard(&mut child);
    child.wait().unwrap();
    assert!(recorded > 0);
    let refused = refused.unwrap();
    assert!(refused.contains(".seg: "), "{refused}");

    let (mut outbox, notes) = open(dir.path(), BYTES_MAX);
    assert!(notes.is_empty(), "{notes:?}");
    outbox
        .append(Kind::Events, 0, &payload(recorded + 1))
        .unwrap();
    let came = drain(&mut outbox, Kind::Events);
    assert_eq!(came.len() as u64, recorded + 1);
    assert!(
        came.iter()
            .all(|(number, bytes)| bytes == &payload(*number))
    );
}
