//! The second question: is something odd happening to this host, on several series at once?
//!
//! Works in steps of a minute (or of the interval, if that is longer). For each series and step each voter says how
//! rarely the series is as odd as now: trend by its level ([`crate::voter::change`]) and its restlessness
//! ([`crate::voter::restless`]), correlation by its relations ([`crate::voter::relation`]), pattern by its movement
//! at this hour ([`crate::voter::movement`]). The surprise of the eight most surprising series is summed per look
//! ([`evidence`]); one series alone is never an incident. Pattern also says how rare the state of the whole host is
//! ([`crate::voter::novelty`]). Two voters must agree, and all together must reach a budget. One incident is told once
//! ([`running`]).
//!
//! Bounded by the series limit; about 3 KB a series.

mod evidence;
mod running;
#[cfg(test)]
mod tests;
mod votes;

use crate::clock::UnixSeconds;
use crate::engine::{Finding, View};
use crate::registry::SeriesId;
use crate::vote::{Vote, Voter};
use crate::voter::Readiness;
use crate::voter::change::Change;
use crate::voter::movement::Movement;
use crate::voter::novelty::{Novelty, Part};
use crate::voter::relation::{Relation, Search};
use crate::voter::restless::Restlessness;
use crate::voter::smooth::Mean;
use evidence::{Evidence, LOOKS, weight};
use running::Running;
use serde::{Deserialize, Serialize};

/// A step is a minute: what lasts less is no incident, and 60 s is what most agents sample at.
const STEP_S: i64 = 60;
/// The short mean that relations are read on.
const SHORT_S: f32 = 180.0;
/// Steps that may be missing before the shape of a series is broken.
const GAP_MAX: i64 = 3;
/// A series takes part after a day: before, everything is new.
const LEARNING_S: i64 = 86_400;
/// Relations are learned anew this often.
const REFIT_S: i64 = 12 * 3_600;
/// A series is compared with this many others in one pass, and more only where all could not be compared with all within
/// [`REFIT_S`] (from 240 series on, at 30 s a pass): 3 us each, and as much again where the caches are cold.
const COMPARED_MIN: usize = 48;
/// Pattern knows the days of the week after two of each.
pub const PATTERN_DAYS: i64 = 14;

/// What is known of how the series of this host usually behave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Incidents {
    interval_s: i64,
    step_s: i64,
    /// The step that is being filled; `i64::MIN` before the first.
    open: i64,
    /// When the first sample came.
    began_at: Option<UnixSeconds>,
    series: Vec<Option<Box<State>>>,
    /// Whose turn it is to learn its relations.
    next_fit: usize,
    /// Series-seconds towards the next search.
    fit_credit: i64,
    /// The search that is under way; after a restart that series has its next turn.
    #[serde(skip)]
    search: Option<Search>,
    novelty: Novelty,
    evidence: Evidence,
    running: Running,
}

/// What is known of one series.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    began_at: UnixSeconds,
    /// The step that it was last seen in.
    step: i64,
    sum: f64,
    count: u32,
    last: f32,
    short: Mean,
    change: Change,
    restless: Restlessness,
    relation: Relation,
    movement: Movement,
    part: Part,
    /// The weight of its surprise for each look in the last step.
    weights: [f32; LOOKS],
}

impl State {
    fn new(began_at: UnixSeconds) -> Self {
        Self {
            began_at,
            step: i64::MIN,
            sum: 0.0,
            count: 0,
            last: 0.0,
            short: Mean::default(),
            change: Change::default(),
            restless: Restlessness::default(),
            relation: Relation::default(),
            movement: Movement::default(),
            part: Part::default(),
            weights: [0.0; LOOKS],
        }
    }
}

impl Incidents {
    /// Knows nothing yet; passes come every `interval_s` seconds.
    pub fn new(interval_s: i64) -> Self {
        Self {
            interval_s,
            step_s: STEP_S.max(interval_s),
            open: i64::MIN,
            began_at: None,
            series: Vec::new(),
            next_fit: 0,
            fit_credit: 0,
            search: None,
            novelty: Novelty::default(),
            evidence: Evidence::default(),
            running: Running::default(),
        }
    }

    /// Asks the three voters about the host as a whole; returns an incident on which two agree.
    pub fn judge(&mut self, view: &View<'_>) -> Option<Finding> {
        let step = view.at.div_euclid(self.step_s);
        self.began_at.get_or_insert(view.at);
        if self.open != i64::MIN && step > self.open {
            // a step whose end was missed: the pass that should have closed it did not come
            self.close(view);
        }
        self.open = step;
        self.take(view);
        // this pass is the last of its step
        if (view.at + self.interval_s).div_euclid(self.step_s) > step {
            self.close(view);
            self.open = i64::MIN;
        } else if self.search.is_some() {
            self.learn_relations(view);
        }
        self.find(view)
    }

    fn take(&mut self, view: &View<'_>) {
        for &(id, value) in view.values.iter().filter(|(_, value)| value.is_finite()) {
            if id.index() >= self.series.len() {
                self.series.resize_with(id.index() + 1, || None);
            }
            let state =
                self.series[id.index()].get_or_insert_with(|| Box::new(State::new(view.at)));
            state.sum += value;
            state.count += 1;
        }
    }

    /// Rates all series over the step that is complete, and learns.
    fn close(&mut self, view: &View<'_>) {
        let step = self.open;
        let at = step * self.step_s;
        self.read_short_means(step);
        self.novelty.begin(at);
        for index in 0..self.series.len() {
            self.rate(index, step, at);
        }
        let rarity = self.novelty.end(at);
        self.evidence = Evidence::of(self.weighted(), rarity, self.pattern_days(at));
        self.running
            .step(at, &self.evidence, || leading(&self.series));
        self.fit_credit += view.registry.len() as i64 * self.step_s;
        self.learn_relations(view);
    }

    /// First for all, because relations read those of their peers.
    fn read_short_means(&mut self, step: i64) {
        let tau = SHORT_S / self.step_s as f32;
        for state in self.series.iter_mut().flatten().filter(|s| s.count > 0) {
            state.last = (state.sum / f64::from(state.count)) as f32;
            let elapsed = elapsed(state.step, step);
            state.short.push(state.last, tau, elapsed as f32);
        }
    }

    fn rate(&mut self, index: usize, step: i64, at: UnixSeconds) {
        let Some(mut state) = self.series[index].take() else {
            return;
        };
        if state.count == 0 {
            state.weights = [0.0; LOOKS];
            self.novelty.take(&mut state.part, None);
            self.series[index] = Some(state);
            return;
        }
        let missed = elapsed(state.step, step);
        let (step_s, elapsed) = (self.step_s as f32, missed as f32);
        let broken = missed > GAP_MAX;
        let level = state.change.rate(at, state.last, step_s, elapsed);
        let restless = state.restless.rate(at, state.last, step_s, elapsed, broken);
        let series = &self.series;
        let mean_of = |id: SeriesId| {
            let peer = series.get(id.index())?.as_ref()?;
            // its step is this one if it was rated already, or one before
            (step - peer.step <= GAP_MAX).then_some(peer.short.value)
        };
        let short = state.short.value;
        let relation = state.relation.rate(at, short, mean_of, step_s, elapsed);
        let movement = state.movement.rate(at, state.last, broken);
        if state.movement.wants_model(step, 7 * index) {
            state.movement.learn();
        }
        let known = at - state.began_at >= LEARNING_S;
        let code = state.part.code(short, step_s, elapsed);
        self.novelty.take(&mut state.part, known.then_some(code));
        state.weights = if known {
            [
                weight(level),
                weight(restless),
                relation.map_or(0.0, weight),
                weight(movement),
            ]
        } else {
            [0.0; LOOKS]
        };
        state.step = step;
        state.sum = 0.0;
        state.count = 0;
        self.series[index] = Some(state);
    }

    /// Searches whom one series after the other follows, so that each has its turn every [`REFIT_S`] and no pass compares
    /// more than its share.
    fn learn_relations(&mut self, view: &View<'_>) {
        let known: Vec<SeriesId> = view.registry.iter().map(|(id, _)| id).collect();
        let pairs = known.len() * known.len();
        let passes = (REFIT_S / self.interval_s).max(1) as usize;
        // A quarter more than the share: a search is done before the next is due.
        let mut left = COMPARED_MIN.max(pairs * 5 / 4 / passes);
        while left > 0 {
            let Some(mut search) = self
                .search
                .take()
                .or_else(|| self.next_search(&known, view))
            else {
                return;
            };
            let compared = search.compare(&known, view.windows, left);
            if compared == left {
                self.search = Some(search);
                return;
            }
            left -= compared.max(1);
            if let Some(Some(state)) = self.series.get_mut(search.id().index()) {
                state.relation.learn(&search);
            }
        }
    }

    /// The next search that is due. A series that does not move follows nobody.
    fn next_search(&mut self, known: &[SeriesId], view: &View<'_>) -> Option<Search> {
        while self.fit_credit >= REFIT_S && !known.is_empty() {
            self.fit_credit -= REFIT_S;
            self.next_fit = (self.next_fit + 1) % known.len();
            let id = known[self.next_fit];
            let search = Search::begin(id, view.windows);
            if search.is_some() {
                return search;
            }
            if let Some(Some(state)) = self.series.get_mut(id.index()) {
                state.relation.forget_all();
            }
        }
        None
    }

    fn weighted(&self) -> impl Iterator<Item = [f32; LOOKS]> + '_ {
        self.series.iter().flatten().map(|state| state.weights)
    }

    /// Days that pattern has learned for.
    fn pattern_days(&self, at: UnixSeconds) -> i64 {
        self.began_at.map_or(0, |began| (at - began) / 86_400)
    }

    fn find(&self, view: &View<'_>) -> Option<Finding> {
        let lead = self.running.telling()?;
        let state = self.series.get(lead.index())?.as_ref()?;
        let ranked = ranked(&self.series);
        Some(Finding {
            series: lead,
            value: f64::from(state.last),
            votes: votes::of(self, view, lead, &ranked),
            eta: None,
            also: ranked
                .iter()
                .map(|&(id, _)| id)
                .filter(|&id| id != lead)
                .take(crate::vote::RELATED_MAX)
                .collect(),
        })
    }

    /// The three votes about one series by itself, as they stand; `view` may be without values.
    pub fn votes(&self, view: &View<'_>, id: SeriesId) -> Option<Vec<Vote>> {
        votes::standing(self, view, id)
    }

    /// Moves all remembered times by `delta_s`: the wall clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        let steps = delta_s.div_euclid(self.step_s);
        if self.open != i64::MIN {
            self.open += steps;
        }
        self.began_at = self.began_at.map(|began| began + delta_s);
        self.running.shift(delta_s);
        self.novelty.shift(delta_s);
        for state in self.series.iter_mut().flatten() {
            state.began_at += delta_s;
            if state.step != i64::MIN {
                state.step += steps;
            }
            state.change.shift(delta_s);
            state.restless.shift(delta_s);
            state.relation.shift(delta_s);
            state.movement.shift(delta_s);
        }
    }

    /// Drops what is known of a series that is gone.
    pub fn forget(&mut self, id: SeriesId) {
        if let Some(slot) = self.series.get_mut(id.index()) {
            *slot = None;
        }
        for state in self.series.iter_mut().flatten() {
            state.relation.forget(id);
        }
        self.search.take_if(|search| search.id() == id);
        if let Some(search) = &mut self.search {
            search.forget(id);
        }
        self.running.forget(id);
    }

    /// What each voter knows at `now_s` of how this host usually behaves.
    pub fn readiness(&self, now_s: UnixSeconds) -> Vec<Readiness> {
        let all = self.series.iter().flatten().count();
        let learned = self.series.iter().flatten();
        let learned = learned.filter(|state| now_s - state.began_at >= LEARNING_S);
        let learned = learned.count();
        let related = self.series.iter().flatten();
        let related = related.filter(|state| state.relation.is_known()).count();
        let days = self.pattern_days(now_s).min(PATTERN_DAYS);
        let line = |voter, ready, text| Readiness { voter, ready, text };
        vec![
            line(
                Voter::Trend,
                learned > 0,
                format!("usual swing of {learned}/{all}"),
            ),
            line(
                Voter::Correlation,
                related > 0,
                format!("{related}/{all} series follow others"),
            ),
            line(
                Voter::Pattern,
                days >= PATTERN_DAYS,
                if days >= PATTERN_DAYS {
                    format!("{PATTERN_DAYS} d known")
                } else {
                    format!("learning {days}/{PATTERN_DAYS} d")
                },
            ),
        ]
    }
}

/// Steps since a series was last seen: 1 in a row.
fn elapsed(last: i64, step: i64) -> i64 {
    if last == i64::MIN {
        1
    } else {
        (step - last).max(1)
    }
}

/// The series whose surprise counts, the most surprising first, with the sum of their weights.
fn ranked(series: &[Option<Box<State>>]) -> Vec<(SeriesId, f32)> {
    let mut ranked: Vec<(SeriesId, f32)> = (0_u16..)
        .zip(series)
        .filter_map(|(id, state)| {
            let sum: f32 = state.as_ref()?.weights.iter().sum();
            (sum >= evidence::INVOLVED_MIN).then_some((SeriesId(id), sum))
        })
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
}

fn leading(series: &[Option<Box<State>>]) -> Option<SeriesId> {
    ranked(series).first().map(|&(id, _)| id)
}
