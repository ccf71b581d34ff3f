//! The ledger: what became of every prediction, and what failed with none.
//!
//! ```text
//! active -> happened   the bound was crossed (never "recovered")
//!        -> averted    it moved away from the bound again, without crossing it
//!        -> expired    its time passed and neither was seen
//! ```
//!
//! A bound that is crossed with no active prediction is a *miss*.

use crate::clock::UnixSeconds;
use crate::kind::Bound;
use crate::prediction::Prediction;
pub use crate::report::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The series.
    pub series: String,
    /// When it was predicted; for a miss, when it happened.
    pub raised_at: UnixSeconds,
    /// When it was decided how it ended.
    pub ended_at: UnixSeconds,
    /// How it ended.
    pub outcome: Outcome,
    /// The time left that was predicted (p10, p50, p90), in seconds.
    pub eta_s: Option<[f64; 3]>,
}

/// A prediction that is still running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// What was said; refreshed with every later word on the same series.
    pub prediction: Prediction,
    /// When it was said first.
    pub first_raised_at: UnixSeconds,
    /// The time left that was said first (p10, p50, p90), in seconds: what the ledger judges.
    first_eta_s: Option<[f64; 3]>,
    /// When the consensus last stood.
    pub supported_at: UnixSeconds,
    /// The share of the room that was left, at the worst.
    peak: f64,
}

/// How many ended entries are kept: at one a day more than half a year.
pub const ENTRIES_MAX: usize = 200;
/// How many predictions may be active at once; past it the oldest is closed as expired.
pub const ACTIVE_MAX: usize = 64;
/// Calm for this long, and a prediction without a bound is over.
const CALM_S: i64 = 1_800;
/// A series that has failed quivers: within this share of the bound it has not recovered, unless it stays so for
/// [`CALM_S`].
const NEAR: f64 = 0.02;
/// An eighth of what was left: a series that has given back that much of its room has turned round.
const TURNED_ROUND: f64 = 0.125;

/// Counts since the state directory was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Predictions that came true.
    pub happened: u32,
    /// Predictions that somebody or something averted.
    pub averted: u32,
    /// Predictions that came to nothing.
    pub expired: u32,
    /// Failures with no prediction.
    pub missed: u32,
    /// Of those that came true, how many within p10..p90.
    pub inside: u32,
}

/// The ledger of one host.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ledger {
    active: Vec<Active>,
    ended: VecDeque<Entry>,
    counts: Counts,
    /// Series that stand at their bound now, so that one failure is counted once.
    down: Vec<Down>,
}

/// A series that stands at its bound.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Down {
    series: String,
    /// When it was last seen there.
    at: UnixSeconds,
}

impl Ledger {
    /// Predictions that are still running, oldest first.
    pub fn active(&self) -> &[Active] {
        &self.active
    }

    /// What ended, newest last.
    pub fn ended(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.ended.iter()
    }

    /// Counts since the beginning.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Median lead of the predictions that came true and are still in the ledger, in seconds.
    pub fn median_lead_s(&self) -> Option<i64> {
        let mut leads: Vec<i64> = self
            .ended
            .iter()
            .filter(|entry| entry.outcome == Outcome::Happened)
            .map(|entry| entry.ended_at - entry.raised_at)
            .collect();
        leads.sort_unstable();
        leads.get(leads.len() / 2).copied()
    }

    /// Notes a prediction that was told; a later word on the same series renews it.
    pub fn open(&mut self, prediction: &Prediction) {
        let now_s = prediction.raised_at;
        if let Some(active) = self
            .active
            .iter_mut()
            .find(|active| active.prediction.series == prediction.series)
        {
            active.prediction = prediction.clone();
            active.supported_at = now_s;
            return;
        }
        if self.active.len() == ACTIVE_MAX {
            self.end(0, now_s, Outcome::Expired);
        }
        self.active.push(Active {
            prediction: prediction.clone(),
            first_raised_at: now_s,
            first_eta_s: prediction
                .eta
                .map(|eta| [eta.low_s, eta.median_s, eta.high_s]),
            supported_at: now_s,
            peak: prediction.value,
        });
    }

    /// The consensus on `series` stands at `now_s`, whether or not it is told again.
    pub fn support(&mut self, series: &str, now_s: UnixSeconds) {
        if let Some(active) = self
            .active
            .iter_mut()
            .find(|a| a.prediction.series == series)
        {
            active.supported_at = now_s;
        }
    }

    /// Takes in the newest value of a series that has a bound.
    pub fn observe(&mut self, series: &str, value: f64, bound: Bound, now_s: UnixSeconds) {
        let crossed = bound.is_crossed_by(value);
        let place = self.down.iter().position(|down| down.series == series);
        let was_down = place.is_some();
        match place.map(|place| (place, &mut self.down[place])) {
            Some((_, down)) if crossed => down.at = now_s,
            Some((place, down)) => {
                let is_far = (bound.value - value).abs() > NEAR * bound.value.abs();
                // Without a scale, of a bound of zero, only the time tells.
                if (is_far && bound.value != 0.0) || now_s - down.at > CALM_S {
                    self.down.swap_remove(place);
                }
            }
            None if crossed => {
                let series = series.to_owned();
                self.down.push(Down { series, at: now_s });
            }
            None => {}
        }
        let at = self
            .active
            .iter()
            .position(|active| active.prediction.series == series);
        if crossed && !was_down {
            match at {
                Some(at) => self.end(at, now_s, Outcome::Happened),
                None => self.miss(series, now_s),
            }
        } else if let Some(at) = at {
            let active = &mut self.active[at];
            let start = (bound.value - active.prediction.value).abs();
            let left = (bound.value - value).abs();
            active.peak = if (bound.value - active.peak).abs() > left {
                value
            } else {
                active.peak
            };
            let best = (bound.value - active.peak).abs();
            let back = left - best > TURNED_ROUND * start.max(1e-9);
            if back && now_s - active.supported_at > CALM_S {
                self.end(at, now_s, Outcome::Averted);
            }
        }
    }

    /// Moves the times of what is still running by `delta_s`: the wall clock was set. What has ended keeps the
    /// times that were shown then.
    pub fn shift(&mut self, delta_s: i64) {
        for active in &mut self.active {
            for at in [
                &mut active.prediction.raised_at,
                &mut active.first_raised_at,
                &mut active.supported_at,
            ] {
                *at = at.saturating_add(delta_s);
            }
        }
        for down in &mut self.down {
            down.at = down.at.saturating_add(delta_s);
        }
    }

    /// Of the series that stand at their bound, keeps those that are still known.
    pub fn keep_known(&mut self, is_known: impl Fn(&str) -> bool) {
        self.down.retain(|down| is_known(&down.series));
    }

    /// Ends what is overdue at `now_s`.
    pub fn expire(&mut self, now_s: UnixSeconds) {
        let mut at = 0;
        while at < self.active.len() {
            let active = &self.active[at];
            let calm = now_s - active.supported_at > CALM_S;
            let patience_s = active.prediction.eta.map_or(0.0, |eta| 2.0 * eta.high_s);
            let over = now_s - active.prediction.raised_at > patience_s as i64;
            if calm && over {
                self.end(at, now_s, Outcome::Expired);
            } else {
                at += 1;
            }
        }
    }

    fn end(&mut self, at: usize, now_s: UnixSeconds, outcome: Outcome) {
        let active = self.active.remove(at);
        let lead_s = (now_s - active.first_raised_at) as f64;
        match outcome {
            Outcome::Happened => {
                self.counts.happened += 1;
                let inside = active
                    .first_eta_s
                    .is_some_and(|[low, _, high]| (low..=high).contains(&lead_s));
                self.counts.inside += u32::from(inside);
            }
            Outcome::Averted => self.counts.averted += 1,
            Outcome::Expired => self.counts.expired += 1,
            Outcome::Missed => self.counts.missed += 1,
        }
        self.keep(Entry {
            series: active.prediction.series,
            raised_at: active.first_raised_at,
            ended_at: now_s,
            outcome,
            eta_s: active.first_eta_s,
        });
    }

    fn miss(&mut self, series: &str, now_s: UnixSeconds) {
        self.counts.missed += 1;
        let series = series.to_owned();
        let outcome = Outcome::Missed;
        self.keep(Entry {
            series,
            raised_at: now_s,
            ended_at: now_s,
            outcome,
            eta_s: None,
        });
    }

    fn keep(&mut self, entry: Entry) {
        if self.ended.len() == ENTRIES_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Direction;
    use crate::prediction::{Eta, Severity};

    const FULL: Bound = Bound {
        value: 100.0,
        direction: Direction::Up,
    };

    fn raised(at: UnixSeconds, value: f64) -> Prediction {
        let eta = Some(Eta {
            low_s: 1_000.0,
            median_s: 2_000.0,
            high_s: 4_000.0,
        });
        Prediction {
            series: "disk".into(),
            raised_at: at,
            value,
            bound: Some(100.0),
            eta,
            severity: Severity::of(eta),
            votes: Vec::new(),
            also: Vec::new(),
        }
    }

    #[test]
    fn crossing_the_bound_is_happened_once_and_never_recovered() {
        let mut ledger = Ledger::default();
        ledger.open(&raised(0, 60.0));
        ledger.observe("disk", 90.0, FULL, 1_500);
        for at in [2_000, 2_030, 2_060] {
            ledger.observe("disk", 100.0, FULL, at);
        }
        ledger.observe("disk", 20.0, FULL, 9_000);
        let counts = ledger.counts();
        assert_eq!(
            (
                counts.happened,
                counts.inside,
                counts.missed,
                counts.averted
            ),
            (1, 1, 0, 0)
        );
        assert_eq!(ledger.median_lead_s(), Some(2_000));
    }

    #[test]
    fn a_failure_without_a_prediction_is_a_miss() {
        let mut ledger = Ledger::default();
        ledger.observe("disk", 100.0, FULL, 10);
        ledger.observe("disk", 100.0, FULL, 40);
        ledger.observe("disk", 50.0, FULL, 70);
        ledger.observe("disk", 100.0, FULL, 100);
        assert_eq!(ledger.counts().missed, 2);
    }

    #[test]
    fn what_quivers_at_its_bound_fails_once() {
        let mut ledger = Ledger::default();
        for i in 0..100 {
            let value = if i % 2 == 0 { 100.0 } else { 99.9 };
            ledger.observe("swap", value, FULL, 30 * i);
        }
        assert_eq!(ledger.counts().missed, 1);
        // it stood below for longer than half an hour, if only just
        ledger.observe("swap", 99.9, FULL, 3_000 + CALM_S);
        ledger.observe("swap", 100.0, FULL, 3_030 + CALM_S);
        assert_eq!(ledger.counts().missed, 2);
        ledger.keep_known(|_| false);
        assert!(ledger.down.is_empty());
    }

    #[test]
    fn a_series_that_turns_round_is_averted_and_one_that_stands_still_expires() {
        let mut ledger = Ledger::default();
        ledger.open(&raised(0, 60.0));
        ledger.observe("disk", 80.0, FULL, 600);
        ledger.observe("disk", 30.0, FULL, 630);
        assert_eq!(
            ledger.active().len(),
            1,
            "not before it has been calm for half an hour"
        );
        ledger.observe("disk", 30.0, FULL, 630 + CALM_S);
        assert_eq!(ledger.counts().averted, 1);

        ledger.open(&raised(10_000, 60.0));
        ledger.observe("disk", 60.0, FULL, 18_000);
        ledger.expire(18_000);
        assert_eq!(ledger.counts().expired, 0, "twice p90 has not passed");
        ledger.expire(18_001);
        assert_eq!(ledger.counts().expired, 1);
    }

    #[test]
    fn the_ledger_is_bounded() {
        let mut ledger = Ledger::default();
        for i in 0..1_000 {
            ledger.observe("disk", 100.0, FULL, i * 60);
            ledger.observe("disk", 0.0, FULL, i * 60 + 30);
        }
        assert_eq!(ledger.ended().count(), ENTRIES_MAX);
        assert_eq!(ledger.counts().missed, 1_000);
    }
}
