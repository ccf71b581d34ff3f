//! An agent without its program: real keys, real envelopes, whatever it is made to say.

use crate::program::Hub;
use arki_model::chain::Head;
use arki_model::event::{EVENT_VERSION, Event};
use arki_model::id::EventId;
use arki_model::prediction::{Eta, Prediction, Severity};
use arki_model::series::SeriesName;
use arki_model::signature::PrivateKey;
use arki_model::summary::Stats;
use arki_model::vote::{Verdict, Vote, Voter};
use arki_model::wire::enroll::{Enrolled, Enrollment};
use arki_model::wire::{self, About, AgentId, Batch, Epoch, Header, Kind, SeriesSet};

/// A key that is enrolled.
pub(crate) struct Sender {
    pub(crate) id: AgentId,
    pub(crate) key: PrivateKey,
    pub(crate) host: String,
    pub(crate) head: Head,
    pub(crate) epoch: Epoch,
}

impl Sender {
    /// Enrols over the wire, with an administrator's key.
    pub(crate) async fn enrol(hub: &Hub, admin: &str, n: u32, host: &str) -> Self {
        let wish = serde_json::json!({ "kind": "enrolment" });
        let (status, made) = hub.post("/v1/tokens", admin, &wish).await;
        assert_eq!(status, 201, "{made}");
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&n.to_le_bytes());
        let key = PrivateKey::from_seed(&seed);
        let asked = Enrollment {
            token: made["token"].as_str().unwrap().to_owned(),
            public_key: key.public(),
            host: host.to_owned(),
            agent_version: "0.1.0".into(),
            made_at_s: 0,
        };
        let (status, answer) = hub.ship(wire::ENROLL_PATH, asked.seal(&key)).await;
        assert_eq!(status, 200, "{answer}");
        let enrolled: Enrolled = serde_json::from_value(answer).unwrap();
        Self {
            id: enrolled.agent_id,
            key,
            host: host.to_owned(),
            head: Head::default(),
            epoch: Epoch(7),
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

    /// The next event of its chain, as a record; every text in it is `text`.
    pub(crate) fn event(&mut self, series: &str, raised_at: i64, text: &str) -> Vec<u8> {
        let eta = Some(Eta {
            low_s: 3_000.0,
            median_s: 4_000.0,
            high_s: 6_000.0,
        });
        let number = self.head.sequence + 1;
        let mut random = [0; 10];
        random[..2].copy_from_slice(&self.id.0[..2]);
        random[2..].copy_from_slice(&number.to_le_bytes());
        let event = Event {
            version: EVENT_VERSION,
            id: EventId::new(raised_at.unsigned_abs() * 1_000, random),
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
                votes: vec![Vote::new(Voter::Trend, Verdict::Yes, text)],
                also: vec![text.to_owned()],
            },
            processes: Vec::new(),
            context: vec![text.to_owned()],
            signed_at: raised_at,
        };
        let signed = self.head.append(event, &self.key).unwrap();
        wire::encode_event(&signed).unwrap()
    }
}

/// A summary of one bucket: the mean of the series number `n` is `value` + n.
pub(crate) fn summary(names: &[String], start_s: i64, value: f64) -> Vec<u8> {
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
