//! Copies of services' configurations, as agents sent them: the latest few of each agent and service.

use super::{Step, Store, StoreError};
use crate::values;
use arki_model::clock::UnixSeconds;
use arki_model::snapshot::Snapshot;
use arki_model::wire::Decompressor;

/// Snapshots of one agent and service that are kept: what was tried last, and what is there now.
const KEPT: i64 = 4;

/// A snapshot that was checked and is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Of which service.
    pub service: String,
    /// When, by the agent's clock.
    pub taken_at: UnixSeconds,
    /// [`Snapshot::configuration`] of it.
    pub configuration: [u8; 32],
    /// Compressed, as it came.
    pub content: Vec<u8>,
}

/// A snapshot that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub snapshot_no: i64,
    /// When the hub got it.
    pub received_at: UnixSeconds,
    /// The hash that a receipt carries.
    pub configuration: [u8; 32],
    /// What it holds.
    pub snapshot: Snapshot,
}

/// The hash of a configuration and when it was seen, without its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub snapshot_no: i64,
    /// When it was taken, by the agent's clock.
    pub taken_at: UnixSeconds,
    /// When the hub got it.
    pub received_at: UnixSeconds,
    /// The hash that a receipt carries: another one means that the configuration has changed.
    pub configuration: [u8; 32],
}

/// The steps that store a snapshot and make room for it.
pub(super) fn steps(agent_no: i64, new: NewSnapshot, now_s: UnixSeconds) -> [Step; 2] {
    let service = new.service.clone();
    [
        Step::must(
            "INSERT INTO snapshot (agent_no, service, taken_at, received_at, configuration, content) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![
                agent_no,
                new.service,
                new.taken_at,
                now_s,
                new.configuration,
                new.content
            ],
        ),
        Step::new(
            "DELETE FROM snapshot WHERE agent_no = $1 AND service = $2 AND snapshot_no NOT IN ( \
               SELECT snapshot_no FROM snapshot WHERE agent_no = $1 AND service = $2 ORDER BY snapshot_no DESC LIMIT $3)",
            values![agent_no, service, KEPT],
        ),
    ]
}

/// The newest snapshot of a service of an agent, with its files.
pub async fn latest(
    store: &dyn Store,
    agent_no: i64,
    service: &str,
) -> Result<Option<Kept>, StoreError> {
    let sql = "SELECT snapshot_no, received_at, configuration, content FROM snapshot \
               WHERE agent_no = $1 AND service = $2 ORDER BY snapshot_no DESC LIMIT 1";
    let rows = store.query(sql, &values![agent_no, service]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let (content, configuration) = (row.bytes(3)?, row.array(2)?);
    let snapshot =
        tokio::task::spawn_blocking(move || Snapshot::decode(&content, &mut Decompressor::new()?));
    let snapshot = snapshot
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
        .map_err(|error| StoreError::Content(format!("a snapshot: {error}")))?;
    Ok(Some(Kept {
        snapshot_no: row.int(0)?,
        received_at: row.time(1)?,
        configuration,
        snapshot,
    }))
}

/// What is known of a service's configuration, the newest first.
pub async fn seen(
    store: &dyn Store,
    agent_no: i64,
    service: &str,
) -> Result<Vec<Seen>, StoreError> {
    let sql = "SELECT snapshot_no, taken_at, received_at, configuration FROM snapshot \
               WHERE agent_no = $1 AND service = $2 ORDER BY snapshot_no DESC LIMIT $3";
    let rows = store.query(sql, &values![agent_no, service, KEPT]).await?;
    rows.iter()
        .map(|row| {
            Ok(Seen {
                snapshot_no: row.int(0)?,
                taken_at: row.time(1)?,
                received_at: row.time(2)?,
                configuration: row.array(3)?,
            })
        })
        .collect()
}
