//! The state of a running agent, as `status` and `explain` tell it.

use super::Agent;
use crate::collect::{CollectError, Moment, READINGS_MAX};
use crate::events::Listed;
use crate::explain::{Day, EventView, Explanation, Fate, LISTED_MAX, Line, SeriesView};
use crate::health::{RESIDENT_BYTES_BUDGET, resident_bytes};
use crate::status::{
    ClockSet, Collect, Context, Hushed, LastEvent, Ledger, Own, Predicted, Problem, SCHEMA, Status,
    Unread, Why,
};
use crate::terminal::span;
use arki_model::chain;
use arki_model::context::{ActiveContext, Source};
use arki_model::ledger::Active;
use arki_model::quiet::{Because, HOLD_S, Quieted};
use arki_model::signature::EVENT_TYPE;
use arki_model::vote::Verdict;
use std::time::Duration;

/// Quieted predictions of the last day are shown.
const QUIETED_FOR_S: i64 = 86_400;

impl Agent {
    /// Everything that `status` tells.
    pub fn status(&self) -> Status {
        let now = Moment::now(&*self.clock);
        let engine = self.pipeline.engine();
        let problems: Vec<Problem> = self
            .problems
            .iter()
            .map(|(area, text)| Problem {
                area: area.to_owned(),
                text: text.to_owned(),
            })
            .collect();
        Status {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: self.host.clone(),
            pid: std::process::id(),
            now_s: self.time.at(now),
            uptime_s: now.monotonic.saturating_sub(self.started).as_secs(),
            healthy: problems.is_empty(),
            problems,
            own: self.own(now),
            clock: self.time.skew().map(|skew| ClockSet {
                delta_s: skew.delta_s,
                ago_s: now.monotonic.saturating_sub(skew.at).as_secs(),
            }),
            hub: self.hub_status(),
            apply: self.apply_status(),
            key: self.key.public().to_hex(),
            collect: self.collect_status(now),
            voters: engine.readiness(),
            contexts: self.context_list(),
            predictions: self.predictions(),
            quieted: self.hushed(|_| true),
            ledger: Ledger {
                counts: engine.ledger().counts(),
                median_lead_s: engine.ledger().median_lead_s(),
            },
            last_event: self.log.listed().next_back().map(|listed| LastEvent {
                id: listed.id.to_string(),
                sequence: listed.sequence,
                series: listed.series.to_string(),
                raised_at: listed.raised_at,
                acknowledged: self.is_acknowledged(listed.sequence),
            }),
        }
    }

    fn own(&self, now: Moment) -> Own {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let quantiles = self.cost.quantiles();
        Own {
            resident_bytes: resident_bytes(),
            resident_bytes_budget: RESIDENT_BYTES_BUDGET,
            cpu_seconds_per_hour: self.cost.cpu_seconds_per_hour(now.monotonic),
            passes: self.cost.passes(),
            pass_ms: self.cost.last().map(|took| ms(took.all)),
            pass_median_ms: quantiles.map(|took| ms(took.median.all)),
            pass_p99_ms: quantiles.map(|took| ms(took.p99.all)),
            votes_median_ms: quantiles.map(|took| ms(took.median.votes)),
            votes_p99_ms: quantiles.map(|took| ms(took.p99.votes)),
            writes_median_ms: quantiles.map(|took| ms(took.median.writes)),
            writes_p99_ms: quantiles.map(|took| ms(took.p99.writes)),
        }
    }

    fn collect_status(&self, now: Moment) -> Collect {
        let unread = self.pipeline.reports().iter().filter_map(|report| {
            let error = report.error.as_ref()?;
            Some(Unread {
                collector: report.name.to_owned(),
                why: why(error),
                text: error.to_string(),
            })
        });
        Collect {
            series: self.pipeline.engine().registry().len(),
            series_max: self.config.series_max,
            readings: self.pipeline.readings(),
            interval_s: self.config.interval.seconds(),
            last_ago_s: self
                .last_pass
                .map(|last| now.monotonic.saturating_sub(last.monotonic).as_secs() as i64),
            unread: unread.collect(),
        }
    }

    /// What is known to be going on.
    pub(super) fn context_list(&self) -> Vec<Context> {
        let globs = |context: &ActiveContext| {
            let written = context.series.iter().map(|matcher| matcher.glob().glob());
            // Braces are escaped for the matcher; a person wrote them bare.
            written
                .map(|glob| glob.replace("[{]", "{").replace("[}]", "}"))
                .collect()
        };
        self.contexts
            .active()
            .iter()
            .map(|context| Context {
                name: context.name.clone(),
                source: context.source,
                since: context.since,
                until: context.until,
                series: globs(context),
            })
            .collect()
    }

    /// Notes what the last pass showed to be wrong.
    pub(super) fn note_problems(&mut self) {
        let refused = self.pipeline.refused();
        let refused = (refused.count > 0).then(|| refused.to_string());
        self.problems.note("series", refused);
        if self.shipper().is_some() {
            self.problems.note("hub", self.hub_trouble());
        }
        let mut failed: Vec<String> = self
            .pipeline
            .reports()
            .iter()
            .filter_map(|report| match &report.error {
                Some(error @ CollectError::Failed(_)) => Some(format!("{}: {error}", report.name)),
                _ => None,
            })
            .collect();
        let dropped = self.pipeline.dropped();
        if dropped > 0 {
            failed.push(format!(
                "{dropped} readings left out: more than {READINGS_MAX} in a pass, or two of one name"
            ));
        }
        self.problems
            .note("collect", (!failed.is_empty()).then(|| failed.join("; ")));
    }

    /// Active predictions, the most urgent first.
    fn predictions(&self) -> Vec<Predicted> {
        let mut predictions: Vec<Predicted> = self
            .pipeline
            .engine()
            .ledger()
            .active()
            .iter()
            .map(|active| self.predicted(active))
            .collect();
        predictions.sort_by(|a, b| {
            let fails = |p: &Predicted| p.fails_at.map_or(f64::INFINITY, |[_, median, _]| median);
            b.severity
                .cmp(&a.severity)
                .then(fails(a).total_cmp(&fails(b)))
        });
        predictions
    }

    fn predicted(&self, active: &Active) -> Predicted {
        let prediction = &active.prediction;
        let event = self
            .log
            .listed()
            .rev()
            .find(|listed| *listed.series == prediction.series);
        let at = prediction.raised_at as f64;
        let reason = prediction
            .votes
            .iter()
            .find(|vote| vote.verdict == Verdict::Yes);
        Predicted {
            event: event.map(|listed| listed.id.to_string()),
            sequence: event.map(|listed| listed.sequence),
            series: prediction.series.clone(),
            severity: prediction.severity,
            value: self
                .pipeline
                .value(&prediction.series)
                .unwrap_or(prediction.value),
            bound: prediction.bound,
            first_raised_at: active.first_raised_at,
            raised_at: prediction.raised_at,
            fails_at: prediction
                .eta
                .map(|eta| [at + eta.low_s, at + eta.median_s, at + eta.high_s]),
            voters: prediction.voters().collect(),
            reason: reason.map_or(String::new(), |vote| vote.reason.clone()),
            also: prediction.also.clone(),
        }
    }

    /// What was not told of the series that `wanted` picks, newest first. What is only being held now is no news.
    fn hushed(&self, wanted: impl Fn(&Quieted) -> bool) -> Vec<Hushed> {
        let now_s = self.time.at(Moment::now(&*self.clock));
        self.pipeline
            .engine()
            .quieted()
            .rev()
            .filter(|quieted| now_s - quieted.last_at <= QUIETED_FOR_S && wanted(quieted))
            .map(|quieted| Hushed {
                series: quieted.series.clone(),
                first_at: quieted.first_at,
                last_at: quieted.last_at,
                because: because(quieted, now_s),
            })
            .collect()
    }

    /// Everything about an event (its id, the beginning of one, or its number) or a series.
    pub fn explain(&self, what: &str) -> Result<Explanation, String> {
        let by_name = self.pipeline.engine().registry().find(what).is_some()
            || self.log.listed().any(|listed| &*listed.series == what)
            || self
                .pipeline
                .engine()
                .quieted()
                .any(|quieted| quieted.series == what);
        if by_name {
            return Ok(Explanation::Series(Box::new(self.series_view(what))));
        }
        let wanted = what.to_ascii_lowercase();
        let fits = |listed: &&Listed| {
            listed.id.to_string().starts_with(&wanted) || listed.sequence.to_string() == wanted
        };
        let mut found = self.log.listed().rev().filter(fits);
        match (found.next(), found.next()) {
            (None, _) => Err(format!(
                "no event or series is called {what:?}; `arki-agent status` shows the ids, and a series is written like disk.used_percent{{/var}}"
            )),
            (Some(one), None) => self
                .event_view(one)
                .map(|view| Explanation::Event(Box::new(view))),
            (Some(_), Some(_)) => Ok(Explanation::Several {
                events: self
                    .log
                    .listed()
                    .rev()
                    .filter(fits)
                    .take(LISTED_MAX)
                    .map(line)
                    .collect(),
            }),
        }
    }

    fn event_view(&self, listed: &Listed) -> Result<EventView, String> {
        let gone = || format!("event {} is not in the log any more", listed.id);
        let signed = self.log.read(listed.sequence).ok_or_else(gone)?;
        let event = chain::decode(&signed.payload)?;
        let before = self.log.read(listed.sequence.saturating_sub(1));
        let first = (listed.sequence == 1).then_some([0; 32]);
        let expected = before.map(|signed| signed.digest()).or(first);
        let key = self.key.public();
        Ok(EventView {
            id: event.id.to_string(),
            sequence: event.sequence,
            host: event.host,
            processes: event.processes,
            context: event.context,
            signed_at: event.signed_at,
            key: key.to_hex(),
            signature_valid: signed.verify(&key, EVENT_TYPE).is_ok(),
            follows: expected.map(|digest| digest == event.previous),
            fate: self.fate(&event.prediction.series, event.prediction.raised_at),
            now_s: self.time.at(Moment::now(&*self.clock)),
            value_now: self.pipeline.value(&event.prediction.series),
            prediction: event.prediction,
        })
    }

    /// What became of a prediction: the ledger's entry whose span it was told in.
    pub(super) fn fate(&self, series: &str, raised_at: i64) -> Fate {
        let ledger = self.pipeline.engine().ledger();
        let ended = ledger.ended().find(|entry| {
            entry.series == series && (entry.raised_at..=entry.ended_at).contains(&raised_at)
        });
        if let Some(entry) = ended {
            return Fate::Ended {
                outcome: entry.outcome,
                at: entry.ended_at,
            };
        }
        if ledger
            .active()
            .iter()
            .any(|active| active.prediction.series == series)
        {
            Fate::Active
        } else {
            Fate::Unknown
        }
    }

    fn series_view(&self, series: &str) -> SeriesView {
        let engine = self.pipeline.engine();
        let id = engine.registry().find(series);
        let active = engine
            .ledger()
            .active()
            .iter()
            .find(|active| active.prediction.series == series);
        let events = self
            .log
            .listed()
            .rev()
            .filter(|listed| &*listed.series == series);
        SeriesView {
            series: series.to_owned(),
            value_now: self.pipeline.value(series),
            bound: id.and_then(|id| engine.bound(id)).map(|bound| bound.value),
            day: id.and_then(|id| engine.windows().get(id)).and_then(day),
            votes: id.and_then(|id| engine.votes(id)).unwrap_or_default(),
            predicted: active.map(|active| self.predicted(active)),
            quieted: self.hushed(|quieted| quieted.series == series),
            events: events.take(LISTED_MAX).map(line).collect(),
            processes: self.pipeline.top_growth(series, 3),
            now_s: self.time.at(Moment::now(&*self.clock)),
        }
    }
}

fn line(listed: &Listed) -> Line {
    Line {
        id: listed.id.to_string(),
        sequence: listed.sequence,
        series: listed.series.to_string(),
        raised_at: listed.raised_at,
    }
}

fn why(error: &CollectError) -> Why {
    match error {
        CollectError::NoData(_) => Why::Absent,
        CollectError::Denied(_) => Why::Denied,
        CollectError::Failed(_) => Why::Failed,
    }
}

pub(super) fn because(quieted: &Quieted, now_s: i64) -> String {
    match &quieted.because {
        Because::Held if now_s - quieted.last_at < HOLD_S => {
            let (held_s, hold) = (quieted.last_at - quieted.first_at, span(HOLD_S as f64));
            if held_s < HOLD_S {
                format!("held for {} of {hold}", span(held_s as f64))
            } else {
                format!("comes and goes: it has not stood for {hold} yet")
            }
        }
        Because::Held => format!("over before it had stood for {}", span(HOLD_S as f64)),
        Because::CoolDown { told_at } => {
            format!(
                "told {} before, no worse since",
                span((quieted.last_at - told_at) as f64)
            )
        }
        Because::Context { name, source } => format!("{name} explains it ({})", known_by(*source)),
        Because::Learned { reason } => format!("usual here: {reason}"),
    }
}

fn known_by(source: Source) -> &'static str {
    match source {
        Source::Declared => "declared",
        Source::Announced => "announced",
        Source::Host => "it runs",
    }
}

fn day(window: &arki_model::window::Window) -> Option<Day> {
    let ring = &window.five_minutes;
    let values: Vec<f64> = ring
        .iter()
        .map(|(_, value)| f64::from(value))
        .filter(|value| value.is_finite())
        .collect();
    let (first, rest) = values.split_first()?;
    let (min, max) = rest.iter().fold((*first, *first), |(min, max), &value| {
        (min.min(value), max.max(value))
    });
    Some(Day {
        hours: values.len() as f64 * ring.step_s() as f64 / 3600.0,
        min,
        mean: values.iter().sum::<f64>() / values.len() as f64,
        max,
    })
}
