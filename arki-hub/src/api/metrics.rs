//! `/v1/metrics`: range queries for panels, down-sampled to what a screen can show; `/v1/series`: what there is.

use super::agents::find;
use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::hours::{self, HOUR_S};
use crate::store::series::{self, Point, Range};
use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The buckets that agents ship.
const STEP_MIN_S: i64 = 300;
/// Points of one series at most and by default: more than a screen has columns helps nobody.
const POINTS_MAX: i64 = 2_000;
const POINTS_DEFAULT: i64 = 500;
/// The longest range: as long as hours are kept by default.
const LENGTH_MAX_S: i64 = 2 * 366 * 86_400;
/// Series in one answer at most.
const SERIES_MAX: usize = 50;

/// What is asked for.
#[derive(Debug, Deserialize)]
pub struct Ask {
    /// The agent's identifier.
    agent: String,
    /// Names of series, separated by `,`.
    series: String,
    /// Unix seconds; by default a day ago.
    from: Option<i64>,
    /// Unix seconds; by default now.
    to: Option<i64>,
    /// Points at most.
    points: Option<i64>,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct Answer {
    agent: String,
    host: String,
    from: i64,
    to: i64,
    step_seconds: i64,
    series: Vec<Series>,
}

/// One series: one array a column, as panels want them.
#[derive(Debug, Serialize)]
pub struct Series {
    name: String,
    time: Vec<i64>,
    min: Vec<f32>,
    mean: Vec<f32>,
    max: Vec<f32>,
    last: Vec<f32>,
}

/// The end of the last year of four digits.
const TIME_MAX: i64 = 253_402_300_799;

/// Names between commas; those within braces are the names' own.
fn split(list: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let ends = |c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    list.split(ends).filter(|name| !name.is_empty()).collect()
}

/// `GET /v1/metrics`
pub async fn range(
    State(hub): State<Arc<Hub>>,
    Query(ask): Query<Ask>,
) -> Result<Json<Answer>, Problem> {
    let agent = find(&hub, &ask.agent).await?;
    let to = ask.to.unwrap_or_else(|| hub.clock.now_s());
    let from = ask.from.unwrap_or(to.saturating_sub(86_400));
    let wanted = ask.points.unwrap_or(POINTS_DEFAULT);
    if !(1..=POINTS_MAX).contains(&wanted) {
        return Err(Problem::bad(format!("`points` is 1 to {POINTS_MAX}")));
    }
    if !(0..=TIME_MAX).contains(&from) || !(from + 1..=from + LENGTH_MAX_S).contains(&to) {
        return Err(Problem::bad(
            "`from` must lie before `to`, by two years at most (Unix seconds, from 1970 on)",
        ));
    }
    let names = split(&ask.series);
    if names.is_empty() || names.len() > SERIES_MAX {
        return Err(Problem::bad(format!(
            "`series` takes 1 to {SERIES_MAX} names, separated by commas"
        )));
    }
    let step_s = step_of(to - from, wanted);
    // whole hours are read from the hours that are folded, the first one whole
    let hours = step_s >= HOUR_S;
    let (first, until) = if hours {
        let until = hours::readable_until(&*hub.store).await?;
        (from.div_euclid(step_s) * step_s, until)
    } else {
        (from, i64::MIN)
    };
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        let range = Range {
            agent_no: agent.agent_no,
            series: name,
            from: first,
            to,
            limit: series::ROWS_MAX,
        };
        let points = if hours {
            hours::read(&*hub.store, &range, until).await?
        } else {
            hub.store.samples(&range).await?
        };
        all.push(columns(name, &series::down_sample(&points, step_s)));
    }
    Ok(Json(Answer {
        agent: ask.agent,
        host: agent.host,
        from,
        to,
        step_seconds: step_s,
        series: all,
    }))
}

/// The least whole number of buckets with which `length_s` has at most `points` points; past an hour, of hours.
fn step_of(length_s: i64, points: i64) -> i64 {
    let whole =
        |unit_s: i64| (length_s as u64).div_ceil((points * unit_s) as u64).max(1) as i64 * unit_s;
    let buckets = whole(STEP_MIN_S);
    if buckets > HOUR_S {
        whole(HOUR_S)
    } else {
        buckets
    }
}

fn columns(name: &str, points: &[Point]) -> Series {
    Series {
        name: name.to_owned(),
        time: points.iter().map(|point| point.time).collect(),
        min: points.iter().map(|point| point.min).collect(),
        mean: points.iter().map(|point| point.mean).collect(),
        max: points.iter().map(|point| point.max).collect(),
        last: points.iter().map(|point| point.last).collect(),
    }
}

/// Whose series.
#[derive(Debug, Deserialize)]
pub struct AskNames {
    agent: String,
}

/// The series of an agent with their last values.
#[derive(Debug, Serialize)]
pub struct Names {
    time: Option<i64>,
    items: Vec<Name>,
}

/// One series.
#[derive(Debug, Serialize)]
pub struct Name {
    name: String,
    last: Option<f32>,
}

/// `GET /v1/series`
pub async fn names(
    State(hub): State<Arc<Hub>>,
    Query(ask): Query<AskNames>,
) -> Result<Json<Names>, Problem> {
    let agent = find(&hub, &ask.agent).await?;
    let latest = series::latest(&*hub.store, agent.agent_no).await?;
    let (time, all) = latest.map_or((None, Vec::new()), |(time, all)| (Some(time), all));
    let items = all
        .into_iter()
        .map(|one| Name {
            name: one.series,
            last: one.value,
        })
        .collect();
    Ok(Json(Names { time, items }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_within_braces_belong_to_a_name() {
        assert_eq!(
            split("tcp.open{80,443},load.per_core,,disk.used_percent{/}"),
            ["tcp.open{80,443}", "load.per_core", "disk.used_percent{/}"]
        );
        assert_eq!(split("a}b,c{d,e"), ["a}b", "c{d,e"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn the_step_is_whole_buckets_and_the_points_fit() {
        assert_eq!(step_of(86_400, 500), 300);
        assert_eq!(step_of(86_400, 288), 300);
        assert_eq!(step_of(86_400, 287), 600);
        assert_eq!(step_of(7 * 86_400, 500), 1_500);
        assert_eq!(step_of(1, 1), 300);
        assert_eq!(step_of(86_400, 24), 3_600);
        assert_eq!(step_of(86_400, 23), 7_200);
        for (length, points) in [(86_401, 500), (366 * 86_400, 7), (12_345, 2_000)] {
            assert!(length <= step_of(length, points) * points);
        }
    }
}
