//! The store: one trait, two implementations (embedded SQLite, PostgreSQL with or without TimescaleDB).
//!
//! The trait is narrow on purpose. Both databases speak the same SQL for the small tables, so each resource has
//! its statements once, beside the functions that use them (`agents`, `keys`, `predictions`, …). Only what must
//! be fast or differs is implemented twice: [`Store::commit`] (batches), [`Store::samples`] (packed series, and the hours that they are folded into),
//! migrations and retention.
//!
//! Invariants: a batch is stored once per (agent, epoch, sequence) for as long as the agent exists, never within a window
//! of time; everything of a batch is committed together or not at all; a schema newer than this program is refused.

use arki_model::clock::UnixSeconds;
use std::fmt;
use std::ops::Range;

pub mod agents;
pub mod alerts;
pub mod batch;
pub mod hours;
pub mod keys;
pub mod postgres;
pub mod predictions;
pub mod queue;
pub mod requests;
pub mod sandbox;
pub mod schema;
pub mod series;
pub mod settings;
pub mod snapshots;
pub mod sqlite;
pub mod tokens;
pub mod value;

pub use batch::{MetricSet, Post, SampleRow, Stored};
pub use value::{Row, Step, Value};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is too busy; trying again later may help.
    #[error("the database cannot be used now: {0}")]
    Unavailable(String),
    /// The database refused a statement.
    #[error("the database refused: {0}")]
    Refused(String),
    /// What is stored is not what this program stores.
    #[error("the database holds something unexpected: {0}")]
    Content(String),
    /// The schema is newer than this program.
    #[error(
        "the database has schema version {found}, this program knows {known}: install the newer arki-hub, \
         or restore the backup that was made before the upgrade"
    )]
    Newer {
        /// In the database.
        found: i64,
        /// In this program.
        known: i64,
    },
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// Embedded.
    Sqlite,
    /// PostgreSQL alone.
    Plain,
    /// TimescaleDB, Apache edition: hypertables.
    Apache,
    /// TimescaleDB, Community edition: hypertables, columnstore, policies.
    Community,
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Plain => "PostgreSQL",
            Self::Apache => "TimescaleDB (Apache edition)",
            Self::Community => "TimescaleDB (Community edition)",
        })
    }
}

/// What is deleted, and when.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Samples older than this go.
    pub samples_before: UnixSeconds,
    /// Hours older than this go.
    pub hours_before: UnixSeconds,
    /// Events, ended predictions, alerts and sent messages older than this go.
    pub events_before: UnixSeconds,
}

/// What both databases do.
#[async_trait::async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Which database it is.
    fn edition(&self) -> Edition;

    /// Runs one statement and returns its rows (also of `… RETURNING`).
    async fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs all steps in one transaction. `false`: one of them changed too few rows, and nothing was done.
    async fn transact(&self, steps: &[Step]) -> Result<bool, StoreError>;

    /// Stores many batches in one transaction; what is returned stands in the order of `posts`.
    async fn commit(&self, posts: &[Post]) -> Result<Vec<Stored>, StoreError>;

    /// The number of a set of series names; makes one if it is new.
    async fn intern(&self, set: &MetricSet) -> Result<i64, StoreError>;

    /// One series of one agent: the buckets that begin in `from..to`, oldest first, at most `limit`.
    async fn samples(&self, range: &series::Range<'_>) -> Result<Vec<series::Point>, StoreError>;

    /// The same of the hours that are folded.
    async fn hours(&self, range: &series::Range<'_>) -> Result<Vec<series::Point>, StoreError>;

    /// True where the database folds samples into hours by itself.
    fn folds_by_itself(&self) -> bool;

    /// The samples of the agents numbered `agents` in buckets that begin in `times`, in the order of agent and time.
    async fn rows(
        &self,
        agents: Range<i64>,
        times: Range<UnixSeconds>,
    ) -> Result<Vec<(i64, SampleRow)>, StoreError>;

    /// Puts the rows of one hour of the agents numbered `agents` in the place of those that are there.
    async fn put_hours(
        &self,
        agents: Range<i64>,
        hour: UnixSeconds,
        rows: &[(i64, SampleRow)],
    ) -> Result<(), StoreError>;

    /// Deletes what is old and makes room for what comes.
    async fn maintain(&self, retention: Retention, now_s: UnixSeconds) -> Result<(), StoreError>;
}

/// Opens the store that `database` names, and brings its schema up to date.
pub async fn open(
    database: &crate::config::Database,
    now_s: UnixSeconds,
) -> Result<std::sync::Arc<dyn Store>, StoreError> {
    if let Some(path) = database.url.strip_prefix("sqlite://") {
        let path = std::path::PathBuf::from(path);
        let store = tokio::task::spawn_blocking(move || sqlite::Sqlite::open(&path, now_s))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))??;
        return Ok(std::sync::Arc::new(store));
    }
    Ok(std::sync::Arc::new(
        postgres::Postgres::open(database, now_s).await?,
    ))
}

#[cfg(test)]
pub(crate) mod tests;
