//! Known context: something is going on at this host that explains what the series do.
//!
//! The agent finds out what is active (declared in the configuration, announced by a command, read from
//! the host) and passes it in; what the pattern voter has learned is its own veto. A context quiets
//! predictions on the series it names, unless it will not be over before the bound is reached: a backup
//! that fills the disk is still told.

use crate::clock::UnixSeconds;
use crate::prediction::Prediction;
use globset::GlobMatcher;
use serde::{Deserialize, Serialize};

/// How the context is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// By a calendar in the configuration.
    Declared,
    /// By `arki-agent context begin`.
    Announced,
    /// By a systemd timer, cron job, scrub or package manager that is running.
    Host,
}

/// One context that is active now.
#[derive(Debug, Clone)]
pub struct ActiveContext {
    /// What it is called: `backup`.
    pub name: String,
    /// How it is known.
    pub source: Source,
    /// When it began.
    pub since: UnixSeconds,
    /// When it ends, where that is known.
    pub until: Option<UnixSeconds>,
    /// The series it explains; empty means all.
    pub series: Vec<GlobMatcher>,
}

/// Half an hour: a job whose end is not known is believed to leave that much time unharmed.
const OPEN_END_S: f64 = 1800.0;

impl ActiveContext {
    /// True if this context explains `prediction`, so that nobody needs to be told.
    pub fn explains(&self, prediction: &Prediction) -> bool {
        let named = self.series.is_empty()
            || self
                .series
                .iter()
                .any(|glob| glob.is_match(&prediction.series));
        let left_s = self
            .until
            .map_or(OPEN_END_S, |until| (until - prediction.raised_at) as f64);
        named && prediction.eta.is_none_or(|eta| eta.median_s > left_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::series_glob;
    use crate::prediction::{Eta, Severity};

    fn prediction(series: &str, median_s: f64) -> Prediction {
        let eta = Some(Eta {
            low_s: median_s,
            median_s,
            high_s: median_s,
        });
        Prediction {
            series: series.into(),
            raised_at: 1_000,
            value: 50.0,
            bound: Some(100.0),
            eta,
            severity: Severity::of(eta),
            votes: Vec::new(),
            also: Vec::new(),
        }
    }

    #[test]
    fn a_backup_explains_its_disk_but_not_a_disk_that_it_fills() {
        let backup = ActiveContext {
            name: "backup".into(),
            source: Source::Announced,
            since: 900,
            until: Some(1_000 + 3_600),
            series: vec![series_glob("disk.*").unwrap().compile_matcher()],
        };
        assert!(backup.explains(&prediction("disk.used_percent{/var}", 7_200.0)));
        assert!(!backup.explains(&prediction("memory.used_percent", 7_200.0)));
        assert!(!backup.explains(&prediction("disk.used_percent{/var}", 1_800.0)));
    }
}
