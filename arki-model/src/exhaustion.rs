//! The first question: will a series with a bound run out, and when?

use crate::clock::UnixSeconds;
use crate::engine::{Finding, View};
use crate::registry::SeriesId;
use crate::voter::Readiness;
use serde::{Deserialize, Serialize};

/// What is known of the series that have a bound.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exhaustion {
    interval_s: i64,
}

impl Exhaustion {
    /// Knows nothing yet; passes come every `interval_s` seconds.
    pub fn new(interval_s: i64) -> Self {
        Self { interval_s }
    }

    /// Asks the three voters about every series with a bound; returns those on which they agree.
    pub fn judge(&mut self, view: &View<'_>) -> Vec<Finding> {
        let _ = (view.at, self.interval_s);
        Vec::new()
    }

    /// Moves all remembered times by `delta_s`: the wall clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        let _ = delta_s;
    }

    /// Drops what is known of a series that is gone.
    pub fn forget(&mut self, id: SeriesId) {
        let _ = id;
    }

    /// What each voter knows at `now_s`.
    pub fn readiness(&self, now_s: UnixSeconds) -> Vec<Readiness> {
        let _ = now_s;
        Vec::new()
    }
}
