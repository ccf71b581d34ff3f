//! What an agent said under its signature: events of its chain, and reports about them.

use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::Step;
use crate::store::agents::{self, Known};
use crate::store::alerts::{self, Ended, Kind, NewAlert};
use crate::store::predictions::{self, Arrived};
use arki_model::chain;
use arki_model::clock::UnixSeconds;
use arki_model::event::Event;
use arki_model::report::{Outcome, REPORT_TYPE, Report, What};
use arki_model::series::SeriesName;
use arki_model::signature::{EVENT_TYPE, PublicKey, Signed};
use arki_model::wire::problem;
use serde_json::Value;

/// What comes later than this is stored, but nobody is woken by it: an agent that was cut off for long ships what is
/// no news any more.
const NEWS_S: i64 = 6 * 3_600;

/// One word that is believed.
#[derive(Debug)]
pub(super) enum Word {
    /// A link of the chain.
    Event(Box<Event>),
    /// How it ended, or what was not told.
    Report(What),
}

/// Checks every word with every key that the agent ever had, the present ones first.
pub(super) async fn check(
    hub: &Hub,
    known: &Known,
    words: &[Signed],
) -> Result<Vec<Word>, Problem> {
    let mut keys = known.keys.clone();
    let mut is_all = false;
    let mut checked = Vec::with_capacity(words.len());
    let malformed = |why: String| Problem::bad(why).of_kind(problem::MALFORMED);
    for signed in words {
        if !is_all && !fits(signed, &keys) {
            keys = agents::keys_ever(&*hub.store, known.agent_no).await?;
            is_all = true;
        }
        if !fits(signed, &keys) {
            return Err(malformed(
                "an event is not signed by a key of this agent".into(),
            ));
        }
        checked.push(if signed.payload_type == REPORT_TYPE {
            let what = Report::decode(&signed.payload).map_err(malformed)?.what;
            Word::Report(believable(what).map_err(malformed)?)
        } else {
            let event = chain::decode(&signed.payload).map_err(malformed)?;
            believable_event(&event).map_err(malformed)?;
            Word::Event(Box::new(event))
        });
    }
    Ok(checked)
}

/// Times up to a year that has four digits.
const TIMES: std::ops::RangeInclusive<UnixSeconds> = 0..=253_402_300_799;

/// A century: no window of an agent sees further.
const ETA_MAX_S: f64 = 100.0 * 366.0 * 86_400.0;

/// Names, times and times left that can be reckoned with.
fn believable_event(event: &Event) -> Result<(), String> {
    let Event {
        prediction,
        signed_at,
        ..
    } = event;
    SeriesName::new(&prediction.series).map_err(|error| error.to_string())?;
    if ![prediction.raised_at, *signed_at]
        .iter()
        .all(|at| TIMES.contains(at))
    {
        return Err("the times of an event".into());
    }
    if let Some(eta) = prediction.eta {
        let quantiles = [eta.low_s, eta.median_s, eta.high_s];
        if !quantiles.iter().all(|s| (0.0..=ETA_MAX_S).contains(s)) || !quantiles.is_sorted() {
            return Err(
                "the time left of an event: three quantiles from 0 s to a century, in their order"
                    .into(),
            );
        }
    }
    Ok(())
}

/// Names and times as a database takes them.
fn believable(mut what: What) -> Result<What, String> {
    let (series, times) = match &mut what {
        What::Ended {
            series,
            raised_at,
            ended_at,
            ..
        } => (series, [*raised_at, *ended_at]),
        What::Quieted {
            series,
            first_at,
            last_at,
            reason,
            ..
        } => {
            reason.retain(|c| !c.is_control());
            (series, [*first_at, *last_at])
        }
    };
    SeriesName::new(series).map_err(|error| error.to_string())?;
    if times.iter().any(|at| !TIMES.contains(at)) {
        return Err("the times of a report".into());
    }
    Ok(what)
}

fn fits(signed: &Signed, keys: &[[u8; 32]]) -> bool {
    let expected = if signed.payload_type == REPORT_TYPE {
        REPORT_TYPE
    } else {
        EVENT_TYPE
    };
    let mut keys = keys
        .iter()
        .filter_map(|key| PublicKey::from_bytes(key).ok());
    keys.any(|key| signed.verify(&key, expected).is_ok())
}

/// What storing it does.
pub(super) fn steps(known: &Known, signed: &Signed, word: &Word, now_s: UnixSeconds) -> Vec<Step> {
    match word {
        Word::Event(event) => event_steps(known, signed, event, now_s),
        Word::Report(what) => report_steps(known, what, now_s),
    }
}

fn late(at: UnixSeconds, now_s: UnixSeconds) -> Option<String> {
    let late_s = now_s.saturating_sub(at);
    (late_s > NEWS_S).then(|| format!("came {} h late", late_s / 3_600))
}

fn event_steps(known: &Known, signed: &Signed, event: &Event, now_s: UnixSeconds) -> Vec<Step> {
    let body = readable(event);
    let arrived = Arrived {
        agent_no: known.agent_no,
        event,
        payload: &signed.payload,
        signature: &signed.signature,
        body: &body,
        received_at: now_s,
    };
    let quieted = late(event.prediction.raised_at, now_s);
    let mut steps = predictions::steps(&arrived).to_vec();
    steps.push(alerts::step(&NewAlert {
        kind: Kind::Prediction,
        agent_no: known.agent_no,
        series: &event.prediction.series,
        severity: predictions::severity_number(event.prediction.severity),
        cause: format!("event:{}", event.id),
        event_id: Some(event.id.as_bytes()),
        reason: "",
        now_s,
        quieted: quieted.as_deref(),
    }));
    steps
}

fn report_steps(known: &Known, what: &What, now_s: UnixSeconds) -> Vec<Step> {
    let agent_no = known.agent_no;
    let silent = |kind, series, cause, reason, at| NewAlert {
        kind,
        agent_no,
        series,
        severity: 0,
        cause,
        event_id: None,
        reason: "",
        now_s: at,
        quieted: Some(reason),
    };
    match what {
        What::Ended {
            series,
            raised_at,
            outcome: Outcome::Missed,
            ..
        } => {
            let cause = format!("missed:{agent_no}:{raised_at}:{series}");
            let reason = "reached its bound, and nothing had been predicted";
            let alert = silent(Kind::Missed, series.as_str(), cause, reason, *raised_at);
            vec![alerts::step(&alert)]
        }
        What::Ended {
            series,
            raised_at,
            ended_at,
            outcome,
        } => {
            let state = outcome.name();
            let nothing = || (*outcome == Outcome::Expired).then(|| "it came to nothing".into());
            let quieted = late(*ended_at, now_s).or_else(nothing);
            let ended = Ended {
                agent_no,
                series,
                first_at: *raised_at,
                state,
                now_s,
                quieted: quieted.as_deref(),
            };
            let prediction =
                predictions::ended_step(agent_no, series, *raised_at, state, *ended_at);
            vec![prediction, alerts::ended_step(&ended)]
        }
        What::Quieted {
            series,
            first_at,
            last_at,
            why,
            reason,
            ..
        } => {
            let cause = format!("hushed:{agent_no}:{first_at}:{}:{series}", why.name());
            let minutes = (last_at - first_at).max(0) / 60;
            let reason = if minutes > 0 {
                format!("{reason}; for {minutes} min")
            } else {
                reason.clone()
            };
            let alert = silent(Kind::Hushed, series.as_str(), cause, &reason, *first_at);
            vec![alerts::hushed_step(&alert)]
        }
    }
}

/// The event as JSON. PostgreSQL takes no NUL in a text: it becomes the character for what cannot be shown. (The
/// payload that was signed is stored as it is.)
fn readable(event: &Event) -> String {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    without_nul(&mut value);
    value.to_string()
}

fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Value::Array(values) => values.iter_mut().for_each(without_nul),
        Value::Object(values) => values.values_mut().for_each(without_nul),
        _ => {}
    }
}
