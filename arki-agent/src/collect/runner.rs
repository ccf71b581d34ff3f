//! Runs the collectors, times each, and keeps what went wrong for `status`.

use super::{COLLECTORS, CollectError, CollectSettings, Collector, Moment, Readings, Roots};
use arki_model::clock::{Clock, UnixSeconds};
use arki_model::event::ProcessGrowth;
use std::time::Duration;

/// How the last pass of one collector went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorReport {
    /// The collector's name.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// How many readings it put.
    pub readings: usize,
    /// What went wrong in the last pass.
    pub error: Option<CollectError>,
    /// What went wrong last, and when; stays when it works again.
    pub last_error: Option<(UnixSeconds, CollectError)>,
}

/// All collectors of a host.
#[derive(Debug)]
pub struct Collectors {
    roots: Roots,
    all: Vec<Box<dyn Collector>>,
    reports: Vec<CollectorReport>,
}

impl Collectors {
    /// The collectors of [`COLLECTORS`] of this agent.
    pub fn new(roots: Roots, settings: &CollectSettings) -> Self {
        let collectors = COLLECTORS.iter().map(|make| make(settings)).collect();
        Self::of(roots, collectors)
    }

    /// These collectors.
    pub fn of(roots: Roots, collectors: Vec<Box<dyn Collector>>) -> Self {
        let reports = collectors
            .iter()
            .map(|collector| CollectorReport {
                name: collector.name(),
                took: Duration::ZERO,
                readings: 0,
                error: None,
                last_error: None,
            })
            .collect();
        Self {
            roots,
            all: collectors,
            reports,
        }
    }

    /// One pass: clears `out` and fills it. `clock` times the collectors, `at` is the time of the pass.
    pub fn run(&mut self, clock: &dyn Clock, at: Moment, out: &mut Readings) -> &[CollectorReport] {
        out.clear();
        for (collector, report) in self.all.iter_mut().zip(&mut self.reports) {
            let (start, before) = (clock.monotonic(), out.len());
            report.error = collector.collect(&self.roots, at, out).err();
            report.took = clock.monotonic().saturating_sub(start);
            report.readings = out.len() - before;
            if let Some(error) = &report.error {
                report.last_error = Some((at.now_s, error.clone()));
            }
        }
        &self.reports
    }

    /// The at most `count` processes that grew most in the resource that `series` is about: who may be to blame.
    pub fn top_growth(&self, series: &str, count: usize) -> Vec<ProcessGrowth> {
        self.all
            .iter()
            .flat_map(|collector| collector.top_growth(series, count))
            .take(count)
            .collect()
    }

    /// How the last pass went.
    pub fn reports(&self) -> &[CollectorReport] {
        &self.reports
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arki_model::clock::ManualClock;

    #[derive(Debug)]
    struct Flaky(bool);

    impl Collector for Flaky {
        fn name(&self) -> &'static str {
            "flaky"
        }

        fn collect(
            &mut self,
            _: &Roots,
            _: Moment,
            out: &mut Readings,
        ) -> Result<(), CollectError> {
            out.put("flaky.value", 1.0);
            self.0 = !self.0;
            if self.0 {
                return Err(CollectError::Failed("broke".to_owned()));
            }
            Ok(())
        }
    }

    #[test]
    fn an_error_keeps_the_readings_and_is_remembered_when_it_works_again() {
        let clock = ManualClock::at(1_000);
        let mut collectors = Collectors::of(Roots::default(), vec![Box::new(Flaky(false))]);
        let mut out = Readings::default();
        let report = collectors.run(&clock, Moment::now(&clock), &mut out)[0].clone();
        assert_eq!((report.readings, report.error.is_some()), (1, true));
        clock.advance(30);
        let report = collectors.run(&clock, Moment::now(&clock), &mut out)[0].clone();
        assert_eq!(report.error, None);
        assert_eq!(report.last_error.unwrap().0, 1_000);
        assert_eq!(out.len(), 1);
    }
}
