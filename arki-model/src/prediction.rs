//! What the consensus raises: trouble on one series, with the time left where there is a bound.

use crate::clock::UnixSeconds;
use crate::vote::{Verdict, Vote, Voter};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The time left until a series crosses its bound, as quantiles, in seconds from `raised_at`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Eta {
    /// p10: one case in ten is over earlier.
    pub low_s: f64,
    /// p50.
    pub median_s: f64,
    /// p90: one case in ten lasts longer.
    pub high_s: f64,
}

/// How much a person has to hurry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is odd; there is no bound to run into.
    Info,
    /// More than [`CRITICAL_BELOW_S`] left.
    Warning,
    /// [`CRITICAL_BELOW_S`] or less left.
    Critical,
}

/// Two hours: what it takes to read a message, log in, try a fix and apply it, with a margin of four.
pub const CRITICAL_BELOW_S: f64 = 2.0 * 3600.0;

impl Severity {
    /// The severity that the time left alone gives.
    pub fn of(eta: Option<Eta>) -> Self {
        match eta {
            None => Self::Info,
            Some(eta) if eta.median_s <= CRITICAL_BELOW_S => Self::Critical,
            Some(_) => Self::Warning,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}

/// One prediction, as the engine decides it; the agent adds who and when to make it an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The series in trouble, or the leading one of an incident.
    pub series: String,
    /// When it was decided.
    pub raised_at: UnixSeconds,
    /// The series' value then.
    pub value: f64,
    /// Where it fails; `None` where there is no bound.
    pub bound: Option<f64>,
    /// The time left; `None` where there is no bound.
    pub eta: Option<Eta>,
    /// How much a person has to hurry.
    pub severity: Severity,
    /// The three answers, in the order of [`Voter::ALL`].
    pub votes: Vec<Vote>,
    /// The other series of the same incident, most surprising first, at most [`ALSO_MAX`].
    pub also: Vec<String>,
}

/// The most other series that one prediction names.
pub const ALSO_MAX: usize = 8;

impl Prediction {
    /// Who voted yes.
    pub fn voters(&self) -> impl Iterator<Item = Voter> + '_ {
        self.votes
            .iter()
            .filter(|vote| vote.verdict == Verdict::Yes)
            .map(|vote| vote.voter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_follows_the_time_left() {
        let eta = |median_s| {
            Some(Eta {
                low_s: median_s / 2.0,
                median_s,
                high_s: median_s * 2.0,
            })
        };
        assert_eq!(Severity::of(None), Severity::Info);
        assert_eq!(Severity::of(eta(7200.0)), Severity::Critical);
        assert_eq!(Severity::of(eta(7201.0)), Severity::Warning);
        assert!(Severity::Critical > Severity::Warning);
    }
}
