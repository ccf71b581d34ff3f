//! One-time tokens: for enrolment, or for the next key of one agent. Only their SHA-256 is stored.

use super::{Row, Store, StoreError};
use crate::values;
use arki_model::clock::UnixSeconds;

/// One token, without the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub token_no: i64,
    /// The host whose key it rotates; `None`: it enrols a new agent.
    pub host: Option<String>,
    /// When it was made.
    pub created_at: UnixSeconds,
    /// When it ends by itself.
    pub expires_at: UnixSeconds,
    /// When it was used.
    pub used_at: Option<UnixSeconds>,
}

fn from(row: &Row) -> Result<Token, StoreError> {
    Ok(Token {
        token_no: row.int(0)?,
        host: row.maybe_text(1)?,
        created_at: row.time(2)?,
        expires_at: row.time(3)?,
        used_at: row.maybe_int(4)?,
    })
}

/// Stores a token by its digest; returns its number.
pub async fn create(
    store: &dyn Store,
    digest: [u8; 32],
    agent_no: Option<i64>,
    expires_at: UnixSeconds,
    now_s: UnixSeconds,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO token (digest, agent_no, created_at, expires_at) \
               VALUES ($1, $2, $3, $4) RETURNING token_no";
    let rows = store
        .query(sql, &values![digest, agent_no, now_s, expires_at])
        .await?;
    rows.first()
        .ok_or_else(|| StoreError::Content("no token number".into()))?
        .int(0)
}

/// Tokens after the number `after`, at most `limit`.
pub async fn list(store: &dyn Store, after: i64, limit: i64) -> Result<Vec<Token>, StoreError> {
    let sql = "SELECT t.token_no, a.host, t.created_at, t.expires_at, t.used_at \
               FROM token t LEFT JOIN agent a ON a.agent_no = t.agent_no \
               WHERE t.token_no > $1 ORDER BY t.token_no LIMIT $2";
    store
        .query(sql, &values![after, limit])
        .await?
        .iter()
        .map(from)
        .collect()
}

/// Takes back a token that was not used; false if there is none.
pub async fn revoke(store: &dyn Store, token_no: i64) -> Result<bool, StoreError> {
    let sql = "DELETE FROM token WHERE token_no = $1 AND used_at IS NULL RETURNING token_no";
    Ok(!store.query(sql, &values![token_no]).await?.is_empty())
}
