//! The three voters. Each answers two questions: will a series with a bound run out
//! ([`crate::exhaustion`]), and is something odd happening to this host ([`crate::incident`]).

pub mod change;
pub mod movement;
pub mod novelty;
pub mod pattern;
pub mod profile;
pub mod relation;
pub mod restless;
pub mod smooth;
pub mod surprise;
pub mod trend;

use crate::vote::Voter;
use serde::{Deserialize, Serialize};

/// What a voter knows so far, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Who.
    pub voter: Voter,
    /// False while it mostly abstains.
    pub ready: bool,
    /// One short line: `learning 3/14 d`, `212 relations of 60 series`.
    pub text: String,
}

impl Readiness {
    /// This voter's two lines, about exhaustion and about incidents, as one.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.ready |= other.ready;
        if self.text != other.text {
            self.text = format!("{}; {}", self.text, other.text);
        }
        self
    }
}
