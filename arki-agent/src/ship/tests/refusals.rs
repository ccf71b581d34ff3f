//! What every refusal leads to.

use super::hub::refusal;
use super::*;
use arki_model::wire::{Records, problem};

struct Setup {
    _dir: tempfile::TempDir,
    outbox: Outbox,
    courier: Courier,
    hub: Hub,
}

fn setup() -> Setup {
    let dir = tempfile::tempdir().unwrap();
    Setup {
        outbox: outbox(dir.path()),
        _dir: dir,
        courier: courier(),
        hub: Hub::new(key().public()),
    }
}

impl Setup {
    fn ship(&mut self) -> usize {
        ship(&mut self.courier, &mut self.outbox, &mut self.hub, 100)
    }

    fn next(&mut self) -> Next {
        let body = self
            .courier
            .next(&mut self.outbox, 0, true)
            .unwrap()
            .unwrap();
        let answer = self.hub.post(&body);
        self.courier
            .answered(&mut self.outbox, answer, &mut || 77_000)
            .unwrap()
    }
}

#[test]
fn events_go_first_and_names_travel_once() {
    let mut s = setup();
    append_summary(&mut s.outbox, 1);
    append_summary(&mut s.outbox, 2);
    append_event(&mut s.outbox, 1);
    assert_eq!(s.ship(), 0);
    append_summary(&mut s.outbox, 3);
    assert_eq!(s.ship(), 0);
    let named = |records: &Records| match records {
        Records::Events(_) => None,
        Records::Summaries(all) => Some(all.iter().map(|s| s.names.is_some()).collect::<Vec<_>>()),
    };
    let sent: Vec<_> = s
        .hub
        .batches
        .iter()
        .map(|batch| named(&batch.records))
        .collect();
    assert_eq!(sent, [None, Some(vec![true, false]), Some(vec![false])]);

    // A hub that lost its names gets them again, without a pause that counts.
    s.hub.names.clear();
    append_summary(&mut s.outbox, 4);
    assert_eq!(s.ship(), 1);
    assert_eq!(s.hub.summaries.len(), 4);
}

#[test]
fn a_batch_of_lost_and_of_new_names_is_sent_again_with_both() {
    let mut s = setup();
    append_summary(&mut s.outbox, 1);
    assert_eq!(s.ship(), 0);
    s.hub.names.clear();
    append_summary(&mut s.outbox, 2);
    append_summary_of(&mut s.outbox, 3, &["cpu.busy_percent", "swap.used_percent"]);
    assert_eq!(s.ship(), 1, "once without the lost names, then with all");
    assert_eq!((s.hub.summaries.len(), s.hub.names.len()), (3, 2));

    // A hub that refuses the names themselves is not asked at once again.
    append_summary_of(&mut s.outbox, 4, &["swap.used_percent", "load.per_core"]);
    s.hub.moods.push(Ok(refusal(409, problem::SERIES_UNKNOWN)));
    let Next::Wait(wait, _) = s.next() else {
        panic!("it waits")
    };
    assert!(wait >= Duration::from_secs(1), "{wait:?}");
    assert_eq!(s.ship(), 0);
}

#[test]
fn a_revoked_agent_stops_and_keeps_what_it_has() {
    for (status, kind) in [
        (403, problem::AGENT_REVOKED),
        (401, problem::AGENT_UNKNOWN),
        (401, problem::SIGNATURE),
    ] {
        let mut s = setup();
        append_event(&mut s.outbox, 1);
        s.hub.moods.push(Ok(refusal(status, kind)));
        let Next::Stop(why) = s.next() else {
            panic!("{kind} stops")
        };
        assert!(why.contains("arki-agent enroll"), "{why}");
        assert_eq!(s.courier.next(&mut s.outbox, 0, true).unwrap(), None);
        assert_eq!(s.outbox.figures().events_waiting, 1);
    }
    // A proxy's 403 is not the hub's.
    let mut s = setup();
    append_event(&mut s.outbox, 1);
    s.hub.moods.push(Ok(Answer {
        status: 403,
        ..Answer::default()
    }));
    assert!(matches!(s.next(), Next::Wait(..)));
    assert_eq!(s.ship(), 0);
    assert_eq!(s.hub.events.len(), 1);
}

#[test]
fn a_busy_hub_says_when_and_pauses_grow_and_differ() {
    let mut s = setup();
    append_event(&mut s.outbox, 1);
    s.hub.moods.push(Ok(refusal(503, problem::BUSY)));
    let Next::Wait(wait, _) = s.next() else {
        panic!("it waits")
    };
    assert!((7.0..=7.7).contains(&wait.as_secs_f64()), "{wait:?}");

    let mut pauses = Vec::new();
    for _ in 0..20 {
        s.hub.moods.push(Err("away".to_owned()));
        let Next::Wait(wait, why) = s.next() else {
            panic!("it waits")
        };
        assert_eq!(why, "away");
        pauses.push(wait);
    }
    assert!(pauses[0] <= Duration::from_secs(4) && pauses[19] >= Duration::from_secs(150));
    assert!(
        pauses
            .iter()
            .all(|pause| *pause <= Duration::from_secs(300))
    );
    pauses.sort_unstable();
    pauses.dedup();
    assert!(pauses.len() > 18, "pauses differ");
}

#[test]
fn a_record_that_the_hub_cannot_read_is_set_aside_and_the_others_arrive() {
    let mut s = setup();
    append_event(&mut s.outbox, 1);
    s.outbox
        .append(Kind::Events, 2, b"no event at all")
        .unwrap();
    append_event(&mut s.outbox, 3);
    s.ship();
    assert_eq!(s.hub.events.len(), 2);
    let figures = s.outbox.figures();
    assert_eq!((figures.records_set_aside, figures.events_waiting), (1, 0));
    let notes = s.courier.take_notes();
    assert!(notes[0].contains("kept as"), "{notes:?}");
}

#[test]
fn a_copied_state_directory_is_noticed_and_loses_nothing() {
    // Two agents with the same key, id and spool: one is a clone of the other's disk.
    let mut s = setup();
    let mut clone = setup();
    for number in 1..=3 {
        append_event(&mut s.outbox, number);
    }
    s.ship();
    append_event(&mut clone.outbox, 11);
    clone.hub = std::mem::replace(&mut s.hub, Hub::new(key().public()));
    // The hub knows another record 1 of this epoch.
    assert!(matches!(clone.next(), Next::Wait(..)));
    assert!(clone.courier.take_notes()[0].contains("copied or restored"));
    assert_eq!(clone.ship(), 0);
    assert_eq!(clone.hub.events.len(), 4);

    // Restored from a backup: what it has is there already, and the hub is further.
    let mut s = setup();
    append_event(&mut s.outbox, 1);
    s.hub = clone.hub;
    assert!(matches!(s.next(), Next::Wait(..)));
    s.ship();
    assert_eq!(s.outbox.figures().events_waiting, 0);
}

#[test]
fn an_answer_that_is_none_deletes_nothing() {
    let mut s = setup();
    append_event(&mut s.outbox, 1);
    let epoch = s
        .outbox
        .pending(Kind::Events, 1, 1)
        .unwrap()
        .0
        .unwrap()
        .epoch;
    let other = Epoch(epoch.0 + 1);
    for body in [
        String::new(),
        "<html>captive portal</html>".to_owned(),
        format!(r#"{{"epoch":"{other}","sequence":1}}"#),
        format!(r#"{{"epoch":"{epoch}","sequence":0}}"#),
    ] {
        s.hub.moods.push(Ok(Answer {
            status: 200,
            retry_after: None,
            body: body.into_bytes(),
        }));
        assert!(matches!(s.next(), Next::Wait(..)));
        assert_eq!(s.outbox.figures().events_waiting, 1);
    }
}
