//! The pipeline: one pass from the readings of a host to what is told about it.
//!
//! ```text
//! values -> windows -> exhaustion (series with a bound) -+
//!                  \-> incident (all series together)  --+-> quiet -> told
//!                                                        \-> ledger
//! ```
//!
//! Live and replay call [`Engine::pass`] alike; nothing else decides anything.

use crate::clock::UnixSeconds;
use crate::context::ActiveContext;
use crate::exhaustion::Exhaustion;
use crate::incident::Incidents;
use crate::kind::{Bound, Kinds};
use crate::ledger::Ledger;
use crate::prediction::{Eta, Prediction, Severity};
use crate::quiet::{Quiet, Quieted};
use crate::registry::{Registry, RegistryError, SeriesId};
use crate::vote::{Verdict, Vote, Voter};
use crate::voter::Readiness;
use crate::window::Windows;
use serde::{Deserialize, Serialize};

/// What an engine is told once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Seconds between passes, 1 to 3600.
    pub interval_s: i64,
    /// The most series that are watched.
    pub series_max: usize,
    /// Bounds by name.
    pub kinds: Kinds,
}

/// Everything that survives a restart. Bounded by `series_max`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    registry: Registry,
    windows: Windows,
    exhaustion: Exhaustion,
    incidents: Incidents,
    record: Record,
}

/// What was told and what became of it. Small: it is saved with every event, so that a crash neither loses a
/// prediction nor tells it twice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    quiet: Quiet,
    ledger: Ledger,
    /// The time of the last pass.
    at: UnixSeconds,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            quiet: Quiet::default(),
            ledger: Ledger::default(),
            at: UnixSeconds::MIN,
        }
    }
}

impl Memory {
    /// Seconds between the passes that made it.
    pub fn interval_s(&self) -> i64 {
        self.windows.interval_s()
    }
}

/// What a voter stage sees of a pass.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The time of the pass.
    pub at: UnixSeconds,
    /// The newest values, each series at most once, in the order of their numbers.
    pub values: &'a [(SeriesId, f64)],
    /// The windows, the newest values included.
    pub windows: &'a Windows,
    /// Names.
    pub registry: &'a Registry,
    /// Bounds by series number.
    pub bounds: &'a [Option<Bound>],
}

impl View<'_> {
    /// The bound of a series.
    pub fn bound(&self, id: SeriesId) -> Option<Bound> {
        self.bounds.get(id.index()).copied().flatten()
    }
}

/// What a voter stage found: a consensus, or one that pattern vetoed.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The series, or the leading one.
    pub series: SeriesId,
    /// Its value now.
    pub value: f64,
    /// The three votes, in order.
    pub votes: Vec<Vote>,
    /// The time left.
    pub eta: Option<Eta>,
    /// The other series of the incident.
    pub also: Vec<SeriesId>,
}

impl Finding {
    /// The reason of pattern's veto, if it vetoed.
    fn veto(&self) -> Option<&str> {
        let veto = |vote: &&Vote| vote.voter == Voter::Pattern && vote.verdict == Verdict::Veto;
        self.votes
            .iter()
            .find(veto)
            .map(|vote| vote.reason.as_str())
    }
}

/// A consensus that misses a pass or two (a slow host) still stands, and at short intervals one that misses a look:
/// where trend finds nothing it looks again after two steps of the fine ring, 20 s at an interval of 1 s.
const STANDS_S: i64 = 30;

/// Between two passes more than this apart nobody looked. The longest interval is an hour.
const AWAY_S: i64 = 2 * 3_600;

/// The engine of one host.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    memory: Memory,
    bounds: Vec<Option<Bound>>,
}

impl Engine {
    /// An engine that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        let memory = Memory {
            registry: Registry::new(settings.series_max),
            windows: Windows::new(settings.interval_s),
            exhaustion: Exhaustion::new(settings.interval_s),
            incidents: Incidents::new(settings.interval_s),
            record: Record::default(),
        };
        Self {
            settings,
            memory,
            bounds: Vec::new(),
        }
    }

    /// An engine that goes on from a saved memory. Windows that were filled at another interval do not fit: of
    /// such a memory only the record is kept.
    pub fn restore(settings: Settings, memory: Memory) -> Self {
        let mut engine = Self::new(settings);
        if memory.interval_s() == engine.settings.interval_s {
            engine.memory = memory;
            engine.memory.registry.set_limit(engine.settings.series_max);
            engine.set_bounds();
        } else {
            engine.memory.record = memory.record;
        }
        engine
    }

    /// Goes on from a record that was saved later than the memory; an older one is left out.
    pub fn restore_record(&mut self, record: Record) {
        if record.at >= self.memory.record.at {
            self.memory.record = record;
        }
    }

    /// Takes new bounds and a new limit, without forgetting anything.
    pub fn reconfigure(&mut self, kinds: Kinds, series_max: usize) {
        self.settings.kinds = kinds;
        self.settings.series_max = series_max;
        self.memory.registry.set_limit(series_max);
        self.set_bounds();
    }

    /// Moves everything that is remembered by `delta_s` seconds: the wall clock was set, not time passed. What
    /// stood a minute ago still stood a minute ago, by the new clock.
    pub fn shift_time(&mut self, delta_s: i64) {
        let memory = &mut self.memory;
        if memory.record.at == UnixSeconds::MIN {
            return;
        }
        memory.windows.shift(memory.record.at, delta_s);
        memory.registry.shift(delta_s);
        memory.exhaustion.shift(delta_s);
        memory.incidents.shift(delta_s);
        memory.record.quiet.shift(delta_s);
        memory.record.ledger.shift(delta_s);
        memory.record.at = memory.record.at.saturating_add(delta_s);
    }

    /// The time of the last pass; `None` before the first.
    pub fn last_at(&self) -> Option<UnixSeconds> {
        Some(self.memory.record.at).filter(|&at| at != UnixSeconds::MIN)
    }

    /// What is to be saved now and then.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What is to be saved with every event.
    pub fn record(&self) -> &Record {
        &self.memory.record
    }

    /// The number of a series; see [`Registry::id_of`]. Without room one that is gone gives way.
    pub fn series(&mut self, name: &str, now_s: UnixSeconds) -> Result<SeriesId, RegistryError> {
        let id = match self.memory.registry.id_of(name, now_s) {
            Err(RegistryError::Full { .. }) => {
                self.reclaim(now_s);
                self.memory.registry.id_of(name, now_s)?
            }
            found => found?,
        };
        if id.index() >= self.bounds.len() || self.memory.windows.get(id).is_none() {
            self.set_bound(id, name);
        }
        Ok(id)
    }

    /// One pass: takes in the values read at `at` and returns what is to be told. `values` holds each series at
    /// most once; a series that could not be read is left out. A pass that is not later than the one before
    /// is left out as a whole: time went back.
    pub fn pass(
        &mut self,
        at: UnixSeconds,
        values: &mut [(SeriesId, f64)],
        contexts: &[ActiveContext],
    ) -> Vec<Prediction> {
        if at <= self.memory.record.at {
            return Vec::new();
        }
        values.sort_unstable_by_key(|&(id, _)| id);
        let last_at = self.last_at().unwrap_or(at);
        let memory = &mut self.memory;
        if at - last_at > AWAY_S {
            // Nobody looked: what cannot be read in the first pass has not been gone for that long.
            memory.registry.shift(at - last_at);
        }
        memory.record.at = at;
        for &(id, value) in values.iter() {
            memory.registry.seen(id, at);
            memory.windows.push(id, at, value);
        }
        let view = View {
            at,
            values,
            windows: &memory.windows,
            registry: &memory.registry,
            bounds: &self.bounds,
        };
        let mut findings = memory.exhaustion.judge(&view);
        findings.extend(memory.incidents.judge(&view));
        for &(id, value) in values.iter() {
            if let Some(bound) = self.bounds[id.index()] {
                memory
                    .record
                    .ledger
                    .observe(memory.registry.name(id), value, bound, at);
            }
        }
        let told = self.decide(at, &findings, contexts);
        self.memory.record.ledger.expire(at);
        self.forget(at);
        told
    }

    fn decide(
        &mut self,
        at: UnixSeconds,
        findings: &[Finding],
        contexts: &[ActiveContext],
    ) -> Vec<Prediction> {
        let gap_s = (3 * self.settings.interval_s).max(STANDS_S);
        let memory = &mut self.memory;
        let mut told = Vec::new();
        for finding in findings {
            let prediction = Prediction {
                series: memory.registry.name(finding.series).to_owned(),
                raised_at: at,
                value: finding.value,
                bound: self.bounds[finding.series.index()]
                    .filter(|_| finding.eta.is_some())
                    .map(|bound| bound.value),
                eta: finding.eta,
                severity: Severity::of(finding.eta),
                votes: finding.votes.clone(),
                also: finding
                    .also
                    .iter()
                    .map(|&id| memory.registry.name(id).to_owned())
                    .collect(),
            };
            if let Some(reason) = finding.veto() {
                memory.record.quiet.vetoed(&prediction, reason);
                continue;
            }
            memory.record.ledger.support(&prediction.series, at);
            if memory.record.quiet.tells(&prediction, contexts, gap_s) {
                memory.record.ledger.open(&prediction);
                told.push(prediction);
            }
        }
        memory.record.quiet.settle(at, gap_s);
        told
    }

    fn set_bound(&mut self, id: SeriesId, name: &str) {
        if id.index() >= self.bounds.len() {
            self.bounds.resize(id.index() + 1, None);
        }
        self.bounds[id.index()] = self.settings.kinds.bound_of(name);
    }

    fn set_bounds(&mut self) {
        self.bounds.clear();
        for (id, name) in self.memory.registry.iter() {
            if id.index() >= self.bounds.len() {
                self.bounds.resize(id.index() + 1, None);
            }
            self.bounds[id.index()] = self.settings.kinds.bound_of(name);
        }
    }

    fn forget(&mut self, at: UnixSeconds) {
        for id in self.memory.registry.forget_before(at) {
            self.drop_series(id);
        }
        let memory = &mut self.memory;
        memory
            .record
            .ledger
            .keep_known(|series| memory.registry.find(series).is_some());
    }

    fn reclaim(&mut self, now_s: UnixSeconds) {
        if let Some(id) = self.memory.registry.reclaim(now_s) {
            self.drop_series(id);
        }
    }

    fn drop_series(&mut self, id: SeriesId) {
        self.memory.windows.forget(id);
        self.memory.exhaustion.forget(id);
        self.memory.incidents.forget(id);
    }

    /// Names and numbers.
    pub fn registry(&self) -> &Registry {
        &self.memory.registry
    }

    /// The bound of a series.
    pub fn bound(&self, id: SeriesId) -> Option<Bound> {
        self.bounds.get(id.index()).copied().flatten()
    }

    /// The windows, for an export or a chart.
    pub fn windows(&self) -> &Windows {
        &self.memory.windows
    }

    /// What became of the predictions.
    pub fn ledger(&self) -> &Ledger {
        &self.memory.record.ledger
    }

    /// What was not told, and why.
    pub fn quieted(&self) -> impl DoubleEndedIterator<Item = &Quieted> {
        self.memory.record.quiet.quieted()
    }

    /// The three votes about a series as they stand: where it has a bound, about its running out; else about its being
    /// odd. `None` for a series that no voter has seen.
    pub fn votes(&self, id: SeriesId) -> Option<Vec<Vote>> {
        let memory = &self.memory;
        let view = View {
            at: memory.record.at,
            values: &[],
            windows: &memory.windows,
            registry: &memory.registry,
            bounds: &self.bounds,
        };
        let exhaustion = memory.exhaustion.votes(&view, id);
        exhaustion.or_else(|| memory.incidents.votes(&view, id))
    }

    /// What each voter knows so far.
    pub fn readiness(&self) -> Vec<Readiness> {
        let now_s = self.memory.record.at;
        let incidents = self.memory.incidents.readiness(now_s);
        let exhaustion = self.memory.exhaustion.readiness(now_s);
        exhaustion
            .into_iter()
            .map(
                |line| match incidents.iter().find(|i| i.voter == line.voter) {
                    Some(incidents) => line.and(incidents),
                    None => line,
                },
            )
            .collect()
    }
}

#[cfg(test)]
mod tests;
