//! Bodies: read in parts, never more than allowed, never more of all together than the hub has room for.

use super::problem::Problem;
use axum::body::Body;
use axum::http::StatusCode;
use bytes::BytesMut;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For a whole body: 1 MiB at 50 KB/s.
const TIME: Duration = Duration::from_secs(20);

/// A body, and the room that it takes until it is dropped.
#[derive(Debug)]
pub struct Held {
    /// The bytes.
    pub bytes: BytesMut,
    room: Option<OwnedSemaphorePermit>,
}

/// Reads `body`, at most `bytes_max` of it, taking the room for each part from `room`.
pub async fn read(body: Body, bytes_max: usize, room: &Arc<Semaphore>) -> Result<Held, Problem> {
    tokio::time::timeout(TIME, parts(body, bytes_max, room))
        .await
        .map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly"))?
}

async fn parts(mut body: Body, bytes_max: usize, room: &Arc<Semaphore>) -> Result<Held, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a body has at most {bytes_max} bytes"),
        )
        .of_kind(arki_model::wire::problem::TOO_LARGE)
    };
    // what is announced is refused before it is sent
    if http_body::Body::size_hint(&body).lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let mut held = Held {
        bytes: BytesMut::new(),
        room: None,
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad("the body ended early"))?;
        let Ok(part) = frame.into_data() else {
            continue;
        };
        if held.bytes.len() + part.len() > bytes_max {
            return Err(too_large());
        }
        let permits = u32::try_from(part.len()).map_err(|_| too_large())?;
        let taken = Arc::clone(room)
            .try_acquire_many_owned(permits)
            .map_err(|_| Problem::later("the hub is busy; send it again later", 5))?;
        match &mut held.room {
            Some(held) => held.merge(taken),
            None => held.room = Some(taken),
        }
        held.bytes.extend_from_slice(&part);
    }
    Ok(held)
}
