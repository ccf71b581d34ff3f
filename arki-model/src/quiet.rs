//! Who is told, and when not: held 2 minutes, then 30 minutes quiet, and known context.
//!
//! A prediction is told when the consensus has stood for [`HOLD_S`]. After that the same series is quiet for
//! [`COOL_DOWN_S`], unless its time to failure has halved or its severity has risen; a prediction that goes on
//! standing is told again when half of the time is over, not every half hour. Whatever is not told is
//! kept with its reason, one record a series and reason, so that `status` can show it.

use crate::clock::UnixSeconds;
use crate::context::{ActiveContext, Source};
use crate::prediction::{Prediction, Severity};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A consensus must stand this long: a spike below two minutes never alerts.
pub const HOLD_S: i64 = 120;
/// After an event the same series is quiet for this long.
pub const COOL_DOWN_S: i64 = 1_800;
/// How many quieted records are kept.
pub const QUIETED_MAX: usize = 64;

/// Why nobody was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Because {
    /// The consensus has not stood for two minutes yet, or never did.
    Held,
    /// The same series was told less than 30 minutes ago.
    CoolDown {
        /// When.
        told_at: UnixSeconds,
    },
    /// Something known is going on.
    Context {
        /// What.
        name: String,
        /// How it is known.
        source: Source,
    },
    /// The pattern voter knows this and vetoed it.
    Learned {
        /// What it knows.
        reason: String,
    },
}

/// One thing that was not told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quieted {
    /// The series.
    pub series: String,
    /// When it began.
    pub first_at: UnixSeconds,
    /// When it was last so.
    pub last_at: UnixSeconds,
    /// The time left that would have been told, in seconds.
    pub eta_median_s: Option<f64>,
    /// Why nobody was told.
    pub because: Because,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Told {
    series: String,
    at: UnixSeconds,
    /// When the consensus last stood.
    last_at: UnixSeconds,
    severity: Severity,
    /// When it would fail, as told.
    fails_at: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Standing {
    series: String,
    since: UnixSeconds,
    last_at: UnixSeconds,
}

/// The stage between consensus and the people.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Quiet {
    standing: Vec<Standing>,
    told: Vec<Told>,
    quieted: VecDeque<Quieted>,
}

impl Quiet {
    /// What was not told, oldest first.
    pub fn quieted(&self) -> impl DoubleEndedIterator<Item = &Quieted> {
        self.quieted.iter()
    }

    /// Decides about one prediction on which the consensus stands at `prediction.raised_at`: true if it is
    /// to be told now. `gap_s` is the longest pause between two passes in which the consensus still counts
    /// as standing.
    pub fn tells(
        &mut self,
        prediction: &Prediction,
        contexts: &[ActiveContext],
        gap_s: i64,
    ) -> bool {
        let now_s = prediction.raised_at;
        if !self.has_stood(&prediction.series, now_s, gap_s) {
            self.note(prediction, Because::Held);
            return false;
        }
        if let Some(context) = contexts.iter().find(|context| context.explains(prediction)) {
            let because = Because::Context {
                name: context.name.clone(),
                source: context.source,
            };
            self.note(prediction, because);
            return false;
        }
        let recent = |at: UnixSeconds| (0..COOL_DOWN_S).contains(&(now_s - at));
        self.told
            .retain(|told| recent(told.at) || (told.fails_at.is_some() && recent(told.last_at)));
        if let Some(told) = self
            .told
            .iter_mut()
            .find(|told| told.series == prediction.series)
        {
            told.last_at = now_s;
            if !is_worse(told, prediction) {
                let told_at = told.at;
                self.note(prediction, Because::CoolDown { told_at });
                return false;
            }
            *told = told_now(prediction);
        } else {
            self.told.push(told_now(prediction));
        }
        self.quieted
            .retain(|q| q.series != prediction.series || q.because != Because::Held);
        true
    }

    /// Keeps a veto of the pattern voter.
    pub fn vetoed(&mut self, prediction: &Prediction, reason: &str) {
        self.note(
            prediction,
            Because::Learned {
                reason: reason.to_owned(),
            },
        );
    }

    /// Forgets consensuses that no longer stand at `now_s`.
    pub fn settle(&mut self, now_s: UnixSeconds, gap_s: i64) {
        self.standing
            .retain(|standing| (0..=gap_s).contains(&(now_s - standing.last_at)));
    }

    /// Moves all times by `delta_s`: the wall clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        let move_by = |at: &mut UnixSeconds| *at = at.saturating_add(delta_s);
        for standing in &mut self.standing {
            move_by(&mut standing.since);
            move_by(&mut standing.last_at);
        }
        for told in &mut self.told {
            move_by(&mut told.at);
            move_by(&mut told.last_at);
            told.fails_at = told.fails_at.map(|at| at + delta_s as f64);
        }
        for quieted in &mut self.quieted {
            move_by(&mut quieted.first_at);
            move_by(&mut quieted.last_at);
            if let Because::CoolDown { told_at } = &mut quieted.because {
                move_by(told_at);
            }
        }
    }

    fn has_stood(&mut self, series: &str, now_s: UnixSeconds, gap_s: i64) -> bool {
        if let Some(standing) = self.standing.iter_mut().find(|s| s.series == series) {
            if !(0..=gap_s).contains(&(now_s - standing.last_at)) {
                standing.since = now_s;
            }
            standing.last_at = now_s;
            return now_s - standing.since >= HOLD_S;
        }
        self.standing.push(Standing {
            series: series.to_owned(),
            since: now_s,
            last_at: now_s,
        });
        false
    }

    fn note(&mut self, prediction: &Prediction, because: Because) {
        let now_s = prediction.raised_at;
        let eta_median_s = prediction.eta.map(|eta| eta.median_s);
        let same = |q: &&mut Quieted| {
            q.series == prediction.series
                && std::mem::discriminant(&q.because) == std::mem::discriminant(&because)
                && (0..COOL_DOWN_S).contains(&(now_s - q.last_at))
        };
        if let Some(quieted) = self.quieted.iter_mut().find(same) {
            quieted.last_at = now_s;
            quieted.eta_median_s = eta_median_s;
            quieted.because = because;
            return;
        }
        if self.quieted.len() == QUIETED_MAX {
            self.quieted.pop_front();
        }
        let series = prediction.series.clone();
        self.quieted.push_back(Quieted {
            series,
            first_at: now_s,
            last_at: now_s,
            eta_median_s,
            because,
        });
    }
}

fn told_now(prediction: &Prediction) -> Told {
    Told {
        series: prediction.series.clone(),
        at: prediction.raised_at,
        last_at: prediction.raised_at,
        severity: prediction.severity,
        fails_at: prediction
            .eta
            .map(|eta| prediction.raised_at as f64 + eta.median_s),
    }
}

/// The stated exceptions: the severity has risen, or half of the time that was left *by what was told* is
/// more than what is left now. Once the cool-down is over a prediction that still stands is told again when
/// half of the time that was told has passed: ten hours ahead, five, two and a half.
fn is_worse(told: &Told, prediction: &Prediction) -> bool {
    if prediction.severity > told.severity {
        return true;
    }
    let now_s = prediction.raised_at as f64;
    match (told.fails_at, prediction.eta) {
        (Some(fails_at), Some(eta)) => {
            let since = if prediction.raised_at - told.at < COOL_DOWN_S {
                now_s
            } else {
                told.at as f64
            };
            eta.median_s < (fails_at - since).max(0.0) / 2.0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prediction::Eta;

    fn predicted(at: UnixSeconds, median_s: f64) -> Prediction {
        let eta = Some(Eta {
            low_s: median_s,
            median_s,
            high_s: median_s,
        });
        Prediction {
            series: "disk".into(),
            raised_at: at,
            value: 50.0,
            bound: Some(100.0),
            eta,
            severity: Severity::of(eta),
            votes: Vec::new(),
            also: Vec::new(),
        }
    }

    /// When the steady failure at `fails_at` is told, asked every 30 s.
    fn told_at(fails_at: i64, until: i64) -> Vec<i64> {
        let mut quiet = Quiet::default();
        (0..until)
            .step_by(30)
            .filter(|&at| quiet.tells(&predicted(at, (fails_at - at) as f64), &[], 90))
            .collect()
    }

    #[test]
    fn a_spike_below_two_minutes_is_never_told() {
        assert!(told_at(20_000, 120).is_empty());
        assert_eq!(told_at(20_000, 150), [120]);
    }

    #[test]
    fn thirty_minutes_quiet_unless_it_gets_worse() {
        // told at 120 with 19880 s left; half of that is over past 10060; critical at 20000 - 7200 = 12800
        assert_eq!(told_at(20_000, 16_000), [120, 10_080, 12_810]);

        let mut quiet = Quiet::default();
        for at in [0, 60, 120] {
            quiet.tells(&predicted(at, 7_000.0), &[], 90);
        }
        assert!(!quiet.tells(&predicted(180, 3_500.0), &[], 90));
        assert!(
            quiet.tells(&predicted(240, 3_300.0), &[], 90),
            "the time left has halved"
        );
        let reasons: Vec<_> = quiet.quieted().map(|q| q.because.clone()).collect();
        assert_eq!(reasons, [Because::CoolDown { told_at: 120 }]);
    }

    #[test]
    fn a_consensus_that_breaks_starts_anew() {
        let mut quiet = Quiet::default();
        assert!(!quiet.tells(&predicted(0, 9_000.0), &[], 90));
        assert!(!quiet.tells(&predicted(90, 9_000.0), &[], 90));
        assert!(
            !quiet.tells(&predicted(300, 9_000.0), &[], 90),
            "it broke in between"
        );
        assert!(
            quiet.tells(&predicted(360, 9_000.0), &[], 90)
                || quiet.tells(&predicted(420, 9_000.0), &[], 90)
        );
    }
}
