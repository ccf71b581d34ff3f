//! An event: a prediction with who, when and what was going on; what is signed, kept and shipped.

use crate::clock::UnixSeconds;
use crate::id::EventId;
use crate::prediction::Prediction;
use serde::{Deserialize, Serialize};

/// The version of the event's layout. A reader refuses a newer one.
pub const EVENT_VERSION: u16 = 1;

/// One process by the growth of the resource in trouble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessGrowth {
    /// Process id.
    pub pid: u32,
    /// Its name, as the kernel gives it.
    pub name: String,
    /// What is counted, unit last: `resident_bytes`, `cpu_seconds`, `descriptors`, `written_bytes`.
    pub resource: String,
    /// What it holds now.
    pub value: f64,
    /// How much it grew over `span_s`.
    pub growth: f64,
    /// Over how many seconds.
    pub span_s: f64,
}

/// The most processes that one event names.
pub const PROCESSES_MAX: usize = 5;

/// One event, before it is signed. Encoded as a MessagePack map, so that a reader can tell what is what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`EVENT_VERSION`].
    pub version: u16,
    /// The event's identifier.
    pub id: EventId,
    /// The host's name.
    pub host: String,
    /// Counts the agent's events, from 1, without gaps.
    pub sequence: u64,
    /// SHA-256 of the payload of the agent's previous event; zeros for the first.
    pub previous: [u8; 32],
    /// What is predicted.
    pub prediction: Prediction,
    /// Who grew most, at most [`PROCESSES_MAX`].
    pub processes: Vec<ProcessGrowth>,
    /// Contexts that were active but did not explain it.
    pub context: Vec<String>,
    /// When the agent made it; `prediction.raised_at` unless the clock was moved.
    pub signed_at: UnixSeconds,
}
