//! Hours: every series folded once more, for long ranges and for longer than the samples themselves are kept.
//!
//! ```text
//! sample (five minutes) --an hour is over and what is not late has come--> sample_hour
//!   \-- comes later than that --> hour_due: its hour is folded again
//! ```
//!
//! The same packed rows as `sample`: the least of the least, the mean of the means, the greatest of the greatest, the
//! last that there is. TimescaleDB Community keeps them by itself as a continuous aggregate
//! ([`Store::folds_by_itself`]); everywhere else the hub folds, one of several at a time, and folding twice gives the
//! same rows.
//!
//! No hour is missed: what is committed within [`LATE_S`] of its time is there when the hour is folded
//! ([`SETTLED_S`]), and what comes later marks its hour in the same transaction. A mark counts, and only one that
//! has not grown in the meantime is taken away.

use super::series::{Point, Range};
use super::{Post, SampleRow, Store, StoreError};
use crate::hub::Hub;
use crate::values;
use arki_model::clock::UnixSeconds;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The width of a row.
pub const HOUR_S: i64 = 3_600;
/// A sample that comes later than this after its bucket began marks its hour. Agents ship every five minutes.
pub const LATE_S: i64 = 2 * HOUR_S;
/// An hour is folded this long after it ended: what is not late was begun to be stored by then, no statement takes
/// longer than a minute, and the clocks of hubs differ by less than the rest.
const SETTLED_S: i64 = LATE_S + HOUR_S / 2;
/// Agents whose samples are in memory at one time: 12 rows each, 30 KB with 60 series, 800 KB with 4,096.
const AGENTS: i64 = 25;
/// A hub that is at it says so for this long, and again with every hour.
const CLAIM_S: i64 = 600;
/// Hours, and marked hours of single agents, in one go.
const HOURS_MAX: usize = 24;
const DUE_MAX: i64 = 1_000;
/// How often is looked whether there is something to fold.
const LOOK: Duration = Duration::from_secs(60);

/// The hour in which `time` lies.
pub(super) fn hour_of(time: UnixSeconds) -> UnixSeconds {
    time.div_euclid(HOUR_S) * HOUR_S
}

/// The hours that a record marks: (agent, hour), sorted, each once.
pub(super) fn marks<'a>(posts: impl IntoIterator<Item = &'a Post>) -> Vec<(i64, UnixSeconds)> {
    let mut all = Vec::new();
    for post in posts {
        let late = |row: &&SampleRow| row.time < post.received_at - LATE_S;
        let hours = post.rows.iter().filter(late);
        all.extend(hours.map(|row| (post.agent_no, hour_of(row.time))));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Folds until `stop` turns true.
pub async fn watch(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) {
    if hub.store.folds_by_itself() {
        return;
    }
    loop {
        let now_s = hub.clock.now_s();
        if let Err(error) = fold(&*hub.store, now_s).await {
            tracing::warn!(%error, "could not fold samples into hours");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Folds what is to be folded at `now_s`, unless another hub is at it.
pub async fn fold(store: &dyn Store, now_s: UnixSeconds) -> Result<(), StoreError> {
    let ready = hour_of(now_s - SETTLED_S);
    let sql = "SELECT folded_until, (SELECT count(*) FROM (SELECT 1 FROM hour_due LIMIT 1) d) FROM hour_state";
    let rows = store.query(sql, &[]).await?;
    let row = rows.first().ok_or_else(no_state)?;
    let until = row.maybe_int(0)?;
    if until.is_some_and(|until| until >= ready) && row.int(1)? == 0 {
        return Ok(());
    }
    let claim = "UPDATE hour_state SET claimed_until = $2 WHERE claimed_until < $1 RETURNING one";
    let values = values![now_s, now_s + CLAIM_S];
    if store.query(claim, &values).await?.is_empty() {
        return Ok(());
    }
    let done = fold_all(store, until, ready, now_s).await;
    let free = "UPDATE hour_state SET claimed_until = $1";
    store.query(free, &values![now_s - 1]).await?;
    done
}

async fn fold_all(
    store: &dyn Store,
    until: Option<UnixSeconds>,
    ready: UnixSeconds,
    now_s: UnixSeconds,
) -> Result<(), StoreError> {
    let mut hour = if let Some(until) = until {
        until
    } else {
        // the first time: from the oldest sample there is
        let oldest = store.query("SELECT min(time) FROM sample", &[]).await?;
        let oldest = oldest.first().ok_or_else(no_state)?.maybe_int(0)?;
        oldest.map_or(ready, |time| hour_of(time).min(ready))
    };
    let rows = store
        .query("SELECT coalesce(max(agent_no), 0) FROM agent", &[])
        .await?;
    let agents = rows.first().ok_or_else(no_state)?.int(0)?;
    for _ in 0..HOURS_MAX {
        if hour >= ready {
            break;
        }
        for first in (1..=agents).step_by(AGENTS as usize) {
            fold_one(store, first..first + AGENTS, hour).await?;
        }
        hour += HOUR_S;
        let sql = "UPDATE hour_state SET folded_until = $1, claimed_until = $2";
        store.query(sql, &values![hour, now_s + CLAIM_S]).await?;
    }
    if until.is_none() && hour >= ready {
        let sql = "UPDATE hour_state SET folded_until = $1 WHERE folded_until IS NULL";
        store.query(sql, &values![hour]).await?;
    }
    let sql = "SELECT agent_no, time, marks FROM hour_due ORDER BY agent_no, time LIMIT $1";
    for row in store.query(sql, &values![DUE_MAX]).await? {
        let (agent_no, hour, marks) = (row.int(0)?, row.time(1)?, row.int(2)?);
        fold_one(store, agent_no..agent_no + 1, hour).await?;
        let sql = "DELETE FROM hour_due WHERE agent_no = $1 AND time = $2 AND marks = $3";
        store.query(sql, &values![agent_no, hour, marks]).await?;
    }
    Ok(())
}

async fn fold_one(
    store: &dyn Store,
    agents: std::ops::Range<i64>,
    hour: UnixSeconds,
) -> Result<(), StoreError> {
    let rows = store.rows(agents.clone(), hour..hour + HOUR_S).await?;
    if rows.is_empty() {
        return Ok(()); // nothing came, or the samples were dropped since: what was folded stays
    }
    store.put_hours(agents, hour, &folded(&rows, hour)).await
}

fn no_state() -> StoreError {
    StoreError::Content("the state of the hours vanished".into())
}

/// One row an agent and set. `rows` stand in the order of agent and time.
fn folded(rows: &[(i64, SampleRow)], hour: UnixSeconds) -> Vec<(i64, SampleRow)> {
    let mut all: Vec<(i64, SampleRow)> = Vec::new();
    for own in rows.chunk_by(|a, b| a.0 == b.0) {
        let mut sets: Vec<i64> = own.iter().map(|(_, row)| row.set_no).collect();
        sets.sort_unstable();
        sets.dedup();
        for set_no in sets {
            let of_set = own.iter().map(|(_, row)| row);
            let of_set: Vec<_> = of_set.filter(|row| row.set_no == set_no).collect();
            all.push((own[0].0, fold_rows(&of_set, set_no, hour)));
        }
    }
    all
}

fn fold_rows(rows: &[&SampleRow], set_no: i64, time: UnixSeconds) -> SampleRow {
    let width = rows.iter().map(|row| row.mean.len()).max().unwrap_or(0);
    let column = |pick: fn(&SampleRow) -> &Vec<f32>, fold: fn(f32, f32) -> f32| -> Vec<f32> {
        let values = |at: usize| {
            rows.iter()
                .filter_map(move |row| pick(row).get(at).copied())
        };
        (0..width)
            .map(|at| values(at).fold(f32::NAN, fold))
            .collect()
    };
    let mean = |at: usize| {
        let values = rows.iter().filter_map(|row| row.mean.get(at).copied());
        let (sum, count) = values
            .filter(|value| value.is_finite())
            .fold((0.0, 0_u32), |(sum, count), value| {
                (sum + f64::from(value), count + 1)
            });
        if count == 0 {
            f32::NAN
        } else {
            (sum / f64::from(count)) as f32
        }
    };
    SampleRow {
        time,
        set_no,
        // `min` and `max` of a number and NaN are the number
        min: column(|row| &row.min, f32::min),
        mean: (0..width).map(mean).collect(),
        max: column(|row| &row.max, f32::max),
        last: column(
            |row| &row.last,
            |before, now| if now.is_finite() { now } else { before },
        ),
    }
}

/// Up to where hours can be read instead of samples.
pub async fn readable_until(store: &dyn Store) -> Result<UnixSeconds, StoreError> {
    if store.folds_by_itself() {
        return Ok(i64::MAX);
    }
    let rows = store
        .query("SELECT folded_until FROM hour_state", &[])
        .await?;
    let row = rows.first().ok_or_else(no_state)?;
    Ok(row.maybe_int(0)?.unwrap_or(i64::MIN))
}

/// A range in steps of whole hours: hours up to `until`, samples after it.
pub async fn read(
    store: &dyn Store,
    range: &Range<'_>,
    until: UnixSeconds,
) -> Result<Vec<Point>, StoreError> {
    let middle = until.clamp(range.from, range.to);
    let mut points = Vec::new();
    if middle > range.from {
        points = store
            .hours(&Range {
                to: middle,
                ..*range
            })
            .await?;
    }
    if middle < range.to {
        let rest = Range {
            from: middle,
            ..*range
        };
        points.extend(store.samples(&rest).await?);
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(time: i64, set_no: i64, [min, mean, max, last]: [f32; 4]) -> SampleRow {
        SampleRow {
            time,
            set_no,
            min: vec![min, f32::NAN],
            mean: vec![mean, f32::NAN],
            max: vec![max, f32::NAN],
            last: vec![last, f32::NAN],
        }
    }

    #[test]
    fn an_hour_keeps_the_extremes_the_mean_and_the_last_that_there_is() {
        let gap = [f32::NAN; 4];
        let rows = [
            (1, row(7_200, 1, [1.0, 2.0, 3.0, 2.5])),
            (1, row(7_500, 1, [0.5, 4.0, 9.0, 7.0])),
            (1, row(7_800, 1, gap)),
            (1, row(8_100, 2, [5.0, 5.0, 5.0, 5.0])),
            (2, row(7_200, 1, [6.0, 6.0, 6.0, 6.0])),
        ];
        let folded = folded(&rows, 7_200);
        let of = |n: usize| {
            let row = &folded[n].1;
            let first = [row.min[0], row.mean[0], row.max[0], row.last[0]];
            assert!(row.mean[1].is_nan() && row.last[1].is_nan() && row.time == 7_200);
            (folded[n].0, row.set_no, first)
        };
        assert_eq!(folded.len(), 3);
        assert_eq!(of(0), (1, 1, [0.5, 3.0, 9.0, 7.0]));
        assert_eq!(of(1), (1, 2, [5.0; 4]));
        assert_eq!(of(2), (2, 1, [6.0; 4]));
    }

    #[test]
    fn only_what_comes_late_marks_its_hour() {
        let post = |agent_no, received_at, times: &[i64]| Post {
            agent_no,
            epoch: 1,
            sequence: 1,
            digest: [0; 16],
            received_at,
            rows: Arc::new(times.iter().map(|&time| row(time, 1, [0.0; 4])).collect()),
            steps: Arc::new([]),
        };
        let posts = [
            post(2, 100_000, &[50_000, 50_300, 100_000 - LATE_S]),
            post(1, 100_000, &[100_000 - LATE_S - 1, 100_000]),
        ];
        assert_eq!(marks(&posts), [(1, 90_000), (2, 46_800)]);
    }
}
