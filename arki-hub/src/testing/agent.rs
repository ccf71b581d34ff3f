//! For tests: an agent without its program. Real keys, real envelopes, whatever it is made to say.
//!
//! One file for the unit tests and for the tests with the real programs (`tests/it`), which take it by its path.

use arki_model::chain::Head;
use arki_model::clock::UnixSeconds;
use arki_model::event::{EVENT_VERSION, Event};
use arki_model::id::EventId;
use arki_model::prediction::{Eta, Prediction, Severity};
use arki_model::series::SeriesName;
use arki_model::signature::{PrivateKey, Signed};
use arki_model::summary::Stats;
use arki_model::vote::{Verdict, Vote, Voter};
use arki_model::wire::enroll::Enrollment;
use arki_model::wire::{self, About, AgentId, Batch, Epoch, Header, Kind, SeriesSet};

/// A key that is enrolled, and what it has said so far.
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    pub(crate) key: PrivateKey,
    pub(crate) host: String,
    pub(crate) head: Head,
    pub(crate) epoch: Epoch,
    /// The reason that its events give.
    pub(crate) said: String,
}

/// The body with which `key` introduces itself.
pub(crate) fn enrollment(token: &str, key: &PrivateKey, host: &str) -> Vec<u8> {
    let asked = Enrollment {
        token: token.to_owned(),
        public_key: key.public(),
        host: host.to_owned(),
        agent_version: "0.1.0".into(),
        made_at_s: 0,
    };
    asked.seal(key)
}

impl Agent {
    /// Enrolled as `id`; nothing was said yet.
    pub(crate) fn new(id: AgentId, key: PrivateKey, host: &str) -> Self {
        Self {
            id,
            key,
            host: host.to_owned(),
            head: Head::default(),
            epoch: Epoch(7),
            said: "rises 3.1 points an hour for 2 h 10 min".into(),
        }
    }

    /// A body with `records`, the first of which has the number `sequence`.
    pub(crate) fn seal(&self, kind: Kind, sequence: u64, records: &[Vec<u8>]) -> Vec<u8> {
        let about = About {
            agent_version: "0.1.0".into(),
            host: self.host.clone(),
            interval_s: 30,
            summaries_dropped: 0,
            records_set_aside: 0,
        };
        let batch = Batch::encode(kind, &about, records).unwrap();
        let header = Header {
            agent: self.id,
            epoch: self.epoch,
            sequence,
            sent_at_s: 0,
        };
        wire::seal(&self.key, &header, &batch).unwrap()
    }

    /// The agent and the event's number, past the bytes of which UUID version 7 takes bits for itself: no two events
    /// have the same identifier. Of the agent's own, which is random, four bytes: one of them alone is the same for two of
    /// five agents every 25th time.
    fn event_bits(&self) -> [u8; 10] {
        let mut bits = [0; 10];
        bits[3..7].copy_from_slice(&self.id.0[12..]);
        bits[7..].copy_from_slice(&self.head.sequence.to_le_bytes()[..3]);
        bits
    }

    /// The next event of its chain, as a record.
    pub(crate) fn event(&mut self, series: &str, raised_at: UnixSeconds, left_s: f64) -> Vec<u8> {
        let eta = Some(Eta {
            low_s: left_s * 0.8,
            median_s: left_s,
            high_s: left_s * 1.3,
        });
        let mut vote = Vote::new(Voter::Trend, Verdict::Yes, self.said.clone());
        vote.related.push("disk.write_bytes_per_second{sda}".into());
        let event = Event {
            version: EVENT_VERSION,
            id: EventId::new((raised_at as u64).wrapping_mul(1_000), self.event_bits()),
            host: self.host.clone(),
            sequence: 0,
            previous: [0; 32],
            prediction: Prediction {
                series: series.into(),
                raised_at,
                value: 87.5,
                bound: Some(100.0),
                eta,
                severity: Severity::of(eta),
                votes: vec![vote],
                also: Vec::new(),
            },
            processes: Vec::new(),
            context: Vec::new(),
            signed_at: raised_at,
        };
        let signed: Signed = self.head.append(event, &self.key).unwrap();
        wire::encode_event(&signed).unwrap()
    }
}

/// A summary of one bucket: the mean of the series number `n` is `value` + n.
pub(crate) fn summary(names: &[&str], start_s: UnixSeconds, value: f64) -> Vec<u8> {
    let names: Vec<SeriesName> = names
        .iter()
        .map(|name| SeriesName::new(name).unwrap())
        .collect();
    let samples: Vec<Option<Stats>> = (0..names.len())
        .map(|n| {
            let mean = value + n as f64;
            Some(Stats {
                min: mean - 1.0,
                mean,
                max: mean + 1.0,
                last: mean + 0.5,
            })
        })
        .collect();
    wire::encode_summary(&SeriesSet::new(names).unwrap(), start_s, 300, 1, &samples).unwrap()
}
