//! The live service behind a run: its configuration for the copies, how that has changed since, and what was applied.
//!
//! ```text
//! asked for -> snapshot asked of the agent -> copies -> decided -> applied by the agent -> how the prediction ended
//! ```
//!
//! A snapshot that came within [`FRESH_S`] is used at once. Otherwise the agent is asked, from the moment on that the run
//! is, and the run waits for [`PATIENCE_S`] at the most; then it takes an older snapshot, or the image's own
//! configuration, and says why.

use super::configuration::{Configuration, What};
use super::result::TrialResult;
use crate::api::predictions::uuid;
use crate::channel::{self, AskError};
use crate::hub::Hub;
use crate::store::agents::{self, Agent};
use crate::store::requests::{self, Asked};
use crate::store::sandbox::{Run, State};
use crate::store::{StoreError, predictions, snapshots};
use arki_model::clock::UnixSeconds;
use arki_model::request::{Outcome, RequestId};
use arki_model::snapshot::{self, Entry};
use serde::Serialize;
use std::time::Duration;
use tokio::time::sleep;

/// Younger than this, a snapshot is taken as it is: the actions that answer one prediction are tried together. A person who
/// edits a file and tries again takes longer.
const FRESH_S: i64 = 60;
/// An agent that has just sent an event comes every 20 s; two such times and some. One that comes every five minutes
/// is not waited for: its snapshot serves the next run.
const PATIENCE_S: i64 = 45;
const LOOKS_PER_SECOND: i64 = 4;

/// What is known about the live configuration, after a trial with an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// True if it is another one than that of the trial.
    pub changed: bool,
    /// False while the trial's own snapshot is the newest: whether it has changed since is not known then.
    pub seen_since: bool,
    /// The hash of the live one.
    pub configuration: String,
    /// When it was taken, by the agent's clock.
    pub taken_at: UnixSeconds,
}

/// What became of a decision to apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Application {
    /// `waiting`, `expired`, `done`, `refused` or `failed`.
    pub state: String,
    /// When the agent was asked.
    pub asked_at: UnixSeconds,
    /// When it stops to be permitted.
    pub expires_at: UnixSeconds,
    /// When the agent answered.
    pub answered_at: Option<UnixSeconds>,
    /// In words.
    pub detail: String,
    /// What the command did: exit code, output, duration.
    pub report: Option<serde_json::Value>,
    /// How the prediction that it was about stands: `active`, `happened`, `averted` or `expired`.
    pub prediction: Option<String>,
}

/// Where a fresh snapshot comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is here.
    Here,
    /// It was asked for.
    Asked(RequestId),
    /// From nowhere, and why.
    Nowhere(String),
}

/// Asks the agent of a run for a snapshot of `service`, unless there is a fresh one. That it cannot be asked (it is
/// revoked, or too much waits for it) holds up nothing.
pub async fn ask(hub: &Hub, agent: &Agent, service: &str) -> Result<Source, StoreError> {
    let seen = snapshots::seen(&*hub.store, agent.agent_no, service).await?;
    let since = hub.clock.now_s() - FRESH_S;
    if seen
        .first()
        .is_some_and(|newest| newest.received_at > since)
    {
        return Ok(Source::Here);
    }
    match channel::ask_snapshot(hub, agent, service).await {
        Ok(id) => Ok(Source::Asked(id)),
        Err(AskError::Store(error)) => Err(error),
        Err(error) => Ok(Source::Nowhere(error.to_string())),
    }
}

/// The configuration for the copies of `run`.
pub async fn configuration(hub: &Hub, run: &Run) -> Result<Configuration, StoreError> {
    let Some((agent_no, agent_id, _)) = &run.agent else {
        return Ok(Configuration::of_the_image());
    };
    let Some(agent) = agents::by_id(&*hub.store, agent_id).await? else {
        return Ok(because("its agent is gone"));
    };
    let why = match ask(hub, &agent, &run.service).await? {
        Source::Here => String::new(),
        Source::Nowhere(why) => why,
        Source::Asked(id) => match answer(hub, run, id).await? {
            Some(asked) if asked.outcome == Outcome::Done.name() => String::new(),
            Some(asked) if asked.answered_at.is_some() => {
                // also where it sent one before: it is no longer permitted
                return Ok(because(&format!(
                    "the agent sends no snapshot: {}",
                    asked.detail
                )));
            }
            _ => format!(
                "the agent did not send one within {PATIENCE_S} s (it comes with its next batch, within five minutes)"
            ),
        },
    };
    let newest = snapshots::latest(&*hub.store, *agent_no, &run.service).await?;
    Ok(match newest {
        Some(kept) if why.is_empty() => of(kept, String::new()),
        Some(kept) => of(kept, format!("an older snapshot was taken: {why}")),
        None => because(&why),
    })
}

/// The answer to a request, or how it stands when the patience is over.
async fn answer(hub: &Hub, run: &Run, id: RequestId) -> Result<Option<Asked>, StoreError> {
    let mut asked = requests::by_id(&*hub.store, id).await?;
    // by the run's own time, which may have passed in the queue; and by looks, whatever the clock does
    for _ in 0..PATIENCE_S * LOOKS_PER_SECOND {
        let is_open = asked.as_ref().is_some_and(|one| one.answered_at.is_none());
        if !is_open || hub.clock.now_s() >= run.created_at + PATIENCE_S {
            break;
        }
        sleep(Duration::from_millis(1000 / LOOKS_PER_SECOND as u64)).await;
        asked = requests::by_id(&*hub.store, id).await?;
    }
    Ok(asked)
}

fn because(reason: &str) -> Configuration {
    Configuration {
        reason: reason.to_owned(),
        ..Configuration::of_the_image()
    }
}

fn of(kept: snapshots::Kept, reason: String) -> Configuration {
    let entries = kept.snapshot.entries;
    Configuration {
        source: "snapshot",
        hash: kept.configuration,
        taken_at: Some(kept.snapshot.taken_at_s),
        left_out: entries.iter().filter_map(left_out).collect(),
        entries: entries.into_iter().filter_map(placed).collect(),
        roots: kept.snapshot.roots,
        reason,
    }
}

fn left_out(entry: &Entry) -> Option<String> {
    match &entry.what {
        snapshot::What::LeftOut { reason, .. } => Some(format!("{}: {reason}", entry.path)),
        _ => None,
    }
}

fn placed(entry: Entry) -> Option<(String, What)> {
    let what = match entry.what {
        snapshot::What::File { mode, bytes, .. } => What::File { mode, bytes },
        snapshot::What::Link { target } => What::Link { target },
        snapshot::What::Directory { mode } => What::Directory { mode },
        snapshot::What::LeftOut { .. } => return None,
    };
    Some((entry.path, what))
}

/// The result of a run that has one.
pub fn result(run: &Run) -> Result<Option<TrialResult>, StoreError> {
    let read = |text: &str| {
        serde_json::from_str(text)
            .map_err(|error| StoreError::Content(format!("the result of a run: {error}")))
    };
    run.result.as_deref().map(read).transpose()
}

/// How the configuration has changed since `run`; nothing where it was not tried with a snapshot.
pub async fn drift(hub: &Hub, run: &Run) -> Result<Option<Drift>, StoreError> {
    let Some((agent_no, ..)) = &run.agent else {
        return Ok(None);
    };
    let tried = result(run)?.map(|result| result.configuration);
    let Some(tried) = tried.filter(|tried| tried.source == "snapshot") else {
        return Ok(None);
    };
    let seen = snapshots::seen(&*hub.store, *agent_no, &run.service).await?;
    Ok(seen.first().map(|newest| {
        let configuration = arki_model::hex::encode(&newest.configuration);
        Drift {
            changed: tried.hash != configuration,
            seen_since: tried.taken_at.is_none_or(|at| newest.taken_at > at),
            configuration,
            taken_at: newest.taken_at,
        }
    }))
}

/// Asks for the live configuration once more, while a person is to decide about `run`: the answer shows as its [`Drift`].
/// At most once a minute, and not once there is nothing left to decide.
pub async fn look_again(hub: &Hub, run: &Run) -> Result<(), StoreError> {
    let Some((agent_no, agent_id, _)) = &run.agent else {
        return Ok(());
    };
    let now_s = hub.clock.now_s();
    let tried_at = run.finished_at.unwrap_or(run.created_at);
    let is_open = run.state == State::Done
        && run.decision.is_none()
        && tried_at + hub.config.sandbox.receipt_ttl.seconds() > now_s;
    let of_the_host = |result: TrialResult| result.configuration.source == "snapshot";
    if !is_open || !result(run)?.is_some_and(of_the_host) {
        return Ok(());
    }
    let seen = snapshots::seen(&*hub.store, *agent_no, &run.service).await?;
    let newest = seen.first().map_or(i64::MIN, |newest| newest.received_at);
    if newest > tried_at && newest > now_s - FRESH_S {
        return Ok(());
    }
    let Some(agent) = agents::by_id(&*hub.store, agent_id).await? else {
        return Ok(());
    };
    match channel::ask_snapshot(hub, &agent, &run.service).await {
        Err(AskError::Store(error)) => Err(error),
        // it is revoked, or too much waits for it: nothing newer will be seen
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What became of the decision to apply what `run` tried; nothing where nobody decided so.
pub async fn application(hub: &Hub, run: &Run) -> Result<Option<Application>, StoreError> {
    let Some(asked) = channel::applied(hub, &uuid(&run.run_id)).await? else {
        return Ok(None);
    };
    let prediction = match &run.prediction_id {
        Some(id) => predictions::by_event(&*hub.store, id).await?,
        None => None,
    };
    Ok(Some(Application {
        state: asked.state(hub.clock.now_s()).to_owned(),
        asked_at: asked.made_at,
        expires_at: asked.expires_at,
        answered_at: asked.answered_at,
        report: serde_json::from_str(&asked.report).ok(),
        detail: asked.detail,
        prediction: prediction.map(|prediction| prediction.state),
    }))
}
