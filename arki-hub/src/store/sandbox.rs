//! Runs of the sandbox, as a queue that any number of hubs and runners share.
//!
//! ```text
//! queued -> claimed -> running -> done | failed          cancelled (from anywhere before the end)
//!    ^----------- the lease ended: the runner died; after ATTEMPTS_MAX of them the run has failed
//! ```
//!
//! `done` means that the trial was carried out (its outcome may be that the action failed), `failed` that it could not
//! be. A decision is taken once, about a run that is done. Invariants: what waits is bounded for each owner and in all,
//! and what runs in all, counted under a lock; a runner whose lease ended can no longer write (every claim has its own number).

use super::{Row, Step, Store, StoreError, Value};
use crate::values;
use arki_model::clock::UnixSeconds;
use std::fmt::Write;

mod run;
#[cfg(test)]
mod tests;

pub use run::{Decision, Run, State};

/// A runner renews its lease well before this is over.
pub const LEASE_S: i64 = 30;
/// A run whose runner died this often has failed: it may be what kills them.
pub const ATTEMPTS_MAX: i64 = 3;

/// A run that is asked for.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    /// Its identifier.
    pub run_id: [u8; 16],
    /// Whose share of the queue it takes.
    pub owner: &'a str,
    /// Who asked, as people call them.
    pub requested_by: &'a str,
    /// The service's profile.
    pub service: &'a str,
    /// The profile's action.
    pub action: &'a str,
    /// The agent whose service is copied.
    pub agent_no: Option<i64>,
    /// The first event of the prediction that it is about.
    pub prediction_id: Option<Vec<u8>>,
    /// When.
    pub now_s: UnixSeconds,
}

/// What may wait at one time.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Of one owner.
    pub each: i64,
    /// Of all together.
    pub all: i64,
}

/// Whoever counts runs waits here for others that do.
fn lock() -> Step {
    Step::must(
        "UPDATE sandbox_gate SET passes = passes + 1 WHERE one = 1",
        values![],
    )
}

/// Queues a run; false where there is no room, or where it was tried automatically before.
pub async fn create(store: &dyn Store, new: &NewRun<'_>, room: Room) -> Result<bool, StoreError> {
    let insert = Step::must(
        "INSERT INTO sandbox_run (run_id, created_at, owner, requested_by, service, action, agent_no, prediction_id, \
           state, runner, attempts, claimed_until, error) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, 'queued', '', 0, $2, '' \
         WHERE (SELECT count(*) FROM sandbox_run WHERE finished_at IS NULL) < $9 \
           AND (SELECT count(*) FROM sandbox_run WHERE finished_at IS NULL AND owner = $3) < $10 \
         ON CONFLICT DO NOTHING",
        values![
            new.run_id,
            new.now_s,
            new.owner,
            new.requested_by,
            new.service,
            new.action,
            new.agent_no,
            new.prediction_id.clone(),
            room.all,
            room.each
        ],
    );
    store.transact(&[lock(), insert]).await
}

/// Tries to get hold of a run before this gives up until the next look: each try that fails was another runner's claim.
const CLAIMS_MAX: u32 = 100;

/// Who wants a run.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    /// The runner's name.
    pub runner: &'a str,
    /// So many may run at one time, in all.
    pub running_max: i64,
    /// The services that it has an image of; nothing if any will do.
    pub services: Option<&'a [String]>,
    /// Of the others it takes what was asked for before this time: nobody else came for it, and it is to be said why.
    pub others_before: UnixSeconds,
}

/// Takes the oldest run that waits, or whose runner died.
pub async fn claim(
    store: &dyn Store,
    who: Claimant<'_>,
    now_s: UnixSeconds,
) -> Result<Option<Run>, StoreError> {
    let mut values: Vec<Value> = values![now_s, ATTEMPTS_MAX, who.running_max].into();
    let mut suits = String::new();
    if let Some(services) = who.services {
        values.push(who.others_before.into());
        suits.push_str(" AND (created_at <= $4");
        for service in services {
            values.push(service.as_str().into());
            let _infallible = write!(suits, " OR service = ${}", values.len());
        }
        suits.push(')');
    }
    let sql = format!(
        "SELECT run_id, attempts FROM sandbox_run \
         WHERE finished_at IS NULL AND (state = 'queued' OR claimed_until <= $1) AND attempts < $2{suits} \
           AND (SELECT count(*) FROM sandbox_run r WHERE r.finished_at IS NULL \
                AND r.state <> 'queued' AND r.claimed_until > $1) < $3 \
         ORDER BY run_no LIMIT 1"
    );
    for _ in 0..CLAIMS_MAX {
        let rows = store.query(&sql, &values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let (run_id, attempts) = (row.bytes(0)?, row.int(1)?);
        // those that run are counted under the lock: several hubs and runners share the limit
        let take = Step::must(
            "UPDATE sandbox_run SET state = 'claimed', runner = $1, attempts = attempts + 1, claimed_until = $2, error = '' \
             WHERE run_id = $3 AND attempts = $4 AND finished_at IS NULL AND (state = 'queued' OR claimed_until <= $5) \
               AND (SELECT count(*) FROM sandbox_run r WHERE r.finished_at IS NULL \
                    AND r.state <> 'queued' AND r.claimed_until > $5) < $6",
            values![
                who.runner,
                now_s + LEASE_S,
                run_id.as_slice(),
                attempts,
                now_s,
                who.running_max
            ],
        );
        if store.transact(&[lock(), take]).await? {
            return get(store, &run_id).await;
        }
    }
    Ok(None)
}

/// The services of runs that wait, and of which nobody has said why.
pub async fn unexplained(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT service FROM sandbox_run WHERE state = 'queued' AND error = ''";
    let rows = store.query(sql, &[]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Says at the runs that wait for `service` why nobody has taken them yet.
pub async fn explain(store: &dyn Store, service: &str, why: &str) -> Result<(), StoreError> {
    let sql =
        "UPDATE sandbox_run SET error = $2 WHERE state = 'queued' AND service = $1 AND error = ''";
    store.query(sql, &values![service, why]).await.map(drop)
}

/// The runs whose runners died too often: they have failed, and are to be ended with [`give_up`].
pub async fn died(store: &dyn Store, now_s: UnixSeconds) -> Result<Vec<Run>, StoreError> {
    let sql = format!(
        "{} WHERE r.finished_at IS NULL AND r.state <> 'queued' AND r.claimed_until <= $1 AND r.attempts >= $2 \
         ORDER BY r.run_no LIMIT 10",
        run::SELECT
    );
    let rows = store.query(&sql, &values![now_s, ATTEMPTS_MAX]).await?;
    rows.iter().map(Run::from).collect()
}

/// Why such a run has failed.
pub fn died_error() -> String {
    format!("its runner died {ATTEMPTS_MAX} times in the middle of it")
}

/// Ends a run whose runners died too often, together with `more`; false where it has ended, or its runner lives after all.
pub async fn give_up(
    store: &dyn Store,
    run: &Run,
    now_s: UnixSeconds,
    more: Vec<Step>,
) -> Result<bool, StoreError> {
    let end = Step::must(
        "UPDATE sandbox_run SET state = 'failed', finished_at = $2, error = $3 \
         WHERE run_id = $1 AND attempts = $4 AND finished_at IS NULL AND claimed_until <= $2",
        values![run.run_id.as_slice(), now_s, died_error(), run.attempts],
    );
    let mut steps = vec![end];
    steps.extend(more);
    store.transact(&steps).await
}

/// The claim goes on, and the trial has begun; false where it is no longer this runner's (cancelled, or taken over).
pub async fn renew(store: &dyn Store, run: &Run, now_s: UnixSeconds) -> Result<bool, StoreError> {
    let sql = "UPDATE sandbox_run SET state = 'running', claimed_until = $3, started_at = coalesce(started_at, $4) \
               WHERE run_id = $1 AND attempts = $2 AND finished_at IS NULL RETURNING run_no";
    let values = values![run.run_id.as_slice(), run.attempts, now_s + LEASE_S, now_s];
    Ok(!store.query(sql, &values).await?.is_empty())
}

/// How a trial ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ended {
    /// `succeeded` or `failed`; nothing where the trial could not be carried out.
    pub outcome: Option<String>,
    /// What it proves, in a word.
    pub fidelity: Option<String>,
    /// Ranks automatic trials.
    pub score: Option<f64>,
    /// The whole result as JSON.
    pub result: Option<String>,
    /// Why it could not be carried out.
    pub error: String,
}

/// Ends a run, together with `more` (a message, say); false where it is no longer this runner's.
pub async fn finish(
    store: &dyn Store,
    run: &Run,
    ended: &Ended,
    now_s: UnixSeconds,
    more: Vec<Step>,
) -> Result<bool, StoreError> {
    let state = if ended.outcome.is_some() {
        State::Done
    } else {
        State::Failed
    };
    let mut steps = vec![Step::must(
        "UPDATE sandbox_run SET state = $3, finished_at = $4, outcome = $5, fidelity = $6, score = $7, result = $8, \
           error = $9 WHERE run_id = $1 AND attempts = $2 AND finished_at IS NULL",
        values![
            run.run_id.as_slice(),
            run.attempts,
            state.name(),
            now_s,
            ended.outcome.clone(),
            ended.fidelity.clone(),
            ended.score,
            ended.result.clone(),
            ended.error.as_str()
        ],
    )];
    steps.extend(more);
    store.transact(&steps).await
}

/// Cancels a run that has not ended, together with `more` (a message, say); a runner that has it stops within a second
/// or two.
pub async fn cancel(
    store: &dyn Store,
    run_id: &[u8],
    by: &str,
    now_s: UnixSeconds,
    more: Vec<Step>,
) -> Result<bool, StoreError> {
    let mut steps = vec![Step::must(
        "UPDATE sandbox_run SET state = 'cancelled', finished_at = $2, cancelled_by = $3 \
         WHERE run_id = $1 AND finished_at IS NULL",
        values![run_id, now_s, by],
    )];
    steps.extend(more);
    store.transact(&steps).await
}

/// Records a decision; false where there is one already, or the trial was not carried out.
pub async fn decide(
    store: &dyn Store,
    run_id: &[u8],
    decision: &Decision,
) -> Result<bool, StoreError> {
    let sql = "UPDATE sandbox_run SET decision = $2, decided_at = $3, decided_by = $4, decided_name = $5, reason = $6, \
                 receipt = $7 WHERE run_id = $1 AND state = 'done' AND decision IS NULL RETURNING run_no";
    let values = values![
        run_id,
        decision.decision.as_str(),
        decision.at,
        decision.by.as_str(),
        decision.name.as_str(),
        decision.reason.as_str(),
        decision.receipt.clone()
    ];
    Ok(!store.query(sql, &values).await?.is_empty())
}

/// The run with this identifier.
pub async fn get(store: &dyn Store, run_id: &[u8]) -> Result<Option<Run>, StoreError> {
    let sql = format!("{} WHERE r.run_id = $1", run::SELECT);
    let rows = store.query(&sql, &values![run_id]).await?;
    rows.first().map(Run::from).transpose()
}

/// Which runs are listed; what is `None` or empty does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this agent.
    pub agent_no: Option<i64>,
    /// About the prediction with this first event.
    pub prediction_id: Option<Vec<u8>>,
    /// A state's name, `open` (not ended) or `decided`.
    pub state: String,
}

/// Runs before the number `before` (newest first), at most `limit`.
pub async fn list(
    store: &dyn Store,
    filter: &Filter,
    before: i64,
    limit: i64,
) -> Result<Vec<Run>, StoreError> {
    let state = match filter.state.as_str() {
        "" => "$3 = ''",
        "open" => "r.finished_at IS NULL AND $3 <> ''",
        "decided" => "r.decision IS NOT NULL AND $3 <> ''",
        _ => "r.state = $3",
    };
    let mut values: Vec<Value> = values![before, limit, filter.state.as_str()].into();
    let mut conditions = vec![format!("r.run_no < $1 AND {state}")];
    if let Some(agent_no) = filter.agent_no {
        values.push(agent_no.into());
        conditions.push(format!("r.agent_no = ${}", values.len()));
    }
    if let Some(prediction_id) = &filter.prediction_id {
        values.push(prediction_id.clone().into());
        conditions.push(format!("r.prediction_id = ${}", values.len()));
    }
    let sql = format!(
        "{} WHERE {} ORDER BY r.run_no DESC LIMIT $2",
        run::SELECT,
        conditions.join(" AND ")
    );
    store
        .query(&sql, &values)
        .await?
        .iter()
        .map(Run::from)
        .collect()
}

/// Remembers a webhook's call by its signature; false if it came before.
pub async fn remember_call(
    store: &dyn Store,
    signature: [u8; 32],
    now_s: UnixSeconds,
    forget_before: UnixSeconds,
) -> Result<bool, StoreError> {
    let old = "DELETE FROM hook_call WHERE called_at < $1";
    store.query(old, &values![forget_before]).await?;
    let sql = "INSERT INTO hook_call (signature, called_at) VALUES ($1, $2) \
               ON CONFLICT DO NOTHING RETURNING called_at";
    Ok(!store
        .query(sql, &values![signature, now_s])
        .await?
        .is_empty())
}

/// The step that forgets runs that ended before a time.
pub fn forget(before: UnixSeconds) -> Step {
    Step::new(
        "DELETE FROM sandbox_run WHERE finished_at < $1",
        values![before],
    )
}
