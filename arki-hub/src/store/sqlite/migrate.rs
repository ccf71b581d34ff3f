//! Brings the schema up to date, under the write lock.

use super::super::{StoreError, schema};
use super::wrong;
use arki_model::clock::UnixSeconds;
use rusqlite::{Connection, TransactionBehavior};

pub(super) fn migrate(connection: &mut Connection, now_s: UnixSeconds) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrong)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
        )
        .map_err(wrong)?;
    let found: i64 = transaction
        .query_row(
            "SELECT coalesce(max(version), 0) FROM schema_version",
            [],
            |row| row.get(0),
        )
        .map_err(wrong)?;
    if found > schema::KNOWN {
        let known = schema::KNOWN;
        return Err(StoreError::Newer { found, known });
    }
    for migration in schema::MIGRATIONS.iter().filter(|m| m.version > found) {
        transaction.execute_batch(migration.sqlite).map_err(wrong)?;
        transaction
            .execute(
                "INSERT INTO schema_version VALUES (?1, ?2)",
                (migration.version, now_s),
            )
            .map_err(wrong)?;
    }
    transaction.commit().map_err(wrong)
}
