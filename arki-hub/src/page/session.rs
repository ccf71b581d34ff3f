//! Signing in with an API key. The browser gets a short-lived access token in a cookie that scripts cannot read, and that
//! goes with nothing that other sites ask for but a link that a person follows (from a notification, say: such a request
//! only looks); it is renewed while the page is looked at, for half a day at most, and ends with the key.

use super::{guarded, render};
use crate::auth::{Caller, SESSION_MAX_S};
use crate::hub::Hub;
use crate::server::{Peer, auth};
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use reqwest::Url;
use serde::Deserialize;
use std::sync::Arc;

/// What the form sends.
#[derive(Deserialize)]
pub struct Credentials {
    key: String,
    #[serde(default)]
    next: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Where a person wanted to go.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    next: String,
}

/// The longest way on, in bytes: a prediction's has 50.
const NEXT_BYTES_MAX: usize = 500;

/// `GET /sign-in`
pub async fn form(Query(wanted): Query<Wanted>) -> Response {
    guarded(Html(render::sign_in("", local(&wanted.next))).into_response())
}

/// A way within this hub, or the first page: what is behind `//` or `\` is another server to a browser.
fn local(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= NEXT_BYTES_MAX
        && next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if is_local { next } else { "/" }
}

/// `POST /sign-in`
pub async fn sign_in(
    State(hub): State<Arc<Hub>>,
    axum::Extension(Peer(peer)): axum::Extension<Peer>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Response {
    let next = local(&credentials.next);
    let refused =
        |status, said: &str| guarded((status, Html(render::sign_in(said, next))).into_response());
    if is_from_elsewhere(&headers) {
        return refused(StatusCode::FORBIDDEN, "This form came from another site.");
    }
    let address = auth::client(&hub, peer.ip(), &headers);
    match auth::identify(&hub, credentials.key.trim(), address).await {
        Ok(caller) if !caller.has_key => refused(
            StatusCode::UNAUTHORIZED,
            "This is an access token: it ends by itself. Sign in with the key.",
        ),
        Ok(caller) => {
            let mut response = Redirect::to(next).into_response();
            renew(&hub, &caller, &mut response);
            guarded(response)
        }
        Err(problem) if problem.status == StatusCode::UNAUTHORIZED => refused(
            StatusCode::UNAUTHORIZED,
            "This key opens nothing: it is wrong, revoked or too old.",
        ),
        Err(problem) => refused(problem.status, &problem.detail),
    }
}

/// `POST /sign-out`
pub async fn sign_out(headers: HeaderMap) -> Response {
    if is_from_elsewhere(&headers) {
        return guarded(
            (
                StatusCode::FORBIDDEN,
                Html(render::sign_in("This form came from another site.", "/")),
            )
                .into_response(),
        );
    }
    guarded(ended("/"))
}

/// To the form, and from there to where the person wanted to go.
pub(super) fn first(next: &str) -> Response {
    let next = local(next);
    let with_next = Url::parse_with_params("http://hub/sign-in", [("next", next)]);
    match with_next.as_ref().ok().and_then(Url::query) {
        Some(query) if next != "/" => Redirect::to(&format!("/sign-in?{query}")).into_response(),
        _ => Redirect::to("/sign-in").into_response(),
    }
}

/// The same, without a cookie.
pub(super) fn ended(next: &str) -> Response {
    let mut response = first(next);
    set(&mut response, "", 0, false);
    response
}

/// Gives the browser a fresh token: who has just shown a key, or has a session that is not too old. An access token that
/// was put into a cookie is none.
pub(super) fn renew(hub: &Hub, caller: &Caller, response: &mut Response) {
    let now_s = hub.clock.now_s();
    let since = caller.session_since.or(caller.has_key.then_some(now_s));
    let Some(since) = since.filter(|since| since + SESSION_MAX_S > now_s) else {
        return;
    };
    let is_secure = hub.config.public_url.starts_with("https://")
        || !hub.config.tls.key_file.as_os_str().is_empty();
    if let Ok((token, ends)) = hub
        .jwt
        .issue(caller.key_no, caller.scope, Some(since), now_s)
    {
        set(response, &token, ends - now_s, is_secure);
    }
}

fn set(response: &mut Response, token: &str, seconds: i64, is_secure: bool) {
    let secure = if is_secure { "; Secure" } else { "" };
    let name = auth::COOKIE;
    let cookie =
        format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}

/// A browser says where a form stood; other programs say nothing.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (word("sec-fetch-site"), word("origin"), word("host")) {
        (Some(site), ..) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin), Some(host)) => origin
            .split_once("://")
            .is_none_or(|(_, from)| from != host),
        _ => false,
    }
}
