//! What the database can do, found out by asking, not by its version.
//!
//! The Apache edition refuses what it lacks with SQLSTATE 0A000 (`feature_not_supported`); names of functions
//! changed in 2.18 (`compress` -> `columnstore`), so they are looked up before they are called.
//! Source: <https://docs.tigerdata.com/api/latest/>, and trials on 2.19.3 (Apache) and the Community edition.

use super::super::{Edition, StoreError};
use super::wrong;
use arki_model::clock::UnixSeconds;
use deadpool_postgres::{GenericClient, Object};
use tokio_postgres::error::SqlState;

/// The table of samples on TimescaleDB: chunks of one day.
pub(super) const SAMPLE: &str = "
CREATE TABLE sample (
  time     timestamptz NOT NULL,
  agent_no bigint NOT NULL,
  set_no   bigint NOT NULL,
  min      real[] NOT NULL,
  mean     real[] NOT NULL,
  max      real[] NOT NULL,
  last     real[] NOT NULL
);
SELECT create_hypertable('sample', 'time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => false);
CREATE INDEX sample_agent_time ON sample (agent_no, time);
";

/// The table of hours where the hub folds them: chunks of 30 days.
pub(super) const HOUR: &str = "
CREATE TABLE sample_hour (LIKE sample);
SELECT create_hypertable('sample_hour', 'time', chunk_time_interval => INTERVAL '30 days', create_default_indexes => false);
CREATE INDEX sample_hour_agent_time ON sample_hour (agent_no, time);
";

/// The hours where the database folds them.
pub(super) const CONTINUOUS: &str = include_str!("../../../migrations/postgres/continuous.sql");

/// Columnstore after two days: late batches have come by then (writing into compressed chunks is slow). Hours after
/// two months: their chunks have 30 days, and the last days are folded anew.
const COLUMNSTORE_AFTER: [(&str, &str); 2] = [("sample", "2 days"), ("sample_hour", "60 days")];

/// What is installed in this database.
pub(super) async fn detect(client: &Object) -> Result<Edition, StoreError> {
    // a hypertable needs the extension in the very database; only a superuser may add it, so try and go on
    let available = client
        .query_opt("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL", &[])
        .await
        .map_err(wrong)?;
    if available.is_some()
        && let Err(error) = client
            .batch_execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            .await
    {
        tracing::info!(reason = %super::explained(&error), "TimescaleDB is there, but this user may not turn it on; going on without");
    }
    let license = client
        .query_opt(
            "SELECT coalesce(current_setting('timescaledb.license', true), '') FROM pg_extension WHERE extname = 'timescaledb'",
            &[],
        )
        .await
        .map_err(wrong)?
        .map(|row| row.get::<_, String>(0));
    Ok(match license.as_deref() {
        None => Edition::Plain,
        Some("apache") => Edition::Apache,
        Some(_) => Edition::Community,
    })
}

/// What the table of samples was made as: a database that got TimescaleDB later keeps its partitions.
pub(super) async fn in_use(
    client: &impl GenericClient,
    available: Edition,
) -> Result<Edition, StoreError> {
    let kind = client
        .query_one(
            "SELECT relkind = 'p' FROM pg_class WHERE oid = 'sample'::regclass",
            &[],
        )
        .await
        .map_err(wrong)?;
    Ok(if kind.get(0) {
        Edition::Plain
    } else {
        available
    })
}

/// Turns the columnstore on, once. Where the licence does not allow it after all, the hypertables alone do.
pub(super) async fn lay_policies(client: &Object) -> Result<(), StoreError> {
    let newer: bool = client
        .query_one(
            "SELECT to_regproc('add_columnstore_policy') IS NOT NULL",
            &[],
        )
        .await
        .map_err(wrong)?
        .get(0);
    for (table, after) in COLUMNSTORE_AFTER {
        let laid = lay_policy(client, table, after, newer).await;
        match laid {
            Ok(()) => {}
            Err(error) if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) => {
                tracing::info!(table, reason = %super::explained(&error), "no columnstore here; going on without");
            }
            Err(error) => return Err(wrong(error)),
        }
    }
    Ok(())
}

async fn lay_policy(
    client: &Object,
    table: &str,
    after: &str,
    newer: bool,
) -> Result<(), tokio_postgres::Error> {
    // only where it is not on yet: changing the settings of compressed chunks is refused
    let is_on = client
        .query_opt(
            "SELECT 1 FROM timescaledb_information.hypertables WHERE hypertable_name = $1 AND compression_enabled \
             UNION ALL SELECT 1 FROM timescaledb_information.continuous_aggregates \
             WHERE view_name = $1 AND compression_enabled",
            &[&table],
        )
        .await?;
    let kind = if table == "sample_hour"
        && client
            .query_one(
                "SELECT relkind = 'v' FROM pg_class WHERE oid = 'sample_hour'::regclass",
                &[],
            )
            .await?
            .get(0)
    {
        "MATERIALIZED VIEW"
    } else {
        "TABLE"
    };
    let (settings, policy) = if newer {
        (
            "timescaledb.enable_columnstore, timescaledb.segmentby = 'agent_no', timescaledb.orderby = 'time'",
            format!(
                "CALL add_columnstore_policy('{table}', after => INTERVAL '{after}', if_not_exists => true)"
            ),
        )
    } else {
        (
            "timescaledb.compress, timescaledb.compress_segmentby = 'agent_no', timescaledb.compress_orderby = 'time'",
            format!(
                "SELECT add_compression_policy('{table}', INTERVAL '{after}', if_not_exists => true)"
            ),
        )
    };
    if is_on.is_none() {
        client
            .batch_execute(&format!("ALTER {kind} {table} SET ({settings})"))
            .await?;
    }
    client.batch_execute(&policy).await
}

/// Whether the hours are a continuous aggregate. (A database that became Community later keeps its table.)
pub(super) async fn folds_by_itself(client: &Object) -> Result<bool, StoreError> {
    let sql = "SELECT relkind = 'v' FROM pg_class WHERE oid = 'sample_hour'::regclass";
    let row = client.query_one(sql, &[]).await.map_err(wrong)?;
    Ok(row.get(0))
}

/// Drops the chunks that end before `before`. (Done by the hub on every edition, so that `retention.samples` is the
/// one place that says how long.)
pub(super) async fn drop_before(
    client: &Object,
    table: &str,
    before: UnixSeconds,
) -> Result<(), StoreError> {
    let drop = format!("SELECT drop_chunks('{table}', to_timestamp($1::bigint))");
    client.execute(&drop, &[&before]).await.map_err(wrong)?;
    Ok(())
}
