//! Brings the schema up to date under an advisory lock, so that several hubs may start at one time.

use super::super::{Edition, StoreError, schema};
use super::{edition, partition, wrong};
use arki_model::clock::UnixSeconds;
use deadpool_postgres::{Object, Transaction};

/// The lock's number: "arki hub" in ASCII, as anything may be locked by other programs in the same database.
const LOCK: i64 = i64::from_be_bytes(*b"arki hub");

pub(super) async fn migrate(
    client: &mut Object,
    now_s: UnixSeconds,
) -> Result<Edition, StoreError> {
    let available = edition::detect(client).await?;
    let mut transaction = client.transaction().await.map_err(wrong)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(wrong)?;
    transaction
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS schema_version \
             (version bigint PRIMARY KEY, applied_at timestamptz NOT NULL)",
        )
        .await
        .map_err(wrong)?;
    let row = transaction
        .query_one("SELECT coalesce(max(version), 0) FROM schema_version", &[])
        .await
        .map_err(wrong)?;
    let found: i64 = row.get(0);
    if found > schema::KNOWN {
        let known = schema::KNOWN;
        return Err(StoreError::Newer { found, known });
    }
    for migration in schema::MIGRATIONS.iter().filter(|m| m.version > found) {
        transaction
            .batch_execute(migration.postgres)
            .await
            .map_err(wrong)?;
        if migration.version == 1 {
            let sample = if available == Edition::Plain {
                partition::TABLES[0]
            } else {
                edition::SAMPLE
            };
            transaction.batch_execute(sample).await.map_err(wrong)?;
        }
        if migration.version == 4 {
            hours(&mut transaction, available).await?;
        }
        transaction
            .execute(
                "INSERT INTO schema_version VALUES ($1, to_timestamp($2::bigint))",
                &[&migration.version, &now_s],
            )
            .await
            .map_err(wrong)?;
    }
    transaction.commit().await.map_err(wrong)?;
    let edition = edition::in_use(client, available).await?;
    if edition == Edition::Community {
        edition::lay_policies(client).await?;
    }
    Ok(edition)
}

/// Makes the hours as the table of samples was made: where that is a hypertable of the Community edition, a continuous
/// aggregate over it.
async fn hours(transaction: &mut Transaction<'_>, available: Edition) -> Result<(), StoreError> {
    let edition = edition::in_use(transaction, available).await?;
    if edition == Edition::Community {
        let attempt = transaction.transaction().await.map_err(wrong)?;
        match attempt.batch_execute(edition::CONTINUOUS).await {
            Ok(()) => return attempt.commit().await.map_err(wrong),
            Err(error) => {
                attempt.rollback().await.map_err(wrong)?;
                tracing::info!(reason = %super::explained(&error), "no continuous aggregates here; the hub folds hours by itself");
            }
        }
    }
    let table = if edition == Edition::Plain {
        partition::TABLES[1]
    } else {
        edition::HOUR
    };
    transaction.batch_execute(table).await.map_err(wrong)
}
