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
    quiet: Quiet,
    ledger: Ledger,
    last_at: UnixSeconds,
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
            quiet: Quiet::default(),
            ledger: Ledger::default(),
            last_at: UnixSeconds::MIN,
        };
        Self {
            settings,
            memory,
            bounds: Vec::new(),
        }
    }

    /// An engine that goes on from a saved memory.
    pub fn restore(settings: Settings, memory: Memory) -> Self {
        let mut engine = Self {
            settings,
            memory,
            bounds: Vec::new(),
        };
        let names: Vec<(SeriesId, String)> = engine
            .memory
            .registry
            .iter()
            .map(|(id, name)| (id, name.to_owned()))
            .collect();
        for (id, name) in names {
            engine.set_bound(id, &name);
        }
        engine
    }

    /// What is to be saved.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The number of a series; see [`Registry::id_of`].
    pub fn series(&mut self, name: &str, now_s: UnixSeconds) -> Result<SeriesId, RegistryError> {
        let id = self.memory.registry.id_of(name, now_s)?;
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
        if at <= self.memory.last_at {
            return Vec::new();
        }
        values.sort_unstable_by_key(|&(id, _)| id);
        let memory = &mut self.memory;
        memory.last_at = at;
        for &(id, value) in values.iter() {
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
                    .ledger
                    .observe(memory.registry.name(id), value, bound, at);
            }
        }
        let told = self.decide(at, &findings, contexts);
        self.memory.ledger.expire(at);
        self.forget(at);
        told
    }

    fn decide(
        &mut self,
        at: UnixSeconds,
        findings: &[Finding],
        contexts: &[ActiveContext],
    ) -> Vec<Prediction> {
        // A consensus that misses a pass or two (a slow host) still stands.
        let gap_s = 3 * self.settings.interval_s;
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
                memory.quiet.vetoed(&prediction, reason);
                continue;
            }
            memory.ledger.support(&prediction.series, at);
            if memory.quiet.tells(&prediction, contexts, gap_s) {
                memory.ledger.open(&prediction);
                told.push(prediction);
            }
        }
        memory.quiet.settle(at, gap_s);
        told
    }

    fn set_bound(&mut self, id: SeriesId, name: &str) {
        if id.index() >= self.bounds.len() {
            self.bounds.resize(id.index() + 1, None);
        }
        self.bounds[id.index()] = self.settings.kinds.bound_of(name);
    }

    fn forget(&mut self, at: UnixSeconds) {
        for id in self.memory.registry.forget_before(at) {
            self.memory.windows.forget(id);
            self.memory.exhaustion.forget(id);
            self.memory.incidents.forget(id);
        }
    }

    /// Names and numbers.
    pub fn registry(&self) -> &Registry {
        &self.memory.registry
    }

    /// The windows, for an export or a chart.
    pub fn windows(&self) -> &Windows {
        &self.memory.windows
    }

    /// What became of the predictions.
    pub fn ledger(&self) -> &Ledger {
        &self.memory.ledger
    }

    /// What was not told, and why.
    pub fn quieted(&self) -> impl DoubleEndedIterator<Item = &Quieted> {
        self.memory.quiet.quieted()
    }

    /// What each voter knows so far.
    pub fn readiness(&self) -> Vec<Readiness> {
        self.memory.exhaustion.readiness(self.memory.last_at)
    }
}
