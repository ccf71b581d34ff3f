//! What `status` tells: built by the daemon, sent over the socket, shown as a screen or as JSON.
//!
//! The JSON is for programs: fields are only ever added to [`SCHEMA`]; a change of meaning is a new number.

pub mod screen;

use arki_model::clock::UnixSeconds;
use arki_model::ledger::Counts;
use arki_model::prediction::Severity;
use arki_model::vote::Voter;
use arki_model::voter::Readiness;
use serde::{Deserialize, Serialize};

/// The version of this layout.
pub const SCHEMA: u32 = 1;

/// The state of a running agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the agent.
    pub version: String,
    /// The host, as events name it.
    pub host: String,
    /// Process id of the daemon.
    pub pid: u32,
    /// The time of the daemon.
    pub now_s: UnixSeconds,
    /// How long it runs, in seconds.
    pub uptime_s: u64,
    /// False while something is wrong; see `problems`.
    pub healthy: bool,
    /// What is wrong, and what to do.
    pub problems: Vec<Problem>,
    /// What it costs.
    pub own: Own,
    /// By how much the clock was set since the start, if it was.
    pub clock: Option<ClockSet>,
    /// The way to the hub.
    pub hub: Hub,
    /// What the hub may have done here, and what it had done; `None` where it may nothing and never asked.
    #[serde(default)]
    pub apply: Option<Apply>,
    /// The public key, 64 hexadecimal digits.
    pub key: String,
    /// What is read.
    pub collect: Collect,
    /// What the voters know.
    pub voters: Vec<Readiness>,
    /// What is known to be going on.
    pub contexts: Vec<Context>,
    /// What is predicted now, the most urgent first.
    pub predictions: Vec<Predicted>,
    /// What was not told during the last day, newest first.
    pub quieted: Vec<Hushed>,
    /// What became of the predictions.
    pub ledger: Ledger,
    /// The newest event.
    pub last_event: Option<LastEvent>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What part: `state`, `events`, `config`, `collect`, `series`, `hub`.
    pub area: String,
    /// What is wrong with it.
    pub text: String,
}

/// What the agent costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Resident memory now.
    pub resident_bytes: Option<u64>,
    /// What it may be.
    pub resident_bytes_budget: u64,
    /// CPU time over the last hour, per hour.
    pub cpu_seconds_per_hour: Option<f64>,
    /// Passes since the start.
    pub passes: u64,
    /// How long the last pass took, from the first reading to what is told.
    pub pass_ms: Option<f64>,
    /// Median of the last 120 passes.
    pub pass_median_ms: Option<f64>,
    /// 99th percentile of the last 120 passes.
    pub pass_p99_ms: Option<f64>,
    /// Median of what all votes of a pass took.
    pub votes_median_ms: Option<f64>,
    /// 99th percentile of the same.
    pub votes_p99_ms: Option<f64>,
    /// Median of what it took after a pass to put on the disk what it came to.
    pub writes_median_ms: Option<f64>,
    /// 99th percentile of the same.
    pub writes_p99_ms: Option<f64>,
}

/// A wall clock that was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSet {
    /// By how many seconds, positive if forward.
    pub delta_s: i64,
    /// How long ago, in seconds.
    pub ago_s: u64,
}

/// The way to the hub.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hub {
    /// True if one is configured.
    pub configured: bool,
    /// One line for a person.
    pub text: String,
    /// What waits for it; none where this agent is not enrolled.
    #[serde(default)]
    pub spool: Option<Spool>,
}

/// What the hub may have done here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apply {
    /// True if listed commands are applied.
    pub enabled: bool,
    /// What is listed, as `service action: command`.
    pub allowed: Vec<String>,
    /// Services of whose configuration the hub may ask a copy.
    pub snapshots: Vec<String>,
    /// Requests that were refused since the start.
    pub refused: u64,
    /// What was applied last.
    pub last: Option<Applied>,
}

/// One command that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// `service action: command`.
    pub what: String,
    /// When it was begun.
    pub begun_at: UnixSeconds,
    /// How it ended, in words.
    pub ended: String,
    /// Who decided, and why.
    pub decided_by: String,
    /// What became of the prediction that it was to avert, in words; empty if none.
    pub prediction: String,
}

/// What waits for the hub.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spool {
    /// On disk.
    pub bytes: u64,
    /// What may be on disk.
    pub bytes_max: u64,
    /// Events that the hub does not have.
    pub events_waiting: u64,
    /// Summaries that it does not have.
    pub summaries_waiting: u64,
    /// The number of the last event that it has.
    pub events_acknowledged: u64,
    /// The number of the last summary that it has.
    pub summaries_acknowledged: u64,
    /// Summaries that were dropped for want of room.
    pub summaries_dropped: u64,
    /// How often an event found no room.
    pub events_refused: u64,
    /// Records that were damaged on disk, or that the hub does not take.
    pub records_set_aside: u64,
}

impl From<crate::outbox::Figures> for Spool {
    fn from(figures: crate::outbox::Figures) -> Self {
        Self {
            bytes: figures.bytes,
            bytes_max: figures.bytes_max,
            events_waiting: figures.events_waiting,
            summaries_waiting: figures.summaries_waiting,
            events_acknowledged: figures.events_acknowledged,
            summaries_acknowledged: figures.summaries_acknowledged,
            summaries_dropped: figures.summaries_dropped,
            events_refused: figures.events_refused,
            records_set_aside: figures.records_set_aside,
        }
    }
}

/// What is read of the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Collect {
    /// Series that are known.
    pub series: usize,
    /// The most that may be.
    pub series_max: usize,
    /// Readings of the last pass.
    pub readings: usize,
    /// Seconds between passes.
    pub interval_s: i64,
    /// How long ago the last pass was, in seconds.
    pub last_ago_s: Option<i64>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// Why something is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// This host does not have it; nothing is wrong.
    Absent,
    /// The agent may not.
    Denied,
    /// It should work and does not.
    Failed,
}

/// One collector that could not read everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Which.
    pub collector: String,
    /// Why.
    pub why: Why,
    /// In words, with what to do.
    pub text: String,
}

/// Something known that is going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What it is called.
    pub name: String,
    /// How it is known: `declared`, `announced`, `host`.
    pub source: arki_model::context::Source,
    /// Since when.
    pub since: UnixSeconds,
    /// Until when, where that is known.
    pub until: Option<UnixSeconds>,
    /// The series it explains, as globs; empty means all.
    pub series: Vec<String>,
}

/// One prediction that is active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// The newest event about it.
    pub event: Option<String>,
    /// That event's number.
    pub sequence: Option<u64>,
    /// The series.
    pub series: String,
    /// How much to hurry.
    pub severity: Severity,
    /// Its value now.
    pub value: f64,
    /// Where it fails.
    pub bound: Option<f64>,
    /// When it was told first.
    pub first_raised_at: UnixSeconds,
    /// When it was told last; the times left count from here.
    pub raised_at: UnixSeconds,
    /// When it fails: p10, p50, p90, in Unix seconds.
    pub fails_at: Option<[f64; 3]>,
    /// Who voted yes.
    pub voters: Vec<Voter>,
    /// The first reason for it.
    pub reason: String,
    /// Other series of the same incident.
    pub also: Vec<String>,
}

/// Something that was not told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hushed {
    /// The series.
    pub series: String,
    /// When it began.
    pub first_at: UnixSeconds,
    /// When it was last so.
    pub last_at: UnixSeconds,
    /// Why, in words.
    pub because: String,
}

/// What became of the predictions, since the state directory was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// Median lead of those that came true.
    pub median_lead_s: Option<i64>,
}

/// The newest event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvent {
    /// Its identifier.
    pub id: String,
    /// Its number in the chain.
    pub sequence: u64,
    /// The series.
    pub series: String,
    /// When it was raised.
    pub raised_at: UnixSeconds,
    /// True once the hub has it; `None` without a hub.
    pub acknowledged: Option<bool>,
}
