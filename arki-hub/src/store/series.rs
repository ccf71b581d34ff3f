//! Series as they are read: a range of one series, down-sampling, and the last value of each.

use super::{Row, Store, StoreError, Value};
use crate::values;
use arki_model::clock::UnixSeconds;

/// Rows read at most for one series: a year of five-minute buckets.
pub const ROWS_MAX: usize = 366 * 288;

/// Which buckets of which series.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// The agent, by its number in the store.
    pub agent_no: i64,
    /// The series' name.
    pub series: &'a str,
    /// The first second.
    pub from: UnixSeconds,
    /// The first second that is not in it.
    pub to: UnixSeconds,
    /// Rows at most.
    pub limit: usize,
}

/// One bucket of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it begins.
    pub time: UnixSeconds,
    /// The least value in it.
    pub min: f32,
    /// The mean.
    pub mean: f32,
    /// The greatest value.
    pub max: f32,
    /// The last value.
    pub last: f32,
}

/// Folds `points` (oldest first) into buckets of `step_s`: least of the least, greatest of the greatest, last of
/// the last, and the mean of the means (all source buckets have the same length).
pub fn down_sample(points: &[Point], step_s: i64) -> Vec<Point> {
    let mut folded: Vec<Point> = Vec::new();
    let mut sum = (0.0_f64, 0_u32);
    for point in points {
        let time = point.time.div_euclid(step_s) * step_s;
        match folded.last_mut() {
            Some(open) if open.time == time => {
                sum = (sum.0 + f64::from(point.mean), sum.1 + 1);
                open.min = open.min.min(point.min);
                open.max = open.max.max(point.max);
                open.last = point.last;
                open.mean = (sum.0 / f64::from(sum.1)) as f32;
            }
            _ => {
                sum = (f64::from(point.mean), 1);
                folded.push(Point { time, ..*point });
            }
        }
    }
    folded
}

/// Names as a JSON array, for SQLite.
pub(super) fn encode_names(names: &[String]) -> String {
    serde_json::Value::from(names.to_vec()).to_string()
}

/// The number of the set with this digest and how many names it has.
pub async fn find_set(
    store: &dyn Store,
    digest: [u8; 16],
) -> Result<Option<(i64, usize)>, StoreError> {
    let sql = match store.edition() {
        super::Edition::Sqlite => {
            "SELECT set_no, json_array_length(names) FROM metric_set WHERE digest = $1"
        }
        _ => "SELECT set_no, cardinality(names) FROM metric_set WHERE digest = $1",
    };
    let rows = store.query(sql, &values![digest]).await?;
    rows.first()
        .map(|row| Ok((row.int(0)?, row.int(1)? as usize)))
        .transpose()
}

/// A series and its last value.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// The series' name.
    pub series: String,
    /// The last value; `None` where the series had none in the last bucket.
    pub value: Option<f32>,
}

/// The series of one agent with their last values, and the bucket that these come from.
pub async fn latest(
    store: &dyn Store,
    agent_no: i64,
) -> Result<Option<(UnixSeconds, Vec<Latest>)>, StoreError> {
    // Both forms give one row a series, in the order of the set.
    let sql = match store.edition() {
        super::Edition::Sqlite => {
            "SELECT l.time, j.value, j.key, l.last FROM agent_latest l \
             JOIN metric_set m ON m.set_no = l.set_no, json_each(m.names) j \
             WHERE l.agent_no = $1 ORDER BY j.key"
        }
        _ => {
            "SELECT l.time, n.name, n.place - 1, l.last[n.place] FROM agent_latest l \
             JOIN metric_set m ON m.set_no = l.set_no, unnest(m.names) WITH ORDINALITY n(name, place) \
             WHERE l.agent_no = $1 ORDER BY n.place"
        }
    };
    let rows = store.query(sql, &values![agent_no]).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let time = first.time(0)?;
    let all = rows.iter().map(|row| {
        let series = row.text(1)?;
        Ok(Latest {
            series,
            value: last_of(row)?,
        })
    });
    Ok(Some((time, all.collect::<Result<_, StoreError>>()?)))
}

fn last_of(row: &Row) -> Result<Option<f32>, StoreError> {
    let value = match row.0.get(3) {
        Some(Value::Real(value)) => Some(*value as f32),
        Some(Value::Bytes(packed)) => {
            let at = row.int(2)? as usize * 4;
            let bytes = packed.get(at..at + 4).and_then(|b| b.try_into().ok());
            bytes.map(f32::from_le_bytes)
        }
        _ => None,
    };
    Ok(value.filter(|value| value.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_sampling_keeps_the_extremes_and_weighs_the_mean() {
        let point = |time, min, mean, max, last| Point {
            time,
            min,
            mean,
            max,
            last,
        };
        let points = [
            point(0, 1.0, 2.0, 3.0, 2.5),
            point(300, 0.5, 4.0, 9.0, 7.0),
            point(600, 2.0, 6.0, 7.0, 6.5),
            point(3_600, 5.0, 5.0, 5.0, 5.0),
        ];
        assert_eq!(
            down_sample(&points, 3_600),
            [
                point(0, 0.5, 4.0, 9.0, 6.5),
                point(3_600, 5.0, 5.0, 5.0, 5.0)
            ]
        );
        assert_eq!(down_sample(&points, 300), points);
        assert_eq!(
            down_sample(&[point(-1, 0.0, 0.0, 0.0, 0.0)], 300)[0].time,
            -300
        );
    }
}
