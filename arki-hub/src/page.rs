//! The built-in page: for who has no Grafana yet. Server-rendered, no framework, nothing from elsewhere.
//!
//! Every text that came from outside goes through [`html::text`]; the content security policy allows no inline script
//! or style, so that even a mistake there would not run.

use crate::auth::Caller;
use crate::hub::Hub;
use crate::server::{Peer, auth, problem::Problem};
use crate::store::predictions::{self, Which};
use crate::store::sandbox::Filter;
use crate::store::series::{self, Range};
use crate::store::{agents, alerts};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;

pub mod assets;
mod chart;
mod html;
mod render;
pub mod sandbox;
pub mod session;
#[cfg(test)]
mod tests;

/// Rows on the first page; the API has the rest.
const HOSTS_MAX: i64 = 500;
const PREDICTIONS_MAX: i64 = 100;
const ALERTS_MAX: i64 = 20;
/// Small charts on a host's page: what a person scrolls through.
const CHARTS_MAX: usize = 60;
/// What they show.
const CHART_S: i64 = 86_400;

/// `GET /`
pub async fn home(
    State(hub): State<Arc<Hub>>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match enter(&hub, peer, &uri, &headers).await {
        Err(response) => response,
        Ok(caller) => leave(&hub, &caller, write_home(&hub, &caller).await),
    }
}

/// `GET /hosts/{id}`
pub async fn host(
    State(hub): State<Arc<Hub>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match enter(&hub, peer, &uri, &headers).await {
        Err(response) => response,
        Ok(caller) => leave(&hub, &caller, write_host(&hub, &caller, &id).await),
    }
}

/// `GET /predictions/{id}`
pub async fn prediction(
    State(hub): State<Arc<Hub>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match enter(&hub, peer, &uri, &headers).await {
        Err(response) => response,
        Ok(caller) => leave(&hub, &caller, write_prediction(&hub, &caller, &id).await),
    }
}

async fn write_home(hub: &Hub, caller: &Caller) -> Result<String, Problem> {
    let store = &*hub.store;
    let mut active = predictions::list(store, Which::Active, "", i64::MAX, PREDICTIONS_MAX).await?;
    // the most urgent first; what has no time last
    active.sort_by_key(|p| p.fails_at().unwrap_or(i64::MAX));
    let hosts = agents::list(store, "", 0, HOSTS_MAX).await?;
    let told = alerts::list(store, "", "", i64::MAX, ALERTS_MAX).await?;
    let trials = sandbox::section(hub, &Filter::default()).await?;
    Ok(render::home(
        caller,
        &active,
        &hosts,
        &told,
        &trials,
        hub.clock.now_s(),
    ))
}

async fn write_host(hub: &Hub, caller: &Caller, id: &str) -> Result<String, Problem> {
    let store = &*hub.store;
    let missing = || Problem::missing("host");
    let bytes: [u8; 16] = arki_model::hex::decode(id).ok_or_else(missing)?;
    let agent = agents::by_id(store, &bytes).await?.ok_or_else(missing)?;
    let now_s = hub.clock.now_s();
    let latest = series::latest(store, agent.agent_no)
        .await?
        .map(|(_, all)| all);
    let mut charts = Vec::new();
    for one in latest.unwrap_or_default().into_iter().take(CHARTS_MAX) {
        let range = Range {
            agent_no: agent.agent_no,
            series: &one.series,
            from: now_s - CHART_S,
            to: now_s + 1,
            limit: 1_000,
        };
        let points = store.samples(&range).await?;
        charts.push((one, points));
    }
    let all = predictions::list(store, Which::All, &agent.host, i64::MAX, ALERTS_MAX).await?;
    let own: Vec<_> = all
        .into_iter()
        .filter(|p| p.agent_id == agent.agent_id)
        .collect();
    Ok(render::host(caller, &agent, &own, &charts, now_s))
}

async fn write_prediction(hub: &Hub, caller: &Caller, id: &str) -> Result<String, Problem> {
    let missing = || Problem::missing("prediction");
    let bytes: [u8; 16] = arki_model::hex::decode(&id.replace('-', "")).ok_or_else(missing)?;
    let found = predictions::by_event(&*hub.store, &bytes)
        .await?
        .ok_or_else(missing)?;
    let filter = Filter {
        prediction_id: Some(found.event_id.clone()),
        ..Filter::default()
    };
    let trials = sandbox::section(hub, &filter).await?;
    Ok(render::prediction(
        caller,
        &found,
        &trials,
        hub.clock.now_s(),
    ))
}

/// Who is signed in; the form for who is not, and from there on to `uri`.
async fn enter(hub: &Hub, peer: Peer, uri: &Uri, headers: &HeaderMap) -> Result<Caller, Response> {
    let next = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    if auth::cookie(headers).is_none() {
        return Err(guarded(session::first(next)));
    }
    auth::check(hub, headers, peer.0.ip())
        .await
        .map_err(|problem| {
            guarded(if problem.status == StatusCode::UNAUTHORIZED {
                session::ended(next)
            } else {
                failed(&problem)
            })
        })
}

fn leave(hub: &Hub, caller: &Caller, written: Result<String, Problem>) -> Response {
    let mut response = match written {
        Ok(content) => Html(content).into_response(),
        Err(problem) => failed(&problem),
    };
    session::renew(hub, caller, &mut response);
    guarded(response)
}

fn failed(problem: &Problem) -> Response {
    (problem.status, Html(render::failed(problem))).into_response()
}

/// Nothing inline, nothing from elsewhere, in no frame.
fn guarded(mut response: Response) -> Response {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    response
}
