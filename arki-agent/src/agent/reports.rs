//! What the hub is told beside the events: how predictions ended, and what was quieted and why.
//!
//! A mark says what was reported; it is written after the report is in the spool, so that a crash in between reports
//! once more (the hub knows it by its times) and never less. An agent that enrols begins with what comes then.
//! What is quieted is reported when it begins and when it is over; what was only held, once it is over.

use super::Agent;
use super::report::because;
use arki_model::clock::UnixSeconds;
use arki_model::engine::Engine;
use arki_model::ledger::Counts;
use arki_model::quiet::{Because, COOL_DOWN_S, HOLD_S, Quieted};
use arki_model::report::{Report, What, Why};
use serde::{Deserialize, Serialize};

/// The state file.
const REPORTED: &str = "reported";

/// What was reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Reported {
    /// Lines of the ledger, since the state directory was made.
    ended: u64,
    quieted: Vec<Mark>,
}

/// One record of what was quieted, as far as it was reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mark {
    series: String,
    why: Why,
    first_at: UnixSeconds,
    last_at: UnixSeconds,
}

/// The marks of an agent, and whether its present ones are on disk.
#[derive(Debug, Default)]
pub(super) struct Reports {
    marks: Option<Reported>,
}

impl Reports {
    /// Moves the marks by `delta_s`, as the records they stand for: the wall clock was set.
    pub(super) fn shift(&mut self, delta_s: i64) {
        for mark in self.marks.iter_mut().flat_map(|marks| &mut marks.quieted) {
            mark.first_at = mark.first_at.saturating_add(delta_s);
            mark.last_at = mark.last_at.saturating_add(delta_s);
        }
    }
}

impl Agent {
    /// Reads the marks; an agent that has none begins now.
    pub(super) fn open_reports(&mut self) {
        let (marks, note) = self.state.load::<Reported>(REPORTED);
        if note.is_some() {
            self.problems.note("reports", note);
        }
        let now_s = self.clock.now_s();
        self.reports.marks = Some(marks.unwrap_or_else(|| begun(self.pipeline.engine(), now_s)));
    }

    /// Records for the hub what is new. What fails is tried with the next pass.
    pub(super) fn ship_reports(&mut self, now_s: UnixSeconds) {
        let (Some(shipper), Some(marks)) = (self.shipper.clone(), &self.reports.marks) else {
            return;
        };
        let (reports, next) = due(self.pipeline.engine(), marks, now_s);
        if next == *marks {
            return;
        }
        for report in reports {
            let recorded = report
                .sign(&self.key)
                .map_err(|error| error.to_string())
                .and_then(|signed| {
                    shipper
                        .record_report(&signed)
                        .map_err(|error| error.to_string())
                });
            if let Err(error) = recorded {
                self.problems.set("outbox", error);
                return;
            }
        }
        match self.state.save(REPORTED, &next) {
            Ok(()) => self.reports.marks = Some(next),
            Err(error) => self.problems.set("reports", error.to_string()),
        }
    }
}

fn total(counts: Counts) -> u64 {
    [
        counts.happened,
        counts.averted,
        counts.expired,
        counts.missed,
    ]
    .map(u64::from)
    .iter()
    .sum()
}

fn why(because: &Because) -> Why {
    match because {
        Because::Held => Why::Held,
        Because::CoolDown { .. } => Why::CoolDown,
        Because::Context { .. } => Why::Context,
        Because::Learned { .. } => Why::Learned,
    }
}

fn mark(quieted: &Quieted) -> Mark {
    Mark {
        series: quieted.series.clone(),
        why: why(&quieted.because),
        first_at: quieted.first_at,
        last_at: quieted.last_at,
    }
}

/// The marks of an agent that has told nothing yet and need not tell what was.
fn begun(engine: &Engine, now_s: UnixSeconds) -> Reported {
    let none = Reported {
        ended: total(engine.ledger().counts()),
        quieted: Vec::new(),
    };
    due(engine, &none, now_s).1
}

/// What is to be reported, and the marks once it was.
fn due(engine: &Engine, marks: &Reported, now_s: UnixSeconds) -> (Vec<Report>, Reported) {
    let ledger = engine.ledger();
    let ended = total(ledger.counts());
    let news = ended.saturating_sub(marks.ended) as usize;
    let kept = ledger.ended().count();
    let mut reports: Vec<Report> = ledger
        .ended()
        .skip(kept.saturating_sub(news))
        .map(|entry| {
            Report::new(What::Ended {
                series: entry.series.clone(),
                raised_at: entry.raised_at,
                ended_at: entry.ended_at,
                outcome: entry.outcome,
            })
        })
        .collect();
    let mut quieted = Vec::new();
    for one in engine.quieted() {
        let new = mark(one);
        let old = marks.quieted.iter().find(|old| {
            (old.first_at, old.why) == (new.first_at, new.why) && old.series == new.series
        });
        if is_due(one, old, now_s) {
            reports.push(Report::new(What::Quieted {
                series: one.series.clone(),
                first_at: one.first_at,
                last_at: one.last_at,
                eta_median_s: one.eta_median_s,
                why: new.why,
                reason: because(one, now_s),
            }));
            quieted.push(new);
        } else if let Some(old) = old {
            quieted.push(old.clone());
        }
    }
    (reports, Reported { ended, quieted })
}

fn is_due(one: &Quieted, reported: Option<&Mark>, now_s: UnixSeconds) -> bool {
    let calm_s = now_s - one.last_at;
    match (reported, &one.because) {
        (Some(mark), _) => one.last_at > mark.last_at && calm_s > COOL_DOWN_S,
        // A consensus that is being held now may still be told.
        (None, Because::Held) => calm_s > HOLD_S,
        (None, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(because: Because, last_at: UnixSeconds) -> Quieted {
        Quieted {
            series: "disk".into(),
            first_at: 1_000,
            last_at,
            eta_median_s: None,
            because,
        }
    }

    #[test]
    fn what_is_quieted_is_told_when_it_begins_and_when_it_is_over() {
        let learned = || Because::Learned {
            reason: "usual".into(),
        };
        let first = record(learned(), 1_000);
        assert!(is_due(&first, None, 1_000));
        let reported = mark(&first);
        let going_on = record(learned(), 3_000);
        assert!(!is_due(&going_on, Some(&reported), 3_030));
        let over_at = 3_000 + COOL_DOWN_S + 1;
        assert!(is_due(&going_on, Some(&reported), over_at));
        assert!(!is_due(&going_on, Some(&mark(&going_on)), over_at));
    }

    #[test]
    fn what_is_only_held_is_told_once_it_is_over() {
        let held = record(Because::Held, 1_060);
        assert!(!is_due(&held, None, 1_090), "it may still be told");
        assert!(is_due(&held, None, 1_060 + HOLD_S + 1));
    }
}
