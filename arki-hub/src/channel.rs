//! The way from the hub to an agent: what is asked is signed and kept until the agent comes for it.
//!
//! An agent comes with every batch, so every five minutes; one that has just sent an event, or was asked something
//! before, comes every 20 s for ten minutes. Whoever asks here looks for the answer under the request's name.

use crate::hub::Hub;
use crate::random;
use crate::store::StoreError;
use crate::store::agents::Agent;
use crate::store::requests::{self, Asked, NewRequest, WAITING_MAX};
use arki_model::clock::UnixSeconds;
use arki_model::receipt::{Receipt, ReceiptError};
use arki_model::request::{Order, Request, RequestError, RequestId, SERVICE_BYTES_MAX};
use arki_model::wire::AgentId;

/// Two batches and some: who does not answer until then is away.
pub const SNAPSHOT_TTL_S: i64 = 15 * 60;

/// Why it is not asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The service's name.
    #[error("a service has a name of 1 to {SERVICE_BYTES_MAX} bytes without control characters")]
    Service,
    /// Revoked, too many, or asked before.
    #[error(
        "nothing is asked: the agent was revoked, {WAITING_MAX} requests wait for it, or this run was asked for before"
    )]
    Full,
    /// The receipt is not this hub's, or not for this agent.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// It cannot be signed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks an agent for a snapshot of `service`; joins a request that waits already.
pub async fn ask_snapshot(hub: &Hub, agent: &Agent, service: &str) -> Result<RequestId, AskError> {
    if service.is_empty()
        || service.len() > SERVICE_BYTES_MAX
        || service.chars().any(char::is_control)
    {
        return Err(AskError::Service);
    }
    let now_s = hub.clock.now_s();
    if let Some(asked) =
        requests::snapshot_waiting(&*hub.store, agent.agent_no, service, now_s).await?
    {
        return Ok(asked.id);
    }
    let order = Order::Snapshot {
        service: service.to_owned(),
    };
    ask(hub, agent, service, (order, None), now_s + SNAPSHOT_TTL_S).await
}

/// Asks an agent to apply what `receipt` (a line that this hub has sealed) allows; `series` is what it is to avert, to be
/// watched by the agent. Once for each run.
pub async fn ask_apply(
    hub: &Hub,
    agent: &Agent,
    receipt: &str,
    series: &str,
) -> Result<RequestId, AskError> {
    let opened = Receipt::open(receipt, &hub.key.public())?;
    opened.permits(agent_id(agent)?, hub.clock.now_s())?;
    let order = Order::Apply {
        receipt: receipt.to_owned(),
        series: series.to_owned(),
    };
    let run = opened.run.clone();
    ask(
        hub,
        agent,
        &opened.service,
        (order, Some(run)),
        opened.expires_at,
    )
    .await
}

/// What became of the request to apply what was tried in `run`, as its receipt calls it.
pub async fn applied(hub: &Hub, run: &str) -> Result<Option<Asked>, StoreError> {
    requests::by_run(&*hub.store, run).await
}

async fn ask(
    hub: &Hub,
    agent: &Agent,
    service: &str,
    what: (Order, Option<String>),
    expires_at: UnixSeconds,
) -> Result<RequestId, AskError> {
    let ((order, run), now_s) = (what, hub.clock.now_s());
    let id = RequestId(random::bytes());
    let kind = match order {
        Order::Snapshot { .. } => "snapshot",
        Order::Apply { .. } => "apply",
    };
    let line = Request::new(id, agent_id(agent)?, now_s..expires_at, order).seal(&hub.key)?;
    let new = NewRequest {
        id,
        agent_no: agent.agent_no,
        kind,
        service,
        run: run.as_deref(),
        line: &line,
        expires_at,
    };
    if !requests::create(&*hub.store, new, now_s).await? {
        return Err(AskError::Full);
    }
    tracing::info!(request = %id, kind, service, host = ?agent.host, "an agent is asked");
    Ok(id)
}

fn agent_id(agent: &Agent) -> Result<AgentId, StoreError> {
    let id = agent.agent_id.as_slice().try_into();
    id.map(AgentId)
        .map_err(|_| StoreError::Content("an agent's identifier has no 16 bytes".into()))
}
