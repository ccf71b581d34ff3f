//! `/v1/agents/{id}/snapshots` and `/v1/requests/{id}`: ask an agent for a copy of a service's configuration, and see
//! what became of a request.

use super::agents::find;
use crate::channel::{self, AskError};
use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::{requests, snapshots};
use arki_model::hex;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Which service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    service: String,
}

/// One snapshot, without its files.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    id: i64,
    taken_at: i64,
    received_at: i64,
    configuration: String,
}

/// The snapshots of a service.
#[derive(Debug, Serialize)]
pub struct Snapshots {
    items: Vec<Snapshot>,
    /// True if the newest has another configuration than the one before.
    changed: bool,
}

/// `POST /v1/agents/{id}/snapshots`
pub async fn ask(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
    Json(which): Json<Which>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let agent = find(&hub, &id).await?;
    let asked = channel::ask_snapshot(&hub, &agent, &which.service).await;
    let request = asked.map_err(|error| match error {
        AskError::Store(error) => error.into(),
        AskError::Full => Problem::new(StatusCode::CONFLICT, error.to_string()),
        error => Problem::bad(error.to_string()),
    })?;
    let body = json!({"request": request, "state": "waiting"});
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// `GET /v1/agents/{id}/snapshots`
pub async fn list(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Snapshots>, Problem> {
    let agent = find(&hub, &id).await?;
    let seen = snapshots::seen(&*hub.store, agent.agent_no, &which.service).await?;
    let changed = seen
        .first()
        .zip(seen.get(1))
        .is_some_and(|(now, before)| now.configuration != before.configuration);
    let items = seen.iter().map(|seen| Snapshot {
        id: seen.snapshot_no,
        taken_at: seen.taken_at,
        received_at: seen.received_at,
        configuration: hex::encode(&seen.configuration),
    });
    Ok(Json(Snapshots {
        items: items.collect(),
        changed,
    }))
}

/// `GET /v1/requests/{id}`
pub async fn request(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::missing("request");
    let id = id.parse().map_err(|_| missing())?;
    let asked = requests::by_id(&*hub.store, id)
        .await?
        .ok_or_else(missing)?;
    let report: Option<Value> = serde_json::from_str(&asked.report).ok();
    Ok(Json(json!({
        "request": asked.id,
        "kind": asked.kind,
        "service": asked.service,
        "state": asked.state(hub.clock.now_s()),
        "detail": asked.detail,
        "made_at": asked.made_at,
        "expires_at": asked.expires_at,
        "answered_at": asked.answered_at,
        "report": report,
    })))
}
