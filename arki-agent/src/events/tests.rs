use super::*;
use arki_model::event::EVENT_VERSION;
use arki_model::prediction::{Prediction, Severity};
use std::fs;

fn event(n: u64) -> Event {
    Event {
        version: EVENT_VERSION,
        id: EventId::new(n, [n as u8; 10]),
        host: "web-1".into(),
        sequence: 0,
        previous: [0; 32],
        prediction: Prediction {
            series: format!("disk.used_percent{{/{n}}}"),
            raised_at: n as i64,
            value: 80.0,
            bound: Some(100.0),
            eta: None,
            severity: Severity::Info,
            votes: Vec::new(),
            also: Vec::new(),
        },
        processes: Vec::new(),
        context: Vec::new(),
        signed_at: n as i64,
    }
}

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[5; 32])
}

fn filled(directory: &Path, count: u64) -> EventLog {
    let (mut log, notes) = EventLog::open(directory, Head::default());
    assert!(notes.is_empty());
    for n in 0..count {
        log.append(event(n), &key()).unwrap();
    }
    log
}

fn verified(log: &EventLog) -> usize {
    let events = log.read_from(0, usize::MAX);
    chain::verify(&events, &key().public()).unwrap().len()
}

#[test]
fn events_come_back_after_a_restart_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let head = filled(dir.path(), 3).head();
    let (mut log, notes) = EventLog::open(dir.path(), head);
    assert_eq!((log.head(), notes.len()), (head, 0));
    log.append(event(3), &key()).unwrap();
    assert_eq!(verified(&log), 4);
    assert_eq!(log.listed().last().unwrap().sequence, 4);
    let read = chain::decode(&log.read(2).unwrap().payload).unwrap();
    assert_eq!(read.id, EventId::new(1, [1; 10]));
    assert!(log.read(5).is_none());
}

#[test]
fn a_crash_at_any_byte_of_a_write_loses_no_acknowledged_event() {
    let dir = tempfile::tempdir().unwrap();
    let before = filled(dir.path(), 2);
    let path = before.segments[0].path().to_owned();
    let kept = path.metadata().unwrap().len() as usize;
    let head = before.head();
    filled_one_more(dir.path());
    let whole = fs::read(&path).unwrap();
    for cut in kept..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (mut log, notes) = EventLog::open(dir.path(), head);
        assert_eq!(log.head(), head, "cut at {cut}");
        assert!(notes.is_empty(), "cut at {cut}: {notes:?}");
        log.append(event(9), &key()).unwrap();
        assert_eq!(verified(&log), 3, "cut at {cut}");
    }
}

fn filled_one_more(directory: &Path) {
    let (mut log, _) = EventLog::open(directory, Head::default());
    log.append(event(2), &key()).unwrap();
}

#[test]
fn a_flipped_bit_is_found_kept_aside_and_no_number_is_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 3);
    let path = log.segments[0].path().to_owned();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let (mut log, notes) = EventLog::open(dir.path(), log.head());
    assert!(
        notes[0].contains("holds a damaged event") && notes[1].contains("the rest is lost"),
        "{notes:?}"
    );
    assert!(path.with_extension("log.damaged-1").exists());
    let next = chain::decode(&log.append(event(3), &key()).unwrap().payload).unwrap();
    assert_eq!(next.sequence, 4);
}

#[test]
fn a_write_that_fails_is_not_part_of_the_chain_and_the_next_one_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = filled(dir.path(), 1);
    let (path, head) = (log.segments[0].path().to_owned(), log.head());
    let moved = dir.path().join("moved");
    fs::rename(&path, &moved).unwrap();
    let said = log.append(event(1), &key()).unwrap_err().to_string();
    assert!(said.contains("cannot write the event"), "{said}");
    assert_eq!(log.head(), head);
    fs::rename(&moved, &path).unwrap();
    log.append(event(1), &key()).unwrap();
    assert_eq!(verified(&log), 2);
}

#[test]
fn the_log_is_bounded_and_its_tail_is_still_a_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = EventLog::open(dir.path(), Head::default());
    let mut big = event(1);
    big.context = vec!["x".repeat(8_000)];
    let per_file = SEGMENT_BYTES_MAX / 8_000;
    let count = per_file * 6;
    for _ in 0..count {
        log.append(big.clone(), &key()).unwrap();
    }
    let bytes: u64 = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= SEGMENT_BYTES_MAX * SEGMENTS_MAX as u64, "{bytes}");
    let first = log.listed().next().unwrap().sequence;
    assert!(first > count - per_file * 4 - 4 && first > 1);
    assert_eq!(verified(&log) as u64, count - first + 1);
    let (again, notes) = EventLog::open(dir.path(), log.head());
    assert_eq!((again.head(), notes.len()), (log.head(), 0));
    assert_eq!(log.read_from(count - 1, 10).len(), 2);
}
