//! The first question: will a series with a bound run out, and when?
//!
//! ```text
//! value -> cleaned -> levels, climbs (pattern) --------------------------+
//!       \-> cheap gate -> sights of growing span -> forecasts (trend) ---+-> three votes -> finding
//! load of the host -> how far the level follows it (correlation) -------/
//! ```
//!
//! A fit costs tens of microseconds a sight, a gate a few nanoseconds: only a series that has climbed by a
//! good part of what is left is fitted, and the less time is left the more often.
//!
//! Invariants: at the bound nothing is predicted any more; what led to a failure is forgotten once it is over;
//! state is bounded by the number of series.

mod day;
mod follow;
mod gate;
mod load;
mod look;
mod sight;
mod state;
mod wording;

use crate::clock::UnixSeconds;
use crate::engine::{Finding, View};
use crate::registry::SeriesId;
use crate::vote::{Vote, Voter};
use crate::voter::Readiness;
use crate::voter::trend;
use load::Load;
use look::{LOOKS, Look};
use serde::{Deserialize, Serialize};
use state::State;

/// What is known of the series that have a bound.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exhaustion {
    interval_s: i64,
    started_at: Option<UnixSeconds>,
    load: Load,
    states: Vec<Option<Box<State>>>,
    #[serde(skip)]
    scratch: Scratch,
}

/// Memory that every series uses in turn.
#[derive(Debug, Clone, Default)]
struct Scratch {
    sight: trend::Sight,
    cells: Vec<f64>,
    trend: trend::Scratch,
}

impl Exhaustion {
    /// Knows nothing yet; passes come every `interval_s` seconds.
    pub fn new(interval_s: i64) -> Self {
        Self {
            interval_s,
            started_at: None,
            load: Load::new(interval_s),
            states: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Asks the three voters about every series with a bound; returns those on which they agree, and
    /// those that pattern vetoed.
    pub fn judge(&mut self, view: &View<'_>) -> Vec<Finding> {
        let started_at = *self.started_at.get_or_insert(view.at);
        self.load.push(view, self.interval_s);
        let mut findings = Vec::new();
        for &(id, value) in view.values {
            let Some(bound) = view.bound(id) else {
                continue;
            };
            let Some(window) = view.windows.get(id) else {
                continue;
            };
            if id.index() >= self.states.len() {
                self.states.resize_with(id.index() + 1, || None);
            }
            let state =
                self.states[id.index()].get_or_insert_with(|| Box::new(State::new(view.at)));
            let now = state::Now {
                at: view.at,
                value,
                bound,
                window,
                started_at,
                load: &self.load,
                view,
            };
            if let Some((votes, eta)) = state.judge(&now, &mut self.scratch) {
                findings.push(Finding {
                    series: id,
                    value,
                    votes,
                    eta: Some(eta),
                    also: Vec::new(),
                });
            }
        }
        findings
    }

    /// Drops what is known of a series that is gone.
    pub fn forget(&mut self, id: SeriesId) {
        self.load.forget(id);
        if let Some(slot) = self.states.get_mut(id.index()) {
            *slot = None;
        }
    }

    /// Moves all remembered times by `delta_s`: the wall clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        self.started_at = self.started_at.map(|at| at + delta_s);
        self.load.shift(delta_s);
        for state in self.states.iter_mut().flatten() {
            state.shift(delta_s);
        }
    }

    /// What each voter knows at `now_s`.
    pub fn readiness(&self, now_s: UnixSeconds) -> Vec<Readiness> {
        let known_s = self.started_at.map_or(0, |at| (now_s - at).max(0));
        let series = self.load.series();
        let days = known_s / 86_400;
        let pattern = known_s >= state::PATTERN_READY_S;
        let line = |voter, ready, text| Readiness { voter, ready, text };
        let (looked, text) = self.looks();
        vec![
            line(Voter::Trend, looked, text),
            line(
                Voter::Correlation,
                series > 0,
                format!("load from {series} series"),
            ),
            line(
                Voter::Pattern,
                pattern,
                if days >= 14 {
                    "14 d known".into()
                } else {
                    format!("learning {days}/14 d")
                },
            ),
        ]
    }

    /// True once trend has looked at a series; and what its looks came to: `12 with a bound (11 level, 1 running out)`.
    fn looks(&self) -> (bool, String) {
        let mut counts = [0_usize; LOOKS.len()];
        for state in self.states.iter().flatten() {
            counts[state.looked() as usize] += 1;
        }
        let watched: usize = counts.iter().sum();
        let looked = watched > counts[Look::Pending as usize];
        if watched == 0 {
            return (false, "no series with a bound".to_owned());
        }
        let mut parts: Vec<(&str, usize)> = Vec::new();
        for (look, &count) in LOOKS
            .into_iter()
            .zip(&counts)
            .filter(|&(_, &count)| count > 0)
        {
            match parts.last_mut() {
                Some((said, sum)) if *said == look.summary() => *sum += count,
                _ => parts.push((look.summary(), count)),
            }
        }
        let text = match parts.as_slice() {
            _ if !looked => "none looked at yet".to_owned(),
            [(said, _)] => format!("all {said}"),
            parts => {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|(said, count)| format!("{count} {said}"))
                    .collect();
                parts.join(", ")
            }
        };
        (looked, format!("{watched} with a bound ({text})"))
    }

    /// The three votes about a series as they stand; `None` where it has no bound. `view` may be without values.
    pub fn votes(&self, view: &View<'_>, id: SeriesId) -> Option<Vec<Vote>> {
        let state = self.states.get(id.index())?.as_ref()?;
        let window = view.windows.get(id)?;
        Some(state.standing(&state::Now {
            at: view.at,
            value: f64::from(window.raw.back(0)),
            bound: view.bound(id)?,
            window,
            started_at: self.started_at.unwrap_or(view.at),
            load: &self.load,
            view,
        }))
    }
}
