//! Who may do what: scopes, API keys, one-time tokens, short-lived access tokens.

use arki_model::clock::UnixSeconds;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

pub mod failures;
pub mod jwt;

/// What an API key begins with: leaked ones are found by it.
pub const KEY_PREFIX: &str = "arki_key_";
/// What an enrolment token begins with.
pub const TOKEN_PREFIX: &str = "arki_enrol_";
/// Access tokens end after a quarter of an hour: a panel asks for the next one by itself.
pub const ACCESS_TTL_S: i64 = 900;

/// A session of the page is renewed while it is looked at, but not beyond a long shift: a cookie that was stolen ends.
pub const SESSION_MAX_S: i64 = 12 * 3_600;

/// What a key may do; each includes the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look.
    Read,
    /// Look, and request trials.
    Sandbox,
    /// Everything: keys, tokens, agents.
    Admin,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Sandbox => "sandbox",
            Self::Admin => "admin",
        })
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read" => Ok(Self::Read),
            "sandbox" => Ok(Self::Sandbox),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("{text:?} is no scope: read, sandbox or admin")),
        }
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The API key's number.
    pub key_no: i64,
    /// The API key's name.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// True if it showed the key itself, and not an access token that was got with it.
    pub has_key: bool,
    /// When the session of the page began that it came with.
    pub session_since: Option<UnixSeconds>,
    /// Whom the holder of the key speaks for, by its own word: Grafana names its user (`X-Grafana-User`).
    pub user: Option<String>,
}

impl Caller {
    /// Who it was, for people: the key's name, and whom its holder spoke for.
    pub fn signature(&self) -> String {
        match &self.user {
            Some(user) => format!("{}/{user}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The digest by which a key or token is stored and found.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Finds out who presents `credential` (an API key or an access token) at `now_s`; `None` if nobody.
/// The key itself is looked up each time, so that a revoked key, and every access token that was got with it,
/// is refused from that moment on.
pub async fn caller(
    store: &dyn crate::store::Store,
    jwt: &jwt::Jwt,
    credential: &str,
    now_s: UnixSeconds,
) -> Result<Option<Caller>, crate::store::StoreError> {
    use crate::store::keys;
    let mut session_since = None;
    let (key, scope) = if credential.starts_with(KEY_PREFIX) {
        (keys::by_digest(store, digest(credential)).await?, None)
    } else if let Some(claims) = jwt.verify(credential, now_s) {
        session_since = claims.auth_time;
        (
            keys::by_number(store, claims.key_no()).await?,
            Some(claims.scope),
        )
    } else {
        (None, None)
    };
    Ok(key.filter(|key| key.is_valid(now_s)).map(|key| Caller {
        key_no: key.key_no,
        scope: scope.map_or(key.scope, |scope| scope.min(key.scope)),
        has_key: scope.is_none(),
        session_since,
        user: None,
        name: key.name,
    }))
}
