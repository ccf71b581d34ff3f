//! What all hubs on one database share: secrets made at the first start, and the fleet watch's memory.

use super::{Store, StoreError};
use crate::values;

/// The value called `name`; made from `fresh` if there is none. All hubs get the same one.
pub async fn get_or_make(
    store: &dyn Store,
    name: &str,
    fresh: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let insert = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    store.query(insert, &values![name, fresh]).await?;
    get(store, name)
        .await?
        .ok_or_else(|| StoreError::Content(format!("setting {name} vanished")))
}

/// The value called `name`.
pub async fn get(store: &dyn Store, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let rows = store
        .query("SELECT value FROM setting WHERE name = $1", &values![name])
        .await?;
    rows.first().map(|row| row.bytes(0)).transpose()
}

/// Sets the value called `name`.
pub async fn set(store: &dyn Store, name: &str, value: &[u8]) -> Result<(), StoreError> {
    let upsert = "INSERT INTO setting (name, value) VALUES ($1, $2) \
                  ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    store.query(upsert, &values![name, value]).await.map(drop)
}

/// Sets the value called `name` if it is still `old` (`None`: if there is none yet); false where somebody else was faster.
pub async fn replace(
    store: &dyn Store,
    name: &str,
    old: Option<&[u8]>,
    value: &[u8],
) -> Result<bool, StoreError> {
    let rows = match old {
        None => {
            let insert = "INSERT INTO setting (name, value) VALUES ($1, $2) \
                          ON CONFLICT DO NOTHING RETURNING name";
            store.query(insert, &values![name, value]).await?
        }
        Some(old) => {
            let update =
                "UPDATE setting SET value = $2 WHERE name = $1 AND value = $3 RETURNING name";
            store.query(update, &values![name, value, old]).await?
        }
    };
    Ok(!rows.is_empty())
}
