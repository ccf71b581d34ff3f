//! What the database can do, found out by asking, not by its version.
//!
//! The Apache edition refuses what it lacks with SQLSTATE 0A000 (`feature_not_supported`); names of functions
//! changed in 2.18 (`compress` -> `columnstore`), so they are looked up before they are called.
//! Source: <https://docs.tigerdata.com/api/latest/>, and trials on 2.19.3 (Apache) and the Community edition.

use super::super::{Edition, StoreError};
use super::wrong;
use arki_model::clock::UnixSeconds;
use deadpool_postgres::Object;
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

/// Columnstore after two days: late batches have come by then (writing into compressed chunks is slow).
const COLUMNSTORE_AFTER: &str = "INTERVAL '2 days'";

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
pub(super) async fn in_use(client: &Object, available: Edition) -> Result<Edition, StoreError> {
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

/// Turns the columnstore on, once. Where the licence does not allow it after all, the hypertable alone does.
pub(super) async fn lay_policies(client: &Object) -> Result<(), StoreError> {
    let newer: bool = client
        .query_one(
            "SELECT to_regproc('add_columnstore_policy') IS NOT NULL",
            &[],
        )
        .await
        .map_err(wrong)?
        .get(0);
    let (settings, policy) = if newer {
        (
            "timescaledb.enable_columnstore, timescaledb.segmentby = 'agent_no', timescaledb.orderby = 'time'",
            format!(
                "CALL add_columnstore_policy('sample', after => {COLUMNSTORE_AFTER}, if_not_exists => true)"
            ),
        )
    } else {
        (
            "timescaledb.compress, timescaledb.compress_segmentby = 'agent_no', timescaledb.compress_orderby = 'time'",
            format!(
                "SELECT add_compression_policy('sample', {COLUMNSTORE_AFTER}, if_not_exists => true)"
            ),
        )
    };
    // only where it is not on yet: changing the settings of compressed chunks is refused
    let is_on = client
        .query_opt(
            "SELECT 1 FROM timescaledb_information.hypertables WHERE hypertable_name = 'sample' AND compression_enabled",
            &[],
        )
        .await
        .map_err(wrong)?;
    if is_on.is_none() {
        match client
            .batch_execute(&format!("ALTER TABLE sample SET ({settings})"))
            .await
        {
            Ok(()) => {}
            Err(error) if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) => {
                tracing::info!(reason = %super::explained(&error), "no columnstore here; going on with hypertables alone");
                return Ok(());
            }
            Err(error) => return Err(wrong(error)),
        }
    }
    client.batch_execute(&policy).await.map_err(wrong)
}

/// Drops the chunks that end before `before`. (Done by the hub on every edition, so that `retention.samples` is the
/// one place that says how long.)
pub(super) async fn drop_before(client: &Object, before: UnixSeconds) -> Result<(), StoreError> {
    client
        .execute(
            "SELECT drop_chunks('sample', to_timestamp($1::bigint))",
            &[&before],
        )
        .await
        .map_err(wrong)?;
    Ok(())
}
