//! From bytes to a batch that is believed: signature first, then decompression, then decoding. No I/O; on blocking
//! threads, because it is work.

use super::{Job, refusal};
use crate::server::problem::Problem;
use crate::store::agents::Known;
use arki_model::signature::PublicKey;
use arki_model::wire::{AgentId, Batch, Decompressor, Envelope, Header, WireError, problem};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::Arc;

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

/// Checks signatures and decodes, on as many threads as there are cores. The contexts of zstd are kept: making one
/// costs as much as decoding several batches.
#[derive(Debug)]
pub(super) struct Decoders {
    cores: usize,
    idle: Vec<Decompressor>,
}

/// A batch that was looked at.
type Decoded = (Job, Result<Believed, Problem>);

impl Decoders {
    pub(super) fn new(cores: usize) -> Self {
        Self {
            cores,
            idle: Vec::new(),
        }
    }

    /// Looks at all of them, in their order.
    pub(super) async fn decode(
        &mut self,
        mut jobs: Vec<Job>,
        agents: &Arc<Agents>,
    ) -> Vec<Decoded> {
        let share = jobs.len().div_ceil(self.cores).max(SHARE_MIN);
        let mut parts = Vec::new();
        while !jobs.is_empty() {
            let rest = jobs.split_off(jobs.len().min(share));
            let part = std::mem::replace(&mut jobs, rest);
            let (agents, kept) = (Arc::clone(agents), self.idle.pop());
            parts.push(tokio::task::spawn_blocking(move || {
                decode_all(part, &agents, kept)
            }));
        }
        let mut all = Vec::new();
        for part in parts {
            // a panic would be a mistake of ours; its jobs are dropped, and the agents are told to try again
            if let Ok((decoded, decompressor)) = part.await {
                all.extend(decoded);
                self.idle.extend(decompressor);
            }
        }
        all
    }
}

fn decode_all(
    jobs: Vec<Job>,
    agents: &Agents,
    kept: Option<Decompressor>,
) -> (Vec<Decoded>, Option<Decompressor>) {
    let mut decompressor = match kept.map_or_else(Decompressor::new, Ok) {
        Ok(decompressor) => decompressor,
        Err(error) => {
            let problem = Problem::later(error.to_string(), 5);
            let refused = jobs.into_iter().map(|job| (job, Err(problem.clone())));
            return (refused.collect(), None);
        }
    };
    let one = |job: Job| {
        let believed = believe(&job.body.bytes, agents, &mut decompressor);
        (job, believed)
    };
    let decoded = jobs.into_iter().map(one).collect();
    (decoded, Some(decompressor))
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
    for key in known
        .keys
        .iter()
        .filter_map(|key| PublicKey::from_bytes(key).ok())
    {
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
