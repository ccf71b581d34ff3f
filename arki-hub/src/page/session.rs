//! Signing in with an API key. The browser gets a short-lived access token in a cookie that scripts cannot read and
//! other sites cannot send; it is renewed while the page is looked at, and ends with the key.

use super::{guarded, render};
use crate::auth::Caller;
use crate::hub::Hub;
use crate::server::{Peer, auth};
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// What the form sends.
#[derive(Deserialize)]
pub struct Credentials {
    key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// `GET /sign-in`
pub async fn form() -> Response {
    guarded(Html(render::sign_in("")).into_response())
}

/// `POST /sign-in`
pub async fn sign_in(
    State(hub): State<Arc<Hub>>,
    axum::Extension(Peer(peer)): axum::Extension<Peer>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Response {
    let refused =
        |status, said: &str| guarded((status, Html(render::sign_in(said))).into_response());
    if is_from_elsewhere(&headers) {
        return refused(StatusCode::FORBIDDEN, "This form came from another site.");
    }
    let address = auth::client(&hub, peer.ip(), &headers);
    if let Err(problem) = auth::wait(&hub, address) {
        return refused(problem.status, &problem.detail);
    }
    match auth::identify(&hub, credentials.key.trim(), address).await {
        Ok(Some(caller)) => {
            let mut response = Redirect::to("/").into_response();
            renew(&hub, &caller, &mut response);
            guarded(response)
        }
        Ok(None) => refused(
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
                Html(render::sign_in("This form came from another site.")),
            )
                .into_response(),
        );
    }
    guarded(ended())
}

/// Back to the form, without a cookie.
pub(super) fn ended() -> Response {
    let mut response = Redirect::to("/sign-in").into_response();
    set(&mut response, "", 0, false);
    response
}

/// Gives the browser a fresh token.
pub(super) fn renew(hub: &Hub, caller: &Caller, response: &mut Response) {
    let now_s = hub.clock.now_s();
    let is_secure = hub.config.public_url.starts_with("https://")
        || !hub.config.tls.key_file.as_os_str().is_empty();
    if let Ok((token, ends)) = hub.jwt.issue(caller.key_no, caller.scope, now_s) {
        set(response, &token, ends - now_s, is_secure);
    }
}

fn set(response: &mut Response, token: &str, seconds: i64, is_secure: bool) {
    let secure = if is_secure { "; Secure" } else { "" };
    let name = auth::COOKIE;
    let cookie =
        format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
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
