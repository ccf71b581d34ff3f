//! `/v1/agents`: the fleet.

use super::{Page, Paging, identifier};
use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::agents;
use crate::store::predictions::{self, severity_name};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One agent.
#[derive(Debug, Serialize)]
pub struct Agent {
    id: String,
    host: String,
    state: &'static str,
    version: String,
    enrolled_at: i64,
    revoked_at: Option<i64>,
    seen_at: Option<i64>,
    silent_since: Option<i64>,
    predictions_active: i64,
    severity: Option<&'static str>,
    summaries_dropped: i64,
}

/// One agent with what became of its predictions.
#[derive(Debug, Serialize)]
pub struct Detail {
    #[serde(flatten)]
    agent: Agent,
    ledger: Ledger,
}

/// How the agent's predictions ended, as far as the hub keeps them.
#[derive(Debug, Serialize)]
struct Ledger {
    happened: i64,
    averted: i64,
    expired: i64,
    missed: i64,
}

/// Which agents.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    host: String,
}

/// `GET /v1/agents`
pub async fn list(
    State(hub): State<Arc<Hub>>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<Agent>>, Problem> {
    let (limit, after) = paging.bounds(0)?;
    let rows = agents::list(&*hub.store, &filter.host, after, limit).await?;
    Ok(Json(Page::of(rows, limit, |row| row.agent_no, show)))
}

/// `GET /v1/agents/{id}`
pub async fn get(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
) -> Result<Json<Detail>, Problem> {
    let agent = find(&hub, &id).await?;
    let ledger = predictions::ledger(&*hub.store, agent.agent_no).await?;
    Ok(Json(Detail {
        agent: show(agent),
        ledger: Ledger {
            happened: ledger.happened,
            averted: ledger.averted,
            expired: ledger.expired,
            missed: ledger.missed,
        },
    }))
}

/// `DELETE /v1/agents/{id}`: revokes it.
pub async fn revoke(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let agent = find(&hub, &id).await?;
    agents::revoke(&*hub.store, agent.agent_no, hub.clock.now_s()).await?;
    tracing::info!(host = ?agent.host, "an agent was revoked");
    Ok(StatusCode::NO_CONTENT)
}

/// The agent with this identifier, or the only one on a host of this name.
pub(super) async fn find(hub: &Hub, id: &str) -> Result<agents::Agent, Problem> {
    agents::by_id(&*hub.store, &identifier(id, "agent")?)
        .await?
        .ok_or_else(|| Problem::missing("agent"))
}

fn show(agent: agents::Agent) -> Agent {
    Agent {
        id: arki_model::hex::encode(&agent.agent_id),
        state: agent.state(),
        host: agent.host,
        version: agent.version,
        enrolled_at: agent.enrolled_at,
        revoked_at: agent.revoked_at,
        seen_at: agent.seen_at,
        silent_since: agent.silent_since,
        predictions_active: agent.predictions,
        severity: agent.severity.map(severity_name),
        summaries_dropped: agent.summaries_dropped,
    }
}
