//! `/v1/predictions`: active and past, with their evidence.

use super::{Page, Paging, agents::find, identifier};
use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::predictions::{self, Which, severity_name};
use arki_model::dsse;
use arki_model::signature::{EVENT_TYPE, PublicKey, Signed};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// One prediction.
#[derive(Debug, Serialize)]
pub struct Prediction {
    id: String,
    agent: String,
    host: String,
    series: String,
    state: String,
    severity: &'static str,
    first_at: i64,
    raised_at: i64,
    ended_at: Option<i64>,
    /// Who found out how it ended: `agent` by its ledger, `hub` by the summaries.
    settled_by: Option<String>,
    value: f64,
    bound: Option<f64>,
    eta_seconds: Option<f64>,
    eta_low: Option<f64>,
    eta_high: Option<f64>,
    /// When it fails, by the last word: `raised_at` + `eta_seconds`.
    fails_at: Option<i64>,
    events: i64,
    /// The three votes with their figures and related series.
    votes: Value,
    also: Value,
    processes: Value,
    context: Value,
}

/// Which predictions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    state: String,
    host: String,
}

/// `GET /v1/predictions`
pub async fn list(
    State(hub): State<Arc<Hub>>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<Prediction>>, Problem> {
    let which = match filter.state.as_str() {
        "" | "active" => Which::Active,
        "past" => Which::Past,
        "all" => Which::All,
        _ => return Err(Problem::bad("`state` is active, past or all")),
    };
    let (limit, before) = paging.bounds(i64::MAX)?;
    let rows = predictions::list(&*hub.store, which, &filter.host, before, limit).await?;
    Ok(Json(Page::of(rows, limit, |row| row.prediction_no, show)))
}

/// `GET /v1/predictions/{id}`
pub async fn get(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
) -> Result<Json<Prediction>, Problem> {
    let id = identifier(&id, "prediction")?;
    let found = predictions::by_event(&*hub.store, &id).await?;
    found
        .map(|found| Json(show(found)))
        .ok_or_else(|| Problem::missing("prediction"))
}

/// `GET /v1/agents/{id}/events`: the chain as it was signed, one DSSE envelope a line, for `verify`.
pub async fn chain(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, Problem> {
    let agent = find(&hub, &id).await?;
    let (limit, after) = paging.bounds(0)?;
    let keys = crate::store::agents::keys_ever(&*hub.store, agent.agent_no).await?;
    let keys: Vec<PublicKey> = keys
        .iter()
        .filter_map(|key| PublicKey::from_bytes(key).ok())
        .collect();
    let mut lines = String::new();
    for event in predictions::signed(&*hub.store, agent.agent_no, after, limit).await? {
        let signed = Signed {
            payload_type: EVENT_TYPE.to_owned(),
            payload: event.payload,
            signature: event.signature,
        };
        let signer = keys
            .iter()
            .find(|key| signed.verify(key, EVENT_TYPE).is_ok());
        let Some(line) = signer.and_then(|key| dsse::to_line(&signed, key).ok()) else {
            continue;
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], lines))
}

fn show(found: predictions::Prediction) -> Prediction {
    let mut body: Value = serde_json::from_str(&found.body).unwrap_or_default();
    let mut part = |pointer: &str| {
        body.pointer_mut(pointer)
            .map(Value::take)
            .unwrap_or_default()
    };
    let fails_at = found.fails_at();
    Prediction {
        id: uuid(&found.event_id),
        agent: arki_model::hex::encode(&found.agent_id),
        host: found.host,
        series: found.series,
        state: found.state,
        severity: severity_name(found.severity),
        first_at: found.first_at,
        raised_at: found.raised_at,
        ended_at: found.ended_at,
        settled_by: found.settled_by,
        value: found.value,
        bound: found.bound,
        eta_seconds: found.eta_s.map(|eta| eta[1]),
        eta_low: found.eta_s.map(|eta| eta[0]),
        eta_high: found.eta_s.map(|eta| eta[2]),
        fails_at,
        events: found.events,
        votes: part("/prediction/votes"),
        also: part("/prediction/also"),
        processes: part("/processes"),
        context: part("/context"),
    }
}

/// Sixteen bytes as a UUID is written.
pub(crate) fn uuid(bytes: &[u8]) -> String {
    let hex = arki_model::hex::encode(bytes);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    [
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32),
    ]
    .join("-")
}
