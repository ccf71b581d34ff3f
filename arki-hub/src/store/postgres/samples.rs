//! Packed series: arrays of `real`, read by subscript (an `unnest` view costs 24 times the CPU).

use super::super::series::{Point, Range};
use super::super::{MetricSet, StoreError};
use super::{value::microseconds, wrong};
use deadpool_postgres::Object;

pub(super) async fn intern(client: &Object, set: &MetricSet) -> Result<i64, StoreError> {
    let digest = set.digest.as_slice();
    let find = client
        .prepare_cached("SELECT set_no FROM metric_set WHERE digest = $1")
        .await
        .map_err(wrong)?;
    if let Some(row) = client.query_opt(&find, &[&digest]).await.map_err(wrong)? {
        return Ok(row.get(0));
    }
    let insert = "INSERT INTO metric_set (digest, names) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    client
        .execute(insert, &[&digest, &set.names])
        .await
        .map_err(wrong)?;
    let row = client.query_one(&find, &[&digest]).await.map_err(wrong)?;
    Ok(row.get(0))
}

/// The place of the series in each set that the agent used in the range, then the rows by that place.
macro_rules! read {
    ($table:literal) => {
        concat!(
            "
WITH place AS (
  SELECT set_no, array_position(names, $2) AS i FROM metric_set
  WHERE set_no IN (SELECT DISTINCT set_no FROM ",
            $table,
            "
    WHERE agent_no = $1 AND time >= to_timestamp($3::bigint) AND time < to_timestamp($4::bigint))
)
SELECT extract(epoch FROM s.time)::bigint, s.min[p.i], s.mean[p.i], s.max[p.i], s.last[p.i]
FROM ",
            $table,
            " s JOIN place p ON p.set_no = s.set_no AND p.i IS NOT NULL
WHERE s.agent_no = $1 AND s.time >= to_timestamp($3::bigint) AND s.time < to_timestamp($4::bigint)
ORDER BY s.time LIMIT $5"
        )
    };
}

/// Reads five-minute buckets.
pub(super) const SAMPLE: &str = read!("sample");
/// Reads hours.
pub(super) const HOUR: &str = read!("sample_hour");

pub(super) async fn read(
    client: &Object,
    sql: &'static str,
    range: &Range<'_>,
) -> Result<Vec<Point>, tokio_postgres::Error> {
    // outside of these years `to_timestamp` fails
    let within = |unix_s: i64| unix_s.clamp(0, 253_402_300_799);
    debug_assert!(microseconds(within(i64::MAX)) < i64::MAX);
    let statement = client.prepare_cached(sql).await?;
    let (from, to, limit) = (within(range.from), within(range.to), range.limit as i64);
    let rows = client
        .query(
            &statement,
            &[&range.agent_no, &range.series, &from, &to, &limit],
        )
        .await?;
    let mut points = Vec::with_capacity(rows.len());
    for row in &rows {
        let value = |i| {
            row.try_get::<_, Option<f32>>(i)
                .map(|v| v.filter(|v| v.is_finite()))
        };
        if let (Some(min), Some(mean), Some(max), Some(last)) =
            (value(1)?, value(2)?, value(3)?, value(4)?)
        {
            let time = row.try_get(0)?;
            points.push(Point {
                time,
                min,
                mean,
                max,
                last,
            });
        }
    }
    Ok(points)
}
