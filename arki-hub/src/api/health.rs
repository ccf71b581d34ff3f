//! `/healthz` for load balancers, `/metrics` for Prometheus.

use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::queue;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /healthz`: 200 where the database answers, 503 where not. Says nothing that a stranger may not know.
pub async fn healthz(State(hub): State<Arc<Hub>>) -> Result<Json<Value>, Problem> {
    hub.store.query("SELECT 1", &[]).await?;
    Ok(Json(json!({ "status": "ok" })))
}

/// `GET /metrics`
pub async fn metrics(State(hub): State<Arc<Hub>>) -> Result<impl IntoResponse, Problem> {
    let (waiting, given_up) = queue::counts(&*hub.store).await?;
    let mut text = hub.counters.text();
    for (name, help, value) in [
        (
            "messages_waiting",
            "Messages that wait to be sent, all hubs together.",
            waiting,
        ),
        (
            "messages_given_up",
            "Messages that could not be sent, all hubs together.",
            given_up,
        ),
    ] {
        let gauge = format!(
            "# HELP arki_hub_{name} {help}\n# TYPE arki_hub_{name} gauge\narki_hub_{name} {value}\n"
        );
        text.push_str(&gauge);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}
