//! What the hub asks of its agents: kept until it is answered or has ended, answered once.
//!
//! Hubs share the table: any of them gives a request out, and any takes the answer. A request is given out again and
//! again until its answer is stored; the agent sees to it that nothing is done twice.

use super::{Row, Step, Store, StoreError, snapshots};
use crate::values;
use arki_model::clock::UnixSeconds;
use arki_model::request::{Outcome, REQUESTS_MAX, RequestId};

/// Requests of one agent that may wait at one time.
pub const WAITING_MAX: i64 = 16;
/// Bytes of the lines that are given out at one time: the agent reads 16 KiB, and quotes are escaped.
const LINES_BYTES_MAX: usize = 12 * 1024;
/// Answered and ended requests for snapshots stay as long for who wants to see what happened; applied ones for ever.
const KEPT_S: i64 = 30 * 86_400;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its name.
    pub id: RequestId,
    /// The agent's number in the store.
    pub agent_no: i64,
    /// `snapshot` or `apply`.
    pub kind: String,
    /// The service.
    pub service: String,
    /// When it was made.
    pub made_at: UnixSeconds,
    /// When it ends.
    pub expires_at: UnixSeconds,
    /// When it was answered.
    pub answered_at: Option<UnixSeconds>,
    /// How it went, as [`Outcome::name`] says it; empty until then.
    pub outcome: String,
    /// In words.
    pub detail: String,
    /// What an applied command did: a [`arki_model::request::Report`] as JSON; empty otherwise.
    pub report: String,
}

impl Asked {
    /// `waiting`, `expired`, `done`, `refused` or `failed`.
    pub fn state(&self, now_s: UnixSeconds) -> &str {
        match self.answered_at {
            Some(_) => &self.outcome,
            None if now_s >= self.expires_at => "expired",
            None => "waiting",
        }
    }

    fn from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: RequestId(row.array(0)?),
            agent_no: row.int(1)?,
            kind: row.text(2)?,
            service: row.text(3)?,
            made_at: row.time(4)?,
            expires_at: row.time(5)?,
            answered_at: row.maybe_int(6)?,
            outcome: row.text(7)?,
            detail: row.text(8)?,
            report: row.text(9)?,
        })
    }
}

const COLUMNS: &str = "request_id, agent_no, kind, service, made_at, expires_at, answered_at, outcome, detail, report";

/// What is to be asked.
#[derive(Debug, Clone, Copy)]
pub struct NewRequest<'a> {
    /// Its name.
    pub id: RequestId,
    /// The agent's number in the store.
    pub agent_no: i64,
    /// `snapshot` or `apply`.
    pub kind: &'a str,
    /// The service.
    pub service: &'a str,
    /// The trial's run, for an apply: it is asked once.
    pub run: Option<&'a str>,
    /// The signed line.
    pub line: &'a str,
    /// When it ends.
    pub expires_at: UnixSeconds,
}

/// Keeps a request for its agent. False if too many wait for it, or this run was asked before.
pub async fn create(
    store: &dyn Store,
    new: NewRequest<'_>,
    now_s: UnixSeconds,
) -> Result<bool, StoreError> {
    let own = new.id.to_string();
    let steps = [
        Step::new(
            "DELETE FROM request WHERE kind = 'snapshot' AND made_at < $1",
            values![now_s - KEPT_S],
        ),
        Step::must(
            "INSERT INTO request (request_id, agent_no, kind, service, run, line, made_at, expires_at, outcome, detail, report) \
             SELECT $1, a.agent_no, $3, $4, $5, $6, $7, $8, '', '', '' FROM agent a \
             WHERE a.agent_no = $2 AND a.revoked_at IS NULL AND (SELECT count(*) FROM request r \
               WHERE r.agent_no = $2 AND r.answered_at IS NULL AND r.expires_at > $7) < $9 ON CONFLICT DO NOTHING",
            values![
                new.id.0,
                new.agent_no,
                new.kind,
                new.service,
                new.run.unwrap_or(&own),
                new.line,
                now_s,
                new.expires_at,
                WAITING_MAX
            ],
        ),
    ];
    store.transact(&steps).await
}

/// The lines to give to an agent now, the oldest first.
pub async fn waiting(
    store: &dyn Store,
    agent_no: i64,
    now_s: UnixSeconds,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT line FROM request WHERE agent_no = $1 AND answered_at IS NULL AND expires_at > $2 \
               ORDER BY request_no LIMIT $3";
    let rows = store
        .query(sql, &values![agent_no, now_s, REQUESTS_MAX as i64])
        .await?;
    let mut bytes = 0;
    let mut lines = Vec::new();
    for row in &rows {
        let line = row.text(0)?;
        bytes += line.len() + 32;
        // The first goes in any case: its own limit lets it fit.
        if bytes > LINES_BYTES_MAX && !lines.is_empty() {
            break;
        }
        lines.push(line);
    }
    Ok(lines)
}

/// The request of that name.
pub async fn by_id(store: &dyn Store, id: RequestId) -> Result<Option<Asked>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM request WHERE request_id = $1");
    let rows = store.query(&sql, &values![id.0]).await?;
    rows.first().map(Asked::from).transpose()
}

/// The request to apply what was tried in `run`.
pub async fn by_run(store: &dyn Store, run: &str) -> Result<Option<Asked>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM request WHERE kind = 'apply' AND run = $1");
    let rows = store.query(&sql, &values![run]).await?;
    rows.first().map(Asked::from).transpose()
}

/// The request for a snapshot of `service` that waits.
pub async fn snapshot_waiting(
    store: &dyn Store,
    agent_no: i64,
    service: &str,
    now_s: UnixSeconds,
) -> Result<Option<Asked>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM request WHERE agent_no = $1 AND kind = 'snapshot' AND service = $2 \
         AND answered_at IS NULL AND expires_at > $3 ORDER BY request_no DESC LIMIT 1"
    );
    let rows = store
        .query(&sql, &values![agent_no, service, now_s])
        .await?;
    rows.first().map(Asked::from).transpose()
}

/// What an agent answered, ready to be stored.
#[derive(Debug)]
pub struct Answered<'a> {
    /// To which request.
    pub id: RequestId,
    /// The agent's number in the store: it answers its own requests only.
    pub agent_no: i64,
    /// How it went.
    pub outcome: Outcome,
    /// In words.
    pub detail: &'a str,
    /// JSON, or empty.
    pub report: &'a str,
    /// The snapshot that was asked for.
    pub snapshot: Option<snapshots::NewSnapshot>,
}

/// Stores an answer, once. True if it is stored now or was before; false for a request that is not this agent's.
pub async fn answer(
    store: &dyn Store,
    answered: Answered<'_>,
    now_s: UnixSeconds,
) -> Result<bool, StoreError> {
    let Answered { id, agent_no, .. } = answered;
    let mut steps = vec![Step::must(
        "UPDATE request SET answered_at = $3, outcome = $4, detail = $5, report = $6 \
         WHERE request_id = $1 AND agent_no = $2 AND answered_at IS NULL",
        values![
            id.0,
            agent_no,
            now_s,
            answered.outcome.name(),
            answered.detail,
            answered.report
        ],
    )];
    if let Some(snapshot) = answered.snapshot {
        steps.extend(snapshots::steps(agent_no, snapshot, now_s));
    }
    if store.transact(&steps).await? {
        return Ok(true);
    }
    Ok(by_id(store, id)
        .await?
        .is_some_and(|asked| asked.agent_no == agent_no))
}
