//! API keys. Only the SHA-256 of a key is stored: it has 256 random bits, so there is nothing to guess and no need
//! for a slow hash.

use super::{Row, Store, StoreError};
use crate::auth::Scope;
use crate::values;
use arki_model::clock::UnixSeconds;

/// One API key, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its number.
    pub key_no: i64,
    /// What it is for, as its maker wrote.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: UnixSeconds,
    /// When it ends by itself.
    pub expires_at: Option<UnixSeconds>,
    /// When it was revoked.
    pub revoked_at: Option<UnixSeconds>,
}

const COLUMNS: &str = "key_no, name, scope, created_at, expires_at, revoked_at";

impl Key {
    fn from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            key_no: row.int(0)?,
            name: row.text(1)?,
            scope: row.text(2)?.parse().map_err(StoreError::Content)?,
            created_at: row.time(3)?,
            expires_at: row.maybe_int(4)?,
            revoked_at: row.maybe_int(5)?,
        })
    }

    /// True if it opens something at `now_s`.
    pub fn is_valid(&self, now_s: UnixSeconds) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now_s < end)
    }
}

/// Stores a key by its digest; returns its number.
pub async fn create(
    store: &dyn Store,
    digest: [u8; 32],
    key: (&str, Scope),
    expires_at: Option<UnixSeconds>,
    now_s: UnixSeconds,
) -> Result<i64, StoreError> {
    let (name, scope) = key;
    let sql = "INSERT INTO api_key (name, digest, scope, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5) RETURNING key_no";
    let rows = store
        .query(
            sql,
            &values![name, digest, scope.to_string(), now_s, expires_at],
        )
        .await?;
    rows.first()
        .ok_or_else(|| StoreError::Content("no key number".into()))?
        .int(0)
}

/// The key with this digest.
pub async fn by_digest(store: &dyn Store, digest: [u8; 32]) -> Result<Option<Key>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE digest = $1");
    let rows = store.query(&sql, &values![digest]).await?;
    rows.first().map(Key::from).transpose()
}

/// The key with this number.
pub async fn by_number(store: &dyn Store, key_no: i64) -> Result<Option<Key>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE key_no = $1");
    let rows = store.query(&sql, &values![key_no]).await?;
    rows.first().map(Key::from).transpose()
}

/// Keys after the number `after`, at most `limit`.
pub async fn list(store: &dyn Store, after: i64, limit: i64) -> Result<Vec<Key>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE key_no > $1 ORDER BY key_no LIMIT $2");
    store
        .query(&sql, &values![after, limit])
        .await?
        .iter()
        .map(Key::from)
        .collect()
}

/// Revokes a key; false if there is none that still opens something.
pub async fn revoke(
    store: &dyn Store,
    key_no: i64,
    now_s: UnixSeconds,
) -> Result<bool, StoreError> {
    let sql = "UPDATE api_key SET revoked_at = $2 WHERE key_no = $1 AND revoked_at IS NULL RETURNING key_no";
    Ok(!store.query(sql, &values![key_no, now_s]).await?.is_empty())
}
