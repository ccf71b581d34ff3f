//! The courier against a hub in memory that does what a real one does, and the client against real sockets and TLS.

mod day;
mod hub;
mod refusals;
mod sockets;

use super::*;
use arki_model::event::{EVENT_VERSION, Event};
use arki_model::id::EventId;
use arki_model::prediction::{Prediction, Severity};
use arki_model::wire::AgentId;
use hub::Hub;

/// Bits for epochs and ids in tests; no two alike.
pub(super) fn counter() -> impl FnMut() -> u64 {
    let mut last = 1000;
    move || {
        last += 1;
        last
    }
}

pub(super) fn key() -> PrivateKey {
    PrivateKey::from_seed(&[7; 32])
}

pub(super) const AGENT: AgentId = AgentId([9; 16]);

pub(super) fn courier() -> Courier {
    let about = About {
        agent_version: "0.1.0".into(),
        host: "web-1".into(),
        interval_s: 30,
        ..About::default()
    };
    let sender = Sender {
        agent: AGENT,
        key: key(),
        about,
    };
    Courier::new(sender, 1)
}

pub(super) fn outbox(dir: &Path) -> Outbox {
    Outbox::open(dir, outbox::BYTES_MAX, &mut counter())
        .unwrap()
        .0
}

/// A signed event whose payload has some 1 KiB.
pub(super) fn event(number: u64) -> Signed {
    let event = Event {
        version: EVENT_VERSION,
        id: EventId::new(number, [0; 10]),
        host: "web-1".into(),
        sequence: 0,
        previous: [0; 32],
        prediction: Prediction {
            series: "disk.used_percent{/}".into(),
            raised_at: number as i64,
            value: 80.0,
            bound: Some(100.0),
            eta: None,
            severity: Severity::Warning,
            votes: Vec::new(),
            also: vec!["x".repeat(750)],
        },
        processes: Vec::new(),
        context: Vec::new(),
        signed_at: number as i64,
    };
    let mut head = chain::Head {
        sequence: number - 1,
        digest: [0; 32],
    };
    head.append(event, &key()).unwrap()
}

pub(super) fn append_event(outbox: &mut Outbox, number: u64) {
    let record = encode_event(&event(number)).unwrap();
    outbox.append(Kind::Events, number, &record).unwrap();
}

/// The summary of one bucket of two series.
pub(super) fn append_summary(outbox: &mut Outbox, bucket: i64) {
    append_summary_of(outbox, bucket, &["cpu.busy_percent", "load.per_core"]);
}

/// The summary of one bucket of the series `names`.
pub(super) fn append_summary_of(outbox: &mut Outbox, bucket: i64, names: &[&str]) {
    let mut summariser = Summariser::default();
    let values = names.iter().map(|name| (*name, bucket as f64 % 100.0));
    summariser.observe(bucket * 300, values).unwrap();
    let record = summariser.observe(bucket * 300 + 300, []).unwrap().unwrap();
    outbox
        .append(Kind::Summaries, bucket.unsigned_abs(), &record)
        .unwrap();
}

/// Ships until nothing is left or `attempts` are over; returns how often it had to wait.
fn ship(courier: &mut Courier, outbox: &mut Outbox, hub: &mut Hub, attempts: usize) -> usize {
    let mut random = || 88_000;
    let mut waits = 0;
    for _ in 0..attempts {
        let Some(body) = courier.next(outbox, 1_000_000, true).unwrap() else {
            break;
        };
        let answer = hub.post(&body);
        match courier.answered(outbox, answer, &mut random).unwrap() {
            Next::Now => {}
            Next::Wait(..) => waits += 1,
            Next::Stop(_) => break,
        }
    }
    waits
}
