//! What a voter answers: yes, no, or that it cannot say, each with its reason.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The three voters, in the order in which a person reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Voter {
    /// Will this series cross its bound, and when?
    Trend,
    /// Does it still move with the series it usually moves with?
    Correlation,
    /// Is this normal for this time of day and day type here?
    Pattern,
}

impl Voter {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Trend, Self::Correlation, Self::Pattern];
}

impl fmt::Display for Voter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trend => "trend",
            Self::Correlation => "correlation",
            Self::Pattern => "pattern",
        })
    }
}

/// The answer itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// There is trouble coming.
    Yes,
    /// There is none that this voter can see.
    No,
    /// This voter cannot say; the reason tells why.
    Abstain,
    /// Only the pattern voter: what is seen is known here at this hour and is no failure.
    Veto,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Abstain => "abstains",
            Self::Veto => "vetoes",
        })
    }
}

/// One figure that a vote rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is, unit last: `rate_percent_per_hour`.
    pub name: String,
    /// The figure.
    pub value: f64,
}

/// One voter's answer about one series or incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub voter: Voter,
    /// What.
    pub verdict: Verdict,
    /// Why, as one short clause for a person: `rises 3.1 points an hour for 2 h 10 min`.
    pub reason: String,
    /// The figures behind the reason, at most [`FIGURES_MAX`].
    pub figures: Vec<Figure>,
    /// Series that bear it out, at most [`RELATED_MAX`].
    pub related: Vec<String>,
}

/// The most figures that one vote carries: an event stays below 4 KiB.
pub const FIGURES_MAX: usize = 8;
/// The most related series that one vote names.
pub const RELATED_MAX: usize = 8;

impl Vote {
    /// A vote without figures.
    pub fn new(voter: Voter, verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            voter,
            verdict,
            reason: reason.into(),
            figures: Vec::new(),
            related: Vec::new(),
        }
    }

    /// The same vote with one figure more; past [`FIGURES_MAX`] it is dropped.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        if self.figures.len() < FIGURES_MAX && value.is_finite() {
            self.figures.push(Figure {
                name: name.to_owned(),
                value,
            });
        }
        self
    }

    /// The same vote naming one related series more; past [`RELATED_MAX`] it is dropped.
    #[must_use]
    pub fn naming(mut self, series: &str) -> Self {
        if self.related.len() < RELATED_MAX {
            self.related.push(series.to_owned());
        }
        self
    }
}
