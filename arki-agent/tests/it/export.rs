//! What the agent has in its windows, exported and replayed.

use crate::process::{Home, stderr, stdout, wait};
use arki_agent::replay::trace::{Row, Trace};
use std::io::Read;

#[test]
fn an_export_is_a_trace_that_replay_reads() {
    // A pattern may be called anything: the name needs quotes in a CSV.
    let home = Home::new("");
    let log = home.path("app.log");
    std::fs::write(&log, "started\n").unwrap();
    home.configure(&format!(
        "[[log]]\nname = 'app,\"main\"'\npath = '{}'\n",
        log.display()
    ));
    let _daemon = home.run();
    wait("some passes", || home.passes() >= 5, || home.log());

    let path = home.path("web-1.csv.gz").display().to_string();
    let output = home.ask(&["export", "--output", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    assert!(header.starts_with("timestamp,"), "{header}");
    assert!(header.contains("{app,\"\"main\"\"}\""), "{header}");
    let rows = rows.lines().count();
    assert!(rows >= 4, "{text}");
    let mut trace = Trace::open(text.as_bytes()).unwrap();
    let (mut row, mut read, mut values) = (Row::default(), 0, 0);
    while trace.next_row(&mut row).unwrap() {
        (read, values) = (read + 1, values + row.values.len());
    }
    assert_eq!(read, rows, "{text}");
    assert!(values > 5 * rows, "{text}");

    let replay = home.ask(&["replay", "--report", &path]);
    assert_eq!(replay.status.code(), Some(0), "{}", stderr(&replay));

    let output = home.ask(&["export", "--ring", "raw", "--since", "1s"]);
    let text = stdout(&output);
    assert!((2..=3).contains(&text.lines().count()), "{text}");
}

#[test]
fn without_a_daemon_no_file_is_touched() {
    let home = Home::new("");
    let path = home.path("kept.csv");
    std::fs::write(&path, "kept").unwrap();
    let output = home.ask(&["export", "--output", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("the agent is not running"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
}
