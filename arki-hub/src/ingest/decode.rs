//! From bytes to a batch that is believed: signature first, then decompression, then decoding. No I/O; on blocking
//! threads, because it is work.

use super::keys::Keys;
use super::{Job, refusal};
use crate::server::problem::Problem;
use crate::store::agents::Known;
use arki_model::wire::{AgentId, Batch, Decompressor, Envelope, Header, WireError, problem};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The agents of a group, by their identifier.
pub(super) type Agents = HashMap<[u8; 16], Known>;

/// A batch that is believed.
#[derive(Debug)]
pub(super) struct Believed {
    /// Whose, and which numbers.
    pub(super) header: Header,
    /// What.
    pub(super) batch: Batch,
}

/// Batches that are worth a thread of their own: a millisecond of work.
const SHARE_MIN: usize = 16;

/// Samples that are decoded before the first of them are stored, at 40 bytes: 10 MB, a thousand batches of an agent with 260
/// series. What a body becomes is known only once it is decoded (a kilobyte may hold 5 MB), so each thread may exceed it by
/// the one batch that it is at.
const SAMPLES_AT_ONCE: usize = 262_144;

/// Checks signatures and decodes, on as many threads as there are cores. The contexts of zstd are kept: making one
/// costs as much as decoding several batches.
#[derive(Debug)]
pub(super) struct Decoders {
    cores: usize,
    keys: Arc<Keys>,
    idle: Vec<Decompressor>,
}

/// A batch that was looked at.
type Decoded = (Job, Result<Believed, Problem>);

impl Decoders {
    pub(super) fn new(cores: usize, keys: Arc<Keys>) -> Self {
        Self {
            cores,
            keys,
            idle: Vec::new(),
        }
    }

    /// Looks at them, in their order; and those that are left because the others hold [`SAMPLES_AT_ONCE`].
    pub(super) async fn decode(
        &mut self,
        mut jobs: Vec<Job>,
        agents: &Arc<Agents>,
    ) -> (Vec<Decoded>, Vec<Job>) {
        let held = Arc::new(AtomicUsize::new(0));
        let share = jobs.len().div_ceil(self.cores).max(SHARE_MIN);
        let mut parts = Vec::new();
        while !jobs.is_empty() {
            let rest = jobs.split_off(jobs.len().min(share));
            let part = std::mem::replace(&mut jobs, rest);
            let (agents, held) = (Arc::clone(agents), Arc::clone(&held));
            let (keys, kept) = (Arc::clone(&self.keys), self.idle.pop());
            parts.push(tokio::task::spawn_blocking(move || {
                decode_all(part, &agents, &keys, kept, &held)
            }));
        }
        let (mut all, mut left) = (Vec::new(), Vec::new());
        for part in parts {
            // a panic would be a mistake of ours; its jobs are dropped, and the agents are told to try again
            if let Ok((decoded, rest, decompressor)) = part.await {
                all.extend(decoded);
                left.extend(rest);
                self.idle.extend(decompressor);
            }
        }
        (all, left)
    }
}

fn decode_all(
    jobs: Vec<Job>,
    agents: &Agents,
    keys: &Keys,
    kept: Option<Decompressor>,
    held: &AtomicUsize,
) -> (Vec<Decoded>, Vec<Job>, Option<Decompressor>) {
    let mut decompressor = match kept.map_or_else(Decompressor::new, Ok) {
        Ok(decompressor) => decompressor,
        Err(error) => {
            let problem = Problem::later(error.to_string(), 5);
            let refused = jobs.into_iter().map(|job| (job, Err(problem.clone())));
            return (refused.collect(), Vec::new(), None);
        }
    };
    let mut jobs = jobs.into_iter();
    let mut decoded = Vec::with_capacity(jobs.len());
    while held.load(Ordering::Relaxed) < SAMPLES_AT_ONCE
        && let Some(job) = jobs.next()
    {
        let believed = believe(&job.body.bytes, agents, keys, &mut decompressor);
        let samples = believed
            .as_ref()
            .map_or(0, |one| one.batch.records.samples());
        held.fetch_add(samples, Ordering::Relaxed);
        decoded.push((job, believed));
    }
    (decoded, jobs.collect(), Some(decompressor))
}

/// Whose batch it claims to be.
pub(super) fn claimed(body: &[u8]) -> Result<AgentId, Problem> {
    Envelope::read(body)
        .map(|envelope| envelope.claimed_agent())
        .map_err(|error| refusal(&error))
}

/// Checks and decodes one body.
fn believe(
    body: &[u8],
    agents: &Agents,
    keys: &Keys,
    decompressor: &mut Decompressor,
) -> Result<Believed, Problem> {
    let agent_id = claimed(body)?;
    let Some(known) = agents.get(&agent_id.0) else {
        let detail = format!("no agent {agent_id} is enrolled here: enrol it again");
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail).of_kind(problem::AGENT_UNKNOWN));
    };
    if known.is_revoked {
        let detail = format!("the agent {agent_id} was revoked");
        return Err(Problem::new(StatusCode::FORBIDDEN, detail).of_kind(problem::AGENT_REVOKED));
    }
    let mut last = WireError::Signature(arki_model::signature::SignatureError::Wrong);
    for key in known.keys.iter().filter_map(|key| keys.get(key)) {
        match Envelope::read(body).and_then(|envelope| envelope.verify(&key)) {
            Ok(verified) => {
                let batch = verified
                    .batch(decompressor)
                    .map_err(|error| refusal(&error))?;
                let header = *verified.header();
                return Ok(Believed { header, batch });
            }
            Err(error) => last = error,
        }
    }
    Err(refusal(&last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::body;
    use crate::store::agents::About;
    use crate::testing::Agent;
    use arki_model::series::SeriesName;
    use arki_model::signature::PrivateKey;
    use arki_model::wire::{self, BODY_BYTES_MAX, Kind, SeriesSet};
    use axum::body::Body;
    use tokio::sync::{Semaphore, oneshot};

    /// Each a body of a few kilobytes that becomes 1.3 MB.
    #[tokio::test]
    async fn many_small_bodies_that_become_large_are_decoded_in_turns() {
        let key = PrivateKey::from_seed(&[1; 32]);
        let known = Known {
            agent_no: 1,
            agent_id: vec![1; 16],
            is_revoked: false,
            keys: vec![*key.public().as_bytes()],
            about: About {
                host: String::new(),
                version: String::new(),
                summaries_dropped: 0,
                records_set_aside: 0,
            },
            requests_waiting: false,
        };
        let agents = Arc::new(Agents::from([([1; 16], known)]));
        let agent = Agent::new(AgentId([1; 16]), key, "web-1");
        let name = |n| SeriesName::new(&format!("log.lines_per_minute{{{n}}}")).unwrap();
        let set = SeriesSet::new((0..273).map(name).collect()).unwrap();
        let none = vec![None; 273 * 120];
        let record = wire::encode_summary(&set, 0, 300, 120, &none).unwrap();
        let sealed = agent.seal(Kind::Summaries, 1, &[record]);
        assert!(sealed.len() < 20_000, "{}", sealed.len());
        let room = Arc::new(Semaphore::new(64 << 20));
        let mut jobs = Vec::new();
        for _ in 0..40 {
            let read = body::read(Body::from(sealed.clone()), BODY_BYTES_MAX, &room);
            let (reply, _answer) = oneshot::channel();
            jobs.push(Job {
                body: read.await.unwrap(),
                reply,
            });
        }
        let (cores, one, mut turns) = (2, 273 * 120, 0);
        let mut decoders = Decoders::new(cores, Arc::default());
        while !jobs.is_empty() {
            let before = jobs.len();
            let (decoded, left) = decoders.decode(jobs, &agents).await;
            let believed = decoded.iter().filter_map(|(_, one)| one.as_ref().ok());
            let samples: usize = believed.map(|one| one.batch.records.samples()).sum();
            assert_eq!(decoded.len() * one, samples, "all are believed");
            assert!(samples <= SAMPLES_AT_ONCE + cores * one, "{samples}");
            assert_eq!(decoded.len() + left.len(), before, "none is lost");
            jobs = left;
            turns += 1;
        }
        assert!(turns > 3, "{turns}");
    }
}
