//! Plain PostgreSQL: one partition a day, made and dropped by the hub.
//!
//! There is no default partition (rows in it would block the ones that come later), so a day's partition is made
//! before its first row. Which ones exist is kept in memory only to save the question; `IF NOT EXISTS` under the
//! lock is what makes it right with several hubs.

use super::super::StoreError;
use super::{no_connection, wrong};
use arki_model::clock::UnixSeconds;
use deadpool_postgres::Pool;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The table of samples.
pub(super) const SAMPLE: &str = "
CREATE TABLE sample (
  time     timestamptz NOT NULL,
  agent_no bigint NOT NULL,
  set_no   bigint NOT NULL,
  min      real[] NOT NULL,
  mean     real[] NOT NULL,
  max      real[] NOT NULL,
  last     real[] NOT NULL
) PARTITION BY RANGE (time);
CREATE INDEX sample_agent_time ON sample (agent_no, time);
";

const DAY_S: i64 = 86_400;
/// Making one locks the parent for a moment: one lock for all hubs.
const LOCK: i64 = i64::from_be_bytes(*b"arkiday\0");

/// The days that have a partition, as far as this hub has seen.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<BTreeSet<i64>>);

impl Known {
    /// Makes the partitions that rows at `times` need.
    pub(super) async fn ensure(
        &self,
        pool: &Pool,
        times: &[UnixSeconds],
    ) -> Result<(), StoreError> {
        let missing: BTreeSet<i64> = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            times
                .iter()
                .map(|time| time.div_euclid(DAY_S))
                .filter(|day| !known.contains(day))
                .collect()
        };
        for day in missing {
            make(pool, day).await?;
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(day);
        }
        Ok(())
    }

    /// Today's and tomorrow's, so that midnight is no moment of waiting.
    pub(super) async fn make_ahead(
        &self,
        pool: &Pool,
        now_s: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.ensure(pool, &[now_s, now_s + DAY_S]).await
    }
}

async fn make(pool: &Pool, day: i64) -> Result<(), StoreError> {
    let mut client = pool.get().await.map_err(no_connection)?;
    let transaction = client.transaction().await.map_err(wrong)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(wrong)?;
    let (from, to) = (day * DAY_S, (day + 1) * DAY_S);
    // the bounds are numbers of ours, and DDL takes no parameters
    transaction
        .batch_execute(&format!(
            "DO $$ BEGIN EXECUTE format('CREATE TABLE IF NOT EXISTS sample_day_{day} PARTITION OF sample \
             FOR VALUES FROM (%L) TO (%L)', to_timestamp({from}), to_timestamp({to})); END $$"
        ))
        .await
        .map_err(wrong)?;
    transaction.commit().await.map_err(wrong)
}

/// Drops the partitions that end before `before`.
pub(super) async fn drop_before(pool: &Pool, before: UnixSeconds) -> Result<(), StoreError> {
    let client = pool.get().await.map_err(no_connection)?;
    let rows = client
        .query(
            "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
             WHERE i.inhparent = 'sample'::regclass",
            &[],
        )
        .await
        .map_err(wrong)?;
    for row in rows {
        let name: String = row.get(0);
        let day: Option<i64> = name
            .strip_prefix("sample_day_")
            .and_then(|day| day.parse().ok());
        if day.is_some_and(|day| (day + 1) * DAY_S <= before) {
            client
                .batch_execute(&format!("DROP TABLE IF EXISTS {name}"))
                .await
                .map_err(wrong)?;
        }
    }
    Ok(())
}
