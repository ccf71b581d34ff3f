//! A person decides about a trial: apply it on the real service, or dismiss it. "Apply" makes a receipt, signed with
//! the hub's key, and asks the agent for it; what was not tried, or failed, or was tried on another configuration than the
//! host's, gets none.

use super::live;
use super::result::Outcome;
use crate::auth::Caller;
use crate::channel::{self, AskError};
use crate::hub::Hub;
use crate::store::sandbox::{self, Decision, Run, State};
use crate::store::{StoreError, agents, predictions};
use arki_model::receipt::{self, RECEIPT_VERSION, Receipt};
use arki_model::wire::AgentId;
use serde::Deserialize;

/// A name's and a reason's length at most, in bytes.
const NAME_BYTES_MAX: usize = 100;
const REASON_BYTES_MAX: usize = 1_000;

/// What a person says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What to do.
    pub decision: Word,
    /// Who says so.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What to do with a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Do it on the real service.
    Apply,
    /// Leave it.
    Dismiss,
}

/// Why the decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Name or reason is missing or too long.
    #[error("{0} has 1 to {1} bytes and no control characters")]
    Text(&'static str, usize),
    /// There is nothing to decide.
    #[error("{0}")]
    State(String),
    /// It must not be applied.
    #[error("this trial cannot be applied: {0}")]
    NotApplicable(String),
    /// It was decided, and could not be passed on.
    #[error("decided, but the agent could not be asked: {0}; decide again to ask again")]
    NotAsked(AskError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records the decision about `run`, and asks the agent to apply it where it is to be. A decision whose agent could not
/// be asked may be repeated.
pub async fn decide(
    hub: &Hub,
    caller: &Caller,
    run: &Run,
    said: &Said,
) -> Result<Decision, DecideError> {
    text("`name`", &said.name, NAME_BYTES_MAX)?;
    text("`reason`", &said.reason, REASON_BYTES_MAX)?;
    if run.state != State::Done {
        let state = run.state.name();
        return Err(DecideError::State(format!(
            "the run is {state}: there is no result to decide about"
        )));
    }
    if let Some(before) = &run.decision {
        let waits = said.decision == Word::Apply
            && before.receipt.is_some()
            && live::application(hub, run).await?.is_none();
        if !waits {
            return Err(taken(before));
        }
        unchanged(hub, run).await?;
        pass_on(hub, run, before).await?;
        return Ok(before.clone());
    }
    let now_s = hub.clock.now_s();
    let receipt = match said.decision {
        Word::Dismiss => None,
        Word::Apply => Some(signed(hub, run, said).await?),
    };
    let decision = Decision {
        decision: match said.decision {
            Word::Apply => "apply".into(),
            Word::Dismiss => "dismiss".into(),
        },
        at: now_s,
        by: format!("key-{}", caller.key_no),
        name: said.name.clone(),
        reason: said.reason.clone(),
        receipt,
    };
    if !sandbox::decide(&*hub.store, &run.run_id, &decision).await? {
        let now = sandbox::get(&*hub.store, &run.run_id).await?;
        let other = now.and_then(|run| run.decision);
        return Err(other.map_or_else(
            || DecideError::State("the run is gone".into()),
            |other| taken(&other),
        ));
    }
    tracing::info!(run = %arki_model::hex::encode(&run.run_id), decision = %decision.decision, by = ?decision.by, "a trial was decided");
    pass_on(hub, run, &decision).await?;
    Ok(decision)
}

/// Asks the agent to do what its receipt allows; nothing where there is none.
async fn pass_on(hub: &Hub, run: &Run, decision: &Decision) -> Result<(), DecideError> {
    let (Some(receipt), Some((_, agent_id, _))) = (&decision.receipt, &run.agent) else {
        return Ok(());
    };
    let agent = agents::by_id(&*hub.store, agent_id).await?;
    let agent = agent.ok_or_else(|| DecideError::State("the agent is gone".into()))?;
    // what the agent is to watch afterwards; a trial may be about nothing in particular
    let series = match &run.prediction_id {
        Some(id) => predictions::by_event(&*hub.store, id).await?,
        None => None,
    };
    let series = series.map(|prediction| prediction.series);
    match channel::ask_apply(hub, &agent, receipt, &series.unwrap_or_default()).await {
        Ok(_) => Ok(()),
        Err(AskError::Store(error)) => Err(error.into()),
        Err(AskError::Receipt(error)) => Err(DecideError::NotApplicable(format!(
            "its receipt no longer permits it ({error}): try it again"
        ))),
        // two who decided at one time: the agent is asked once
        Err(AskError::Full) if live::application(hub, run).await?.is_some() => Ok(()),
        Err(error) => Err(DecideError::NotAsked(error)),
    }
}

fn taken(before: &Decision) -> DecideError {
    DecideError::State(format!(
        "{} decided before: {}",
        before.name, before.decision
    ))
}

fn text(what: &'static str, text: &str, bytes_max: usize) -> Result<(), DecideError> {
    if text.trim().is_empty() || text.len() > bytes_max || text.chars().any(char::is_control) {
        return Err(DecideError::Text(what, bytes_max));
    }
    Ok(())
}

/// Refuses what was tried with a configuration that the host no longer has.
async fn unchanged(hub: &Hub, run: &Run) -> Result<(), DecideError> {
    let drift = live::drift(hub, run).await?;
    if drift.is_some_and(|drift| drift.changed) {
        let why = "the host's configuration has changed since: try it again";
        return Err(DecideError::NotApplicable(why.to_owned()));
    }
    Ok(())
}

/// The receipt of a trial that may be applied.
async fn signed(hub: &Hub, run: &Run, said: &Said) -> Result<String, DecideError> {
    let not = |why: &str| DecideError::NotApplicable(why.to_owned());
    let Some((_, agent_id, _)) = &run.agent else {
        return Err(not("it was not about an agent's service"));
    };
    let result = live::result(run)?.ok_or_else(|| not("its result is missing"))?;
    if result.outcome != Outcome::Succeeded {
        return Err(not("it failed on the copy"));
    }
    if !result.applicable {
        return Err(not(
            "its profile does not offer it for the real service (`applicable`)",
        ));
    }
    if result.configuration.source != "snapshot" {
        return Err(not(
            "it was tried with the image's configuration, not with this host's: let the agent take snapshots of the service",
        ));
    }
    unchanged(hub, run).await?;
    let agent: [u8; 16] = agent_id
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::Content("an agent's identifier has no 16 bytes".into()))?;
    let tried_at = run.finished_at.unwrap_or(run.created_at);
    let expires_at = tried_at + hub.config.sandbox.receipt_ttl.seconds();
    if expires_at <= hub.clock.now_s() {
        return Err(not(
            "it was tried too long ago (`sandbox.receipt_ttl`): try it again",
        ));
    }
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        run: crate::api::predictions::uuid(&run.run_id),
        agent: AgentId(agent),
        service: run.service.clone(),
        action: run.action.clone(),
        argv: result.argv,
        image: result.image,
        configuration: result.configuration.hash,
        tried_at,
        expires_at,
        outcome: receipt::Outcome::Succeeded,
        name: said.name.clone(),
        reason: said.reason.clone(),
    };
    let sealed = receipt.seal(&hub.key);
    sealed.map_err(|error| StoreError::Content(error.to_string()).into())
}
