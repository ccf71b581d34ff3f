//! The queue of messages, one row a message and channel. Hubs share it: each takes what no other has taken.

use super::{Row, Step, Store, StoreError};
use crate::values;
use arki_model::clock::UnixSeconds;

/// Who took a message has this long to send it; then another may try (a hub that died in between).
pub const LEASE_S: i64 = 120;
/// A message is tried for a day, less and less often.
pub const TRIES_MAX: i64 = 24;

/// One message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub message_no: i64,
    /// To which channel.
    pub channel: String,
    /// What, as JSON ([`crate::notify::message::Message`]).
    pub body: String,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// The step that queues a message.
pub fn enqueue(channel: &str, body: &str, now_s: UnixSeconds) -> Step {
    Step::must(
        "INSERT INTO message (created_at, channel, body, due_at, attempts, claimed_until, error) \
         VALUES ($1, $2, $3, $1, 0, $1, '')",
        values![now_s, channel, body],
    )
}

fn from(row: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        message_no: row.int(0)?,
        channel: row.text(1)?,
        body: row.text(2)?,
        attempts: row.int(3)?,
    })
}

/// Takes the oldest message to `channel` that is due.
pub async fn take(
    store: &dyn Store,
    channel: &str,
    now_s: UnixSeconds,
) -> Result<Option<Message>, StoreError> {
    let sql = "UPDATE message SET claimed_until = $1, attempts = attempts + 1 WHERE message_no IN ( \
                 SELECT message_no FROM message WHERE sent_at IS NULL AND failed_at IS NULL \
                   AND channel = $2 AND due_at <= $3 AND claimed_until <= $3 \
                 ORDER BY due_at, message_no LIMIT 1 FOR UPDATE SKIP LOCKED) \
               RETURNING message_no, channel, body, attempts";
    let rows = store
        .query(sql, &values![now_s + LEASE_S, channel, now_s])
        .await?;
    rows.first().map(from).transpose()
}

/// How many messages went to `channel` in the last hour.
pub async fn sent_last_hour(
    store: &dyn Store,
    channel: &str,
    now_s: UnixSeconds,
) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM message WHERE channel = $1 AND sent_at > $2";
    let rows = store.query(sql, &values![channel, now_s - 3_600]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// It was sent.
pub async fn sent(
    store: &dyn Store,
    message_no: i64,
    now_s: UnixSeconds,
) -> Result<(), StoreError> {
    let sql = "UPDATE message SET sent_at = $2, error = '' WHERE message_no = $1";
    store
        .query(sql, &values![message_no, now_s])
        .await
        .map(drop)
}

/// It was not sent: again later, or never again where that makes no sense or was tried often enough.
pub async fn failed(
    store: &dyn Store,
    message: &Message,
    error: &str,
    is_final: bool,
    now_s: UnixSeconds,
) -> Result<(), StoreError> {
    let given_up = (is_final || message.attempts >= TRIES_MAX).then_some(now_s);
    let sql = "UPDATE message SET due_at = $2, claimed_until = $3, failed_at = $4, error = $5 WHERE message_no = $1";
    let due_at = now_s + backoff_s(message.attempts);
    store
        .query(
            sql,
            &values![message.message_no, due_at, now_s, given_up, error],
        )
        .await
        .map(drop)
}

/// 30 s, 1 min, 2 min, … up to an hour: 24 tries last about 18 hours.
pub fn backoff_s(attempts: i64) -> i64 {
    (30_i64 << (attempts - 1).clamp(0, 7)).min(3_600)
}

/// How many messages wait, and how many were given up.
pub async fn counts(store: &dyn Store) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT count(CASE WHEN sent_at IS NULL AND failed_at IS NULL THEN 1 END), count(failed_at) FROM message";
    let rows = store.query(sql, &[]).await?;
    rows.first()
        .map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}
