//! The embedded store: one SQLite file, nothing to install.
//!
//! One connection writes, a few read; WAL lets them work side by side. `synchronous = FULL`: what was
//! committed survives a power cut, because a batch is acknowledged after it. Everything runs on the blocking
//! threads of the runtime.

use super::series::{Point, Range};
use super::{
    Edition, MetricSet, Post, Retention, Row, SampleRow, Step, Store, StoreError, Stored, Value,
};
use arki_model::clock::UnixSeconds;
use rusqlite::types::{ToSqlOutput, Value as Native, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

mod commit;
mod migrate;
mod samples;

/// Reading connections: more than the API's usual panels at one time gain nothing on one disk.
const READERS: usize = 4;
/// Another process (a command of an operator) may hold the write lock this long.
const BUSY_MS: u64 = 5_000;
/// Prepared statements kept for each connection.
const STATEMENTS_MAX: usize = 128;

/// The embedded store.
#[derive(Debug, Clone)]
pub struct Sqlite {
    writer: Arc<Mutex<Connection>>,
    readers: Arc<[Mutex<Connection>]>,
    next: Arc<std::sync::atomic::AtomicUsize>,
}

impl Sqlite {
    /// Opens or makes the file at `path` and brings its schema up to date.
    pub fn open(path: &Path, now_s: UnixSeconds) -> Result<Self, StoreError> {
        let mut writer = connect(path)?;
        migrate::migrate(&mut writer, now_s)?;
        let readers = (0..READERS).map(|_| connect(path).map(Mutex::new));
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            readers: readers.collect::<Result<_, _>>()?,
            next: Arc::default(),
        })
    }

    async fn points(&self, sql: &'static str, range: &Range<'_>) -> Result<Vec<Point>, StoreError> {
        let (agent_no, series) = (range.agent_no, range.series.to_owned());
        let (from, to, limit) = (range.from, range.to, range.limit);
        self.read(move |connection| {
            let range = Range {
                agent_no,
                series: &series,
                from,
                to,
                limit,
            };
            samples::read(connection, sql, &range)
        })
        .await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let writer = Arc::clone(&self.writer);
        blocking(move || work(&mut writer.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let turn = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        blocking(move || {
            let reader = &readers[turn % readers.len()];
            work(&mut reader.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
    }
}

#[async_trait::async_trait]
impl Store for Sqlite {
    fn edition(&self) -> Edition {
        Edition::Sqlite
    }

    async fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let (sql, values) = (native(sql), values.to_vec());
        let reads = sql
            .trim_start()
            .get(..6)
            .is_some_and(|w| w.eq_ignore_ascii_case("select"));
        let work = move |connection: &mut Connection| rows(connection, &sql, &values);
        if reads {
            self.read(work).await
        } else {
            self.write(work).await
        }
    }

    async fn transact(&self, steps: &[Step]) -> Result<bool, StoreError> {
        let steps = steps.to_vec();
        self.write(move |connection| {
            let transaction = connection
                .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
                .map_err(wrong)?;
            for step in &steps {
                if execute(&transaction, step)? < step.at_least {
                    return Ok(false); // dropped: rolled back
                }
            }
            transaction.commit().map_err(wrong)?;
            Ok(true)
        })
        .await
    }

    async fn commit(&self, posts: &[Post]) -> Result<Vec<Stored>, StoreError> {
        let posts = posts.to_vec();
        self.write(move |connection| commit::commit(connection, &posts))
            .await
    }

    async fn intern(&self, set: &MetricSet) -> Result<i64, StoreError> {
        let set = set.clone();
        self.write(move |connection| samples::intern(connection, &set))
            .await
    }

    async fn samples(&self, range: &Range<'_>) -> Result<Vec<Point>, StoreError> {
        self.points(samples::READ, range).await
    }

    async fn hours(&self, range: &Range<'_>) -> Result<Vec<Point>, StoreError> {
        self.points(samples::READ_HOURS, range).await
    }

    fn folds_by_itself(&self) -> bool {
        false
    }

    async fn rows(
        &self,
        agents: std::ops::Range<i64>,
        times: std::ops::Range<UnixSeconds>,
    ) -> Result<Vec<(i64, SampleRow)>, StoreError> {
        self.read(move |connection| samples::rows(connection, &agents, &times))
            .await
    }

    async fn put_hours(
        &self,
        agents: std::ops::Range<i64>,
        hour: UnixSeconds,
        rows: &[(i64, SampleRow)],
    ) -> Result<(), StoreError> {
        let rows = rows.to_vec();
        self.write(move |connection| samples::put_hours(connection, &agents, hour, &rows))
            .await
    }

    async fn maintain(&self, retention: Retention, _now_s: UnixSeconds) -> Result<(), StoreError> {
        // in small bites, so that ingest gets its turn in between
        let (samples, hours) = (retention.samples_before, retention.hours_before);
        for (old, before) in [(samples::SAMPLES, samples), (samples::HOURS, hours)] {
            let mut next = Some(i64::MIN);
            while let Some(after) = next {
                next = self
                    .write(move |connection| samples::delete_before(connection, old, after, before))
                    .await?;
            }
        }
        Ok(())
    }
}

/// Copies the database at `path`, as it is at one moment, into the empty file `into`; a running hub goes on meanwhile.
pub fn copy(path: &Path, into: &Path) -> Result<(), StoreError> {
    let into = into.to_str().ok_or_else(|| {
        StoreError::Unavailable(format!("{} is no text in UTF-8", into.display()))
    })?;
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?
        .execute("VACUUM INTO ?1", [into])
        .map(drop)
        .map_err(wrong)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = open(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // 8 MiB of page cache for each connection bounds the memory
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                   PRAGMA cache_size = -8192; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 2000;";
    connection.execute_batch(pragmas).map_err(wrong)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| {
        let path = path.display();
        StoreError::Unavailable(format!("{path} cannot be opened: {error}; does its folder exist, and may this user write there?"))
    })?;
    connection
        .busy_timeout(std::time::Duration::from_millis(BUSY_MS))
        .map_err(wrong)?;
    Ok(connection)
}

/// SQLite numbers its parameters `?1` (no statement has another `$`), and has one writer: nothing to skip.
fn native(sql: &str) -> String {
    sql.replace('$', "?").replace(" FOR UPDATE SKIP LOCKED", "")
}

fn rows(connection: &Connection, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(wrong)?;
    let columns = statement.column_count();
    let mut found = statement.query(params_from_iter(values)).map_err(wrong)?;
    let mut all = Vec::new();
    while let Some(row) = found.next().map_err(wrong)? {
        let row: Result<Vec<Value>, _> = (0..columns)
            .map(|i| row.get_ref(i).map(from_native))
            .collect();
        all.push(Row(row.map_err(wrong)?));
    }
    Ok(all)
}

fn execute(connection: &Connection, step: &Step) -> Result<u64, StoreError> {
    let mut statement = connection
        .prepare_cached(&native(step.sql))
        .map_err(wrong)?;
    let changed = statement
        .execute(params_from_iter(&step.values))
        .map_err(wrong)?;
    Ok(changed as u64)
}

fn from_native(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Native::Null),
            Self::Int(value) => ToSqlOutput::Owned(Native::Integer(*value)),
            Self::Real(value) => ToSqlOutput::Owned(Native::Real(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn wrong(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure,
    };
    match error.sqlite_error_code() {
        Some(
            DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure | ReadOnly | CannotOpen,
        ) => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Refused(error.to_string()),
    }
}
