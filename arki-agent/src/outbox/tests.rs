//! The spool against a model, against crashes and against the disk.

mod crash;
mod kill;
mod model;

use super::*;
use arki_model::wire::RECORDS_MAX;

/// Epochs for tests: 1, 2, 3 …
pub(super) fn counter() -> impl FnMut() -> u64 {
    let mut last = 0;
    move || {
        last += 1;
        last
    }
}

pub(super) fn open(path: &Path, bytes_max: u64) -> (Outbox, Vec<String>) {
    Outbox::open(path, bytes_max, &mut counter()).unwrap()
}

/// Memory where there is: most of this is about what is in the files, not about the disk.
pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Everything that waits, as the hub would get it.
pub(super) fn drain(outbox: &mut Outbox, kind: Kind) -> Vec<(u64, Vec<u8>)> {
    let mut all = Vec::new();
    while let (Some(pending), _) = outbox.pending(kind, RECORDS_MAX, 64 * 1024).unwrap() {
        let last = pending.last();
        all.extend((pending.first..).zip(pending.payloads));
        outbox.acknowledge(kind, pending.epoch, last).unwrap();
    }
    all
}

#[test]
fn what_was_acknowledged_is_gone_and_its_numbers_are_never_used_again() {
    let dir = scratch();
    let (mut outbox, _) = open(dir.path(), BYTES_MAX);
    for n in 0..10 {
        outbox.append(Kind::Events, n, &[n as u8]).unwrap();
    }
    let (pending, _) = outbox.pending(Kind::Events, 4, 1024).unwrap();
    let pending = pending.unwrap();
    assert_eq!((pending.first, pending.last()), (1, 4));
    let other = Epoch(pending.epoch.0 + 1);
    outbox.acknowledge(Kind::Events, other, 4).unwrap();
    assert_eq!(
        outbox.figures().events_waiting,
        10,
        "an answer to somebody else"
    );
    outbox.acknowledge(Kind::Events, pending.epoch, 4).unwrap();
    drop(outbox);

    let (mut outbox, notes) = open(dir.path(), BYTES_MAX);
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(outbox.last_tag(Kind::Events), 9);
    assert_eq!(drain(&mut outbox, Kind::Events)[0], (5, vec![4]));
    assert_eq!(outbox.figures().bytes, 0, "nothing is left on disk");
    drop(outbox);

    let (mut outbox, _) = open(dir.path(), BYTES_MAX);
    assert_eq!(outbox.append(Kind::Events, 10, b"next").unwrap(), 11);
    assert_eq!(outbox.last_tag(Kind::Events), 10);
}

#[test]
fn summaries_make_room_for_events_and_an_event_is_never_dropped() {
    let dir = scratch();
    let cap = 4 * SEGMENT_BYTES_MAX;
    let (mut outbox, _) = open(dir.path(), cap);
    for n in 0..1_000 {
        outbox.append(Kind::Summaries, n, &[0; 1_000]).unwrap();
        assert!(outbox.figures().bytes <= cap);
    }
    let figures = outbox.figures();
    assert!(figures.summaries_dropped > 0);
    assert_eq!(figures.summaries_dropped + figures.summaries_waiting, 1_000);

    let mut taken = 0;
    let refused = loop {
        match outbox.append(Kind::Events, taken, &[1; 1_000]) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(
        refused.to_string().contains("is the hub reachable?"),
        "{refused}"
    );
    let figures = outbox.figures();
    assert_eq!(
        (figures.summaries_waiting, figures.summaries_dropped),
        (0, 1_000)
    );
    assert_eq!((figures.events_waiting, figures.events_refused), (taken, 1));
    assert!(outbox.append(Kind::Summaries, 0, &[0; 1_000]).is_err());
    assert_eq!(outbox.figures().summaries_dropped, 1_001);
    assert_eq!(drain(&mut outbox, Kind::Events).len() as u64, taken);
}

#[test]
fn a_record_that_is_refused_for_ever_makes_way_and_is_kept() {
    let dir = scratch();
    let (mut outbox, _) = open(dir.path(), BYTES_MAX);
    outbox.append(Kind::Events, 1, b"poison").unwrap();
    outbox.append(Kind::Events, 2, b"good").unwrap();
    let (pending, _) = outbox.pending(Kind::Events, 1, 1024).unwrap();
    let file = outbox.set_aside(Kind::Events, &pending.unwrap()).unwrap();
    let (kept, _) = crate::state::load::<Vec<Vec<u8>>>(Path::new(&file));
    assert_eq!(kept.unwrap(), [b"poison".to_vec()]);
    assert_eq!(outbox.figures().records_set_aside, 1);
    assert_eq!(drain(&mut outbox, Kind::Events), [(2, b"good".to_vec())]);
}

#[test]
fn a_state_directory_that_is_made_again_has_another_epoch() {
    let dir = scratch();
    let mut random = counter();
    let mut epochs = Vec::new();
    for _ in 0..2 {
        let (mut outbox, _) = Outbox::open(dir.path(), BYTES_MAX, &mut random).unwrap();
        for kind in [Kind::Events, Kind::Summaries] {
            outbox.append(kind, 0, b"record").unwrap();
            epochs.push(outbox.pending(kind, 1, 10).unwrap().0.unwrap().epoch);
        }
        std::fs::remove_dir_all(dir.path()).unwrap();
    }
    epochs.sort_unstable();
    epochs.dedup();
    assert_eq!(epochs.len(), 4);
}

#[test]
fn files_that_somebody_removed_are_counted_and_stop_nothing() {
    let dir = scratch();
    let (mut outbox, _) = open(dir.path(), BYTES_MAX);
    for n in 0..300 {
        outbox.append(Kind::Events, n, &[0; 1_000]).unwrap();
    }
    let lane = dir.path().join("events");
    let first = segment::list(&lane).unwrap()[0];
    std::fs::remove_file(lane.join(format!("{first:020}.seg"))).unwrap();
    let left = drain(&mut outbox, Kind::Events).len() as u64;
    assert!(left < 300);
    assert_eq!(outbox.figures().records_set_aside + left, 300);
    outbox.append(Kind::Events, 0, b"on it goes").unwrap();
    for first in segment::list(&lane).unwrap() {
        std::fs::remove_file(lane.join(format!("{first:020}.seg"))).unwrap();
    }
    assert!(drain(&mut outbox, Kind::Events).is_empty());
    assert!(!outbox.is_waiting(Kind::Events));
}
