//! From a batch that is believed to what is stored: one [`Post`] a record.

use super::decode::Believed;
use super::sets::Sets;
use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::agents::{self, About, Known};
use crate::store::alerts::{self, Kind, NewAlert};
use crate::store::predictions::{self, Arrived};
use crate::store::{Post, SampleRow, Step};
use arki_model::chain;
use arki_model::clock::UnixSeconds;
use arki_model::event::Event;
use arki_model::signature::{EVENT_TYPE, PublicKey, Signed};
use arki_model::wire::{Records, Summary, problem};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// An event that comes later than this is stored, but nobody is woken by it: an agent that was cut off for long
/// ships what is no news any more.
const NEWS_S: i64 = 6 * 3_600;
/// How far an agent's clock may be ahead before its samples are left out.
const AHEAD_S: i64 = 86_400;

/// What a batch brings, ready to be stored.
pub(super) async fn posts(
    hub: &Hub,
    sets: &Sets,
    known: &Known,
    believed: Believed,
    now_s: UnixSeconds,
) -> Result<Vec<Post>, Problem> {
    let Believed { header, batch } = believed;
    let mut about_step = about(known, &batch.about);
    let (epoch, first) = (header.epoch.0.cast_signed(), header.sequence.cast_signed());
    let mut posts = Vec::with_capacity(batch.records.len());
    let mut post = |digest, rows, mut steps: Vec<Step>| {
        steps.extend(about_step.take());
        posts.push(Post {
            agent_no: known.agent_no,
            epoch,
            sequence: first + posts.len() as i64,
            digest,
            received_at: now_s,
            rows,
            steps: steps.into(),
        });
    };
    match batch.records {
        Records::Summaries(summaries) => {
            for summary in summaries {
                let set_no = sets.number(hub, &summary).await?;
                post(
                    summary_digest(&summary),
                    rows(hub, &summary, set_no, now_s),
                    Vec::new(),
                );
            }
        }
        Records::Events(events) => {
            let checked = check(hub, known, &events).await?;
            for (signed, event) in events.iter().zip(&checked) {
                post(
                    event_digest(signed),
                    Vec::new(),
                    event_steps(known, signed, event, now_s),
                );
            }
        }
    }
    Ok(posts)
}

fn about(known: &Known, said: &arki_model::wire::About) -> Option<Step> {
    let clean: String = said.host.chars().filter(|c| !c.is_control()).collect();
    let now = About {
        host: if clean.is_empty() {
            known.about.host.clone()
        } else {
            clean
        },
        version: said
            .agent_version
            .chars()
            .filter(|c| !c.is_control())
            .collect(),
        summaries_dropped: i64::try_from(said.summaries_dropped).unwrap_or(i64::MAX),
        records_set_aside: i64::try_from(said.records_set_aside).unwrap_or(i64::MAX),
    };
    (now != known.about).then(|| agents::about_step(known.agent_no, &now))
}

/// One row a bucket; what lies outside of the time that is kept is left out and counted.
fn rows(hub: &Hub, summary: &Summary, set_no: i64, now_s: UnixSeconds) -> Vec<SampleRow> {
    let oldest = now_s - hub.config.retention.samples.seconds();
    let column = |bucket: usize, pick: fn(&arki_model::summary::Stats) -> f64| -> Vec<f32> {
        let value = |series| summary.column(series).get(bucket).and_then(Option::as_ref);
        (0..summary.series)
            .map(|series| value(series).map_or(f32::NAN, |stats| pick(stats) as f32))
            .collect()
    };
    let mut all = Vec::with_capacity(summary.buckets);
    for bucket in 0..summary.buckets {
        let time = summary.start_s + bucket as i64 * i64::from(summary.width_s);
        if !(oldest..now_s + AHEAD_S).contains(&time) {
            hub.counters
                .samples_out_of_range_total
                .add(summary.series as u64);
            continue;
        }
        all.push(SampleRow {
            time,
            set_no,
            min: column(bucket, |stats| stats.min),
            mean: column(bucket, |stats| stats.mean),
            max: column(bucket, |stats| stats.max),
            last: column(bucket, |stats| stats.last),
        });
    }
    all
}

/// Checks every event with every key that the agent ever had, the present ones first.
async fn check(hub: &Hub, known: &Known, events: &[Signed]) -> Result<Vec<Event>, Problem> {
    let mut keys = known.keys.clone();
    let mut is_all = false;
    let mut checked = Vec::with_capacity(events.len());
    for signed in events {
        if !is_all && !fits(signed, &keys) {
            keys = agents::keys_ever(&*hub.store, known.agent_no).await?;
            is_all = true;
        }
        let malformed = |why: String| Problem::bad(why).of_kind(problem::MALFORMED);
        if !fits(signed, &keys) {
            return Err(malformed(
                "an event is not signed by a key of this agent".into(),
            ));
        }
        checked.push(chain::decode(&signed.payload).map_err(malformed)?);
    }
    Ok(checked)
}

fn fits(signed: &Signed, keys: &[[u8; 32]]) -> bool {
    let mut keys = keys
        .iter()
        .filter_map(|key| PublicKey::from_bytes(key).ok());
    keys.any(|key| signed.verify(&key, EVENT_TYPE).is_ok())
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
    let late_s = now_s - event.prediction.raised_at;
    let quieted = (late_s > NEWS_S).then(|| format!("came {} h late", late_s / 3_600));
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

/// What makes a summary the same one: its names do not count, because they come along or not.
fn summary_digest(summary: &Summary) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(b"summary");
    hash.update(summary.digest);
    hash.update(summary.start_s.to_le_bytes());
    hash.update(summary.width_s.to_le_bytes());
    hash.update((summary.buckets as u64).to_le_bytes());
    for stats in &summary.samples {
        let figures = stats
            .as_ref()
            .map_or([f64::NAN; 4], |s| [s.min, s.mean, s.max, s.last]);
        for figure in figures {
            hash.update(figure.to_le_bytes());
        }
    }
    half(hash)
}

fn event_digest(signed: &Signed) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(b"event");
    hash.update(&signed.payload);
    hash.update(&signed.signature);
    half(hash)
}

fn half(hash: Sha256) -> [u8; 16] {
    let whole: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}
