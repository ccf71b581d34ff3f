//! PostgreSQL, with TimescaleDB of either edition or without.
//!
//! Batches go in by COPY BINARY, many in one transaction. Statements are prepared once for each connection.
//! `synchronous_commit` stays as the server has it (on): a batch is acknowledged after it is on disk.

use super::series::{Point, Range};
use super::{
    Edition, MetricSet, Post, Retention, Row, SampleRow, Step, Store, StoreError, Stored, Value,
};
use crate::config::Database;
use arki_model::clock::UnixSeconds;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::types::ToSql;

mod commit;
mod edition;
mod hours;
mod migrate;
mod partition;
mod reals;
mod samples;
mod tls;
mod value;

/// How long a request waits for a connection before the answer is "later".
const WAIT: Duration = Duration::from_secs(5);
/// No statement of the hub takes longer; a stuck one must not hold a connection for ever.
const STATEMENT_MS_MAX: u32 = 60_000;
/// A deadlock or a failed serialisation is tried again this often.
const TRIES: u32 = 3;

/// PostgreSQL of any edition.
pub struct Postgres {
    pool: Pool,
    edition: Edition,
    /// Whether the hours are a continuous aggregate.
    folds_by_itself: bool,
    samples: partition::Known,
    hours: partition::Known,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres")
            .field("edition", &self.edition)
            .finish_non_exhaustive()
    }
}

impl Postgres {
    /// Connects, brings the schema up to date and looks which edition it is.
    pub async fn open(database: &Database, now_s: UnixSeconds) -> Result<Self, StoreError> {
        let mut config = tokio_postgres::Config::from_str(&database.url)
            .map_err(|error| StoreError::Refused(format!("database.url: {error}")))?;
        if !database.password_file.as_os_str().is_empty() {
            config.password(
                crate::secret::read(&database.password_file)
                    .map_err(StoreError::Refused)?
                    .reveal(),
            );
        }
        config.application_name("arki-hub");
        config.connect_timeout(Duration::from_secs(10));
        config.options(format!(
            "-c statement_timeout={STATEMENT_MS_MAX} -c timezone=UTC -c client_min_messages=warning"
        ));
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(
            config,
            tls::connector()?,
            ManagerConfig { recycling_method },
        );
        let pool = Pool::builder(manager)
            .max_size(usize::from(database.connections))
            .timeouts(Timeouts {
                wait: Some(WAIT),
                create: Some(Duration::from_secs(10)),
                recycle: Some(WAIT),
            })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let mut client = pool.get().await.map_err(no_connection)?;
        let edition = migrate::migrate(&mut client, now_s).await?;
        let folds_by_itself = edition::folds_by_itself(&client).await?;
        drop(client);
        Ok(Self {
            pool,
            edition,
            folds_by_itself,
            samples: partition::Known::of(&partition::SAMPLE),
            hours: partition::Known::of(&partition::HOUR),
        })
    }

    async fn client(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(no_connection)
    }
}

async fn transact_once(client: &mut Object, steps: &[Step]) -> Result<bool, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    for step in steps {
        let statement = transaction.prepare_cached(step.sql).await?;
        let changed = transaction
            .execute(&statement, &parameters(&step.values))
            .await?;
        if changed < step.at_least {
            transaction.rollback().await?;
            return Ok(false);
        }
    }
    transaction.commit().await?;
    Ok(true)
}

#[async_trait::async_trait]
impl Store for Postgres {
    fn edition(&self) -> Edition {
        self.edition
    }

    async fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let client = self.client().await?;
        let statement = client.prepare_cached(sql).await.map_err(wrong)?;
        let rows = client
            .query(&statement, &parameters(values))
            .await
            .map_err(wrong)?;
        rows.iter()
            .map(value::row)
            .collect::<Result<_, _>>()
            .map_err(wrong)
    }

    async fn transact(&self, steps: &[Step]) -> Result<bool, StoreError> {
        let mut tries = 1;
        loop {
            let mut client = self.client().await?;
            match transact_once(&mut client, steps).await {
                Err(error) if tries < TRIES && is_worth_another_try(&error) => tries += 1,
                done => return done.map_err(wrong),
            }
        }
    }

    async fn commit(&self, posts: &[Post]) -> Result<Vec<Stored>, StoreError> {
        if self.edition == Edition::Plain {
            let mut times = Vec::new();
            for post in posts {
                times.extend(post.rows.iter().map(|row| row.time));
            }
            self.samples.ensure(&self.pool, &times).await?;
        }
        let mut tries = 1;
        loop {
            let mut client = self.client().await?;
            match commit::commit(&mut client, posts, !self.folds_by_itself).await {
                Err(error) if tries < TRIES && is_worth_another_try(&error) => tries += 1,
                done => return done.map_err(wrong),
            }
        }
    }

    async fn intern(&self, set: &MetricSet) -> Result<i64, StoreError> {
        samples::intern(&self.client().await?, set).await
    }

    async fn samples(&self, range: &Range<'_>) -> Result<Vec<Point>, StoreError> {
        samples::read(&self.client().await?, samples::SAMPLE, range)
            .await
            .map_err(wrong)
    }

    async fn hours(&self, range: &Range<'_>) -> Result<Vec<Point>, StoreError> {
        samples::read(&self.client().await?, samples::HOUR, range)
            .await
            .map_err(wrong)
    }

    fn folds_by_itself(&self) -> bool {
        self.folds_by_itself
    }

    async fn rows(
        &self,
        agents: std::ops::Range<i64>,
        times: std::ops::Range<UnixSeconds>,
    ) -> Result<Vec<(i64, SampleRow)>, StoreError> {
        hours::rows(&self.client().await?, agents, times)
            .await
            .map_err(wrong)
    }

    async fn put_hours(
        &self,
        agents: std::ops::Range<i64>,
        hour: UnixSeconds,
        rows: &[(i64, SampleRow)],
    ) -> Result<(), StoreError> {
        if self.edition == Edition::Plain {
            self.hours.ensure(&self.pool, &[hour]).await?;
        }
        hours::put(&mut self.client().await?, agents, hour, rows)
            .await
            .map_err(wrong)
    }

    async fn maintain(&self, retention: Retention, now_s: UnixSeconds) -> Result<(), StoreError> {
        let (samples, hours) = (retention.samples_before, retention.hours_before);
        if self.edition == Edition::Plain {
            self.samples.make_ahead(&self.pool, now_s).await?;
            self.samples.drop_before(&self.pool, samples).await?;
            self.hours.drop_before(&self.pool, hours).await
        } else {
            let client = self.client().await?;
            edition::drop_before(&client, "sample", samples).await?;
            edition::drop_before(&client, "sample_hour", hours).await
        }
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn no_connection(error: deadpool_postgres::PoolError) -> StoreError {
    match &error {
        deadpool_postgres::PoolError::Backend(error) => StoreError::Unavailable(explained(error)),
        other => StoreError::Unavailable(other.to_string()),
    }
}

fn is_worth_another_try(error: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::SqlState;
    let again = [
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    error.code().is_some_and(|code| again.contains(&code))
}

/// The database's words: the driver's own are only "db error".
fn explained(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn wrong(error: tokio_postgres::Error) -> StoreError {
    let class = error
        .code()
        .map_or("", |code| code.code().get(..2).unwrap_or_default());
    // no answer at all; connection lost; shutting down; out of resources; cancelled; rolled back by a conflict
    if error.is_closed()
        || matches!(class, "" | "08" | "53" | "57" | "40" | "55") && !is_wrong_type(&error)
    {
        return StoreError::Unavailable(explained(&error));
    }
    StoreError::Refused(explained(&error))
}

/// A value that does not fit its column is our mistake, not the database's absence.
fn is_wrong_type(error: &tokio_postgres::Error) -> bool {
    error.code().is_none()
        && std::error::Error::source(error)
            .is_some_and(<dyn std::error::Error + 'static>::is::<tokio_postgres::types::WrongType>)
}
