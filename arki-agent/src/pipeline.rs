//! One pass: collect, name, judge. The only place that knows the order; live runs it once per interval.

use crate::collect::{CollectorReport, Collectors, Moment, Readings};
use arki_model::clock::{Clock, UnixSeconds};
use arki_model::context::ActiveContext;
use arki_model::engine::Engine;
use arki_model::event::ProcessGrowth;
use arki_model::prediction::Prediction;
use arki_model::registry::SeriesId;
use std::fmt;
use std::time::Duration;

/// From the host to what is told about it.
#[derive(Debug)]
pub struct Pipeline {
    collectors: Collectors,
    engine: Engine,
    /// Used again by every pass.
    readings: Readings,
    values: Vec<(SeriesId, f64)>,
    refused: Refused,
    judging: Duration,
}

/// Readings that did not become series in the last pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub count: usize,
    /// Why the first of them.
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match self.count {
            0 | 1 => Ok(()),
            count => write!(f, " (and {} more)", count - 1),
        }
    }
}

impl Pipeline {
    /// Joins the two ends.
    pub fn new(collectors: Collectors, engine: Engine) -> Self {
        Self {
            collectors,
            engine,
            readings: Readings::default(),
            values: Vec::new(),
            refused: Refused::default(),
            judging: Duration::ZERO,
        }
    }

    /// One pass at `moment`, which the engine calls `at`. `took` is what the pass before took: own cost is a series
    /// like any other.
    pub fn pass(
        &mut self,
        clock: &dyn Clock,
        moment: Moment,
        at: UnixSeconds,
        took: Option<Duration>,
        contexts: &[ActiveContext],
    ) -> Vec<Prediction> {
        self.collectors.run(clock, moment, &mut self.readings);
        if let Some(took) = took {
            self.readings.put("agent.pass_seconds", took.as_secs_f64());
        }
        self.values.clear();
        self.refused = Refused::default();
        for (name, value) in self.readings.iter() {
            match self.engine.series(name, at) {
                Ok(id) => self.values.push((id, value)),
                Err(error) => {
                    if self.refused.count == 0 {
                        self.refused.reason = error.to_string();
                    }
                    self.refused.count += 1;
                }
            }
        }
        let since = clock.monotonic();
        let told = self.engine.pass(at, &mut self.values, contexts);
        self.judging = clock.monotonic().saturating_sub(since);
        told
    }

    /// How long the last pass took from the values to what is told: all votes.
    pub fn judging(&self) -> Duration {
        self.judging
    }

    /// Replaces the collectors, after the configuration has changed.
    pub fn set_collectors(&mut self, collectors: Collectors) {
        self.collectors = collectors;
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, to move its time or change its bounds.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// What could not become a series in the last pass.
    pub fn refused(&self) -> &Refused {
        &self.refused
    }

    /// The value of a series in the last pass.
    pub fn value(&self, series: &str) -> Option<f64> {
        self.readings.get(series)
    }

    /// Every reading of the last pass.
    pub fn iter_readings(&self) -> impl Iterator<Item = (&str, f64)> {
        self.readings.iter()
    }

    /// How many readings of the last pass were left out: there is no room for them, or two had one name.
    pub fn dropped(&self) -> usize {
        self.readings.dropped()
    }

    /// How many readings the last pass had.
    pub fn readings(&self) -> usize {
        self.readings.len()
    }

    /// How the collectors did in the last pass.
    pub fn reports(&self) -> &[CollectorReport] {
        self.collectors.reports()
    }

    /// The processes that grew most in what `series` is about.
    pub fn top_growth(&self, series: &str, count: usize) -> Vec<ProcessGrowth> {
        self.collectors.top_growth(series, count)
    }
}
