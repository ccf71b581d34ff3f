//! Packed series: each column is a blob of little-endian 32-bit floats, one a series of the set.

use super::super::series::{Point, Range, encode_names};
use super::super::{MetricSet, SampleRow, StoreError};
use super::wrong;
use arki_model::clock::UnixSeconds;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Rows looked at in one go: a few milliseconds.
const BITE_ROWS: i64 = 5_000;

pub(super) fn packed(values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * 4);
    for value in values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn at(blob: &[u8], column: usize) -> Option<f32> {
    let bytes = blob.get(column * 4..column * 4 + 4)?;
    let value = f32::from_le_bytes(bytes.try_into().ok()?);
    value.is_finite().then_some(value)
}

pub(super) fn intern(connection: &Connection, set: &MetricSet) -> Result<i64, StoreError> {
    let find = |connection: &Connection| {
        connection
            .prepare_cached("SELECT set_no FROM metric_set WHERE digest = ?1")
            .and_then(|mut s| s.query_row([set.digest], |row| row.get(0)).optional())
            .map_err(wrong)
    };
    if let Some(set_no) = find(connection)? {
        return Ok(set_no);
    }
    connection
        .execute(
            "INSERT INTO metric_set (digest, names) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![set.digest, encode_names(&set.names)],
        )
        .map_err(wrong)?;
    find(connection)?.ok_or_else(|| StoreError::Content("a set of names vanished".into()))
}

/// Where `series` stands in the set `set_no`.
fn column(connection: &Connection, set_no: i64, series: &str) -> Result<Option<usize>, StoreError> {
    let sql =
        "SELECT j.key FROM metric_set m, json_each(m.names) j WHERE m.set_no = ?1 AND j.value = ?2";
    connection
        .prepare_cached(sql)
        .and_then(|mut s| {
            s.query_row((set_no, series), |row| row.get::<_, i64>(0))
                .optional()
        })
        .map(|column| column.map(|column| column as usize))
        .map_err(wrong)
}

/// Reads five-minute buckets.
pub(super) const READ: &str = "SELECT time, set_no, min, mean, max, last FROM sample \
    WHERE agent_no = ?1 AND time >= ?2 AND time < ?3 ORDER BY time LIMIT ?4";
/// Reads hours.
pub(super) const READ_HOURS: &str = "SELECT time, set_no, min, mean, max, last FROM sample_hour \
    WHERE agent_no = ?1 AND time >= ?2 AND time < ?3 ORDER BY time LIMIT ?4";

pub(super) fn read(
    connection: &Connection,
    sql: &str,
    range: &Range<'_>,
) -> Result<Vec<Point>, StoreError> {
    let mut columns: HashMap<i64, Option<usize>> = HashMap::new();
    let mut statement = connection.prepare_cached(sql).map_err(wrong)?;
    let mut rows = statement
        .query((range.agent_no, range.from, range.to, range.limit as i64))
        .map_err(wrong)?;
    let mut points = Vec::new();
    while let Some(row) = rows.next().map_err(wrong)? {
        let set_no: i64 = row.get(1).map_err(wrong)?;
        if let Entry::Vacant(vacant) = columns.entry(set_no) {
            vacant.insert(column(connection, set_no, range.series)?);
        }
        let Some(column) = columns[&set_no] else {
            continue;
        };
        let value = |i| -> Result<Option<f32>, StoreError> {
            let blob = row.get_ref(i).map_err(wrong)?.as_blob();
            Ok(blob.ok().and_then(|blob| at(blob, column)))
        };
        if let (Some(min), Some(mean), Some(max), Some(last)) =
            (value(2)?, value(3)?, value(4)?, value(5)?)
        {
            let time = row.get(0).map_err(wrong)?;
            points.push(Point {
                time,
                min,
                mean,
                max,
                last,
            });
        }
    }
    Ok(points)
}

/// By agent: each is a short walk along the index of agent and time.
const ROWS: &str = "SELECT s.agent_no, s.time, s.set_no, s.min, s.mean, s.max, s.last \
    FROM agent a CROSS JOIN sample s ON s.agent_no = a.agent_no AND s.time >= ?3 AND s.time < ?4 \
    WHERE a.agent_no >= ?1 AND a.agent_no < ?2 ORDER BY s.agent_no, s.time";

pub(super) fn rows(
    connection: &Connection,
    agents: &std::ops::Range<i64>,
    times: &std::ops::Range<i64>,
) -> Result<Vec<(i64, SampleRow)>, StoreError> {
    let mut statement = connection.prepare_cached(ROWS).map_err(wrong)?;
    let unpacked = |row: &rusqlite::Row<'_>, at| -> rusqlite::Result<Vec<f32>> {
        let blob = row.get_ref(at)?.as_blob()?;
        let (values, _) = blob.as_chunks::<4>();
        Ok(values
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect())
    };
    let one = |row: &rusqlite::Row<'_>| {
        let values = SampleRow {
            time: row.get(1)?,
            set_no: row.get(2)?,
            min: unpacked(row, 3)?,
            mean: unpacked(row, 4)?,
            max: unpacked(row, 5)?,
            last: unpacked(row, 6)?,
        };
        Ok((row.get(0)?, values))
    };
    statement
        .query_map((agents.start, agents.end, times.start, times.end), one)
        .and_then(Iterator::collect)
        .map_err(wrong)
}

/// Writes one row of one agent into the table that `sql` names.
pub(super) fn write(
    connection: &Connection,
    sql: &str,
    agent_no: i64,
    row: &SampleRow,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(sql).map_err(wrong)?;
    insert
        .execute(params![
            agent_no,
            row.time,
            row.set_no,
            packed(&row.min),
            packed(&row.mean),
            packed(&row.max),
            packed(&row.last)
        ])
        .map_err(wrong)?;
    Ok(())
}

pub(super) fn put_hours(
    connection: &mut Connection,
    agents: &std::ops::Range<i64>,
    hour: UnixSeconds,
    rows: &[(i64, SampleRow)],
) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrong)?;
    transaction
        .execute(
            "DELETE FROM sample_hour WHERE agent_no >= ?1 AND agent_no < ?2 AND time = ?3",
            (agents.start, agents.end, hour),
        )
        .map_err(wrong)?;
    let insert = "INSERT INTO sample_hour (agent_no, time, set_no, min, mean, max, last) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    for (agent_no, row) in rows {
        write(&transaction, insert, *agent_no, row)?;
    }
    transaction.commit().map_err(wrong)
}

/// Where rows go when they are old: the statement that finds the end of a bite, and the one that deletes in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Old {
    end: &'static str,
    delete: &'static str,
}

/// Samples.
pub(super) const SAMPLES: Old = Old {
    end: "SELECT max(rowid) FROM (SELECT rowid FROM sample WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)",
    delete: "DELETE FROM sample WHERE rowid > ?1 AND rowid <= ?2 AND time < ?3",
};
/// Hours.
pub(super) const HOURS: Old = Old {
    end: "SELECT max(rowid) FROM (SELECT rowid FROM sample_hour WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)",
    delete: "DELETE FROM sample_hour WHERE rowid > ?1 AND rowid <= ?2 AND time < ?3",
};

/// Deletes the rows before `before` among the next ones behind the row `after`, in the order in which they were stored;
/// where to go on, or `None` where nothing was old. (That is the order of time but for clocks that are ahead and
/// agents that were away, so that the walk ends there, and does not read the whole table for nothing.)
pub(super) fn delete_before(
    connection: &Connection,
    old: Old,
    after: i64,
    before: UnixSeconds,
) -> Result<Option<i64>, StoreError> {
    let end: Option<i64> = connection
        .prepare_cached(old.end)
        .and_then(|mut s| s.query_row((after, BITE_ROWS), |row| row.get(0)))
        .map_err(wrong)?;
    let Some(end) = end else {
        return Ok(None);
    };
    let deleted = connection
        .execute(old.delete, (after, end, before))
        .map_err(wrong)?;
    Ok((deleted > 0).then_some(end))
}
