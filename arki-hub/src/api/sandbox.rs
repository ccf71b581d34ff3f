//! `/v1/sandbox`: services, runs, decisions; `/v1/hooks/sandbox`: runs that other programs ask for.

use super::predictions::uuid;
use super::{Page, Paging, agents::find, identifier};
use crate::auth::Caller;
use crate::hub::Hub;
use crate::sandbox::ask::{Ask, AskError, Asker, ask};
use crate::sandbox::decide::{DecideError, Said, decide};
use crate::sandbox::hook::{self, HookError};
use crate::sandbox::live::{self, Application, Drift};
use crate::sandbox::profile::{Action, Profile};
use crate::server::problem::Problem;
use crate::store::predictions;
use crate::store::sandbox::{self, Filter, Run, State as RunState};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// One action that can be tried.
#[derive(Debug, Serialize)]
pub struct Offered<'a> {
    name: &'a str,
    title: &'a str,
    argv: &'a [String],
    proves: &'a [String],
    does_not_prove: &'a [String],
    undo: &'a str,
    candidate_for: &'a [String],
    applicable: bool,
}

/// `GET /v1/sandbox/services`
pub async fn services(State(hub): State<Arc<Hub>>) -> impl IntoResponse {
    let offered = |action: &Action| -> Value {
        serde_json::to_value(Offered {
            name: &action.name,
            title: &action.title,
            argv: &action.argv,
            proves: &action.proves,
            does_not_prove: &action.does_not_prove,
            undo: &action.undo,
            candidate_for: &action.candidate_for,
            applicable: action.applicable,
        })
        .unwrap_or_default()
    };
    let service = |profile: &Profile| {
        let actions: Vec<Value> = profile.actions.iter().map(offered).collect();
        serde_json::json!({ "name": profile.name, "title": profile.title, "actions": actions })
    };
    let items: Vec<Value> = hub.profiles.iter().map(service).collect();
    Json(serde_json::json!({ "items": items }))
}

/// One run.
#[derive(Debug, Serialize)]
pub struct Shown {
    id: String,
    state: &'static str,
    service: String,
    action: String,
    agent: Option<String>,
    host: Option<String>,
    prediction: Option<String>,
    requested_by: String,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    attempts: i64,
    cancelled_by: Option<String>,
    outcome: Option<String>,
    fidelity: Option<String>,
    score: Option<f64>,
    error: Option<String>,
    decision: Option<Decided>,
    /// Missing in lists, as the two below.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<Drift>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<Application>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

/// A decision.
#[derive(Debug, Serialize)]
pub struct Decided {
    decision: String,
    name: String,
    reason: String,
    at: i64,
    by: String,
    receipt: Option<String>,
}

/// A run for a program; with its result, or without.
pub fn show(run: Run, with_result: bool) -> Shown {
    let result = run.result.as_deref().filter(|_| with_result);
    let agent = run.agent.as_ref();
    Shown {
        id: uuid(&run.run_id),
        state: run.state.name(),
        agent: agent.map(|(_, id, _)| arki_model::hex::encode(id)),
        host: agent.map(|(_, _, host)| host.clone()),
        prediction: run.prediction_id.as_deref().map(uuid),
        result: result.and_then(|text| serde_json::from_str(text).ok()),
        service: run.service,
        action: run.action,
        requested_by: run.requested_by,
        created_at: run.created_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
        attempts: run.attempts,
        cancelled_by: run.cancelled_by,
        outcome: run.outcome,
        fidelity: run.fidelity,
        score: run.score,
        error: Some(run.error).filter(|error| !error.is_empty()),
        decision: run.decision.map(|one| Decided {
            decision: one.decision,
            name: one.name,
            reason: one.reason,
            at: one.at,
            by: one.by,
            receipt: one.receipt,
        }),
        drift: None,
        application: None,
    }
}

/// A run with all that is known of it now: its result, and what became of the live service since.
async fn whole(hub: &Hub, run: Run) -> Result<Json<Shown>, Problem> {
    live::look_again(hub, &run).await?;
    let (drift, application) = (
        live::drift(hub, &run).await?,
        live::application(hub, &run).await?,
    );
    Ok(Json(Shown {
        drift,
        application,
        ..show(run, true)
    }))
}

/// `POST /v1/sandbox/runs`
pub async fn create(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(wish): Json<Ask>,
) -> Result<impl IntoResponse, Problem> {
    let asker = Asker {
        owner: format!("key:{}", caller.key_no),
        name: caller.signature(),
    };
    Ok(created(ask(&hub, &asker, &wish).await?))
}

fn created(run: Run) -> impl IntoResponse {
    let place = format!("/v1/sandbox/runs/{}", uuid(&run.run_id));
    let run = show(run, true);
    (StatusCode::CREATED, [(header::LOCATION, place)], Json(run))
}

/// Which runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    agent: String,
    prediction: String,
    state: String,
}

/// `GET /v1/sandbox/runs`
pub async fn list(
    State(hub): State<Arc<Hub>>,
    Query(paging): Query<Paging>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Shown>>, Problem> {
    let state = which.state.as_str();
    if !matches!(state, "" | "open" | "decided") && RunState::from_name(state).is_none() {
        return Err(Problem::bad(
            "`state` is open, decided, queued, claimed, running, done, failed or cancelled",
        ));
    }
    let mut filter = Filter {
        state: which.state,
        ..Filter::default()
    };
    if !which.agent.is_empty() {
        filter.agent_no = Some(find(&hub, &which.agent).await?.agent_no);
    }
    if !which.prediction.is_empty() {
        let id = identifier(&which.prediction, "prediction")?;
        let found = predictions::by_event(&*hub.store, &id).await?;
        // a prediction that was forgotten may still have runs
        filter.prediction_id = Some(found.map_or(id.to_vec(), |found| found.event_id));
    }
    let (limit, before) = paging.bounds(i64::MAX)?;
    let rows = sandbox::list(&*hub.store, &filter, before, limit).await?;
    Ok(Json(Page::of(
        rows,
        limit,
        |run| run.run_no,
        |run| show(run, false),
    )))
}

/// `GET /v1/sandbox/runs/{id}`
pub async fn get(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    whole(&hub, run(&hub, &id).await?).await
}

/// `POST /v1/sandbox/runs/{id}/cancel`
pub async fn cancel(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let found = run(&hub, &id).await?;
    let (now_s, by) = (hub.clock.now_s(), caller.signature());
    let cancelled = Run {
        state: RunState::Cancelled,
        finished_at: Some(now_s),
        cancelled_by: Some(by.clone()),
        ..found.clone()
    };
    let told = hook::told(&hub, cancelled, now_s)?;
    if !sandbox::cancel(&*hub.store, &found.run_id, &by, now_s, told).await? {
        return Err(Problem::new(StatusCode::CONFLICT, "the run has ended"));
    }
    Ok(Json(show(run(&hub, &id).await?, true)))
}

/// `POST /v1/sandbox/runs/{id}/decision`
pub async fn decision(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(mut said): Json<Said>,
) -> Result<Json<Shown>, Problem> {
    let found = run(&hub, &id).await?;
    if let Some(user) = &caller.user {
        // nobody decides in another's name
        said.name.clone_from(user);
    }
    decide(&hub, &caller, &found, &said).await?;
    whole(&hub, run(&hub, &id).await?).await
}

/// `POST /v1/hooks/sandbox`
pub async fn hook(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (timestamp, signature) = (word("x-arki-timestamp"), word("x-arki-signature"));
    let unsigned = || Problem::from(HookError::Unsigned);
    let (timestamp, signature) = timestamp.zip(signature).ok_or_else(unsigned)?;
    Ok(created(
        hook::call(&hub, timestamp, signature, &body).await?,
    ))
}

/// The run with this identifier.
pub(crate) async fn run(hub: &Hub, id: &str) -> Result<Run, Problem> {
    let id = identifier(id, "run")?;
    let found = sandbox::get(&*hub.store, &id).await?;
    found.ok_or_else(|| Problem::missing("run"))
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let status = match error {
            AskError::Store(error) => return error.into(),
            AskError::Full { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let retry_after_s = (status == StatusCode::TOO_MANY_REQUESTS).then_some(30);
        Self {
            retry_after_s,
            ..Self::new(status, error.to_string())
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        let status = match error {
            DecideError::Store(error) => return error.into(),
            DecideError::Text(..) => StatusCode::BAD_REQUEST,
            DecideError::NotAsked(_) => StatusCode::SERVICE_UNAVAILABLE,
            DecideError::State(_) => StatusCode::CONFLICT,
            DecideError::NotApplicable(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

impl From<HookError> for Problem {
    fn from(error: HookError) -> Self {
        let status = match error {
            HookError::Store(error) => return error.into(),
            HookError::Ask(error) => return error.into(),
            HookError::Unsigned | HookError::Late(_) => StatusCode::UNAUTHORIZED,
            HookError::Again => StatusCode::CONFLICT,
            HookError::Body(_) => StatusCode::BAD_REQUEST,
            HookError::Secret => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
