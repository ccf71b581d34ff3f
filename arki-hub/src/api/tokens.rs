//! `/v1/tokens`: access tokens for whoever has a key; keys and enrolment tokens for administrators.

use super::{Page, Paging, agents::find};
use crate::auth::{self, Caller, Scope};
use crate::hub::Hub;
use crate::random;
use crate::server::problem::Problem;
use crate::store::{keys, tokens};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An enrolment token lives a month at most: what is not used by then is forgotten somewhere.
const TTL_S_MAX: i64 = 31 * 86_400;
const TTL_S_DEFAULT: i64 = 3_600;
const NAME_BYTES_MAX: usize = 100;

/// What is to be made.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Wish {
    /// A short-lived access token (JWT) with the caller's scope or less.
    Access {
        /// What it may do; by default what the caller may.
        scope: Option<Scope>,
    },
    /// An API key.
    Key {
        /// What it is for.
        name: String,
        /// What it may do.
        scope: Scope,
        /// How long it lives; by default until it is revoked.
        ttl_seconds: Option<i64>,
    },
    /// A one-time token to enrol an agent, or to give one its next key.
    Enrolment {
        /// How long it lives.
        ttl_seconds: Option<i64>,
        /// The agent whose key it rotates; by default it enrols a new one.
        agent: Option<String>,
    },
}

/// What was made; the token is shown this once.
#[derive(Debug, Serialize)]
pub struct Made {
    id: Option<String>,
    token: String,
    expires_at: Option<i64>,
}

/// `POST /v1/tokens`
pub async fn create(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let now_s = hub.clock.now_s();
    if !caller.has_key {
        // Else a token that leaked would renew itself for ever, and make keys that outlive the one it was got with.
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "tokens are made with an API key itself, not with an access token or a session",
        ));
    }
    let is_admin = caller.scope == Scope::Admin;
    let made = match wish {
        Wish::Access { scope } => access(&hub, &caller, scope, now_s)?,
        _ if !is_admin => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this needs a key with the scope admin",
            ));
        }
        Wish::Key {
            name,
            scope,
            ttl_seconds,
        } => key(&hub, &name, scope, ttl_seconds, now_s).await?,
        Wish::Enrolment { ttl_seconds, agent } => {
            enrolment(&hub, agent.as_deref(), ttl_seconds, now_s).await?
        }
    };
    Ok((StatusCode::CREATED, Json(made)))
}

fn access(hub: &Hub, caller: &Caller, scope: Option<Scope>, now_s: i64) -> Result<Made, Problem> {
    let scope = scope.unwrap_or(caller.scope).min(caller.scope);
    let (token, ends) = hub
        .jwt
        .issue(caller.key_no, scope, None, now_s)
        .map_err(|error| {
            tracing::error!(%error, "an access token could not be signed");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the token could not be signed",
            )
        })?;
    Ok(Made {
        id: None,
        token,
        expires_at: Some(ends),
    })
}

async fn key(
    hub: &Hub,
    name: &str,
    scope: Scope,
    ttl_s: Option<i64>,
    now_s: i64,
) -> Result<Made, Problem> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(Problem::bad(format!(
            "`name` has 1 to {NAME_BYTES_MAX} bytes and no control characters"
        )));
    }
    if ttl_s.is_some_and(|ttl_s| !(1..=10 * 366 * 86_400).contains(&ttl_s)) {
        return Err(Problem::bad("`ttl_seconds` is 1 second to ten years"));
    }
    let (token, expires_at) = (
        random::token(auth::KEY_PREFIX),
        ttl_s.map(|ttl_s| now_s + ttl_s),
    );
    let key_no = keys::create(
        &*hub.store,
        auth::digest(&token),
        (name, scope),
        expires_at,
        now_s,
    )
    .await?;
    Ok(Made {
        id: Some(format!("key-{key_no}")),
        token,
        expires_at,
    })
}

async fn enrolment(
    hub: &Hub,
    agent: Option<&str>,
    ttl_s: Option<i64>,
    now_s: i64,
) -> Result<Made, Problem> {
    let ttl_s = ttl_s.unwrap_or(TTL_S_DEFAULT);
    if !(1..=TTL_S_MAX).contains(&ttl_s) {
        return Err(Problem::bad("`ttl_seconds` is 1 second to 31 days"));
    }
    let agent_no = match agent {
        Some(id) => Some(find(hub, id).await?.agent_no),
        None => None,
    };
    let token = random::token(auth::TOKEN_PREFIX);
    let ends = now_s + ttl_s;
    let token_no = tokens::create(&*hub.store, auth::digest(&token), agent_no, ends, now_s).await?;
    Ok(Made {
        id: Some(format!("enrolment-{token_no}")),
        token,
        expires_at: Some(ends),
    })
}

/// One key or token, without itself.
#[derive(Debug, Serialize)]
pub struct Shown {
    id: String,
    kind: &'static str,
    name: String,
    scope: Option<Scope>,
    created_at: i64,
    expires_at: Option<i64>,
    used_at: Option<i64>,
    revoked_at: Option<i64>,
}

/// Which kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    kind: String,
}

/// `GET /v1/tokens`
pub async fn list(
    State(hub): State<Arc<Hub>>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, after) = paging.bounds(0)?;
    match filter.kind.as_str() {
        "" | "key" => {
            let rows = keys::list(&*hub.store, after, limit).await?;
            Ok(Json(Page::of(rows, limit, |row| row.key_no, show_key)))
        }
        "enrolment" => {
            let rows = tokens::list(&*hub.store, after, limit).await?;
            Ok(Json(Page::of(rows, limit, |row| row.token_no, show_token)))
        }
        _ => Err(Problem::bad("`kind` is key or enrolment")),
    }
}

/// `DELETE /v1/tokens/{id}`
pub async fn revoke(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::missing("key or token that still opens something");
    let (kind, number) = id.split_once('-').ok_or_else(missing)?;
    let number: i64 = number.parse().map_err(|_| missing())?;
    let done = match kind {
        "key" => keys::revoke(&*hub.store, number, hub.clock.now_s()).await?,
        "enrolment" => tokens::revoke(&*hub.store, number).await?,
        _ => false,
    };
    if done {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(missing())
    }
}

fn show_key(key: keys::Key) -> Shown {
    Shown {
        id: format!("key-{}", key.key_no),
        kind: "key",
        name: key.name,
        scope: Some(key.scope),
        created_at: key.created_at,
        expires_at: key.expires_at,
        used_at: None,
        revoked_at: key.revoked_at,
    }
}

fn show_token(token: tokens::Token) -> Shown {
    Shown {
        id: format!("enrolment-{}", token.token_no),
        kind: "enrolment",
        name: token.host.unwrap_or_default(),
        scope: None,
        created_at: token.created_at,
        expires_at: Some(token.expires_at),
        used_at: token.used_at,
        revoked_at: None,
    }
}
