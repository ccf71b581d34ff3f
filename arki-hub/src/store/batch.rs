//! What one record of a batch brings, ready to be stored.

use super::Step;
use arki_model::clock::UnixSeconds;
use std::sync::Arc;

/// The names of a batch's series, in the order of its columns. Agents with the same series share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricSet {
    /// What makes the set one: the wire's digest of the list.
    pub digest: [u8; 16],
    /// The names.
    pub names: Vec<String>,
}

/// All series of one agent in one bucket. A series without a value in it holds NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRow {
    /// When the bucket begins.
    pub time: UnixSeconds,
    /// The number of the set of names, as `intern` gave it.
    pub set_no: i64,
    /// Least values, one a series.
    pub min: Vec<f32>,
    /// Means.
    pub mean: Vec<f32>,
    /// Greatest values.
    pub max: Vec<f32>,
    /// Last values.
    pub last: Vec<f32>,
}

/// One record of one agent: summaries or an event.
#[derive(Debug, Clone)]
pub struct Post {
    /// The agent, by its number in the store.
    pub agent_no: i64,
    /// Which life of the agent's spool.
    pub epoch: i64,
    /// Which record of that life.
    pub sequence: i64,
    /// The first half of the SHA-256 of the record: the same number with other content is an alarm.
    pub digest: [u8; 16],
    /// When it came.
    pub received_at: UnixSeconds,
    /// Its samples.
    pub rows: Arc<Vec<SampleRow>>,
    /// What its event changes, in the same transaction; only run where the record is new.
    pub steps: Arc<[Step]>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is stored now.
    New,
    /// It had been stored before, with the same bytes.
    Again,
    /// Another record with the same number but other content is stored: somebody else has the agent's key, or its state
    /// directory was copied.
    Conflict,
}
