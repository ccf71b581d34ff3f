//! From a batch that is believed to what is stored: one [`Post`] a record.

use super::decode::Believed;
use super::said;
use super::sets::Sets;
use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::agents::{self, About, Known};
use crate::store::{Post, SampleRow, Step};
use arki_model::clock::UnixSeconds;
use arki_model::signature::Signed;
use arki_model::wire::{Records, Summary};
use sha2::{Digest, Sha256};
use std::sync::Arc;

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
            rows: Arc::new(rows),
            steps: steps.into(),
        });
    };
    match batch.records {
        Records::Summaries(summaries) => {
            for summary in summaries {
                let set_no = sets.number(hub, known, &summary).await?;
                post(
                    summary_digest(&summary),
                    rows(hub, &summary, set_no, now_s),
                    Vec::new(),
                );
            }
        }
        Records::Events(events) => {
            let words = said::check(hub, known, &events).await?;
            for (signed, word) in events.iter().zip(&words) {
                let steps = said::steps(known, signed, word, now_s);
                post(event_digest(signed), Vec::new(), steps);
            }
        }
    }
    Ok(posts)
}

fn about(known: &Known, said: &arki_model::wire::About) -> Option<Step> {
    let is_known = said.host == known.about.host
        && said.agent_version == known.about.version
        && i64::try_from(said.summaries_dropped) == Ok(known.about.summaries_dropped)
        && i64::try_from(said.records_set_aside) == Ok(known.about.records_set_aside);
    if is_known {
        return None; // as nearly always: nothing is copied
    }
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
        let since_s = i64::from(summary.width_s).saturating_mul(bucket as i64);
        let time = summary.start_s.saturating_add(since_s);
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

/// What makes a summary the same one: its names do not count, because they come along or not.
fn summary_digest(summary: &Summary) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(b"summary");
    hash.update(summary.digest);
    hash.update(summary.start_s.to_le_bytes());
    hash.update(summary.width_s.to_le_bytes());
    hash.update((summary.buckets as u64).to_le_bytes());
    hash.update(&summary.columns);
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
