//! Plain PostgreSQL: one partition a day of samples, one of 30 days of hours, made and dropped by the hub.
//!
//! There is no default partition (rows in it would block the ones that come later), so a partition is made
//! before its first row. Which ones exist is kept in memory only to save the question; `IF NOT EXISTS` under the
//! lock is what makes it right with several hubs.

use super::super::StoreError;
use super::{no_connection, wrong};
use arki_model::clock::UnixSeconds;
use deadpool_postgres::Pool;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The tables of samples and of hours.
pub(super) const TABLES: [&str; 2] = [
    "
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
",
    "
CREATE TABLE sample_hour (LIKE sample) PARTITION BY RANGE (time);
CREATE INDEX sample_hour_agent_time ON sample_hour (agent_no, time);
",
];

const DAY_S: i64 = 86_400;

/// A table in partitions.
#[derive(Debug)]
pub(super) struct Table {
    name: &'static str,
    /// What the names of its partitions begin with; the number of the partition since 1970 follows.
    prefix: &'static str,
    width_s: i64,
}

/// A day of 100,000 agents has 35 GB.
pub(super) const SAMPLE: Table = Table {
    name: "sample",
    prefix: "sample_day_",
    width_s: DAY_S,
};
/// 30 days of hours have as much as two and a half days of samples.
pub(super) const HOUR: Table = Table {
    name: "sample_hour",
    prefix: "sample_hour_month_",
    width_s: 30 * DAY_S,
};
/// Making one locks the parent for a moment: one lock for all hubs.
const LOCK: i64 = i64::from_be_bytes(*b"arkiday\0");

/// The partitions of a table that exist, as far as this hub has seen.
#[derive(Debug)]
pub(super) struct Known {
    table: &'static Table,
    made: Mutex<BTreeSet<i64>>,
}

impl Known {
    /// Nothing was seen yet.
    pub(super) fn of(table: &'static Table) -> Self {
        Self {
            table,
            made: Mutex::default(),
        }
    }

    /// Makes the partitions that rows at `times` need.
    pub(super) async fn ensure(
        &self,
        pool: &Pool,
        times: &[UnixSeconds],
    ) -> Result<(), StoreError> {
        let missing: BTreeSet<i64> = {
            let known = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            times
                .iter()
                .map(|time| time.div_euclid(self.table.width_s))
                .filter(|number| !known.contains(number))
                .collect()
        };
        for number in missing {
            make(pool, self.table, number).await?;
            self.made
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(number);
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

    /// Drops the partitions that end before `before`.
    pub(super) async fn drop_before(
        &self,
        pool: &Pool,
        before: UnixSeconds,
    ) -> Result<(), StoreError> {
        let client = pool.get().await.map_err(no_connection)?;
        let rows = client
            .query(
                "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
                 WHERE i.inhparent = to_regclass($1)",
                &[&self.table.name],
            )
            .await
            .map_err(wrong)?;
        for row in rows {
            let name: String = row.get(0);
            let number: Option<i64> = name
                .strip_prefix(self.table.prefix)
                .and_then(|number| number.parse().ok());
            if number.is_some_and(|number| (number + 1) * self.table.width_s <= before) {
                client
                    .batch_execute(&format!("DROP TABLE IF EXISTS {name}"))
                    .await
                    .map_err(wrong)?;
            }
        }
        Ok(())
    }
}

async fn make(pool: &Pool, table: &Table, number: i64) -> Result<(), StoreError> {
    let Table {
        name,
        prefix,
        width_s,
    } = table;
    let mut client = pool.get().await.map_err(no_connection)?;
    let transaction = client.transaction().await.map_err(wrong)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(wrong)?;
    let (from, to) = (number * width_s, (number + 1) * width_s);
    // the bounds are numbers of ours, and DDL takes no parameters
    transaction
        .batch_execute(&format!(
            "DO $$ BEGIN EXECUTE format('CREATE TABLE IF NOT EXISTS {prefix}{number} PARTITION OF {name} \
             FOR VALUES FROM (%L) TO (%L)', to_timestamp({from}), to_timestamp({to})); END $$"
        ))
        .await
        .map_err(wrong)?;
    transaction.commit().await.map_err(wrong)
}
