//! A hub in memory: verifies, stores each (agent, epoch, number) once, answers.

use crate::ship::Answer;
use arki_model::signature::{EVENT_TYPE, PublicKey, Signed};
use arki_model::wire::{
    Acknowledgement, Batch, Decompressor, Envelope, Epoch, Problem, Records, Summary, problem,
};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

pub(super) struct Hub {
    pub(super) key: PublicKey,
    /// What it answers instead, once for each.
    pub(super) moods: Vec<Result<Answer, String>>,
    /// Commits, and then the answer is lost.
    pub(super) loses_answers: u32,
    pub(super) events: BTreeMap<(u64, u64), Signed>,
    pub(super) summaries: BTreeMap<(u64, u64), Summary>,
    pub(super) names: HashSet<[u8; 16]>,
    pub(super) batches: Vec<Batch>,
    pub(super) bytes: usize,
}

pub(super) fn refusal(status: u16, kind: &str) -> Answer {
    Answer {
        status,
        retry_after: (status == 503).then(|| Duration::from_secs(7)),
        body: serde_json::to_vec(&Problem::new(kind, status, "refused", "by the test")).unwrap(),
    }
}

impl Hub {
    pub(super) fn new(key: PublicKey) -> Self {
        Self {
            key,
            moods: Vec::new(),
            loses_answers: 0,
            events: BTreeMap::new(),
            summaries: BTreeMap::new(),
            names: HashSet::new(),
            batches: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn post(&mut self, body: &[u8]) -> Result<Answer, String> {
        if let Some(mood) = self.moods.pop() {
            return mood;
        }
        self.bytes += body.len();
        let Ok(verified) = Envelope::read(body).and_then(|envelope| envelope.verify(&self.key))
        else {
            return Ok(refusal(401, problem::SIGNATURE));
        };
        let Ok(batch) = verified.batch(&mut Decompressor::new().unwrap()) else {
            return Ok(refusal(400, problem::MALFORMED));
        };
        let header = *verified.header();
        if let Some(refused) = self.store(header.epoch, header.sequence, &batch) {
            return Ok(refusal(409, refused));
        }
        self.batches.push(batch);
        if self.loses_answers > 0 {
            self.loses_answers -= 1;
            return Err("the answer was lost".to_owned());
        }
        let range = (header.epoch.0, 0)..=(header.epoch.0, u64::MAX);
        let event = self
            .events
            .range(range.clone())
            .next_back()
            .map(|(key, _)| key.1);
        let summary = self
            .summaries
            .range(range)
            .next_back()
            .map(|(key, _)| key.1);
        let acknowledgement = Acknowledgement {
            epoch: header.epoch,
            sequence: event.max(summary).unwrap_or(0),
            requests_waiting: false,
        };
        Ok(Answer {
            status: 200,
            retry_after: None,
            body: serde_json::to_vec(&acknowledgement).unwrap(),
        })
    }

    fn store(&mut self, epoch: Epoch, first: u64, batch: &Batch) -> Option<&'static str> {
        match &batch.records {
            Records::Events(events) => {
                for (number, signed) in (first..).zip(events) {
                    assert_eq!(signed.verify(&self.key, EVENT_TYPE), Ok(()));
                    let stored = self
                        .events
                        .entry((epoch.0, number))
                        .or_insert_with(|| signed.clone());
                    if stored != signed {
                        return Some(problem::SEQUENCE_REUSED);
                    }
                }
            }
            Records::Summaries(summaries) => {
                self.names.extend(
                    summaries
                        .iter()
                        .filter_map(|s| s.names.as_ref())
                        .map(|set| *set.digest()),
                );
                if summaries
                    .iter()
                    .any(|summary| !self.names.contains(&summary.digest))
                {
                    return Some(problem::SERIES_UNKNOWN);
                }
                for (number, summary) in (first..).zip(summaries) {
                    self.summaries
                        .entry((epoch.0, number))
                        .or_insert_with(|| summary.clone());
                }
            }
        }
        None
    }
}
