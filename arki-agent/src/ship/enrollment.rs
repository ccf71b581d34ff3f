//! What an enrolment leaves in the state directory: where the hub is, what it calls this agent, and its key.

use crate::state;
use arki_model::wire::AgentId;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The file inside the state directory.
pub const ENROLLMENT_FILE: &str = "hub";

/// Made by `arki-agent enroll`, read at the start of the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrollment {
    /// The address of the hub.
    pub url: String,
    /// What the hub calls this agent.
    pub agent_id: AgentId,
    /// The hub's public key, 64 hexadecimal digits: receipts of trials are believed only with this one.
    pub hub_key: String,
}

impl Enrollment {
    /// Reads it; `None` where this agent was never enrolled. The text says if it was damaged.
    pub fn load(state_dir: &Path) -> (Option<Self>, Option<String>) {
        state::load(&state_dir.join(ENROLLMENT_FILE))
    }

    /// Writes it, atomically and durably.
    pub fn save(&self, state_dir: &Path) -> io::Result<()> {
        state::save(&state_dir.join(ENROLLMENT_FILE), self)
    }
}
