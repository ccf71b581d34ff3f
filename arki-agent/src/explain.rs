//! What `explain` tells about one event or one series: what, when, why, who, and what became of it.

pub mod screen;

use crate::status::{Hushed, Predicted};
use arki_model::clock::UnixSeconds;
use arki_model::event::ProcessGrowth;
use arki_model::ledger::Outcome;
use arki_model::prediction::Prediction;
use arki_model::vote::Vote;
use serde::{Deserialize, Serialize};

/// The most events that are listed for a series or for an ambiguous beginning of an id.
pub const LISTED_MAX: usize = 10;

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Explanation {
    /// One event.
    Event(Box<EventView>),
    /// A series, with or without events.
    Series(Box<SeriesView>),
    /// Several events fit.
    Several {
        /// The newest of them.
        events: Vec<Line>,
    },
}

/// One event among several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its identifier.
    pub id: String,
    /// Its number.
    pub sequence: u64,
    /// The series.
    pub series: String,
    /// When it was raised.
    pub raised_at: UnixSeconds,
}

/// How far a prediction has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Fate {
    /// Still running.
    Active,
    /// It has ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// When.
        at: UnixSeconds,
    },
    /// So long ago that the ledger does not list it any more.
    Unknown,
}

/// One event, as it was signed, and what is known about it now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventView {
    /// Its identifier.
    pub id: String,
    /// Its number in the chain.
    pub sequence: u64,
    /// The host.
    pub host: String,
    /// What was predicted, with the votes.
    pub prediction: Prediction,
    /// Who grew most.
    pub processes: Vec<ProcessGrowth>,
    /// Contexts that were active but did not explain it.
    pub context: Vec<String>,
    /// When it was signed.
    pub signed_at: UnixSeconds,
    /// The public key.
    pub key: String,
    /// True if the signature fits the key.
    pub signature_valid: bool,
    /// True if it points to the event before it; `None` where that one is not in the log any more.
    pub follows: Option<bool>,
    /// What became of it.
    pub fate: Fate,
    /// The time of the daemon.
    pub now_s: UnixSeconds,
    /// The series' value now, if it is still read.
    pub value_now: Option<f64>,
}

/// What is known of a series.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeriesView {
    /// Its name.
    pub series: String,
    /// Its value now, if it is read.
    pub value_now: Option<f64>,
    /// Where it fails.
    pub bound: Option<f64>,
    /// The least, mean and greatest value of the last day's five-minute means, and how many hours they cover.
    pub day: Option<Day>,
    /// What the voters say of it now, whether anything is told or not.
    pub votes: Vec<Vote>,
    /// What is predicted of it now.
    pub predicted: Option<Predicted>,
    /// What was not told of it.
    pub quieted: Vec<Hushed>,
    /// Its newest events.
    pub events: Vec<Line>,
    /// The processes that grow most in what it is about.
    pub processes: Vec<ProcessGrowth>,
    /// The time of the daemon.
    pub now_s: UnixSeconds,
}

/// A day in three figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Hours with samples.
    pub hours: f64,
    /// Least.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Greatest.
    pub max: f64,
}
