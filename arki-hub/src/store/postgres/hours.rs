//! Samples as they are read for folding, and hours as they are put down.

use super::super::SampleRow;
use super::commit::write_rows;
use arki_model::clock::UnixSeconds;
use deadpool_postgres::Object;
use std::ops::Range;

/// One hub at a time puts hours down: there is no key that would refuse them twice.
const LOCK: i64 = i64::from_be_bytes(*b"arkihour");

/// By agent: each is a short walk along the index of agent and time.
const ROWS: &str = "
SELECT s.agent_no, extract(epoch FROM s.time)::bigint, s.set_no, s.min, s.mean, s.max, s.last
FROM agent a JOIN sample s ON s.agent_no = a.agent_no
WHERE a.agent_no >= $1 AND a.agent_no < $2
  AND s.time >= to_timestamp($3::bigint) AND s.time < to_timestamp($4::bigint)
ORDER BY s.agent_no, s.time";

pub(super) async fn rows(
    client: &Object,
    agents: Range<i64>,
    times: Range<UnixSeconds>,
) -> Result<Vec<(i64, SampleRow)>, tokio_postgres::Error> {
    let statement = client.prepare_cached(ROWS).await?;
    let rows = client
        .query(
            &statement,
            &[&agents.start, &agents.end, &times.start, &times.end],
        )
        .await?;
    let one = |row: &tokio_postgres::Row| {
        let values = SampleRow {
            time: row.try_get(1)?,
            set_no: row.try_get(2)?,
            min: row.try_get(3)?,
            mean: row.try_get(4)?,
            max: row.try_get(5)?,
            last: row.try_get(6)?,
        };
        Ok((row.try_get(0)?, values))
    };
    rows.iter().map(one).collect()
}

pub(super) async fn put(
    client: &mut Object,
    agents: Range<i64>,
    hour: UnixSeconds,
    rows: &[(i64, SampleRow)],
) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    let delete = transaction
        .prepare_cached(
            "DELETE FROM sample_hour WHERE agent_no >= $1 AND agent_no < $2 \
             AND time = to_timestamp($3::bigint)",
        )
        .await?;
    transaction
        .execute(&delete, &[&agents.start, &agents.end, &hour])
        .await?;
    let rows: Vec<_> = rows
        .iter()
        .map(|(agent_no, row)| (*agent_no, row))
        .collect();
    write_rows(&transaction, "sample_hour", &rows).await?;
    transaction.commit().await
}
