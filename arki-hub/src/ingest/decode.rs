//! From bytes to a batch that is believed: signature first, then decompression, then decoding. No I/O.

use super::refusal;
use crate::server::problem::Problem;
use crate::store::agents::Known;
use arki_model::signature::PublicKey;
use arki_model::wire::{AgentId, Batch, Decompressor, Envelope, Header, WireError, problem};
use axum::http::StatusCode;
use std::collections::HashMap;

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

/// Whose batch it claims to be.
pub(super) fn claimed(body: &[u8]) -> Result<AgentId, Problem> {
    Envelope::read(body)
        .map(|envelope| envelope.claimed_agent())
        .map_err(|error| refusal(&error))
}

/// Checks and decodes one body.
pub(super) fn believe(
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
