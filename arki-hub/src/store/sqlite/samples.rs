//! Packed series: each column is a blob of little-endian 32-bit floats, one a series of the set.

use super::super::series::{Point, Range, encode_names};
use super::super::{MetricSet, StoreError};
use super::wrong;
use arki_model::clock::UnixSeconds;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Rows deleted in one go: a few milliseconds.
const DELETE_ROWS: i64 = 5_000;

pub(super) fn packed(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
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

pub(super) fn read(connection: &Connection, range: &Range<'_>) -> Result<Vec<Point>, StoreError> {
    let mut columns: HashMap<i64, Option<usize>> = HashMap::new();
    let sql = "SELECT time, set_no, min, mean, max, last FROM sample \
               WHERE agent_no = ?1 AND time >= ?2 AND time < ?3 ORDER BY time LIMIT ?4";
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

/// Deletes rows before `before` among the ones that were stored first; true while there may be more.
/// (Looking at the head alone keeps this from reading the whole table for nothing.)
pub(super) fn delete_before(
    connection: &Connection,
    before: UnixSeconds,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM sample WHERE time < ?1 \
               AND rowid IN (SELECT rowid FROM sample ORDER BY rowid LIMIT ?2)";
    let deleted = connection
        .execute(sql, (before, DELETE_ROWS))
        .map_err(wrong)?;
    Ok(deleted as i64 == DELETE_ROWS)
}
