//! The one route table: what there is, and what a caller needs for it. A route that is not in it does not exist, and
//! none in it can forget to ask who calls.

use super::{auth, problem::Problem};
use crate::api::{
    agents, alerts, answers, health, metrics, openapi, predictions, sandbox, snapshots, tokens,
};
use crate::auth::Scope;
use crate::hub::Hub;
use crate::ingest::{self, Intake};
use crate::page;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Extension, Router};
use std::sync::Arc;

/// The longest body of an API call, in bytes.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// What a caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it says nothing, or checks by itself (signatures, the page's sign-in).
    Open,
    /// An API key or access token with at least this scope.
    Needs(Scope),
}

/// One row of the table.
#[derive(Debug)]
pub struct Route {
    /// What a caller needs.
    pub access: Access,
    /// The path, as axum writes it.
    pub path: &'static str,
    handlers: MethodRouter<Arc<Hub>>,
}

/// The table.
pub fn table() -> Vec<Route> {
    use Access::{Needs, Open};
    use Scope::{Admin, Read, Sandbox};
    let rows: [(Access, &'static str, MethodRouter<Arc<Hub>>); 38] = [
        (Open, "/healthz", get(health::healthz)),
        (Open, arki_model::wire::INGEST_PATH, post(ingest::batch)),
        (Open, arki_model::wire::ENROLL_PATH, post(ingest::enroll)),
        (Open, arki_model::request::ANSWERS_PATH, post(answers::take)),
        (Needs(Read), "/metrics", get(health::metrics)),
        (Needs(Read), "/v1/openapi.json", get(openapi::document)),
        (Needs(Read), "/v1/agents", get(agents::list)),
        (Needs(Read), "/v1/agents/{id}", get(agents::get)),
        (Needs(Admin), "/v1/agents/{id}", delete(agents::revoke)),
        (
            Needs(Read),
            "/v1/agents/{id}/events",
            get(predictions::chain),
        ),
        (
            Needs(Sandbox),
            "/v1/agents/{id}/snapshots",
            post(snapshots::ask),
        ),
        (
            Needs(Read),
            "/v1/agents/{id}/snapshots",
            get(snapshots::list),
        ),
        (Needs(Read), "/v1/requests/{id}", get(snapshots::request)),
        (Needs(Read), "/v1/predictions", get(predictions::list)),
        (Needs(Read), "/v1/predictions/{id}", get(predictions::get)),
        (Needs(Read), "/v1/metrics", get(metrics::range)),
        (Needs(Read), "/v1/series", get(metrics::names)),
        (Needs(Read), "/v1/alerts", get(alerts::list)),
        (Needs(Read), "/v1/tokens", post(tokens::create)),
        (Needs(Admin), "/v1/tokens", get(tokens::list)),
        (Needs(Admin), "/v1/tokens/{id}", delete(tokens::revoke)),
        (Needs(Read), "/v1/sandbox/services", get(sandbox::services)),
        (Needs(Read), "/v1/sandbox/runs", get(sandbox::list)),
        (Needs(Sandbox), "/v1/sandbox/runs", post(sandbox::create)),
        (Needs(Read), "/v1/sandbox/runs/{id}", get(sandbox::get)),
        (
            Needs(Sandbox),
            "/v1/sandbox/runs/{id}/cancel",
            post(sandbox::cancel),
        ),
        (
            Needs(Sandbox),
            "/v1/sandbox/runs/{id}/decision",
            post(sandbox::decision),
        ),
        (Open, "/v1/hooks/sandbox", post(sandbox::hook)),
        (Open, "/", get(page::home)),
        (Open, "/hosts/{id}", get(page::host)),
        (Open, "/predictions/{id}", get(page::prediction)),
        (Open, "/sandbox/{id}", get(page::sandbox::run)),
        (Open, "/sign-in", get(page::session::form)),
        (Open, "/sign-in", post(page::session::sign_in)),
        (Open, "/sign-out", post(page::session::sign_out)),
        (Open, "/assets/page.css", get(page::assets::style)),
        (Open, "/assets/page.js", get(page::assets::script)),
        (Open, "/assets/icon.svg", get(page::assets::icon)),
    ];
    rows.into_iter()
        .map(|(access, path, handlers)| Route {
            access,
            path,
            handlers,
        })
        .collect()
}

/// The router of the table.
pub fn router(hub: &Arc<Hub>, intake: Intake) -> Router {
    let mut router = Router::new();
    for Route {
        access,
        path,
        handlers,
    } in table()
    {
        let handlers = match access {
            Access::Open => handlers,
            Access::Needs(scope) => {
                handlers.layer(from_fn_with_state((Arc::clone(hub), scope), auth::require))
            }
        };
        router = router.route(path, handlers);
    }
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take this method",
            )
        })
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(map_response(harden))
        .layer(Extension(intake))
        .with_state(Arc::clone(hub))
}

/// What every answer carries: nothing is guessed, framed, cached or sent on.
async fn harden(mut response: Response) -> Response {
    // axum's own refusals (a body that is no JSON, a query that does not parse) become problems too
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if response.status().is_client_error() && is_plain {
        response = super::problem::from_plain(response).await;
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_on_this_list_and_nothing_else() {
        let open: Vec<_> = table()
            .into_iter()
            .filter(|r| r.access == Access::Open)
            .map(|r| r.path)
            .collect();
        let expected = [
            "/healthz",
            "/v1/ingest",
            "/v1/enroll",
            "/v1/agent/answers",
            "/v1/hooks/sandbox",
            "/",
            "/hosts/{id}",
            "/predictions/{id}",
            "/sandbox/{id}",
            "/sign-in",
            "/sign-in",
            "/sign-out",
            "/assets/page.css",
            "/assets/page.js",
            "/assets/icon.svg",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn every_path_of_the_api_is_described_and_nothing_else_is() {
        let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let mut described: Vec<&str> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut there: Vec<&str> = table()
            .iter()
            .map(|route| route.path)
            .filter(|path| path.starts_with("/v1/") || ["/healthz", "/metrics"].contains(path))
            .collect();
        there.sort_unstable();
        there.dedup();
        described.sort_unstable();
        assert_eq!(described, there);
    }
}
