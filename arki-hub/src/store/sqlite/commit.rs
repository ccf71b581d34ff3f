//! Many batches in one transaction: one fsync for all of them.

use super::super::{Post, StoreError, Stored, hours};
use super::samples::{packed, write};
use super::{execute, wrong};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

pub(super) fn commit(
    connection: &mut Connection,
    posts: &[Post],
) -> Result<Vec<Stored>, StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrong)?;
    let stored = posts
        .iter()
        .map(|post| store(&transaction, post))
        .collect::<Result<Vec<_>, _>>()?;
    transaction.commit().map_err(wrong)?;
    Ok(stored)
}

fn store(transaction: &Transaction<'_>, post: &Post) -> Result<Stored, StoreError> {
    let new = transaction
        .prepare_cached(
            "INSERT INTO batch (agent_no, epoch, sequence, digest, received_at) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                post.agent_no,
                post.epoch,
                post.sequence,
                post.digest,
                post.received_at
            ])
        })
        .map_err(wrong)?;
    if new == 0 {
        return known(transaction, post);
    }
    let insert = "INSERT INTO sample (agent_no, time, set_no, min, mean, max, last) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    for row in post.rows.iter() {
        write(transaction, insert, post.agent_no, row)?;
    }
    for (agent_no, hour) in hours::marks([post]) {
        transaction
            .prepare_cached(
                "INSERT INTO hour_due (agent_no, time, marks) VALUES (?1, ?2, 1) \
                 ON CONFLICT DO UPDATE SET marks = marks + 1",
            )
            .and_then(|mut statement| statement.execute((agent_no, hour)))
            .map_err(wrong)?;
    }
    latest(transaction, post)?;
    for step in post.steps.iter() {
        execute(transaction, step)?;
    }
    Ok(Stored::New)
}

fn known(transaction: &Transaction<'_>, post: &Post) -> Result<Stored, StoreError> {
    let digest: Option<Vec<u8>> = transaction
        .prepare_cached(
            "SELECT digest FROM batch WHERE agent_no = ?1 AND epoch = ?2 AND sequence = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row((post.agent_no, post.epoch, post.sequence), |row| row.get(0))
                .optional()
        })
        .map_err(wrong)?;
    Ok(match digest {
        Some(digest) if digest == post.digest => Stored::Again,
        _ => Stored::Conflict,
    })
}

fn latest(transaction: &Transaction<'_>, post: &Post) -> Result<(), StoreError> {
    let newest = post.rows.iter().max_by_key(|row| row.time);
    transaction
        .prepare_cached(
            "INSERT INTO agent_latest (agent_no, seen_at, time, set_no, last) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (agent_no) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at), \
               set_no = CASE WHEN excluded.time >= coalesce(time, 0) THEN excluded.set_no ELSE set_no END, \
               last = CASE WHEN excluded.time >= coalesce(time, 0) THEN excluded.last ELSE last END, \
               time = max(coalesce(excluded.time, time), coalesce(time, excluded.time))",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                post.agent_no,
                post.received_at,
                newest.map(|row| row.time),
                newest.map(|row| row.set_no),
                newest.map(|row| packed(&row.last)),
            ])
        })
        .map_err(wrong)?;
    Ok(())
}
