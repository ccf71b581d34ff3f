//! `POST /v1/agent/answers`: an agent answers what it was asked, and fetches what there is to do
//! ([`arki_model::request`]).
//!
//! The order is the one of ingest: limit, signature, decompression with a limit, decoding. An answer is stored once; the
//! same one again is acknowledged again.

use crate::hub::Hub;
use crate::ingest::{Intake, refusal};
use crate::server::body;
use crate::server::problem::Problem;
use crate::store::agents::{self, Known};
use crate::store::requests::{self, Answered, Asked};
use crate::store::snapshots::NewSnapshot;
use arki_model::request::{
    ANSWER_BODY_BYTES_MAX, ANSWER_TYPE, Heard, Outcome, Reply, Report, Unverified,
};
use arki_model::signature::PublicKey;
use arki_model::snapshot::Snapshot;
use arki_model::wire::{AgentId, Decompressor, WireError, problem};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::{Extension, Json};
use std::sync::Arc;

/// `POST /v1/agent/answers`
pub async fn take(
    State(hub): State<Arc<Hub>>,
    Extension(intake): Extension<Intake>,
    request: Request,
) -> Result<Json<Heard>, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != ANSWER_TYPE) {
        let detail = format!("an answer comes as {ANSWER_TYPE}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let body = body::read(request.into_body(), ANSWER_BODY_BYTES_MAX, intake.room()).await?;
    let unverified = Unverified::read(&body.bytes).map_err(|error| refusal(&error))?;
    let known = known(&hub, unverified.claimed_agent()).await?;
    let keys: Vec<PublicKey> = known
        .keys
        .iter()
        .filter_map(|key| PublicKey::from_bytes(key).ok())
        .collect();
    let answer = unverified.verify(&keys).map_err(|error| refusal(&error))?;
    drop(body);
    let stored = match answer.reply {
        Some(reply) => store(&hub, &known, reply).await?,
        None => false,
    };
    let now_s = hub.clock.now_s();
    let requests = requests::waiting(&*hub.store, known.agent_no, now_s).await?;
    Ok(Json(Heard { stored, requests }))
}

/// The agent whose keys count.
async fn known(hub: &Hub, agent: AgentId) -> Result<Known, Problem> {
    let ids = [agent.0.to_vec()];
    let known = agents::known(&*hub.store, &ids, hub.clock.now_s()).await?;
    let known = known.into_iter().next().ok_or_else(|| {
        let detail = format!("no agent {agent} is enrolled here: enrol it again");
        Problem::new(StatusCode::UNAUTHORIZED, detail).of_kind(problem::AGENT_UNKNOWN)
    })?;
    if known.is_revoked {
        let detail = format!("the agent {agent} was revoked");
        return Err(Problem::new(StatusCode::FORBIDDEN, detail).of_kind(problem::AGENT_REVOKED));
    }
    Ok(known)
}

async fn store(hub: &Hub, known: &Known, reply: Reply) -> Result<bool, Problem> {
    let asked = requests::by_id(&*hub.store, reply.request).await?;
    let own = asked.filter(|asked| asked.agent_no == known.agent_no);
    let Some(asked) = own else {
        return Ok(false);
    };
    if asked.answered_at.is_some() {
        return Ok(true);
    }
    let (id, kind, outcome) = (reply.request, asked.kind.clone(), reply.outcome);
    let read = tokio::task::spawn_blocking(move || read(&asked, reply));
    let read = read
        .await
        .map_err(|_| Problem::later("the hub is ending", 5))?
        .map_err(|error| refusal(&error))?;
    let answered = Answered {
        id,
        agent_no: known.agent_no,
        outcome: read.outcome,
        detail: &read.detail,
        report: &read.report,
        snapshot: read.snapshot,
    };
    let stored = requests::answer(&*hub.store, answered, hub.clock.now_s()).await?;
    tracing::info!(request = %id, kind, outcome = outcome.name(), "an agent answered");
    Ok(stored)
}

/// What is to be stored of an answer.
#[derive(Debug)]
struct ToStore {
    outcome: Outcome,
    detail: String,
    report: String,
    snapshot: Option<NewSnapshot>,
}

fn read(asked: &Asked, reply: Reply) -> Result<ToStore, WireError> {
    let mut decompressor = Decompressor::new()?;
    let mut read = ToStore {
        outcome: reply.outcome,
        detail: reply.text.chars().filter(|c| !c.is_control()).collect(),
        report: String::new(),
        snapshot: None,
    };
    if asked.kind == "snapshot" && reply.outcome == Outcome::Done {
        let snapshot = Snapshot::decode(&reply.content, &mut decompressor)?;
        // The agent knows the service by its unit's name, with or without its ending.
        read.snapshot = Some(NewSnapshot {
            service: asked.service.clone(),
            taken_at: snapshot.taken_at_s,
            configuration: snapshot.configuration(),
            content: reply.content,
        });
    } else if asked.kind == "apply" && !reply.content.is_empty() {
        let report = Report::decode(&reply.content, &mut decompressor)?;
        read.report = serde_json::to_string(&report).unwrap_or_default();
    }
    Ok(read)
}

#[cfg(test)]
mod tests;
