//! Why a hub refuses, as `application/problem+json` (RFC 9457), and what an agent does about it.
//!
//! | type (`urn:arki:problem:`…) | status | the agent |
//! | --- | --- | --- |
//! | `malformed`, `too-large`, `version` | 400, 413, 415 | sets a single record aside; halves a batch of several |
//! | `agent-unknown`, `signature` | 401 | stops shipping and says so: enrol again |
//! | `agent-revoked` | 403 | the same |
//! | `series-unknown` | 409 | sends the batch again with the names |
//! | `sequence-reused` | 409 | begins a new epoch: its state directory was copied or restored |
//! | `token` | 401 | (enrolment) says that the token is unknown, used or too old |
//! | `busy` | 503, 429 | waits as `Retry-After` says |
//!
//! Anything else is retried with back-off.

use serde::{Deserialize, Serialize};

/// What every type begins with.
pub const PREFIX: &str = "urn:arki:problem:";

/// Not a message.
pub const MALFORMED: &str = "urn:arki:problem:malformed";
/// Longer than allowed.
pub const TOO_LARGE: &str = "urn:arki:problem:too-large";
/// A layout of the future.
pub const VERSION: &str = "urn:arki:problem:version";
/// No agent with this id.
pub const AGENT_UNKNOWN: &str = "urn:arki:problem:agent-unknown";
/// The signature is not that of the agent's key.
pub const SIGNATURE: &str = "urn:arki:problem:signature";
/// The agent's key was revoked.
pub const AGENT_REVOKED: &str = "urn:arki:problem:agent-revoked";
/// A digest of names that the hub has never seen.
pub const SERIES_UNKNOWN: &str = "urn:arki:problem:series-unknown";
/// The same (agent, epoch, number) with other bytes.
pub const SEQUENCE_REUSED: &str = "urn:arki:problem:sequence-reused";
/// An enrolment token that is unknown, used or too old.
pub const TOKEN: &str = "urn:arki:problem:token";
/// Not now; `Retry-After` says when.
pub const BUSY: &str = "urn:arki:problem:busy";

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which, for programs: one of the constants of this module.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// Which, for people.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// This case of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What RFC 9457 says a missing type is.
fn about_blank() -> String {
    "about:blank".to_owned()
}

impl Problem {
    /// A problem of `kind`.
    pub fn new(kind: &str, status: u16, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            title: title.to_owned(),
            status,
            detail: detail.into(),
        }
    }
}
