//! Ingest: from a request to what is stored and acknowledged.
//!
//! ```text
//! request -> body (capped) -> queue (bounded; full: 503) -> group of many
//!         -> keys of all agents in one question -> signature -> decompression -> decoding   (on blocking threads)
//!         -> names of series -> one transaction for the whole group -> acknowledgement of each
//! ```
//!
//! While one group is being committed the next one gathers by itself, so a group is as large as the load makes it
//! and a single batch waits for nobody. Nothing of a batch is looked at before its signature was checked.

use crate::hub::Hub;
use crate::server::auth;
use crate::server::body::{self, Held};
use crate::server::problem::Problem;
use crate::store::agents::{self, Newcomer};
use crate::{auth::digest, random};
use arki_model::wire::enroll::{ENROLLMENT_BYTES_MAX, Enrolled, Enrollment};
use arki_model::wire::{Acknowledgement, AgentId, BATCH_TYPE, BODY_BYTES_MAX, WireError, problem};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::{Extension, Json};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};

mod decode;
mod group;
mod keys;
mod record;
mod said;
mod sets;

/// One batch that waits to be stored.
#[derive(Debug)]
struct Job {
    body: Held,
    reply: oneshot::Sender<Result<Acknowledgement, Problem>>,
}

/// Where batches are handed in.
#[derive(Debug, Clone)]
pub struct Intake {
    queue: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
}

impl Intake {
    /// Starts the tasks that store batches; they end when the last intake is dropped.
    pub fn start(hub: &Arc<Hub>) -> Self {
        let limits = &hub.config.limits;
        let (queue, waiting) = mpsc::channel(limits.batches_waiting as usize);
        group::start(hub, waiting);
        let room = Arc::new(Semaphore::new(limits.body_bytes_in_flight as usize));
        Self { queue, room }
    }

    /// The room for bodies, which all that takes large ones share.
    pub(crate) fn room(&self) -> &Arc<Semaphore> {
        &self.room
    }

    /// Bytes of bodies that there is still room for.
    pub fn room_bytes(&self) -> usize {
        self.room.available_permits()
    }
}

/// `POST /v1/ingest`
pub async fn batch(
    State(hub): State<Arc<Hub>>,
    Extension(intake): Extension<Intake>,
    request: Request,
) -> Result<Json<Acknowledgement>, Problem> {
    if request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind != BATCH_TYPE)
    {
        let detail = format!("a batch comes as {BATCH_TYPE}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let deferred = |problem: Problem| {
        hub.counters
            .batches_deferred_total
            .add(u64::from(problem.retry_after_s.is_some()));
        problem
    };
    let body = body::read(request.into_body(), BODY_BYTES_MAX, &intake.room)
        .await
        .map_err(deferred)?;
    let (reply, answer) = oneshot::channel();
    intake
        .queue
        .try_send(Job { body, reply })
        .map_err(|_| deferred(Problem::later("the hub is busy; send it again later", 5)))?;
    let answer = answer
        .await
        .map_err(|_| Problem::later("the hub is ending", 5))?;
    answer.map(Json).map_err(deferred)
}

/// `POST /v1/enroll`
pub async fn enroll(
    State(hub): State<Arc<Hub>>,
    Extension(intake): Extension<Intake>,
    request: Request,
) -> Result<Json<Enrolled>, Problem> {
    let address = auth::client(&hub, auth::peer(&request), request.headers());
    auth::wait(&hub, address)?;
    let body = body::read(request.into_body(), ENROLLMENT_BYTES_MAX, &intake.room).await?;
    let asked = Enrollment::open(&body.bytes).map_err(|error| refusal(&error))?;
    if asked.host.is_empty() || asked.host.chars().any(char::is_control) {
        return Err(
            Problem::bad("a host's name has no control characters").of_kind(problem::MALFORMED)
        );
    }
    let newcomer = Newcomer {
        token: digest(&asked.token),
        agent_id: random::bytes(),
        host: &asked.host,
        version: &asked.agent_version,
        public_key: *asked.public_key.as_bytes(),
    };
    let Some(agent_id) = agents::enrol(&*hub.store, newcomer, hub.clock.now_s()).await? else {
        hub.counters.sign_in_failures_total.add(1);
        hub.failures.note(address, hub.clock.monotonic());
        let detail = "the token is unknown, used or too old, or the key is known already: make another token \
                      with `arki-hub agent token`";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail).of_kind(problem::TOKEN));
    };
    tracing::info!(host = ?asked.host, key = %asked.public_key, "an agent enrolled");
    let (agent_id, hub_key) = (AgentId(agent_id), hub.key.public().to_hex());
    Ok(Json(Enrolled { agent_id, hub_key }))
}

/// What is wrong with bytes, as the wire's table of problems says it.
pub(crate) fn refusal(error: &WireError) -> Problem {
    let (status, kind) = match error {
        WireError::Version(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, problem::VERSION),
        WireError::Limit { .. } => (StatusCode::PAYLOAD_TOO_LARGE, problem::TOO_LARGE),
        WireError::Signature(_) => (StatusCode::UNAUTHORIZED, problem::SIGNATURE),
        _ => (StatusCode::BAD_REQUEST, problem::MALFORMED),
    };
    Problem::new(status, error.to_string()).of_kind(kind)
}

#[cfg(test)]
mod tests;
