//! Many batches in one transaction: one round of writing to disk for all of them.
//!
//! ```text
//! keys   -> batch          INSERT … ON CONFLICT DO NOTHING RETURNING: which ones are new
//! new    -> sample         COPY BINARY: no conflict is possible any more; what is late marks its hour
//! new    -> incoming       COPY BINARY into a temporary table, from there upserted into agent_latest
//! events -> their steps    in the same transaction
//! ```
//!
//! Rows are touched in the order of agents everywhere, so that two hubs cannot wait for each other in a circle.

use super::super::{Post, SampleRow, Stored, hours};
use super::parameters;
use super::reals::Reals;
use super::value::microseconds;
use deadpool_postgres::{Object, Transaction};
use std::collections::HashMap;
use std::pin::pin;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut};

type Key = (i64, i64, i64);

/// `marks`: whether the hub folds hours, so that late samples mark theirs.
pub(super) async fn commit(
    client: &mut Object,
    posts: &[Post],
    marks: bool,
) -> Result<Vec<Stored>, tokio_postgres::Error> {
    client
        .batch_execute(
            "CREATE TEMP TABLE IF NOT EXISTS incoming (agent_no bigint, seen_at timestamptz, \
             time timestamptz, set_no bigint, last real[]) ON COMMIT DELETE ROWS",
        )
        .await?;
    let transaction = client.transaction().await?;
    let stored = claim(&transaction, posts).await?;
    let mut new: Vec<&Post> = posts
        .iter()
        .zip(&stored)
        .filter(|(_, s)| **s == Stored::New)
        .map(|(post, _)| post)
        .collect();
    new.sort_by_key(|post| post.agent_no);
    if !new.is_empty() {
        let mut rows = Vec::with_capacity(new.len());
        for post in &new {
            rows.extend(post.rows.iter().map(|row| (post.agent_no, row)));
        }
        write_rows(&transaction, "sample", &rows).await?;
        if marks {
            mark(&transaction, &new).await?;
        }
        upsert_latest(&transaction, &new).await?;
    }
    for step in new.iter().flat_map(|post| post.steps.iter()) {
        let statement = transaction.prepare_cached(step.sql).await?;
        transaction
            .execute(&statement, &parameters(&step.values))
            .await?;
    }
    transaction.commit().await?;
    Ok(stored)
}

/// Claims the keys; what could not be claimed is compared with what holds the key.
async fn claim(
    transaction: &Transaction<'_>,
    posts: &[Post],
) -> Result<Vec<Stored>, tokio_postgres::Error> {
    let mut order: Vec<&Post> = posts.iter().collect();
    order.sort_by_key(|post| key(post));
    let agents: Vec<i64> = order.iter().map(|post| post.agent_no).collect();
    let epochs: Vec<i64> = order.iter().map(|post| post.epoch).collect();
    let sequences: Vec<i64> = order.iter().map(|post| post.sequence).collect();
    let digests: Vec<&[u8]> = order.iter().map(|post| post.digest.as_slice()).collect();
    let times: Vec<Time> = order.iter().map(|post| Time(post.received_at)).collect();
    let insert = transaction
        .prepare_cached(
            "INSERT INTO batch (agent_no, epoch, sequence, digest, received_at) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::timestamptz[]) \
             ON CONFLICT DO NOTHING RETURNING agent_no, epoch, sequence",
        )
        .await?;
    let claimed = transaction
        .query(&insert, &[&agents, &epochs, &sequences, &digests, &times])
        .await?;
    let mut fresh: HashMap<Key, bool> = claimed
        .iter()
        .map(|row| ((row.get(0), row.get(1), row.get(2)), true))
        .collect();
    let mut held: HashMap<Key, Vec<u8>> = HashMap::new();
    if claimed.len() < posts.len() {
        let find = transaction
            .prepare_cached(
                "SELECT b.agent_no, b.epoch, b.sequence, b.digest FROM batch b \
                 JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[]) k(a, e, s) \
                 ON b.agent_no = k.a AND b.epoch = k.e AND b.sequence = k.s",
            )
            .await?;
        for row in transaction
            .query(&find, &[&agents, &epochs, &sequences])
            .await?
        {
            held.insert((row.get(0), row.get(1), row.get(2)), row.get(3));
        }
    }
    Ok(posts
        .iter()
        .map(|post| {
            let same = held
                .get(&key(post))
                .is_none_or(|digest| *digest == post.digest);
            match fresh.get_mut(&key(post)) {
                // the same key twice in one group: the one whose bytes were stored is the new one
                Some(first) if *first && same => {
                    *first = false;
                    Stored::New
                }
                _ if same => Stored::Again,
                _ => Stored::Conflict,
            }
        })
        .collect())
}

fn key(post: &Post) -> Key {
    (post.agent_no, post.epoch, post.sequence)
}

/// Copies rows, each with its agent, into `table`.
pub(super) async fn write_rows(
    transaction: &Transaction<'_>,
    table: &str,
    rows: &[(i64, &SampleRow)],
) -> Result<(), tokio_postgres::Error> {
    let copy =
        format!("COPY {table} (time, agent_no, set_no, min, mean, max, last) FROM STDIN BINARY");
    let sink = transaction.copy_in(&copy).await?;
    let reals = Type::FLOAT4_ARRAY;
    let types = [
        Type::TIMESTAMPTZ,
        Type::INT8,
        Type::INT8,
        reals.clone(),
        reals.clone(),
        reals.clone(),
        reals,
    ];
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for (agent_no, row) in rows {
        writer
            .as_mut()
            .write(&[
                &Time(row.time),
                agent_no,
                &row.set_no,
                &Reals(&row.min),
                &Reals(&row.mean),
                &Reals(&row.max),
                &Reals(&row.last),
            ])
            .await?;
    }
    writer.finish().await?;
    Ok(())
}

/// Marks the hours into which samples came late.
async fn mark(transaction: &Transaction<'_>, new: &[&Post]) -> Result<(), tokio_postgres::Error> {
    let marks = hours::marks(new.iter().copied());
    if marks.is_empty() {
        return Ok(());
    }
    let (agents, times): (Vec<i64>, Vec<Time>) =
        marks.into_iter().map(|(a, hour)| (a, Time(hour))).unzip();
    let insert = transaction
        .prepare_cached(
            "INSERT INTO hour_due AS d (agent_no, time, marks) \
             SELECT a, t, 1 FROM unnest($1::bigint[], $2::timestamptz[]) m(a, t) \
             ON CONFLICT (agent_no, time) DO UPDATE SET marks = d.marks + 1",
        )
        .await?;
    transaction.execute(&insert, &[&agents, &times]).await?;
    Ok(())
}

async fn upsert_latest(
    transaction: &Transaction<'_>,
    new: &[&Post],
) -> Result<(), tokio_postgres::Error> {
    let sink = transaction
        .copy_in("COPY incoming (agent_no, seen_at, time, set_no, last) FROM STDIN BINARY")
        .await?;
    let types = [
        Type::INT8,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::INT8,
        Type::FLOAT4_ARRAY,
    ];
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for post in new {
        let newest = post.rows.iter().max_by_key(|row| row.time);
        let (time, set_no) = (
            newest.map(|row| Time(row.time)),
            newest.map(|row| row.set_no),
        );
        let last = newest.map(|row| Reals(&row.last));
        writer
            .as_mut()
            .write(&[
                &post.agent_no,
                &Time(post.received_at),
                &time,
                &set_no,
                &last,
            ])
            .await?;
    }
    writer.finish().await?;
    let upsert = transaction
        .prepare_cached(
            "INSERT INTO agent_latest AS l (agent_no, seen_at, time, set_no, last) \
             SELECT DISTINCT ON (agent_no) agent_no, seen_at, time, set_no, last FROM incoming \
             ORDER BY agent_no, time DESC NULLS LAST \
             ON CONFLICT (agent_no) DO UPDATE SET seen_at = greatest(l.seen_at, excluded.seen_at), \
               set_no = CASE WHEN excluded.time >= coalesce(l.time, '-infinity') THEN excluded.set_no ELSE l.set_no END, \
               last = CASE WHEN excluded.time >= coalesce(l.time, '-infinity') THEN excluded.last ELSE l.last END, \
               time = greatest(l.time, excluded.time)",
        )
        .await?;
    transaction.execute(&upsert, &[]).await?;
    Ok(())
}

/// Unix seconds that are written as `timestamptz`.
#[derive(Debug, Clone, Copy)]
struct Time(i64);

impl ToSql for Time {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        microseconds(self.0).to_sql(&Type::INT8, out)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ && <i64 as FromSql<'_>>::accepts(&Type::INT8)
    }

    tokio_postgres::types::to_sql_checked!();
}
