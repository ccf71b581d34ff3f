//! What a hub asks of an agent, and what the agent answers.
//!
//! ```text
//! POST /v1/ingest          -> Acknowledgement with `requests_waiting`: there is something to fetch
//! POST /v1/agent/answers   application/vnd.arki.answer+msgpack   -> 200 application/json   Heard
//!
//! Heard   = {"stored": bool, "requests": ["<DSSE line>", ...]}       at most REQUESTS_MAX, within ANSWER_BYTES_MAX
//! request = DSSE of REQUEST_TYPE, signed by the hub's key; payload: a Request in MessagePack with names
//!
//! body    = [signed: bin, signature: bin 64]                         signed by the agent's key, as ANSWER_TYPE
//! signed  = [version, agent: bin 16, sent_at_s: int, request: bin 16 | bin 0, outcome: uint, text: str, content: bin]
//! content = zstd of a `snapshot`, or of an applied command's report; empty otherwise
//! ```
//!
//! The hub never connects to an agent: a body without a request's id only asks what there is to do. Invariants: an
//! agent does nothing that is not signed by the key it pinned at its enrolment, names this very agent, and has not
//! ended; a hub stores one answer to each request and for ever says so when it comes again, so that an answer that
//! was lost on its way is sent again without harm. The two signatures cover different types and can never stand for
//! each other, for a batch or for an event.

mod report;

pub use report::Report;

use crate::clock::UnixSeconds;
use crate::dsse::{self, LineError};
use crate::hex;
use crate::signature::{PrivateKey, PublicKey, SignatureError, Signed};
use crate::wire::pack::{Reader, Writer};
use crate::wire::{AgentId, VERSION, WireError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Where answers go and requests come from.
pub const ANSWERS_PATH: &str = "/v1/agent/answers";
/// The payload type of a request.
pub const REQUEST_TYPE: &str = "application/vnd.arki.request+msgpack";
/// The content type of an answer, and the type that its signature covers.
pub const ANSWER_TYPE: &str = "application/vnd.arki.answer+msgpack";
/// The layout of a request.
const REQUEST_VERSION: u8 = 1;
/// The largest payload of a request: with a receipt of a usual command 2 KiB. One of this size fits an answer of
/// [`crate::wire::ANSWER_BYTES_MAX`].
pub const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Requests that an agent is given at one time.
pub const REQUESTS_MAX: usize = 4;
/// The longest body of an answer: [`crate::snapshot::BYTES_MAX`] of configuration at the ratio of 2.5 that text reaches
/// at the least.
pub const ANSWER_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The longest word of an agent about how it went, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024;
/// The longest name of a service, in bytes.
pub const SERVICE_BYTES_MAX: usize = 128;
/// A request made in the future by more than this was signed by a clock that is wrong, in seconds.
const AHEAD_S: i64 = 300;

/// A request's identifier: sixteen random bytes; shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub [u8; 16]);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl FromStr for RequestId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::decode(text)
            .map(Self)
            .ok_or("a request's id has 32 hexadecimal digits")
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// A copy of this service's configuration, as the agent's own configuration permits it.
    Snapshot {
        /// The service.
        service: String,
    },
    /// To apply what was tried.
    Apply {
        /// A receipt, as [`crate::receipt::Receipt::seal`] wrote it.
        receipt: String,
        /// The series whose prediction it is to avert, to be watched afterwards; empty if none.
        series: String,
    },
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The layout.
    version: u8,
    /// Its name.
    pub id: RequestId,
    /// Who is asked; nobody else may do it.
    pub agent: AgentId,
    /// When it was made.
    pub made_at_s: UnixSeconds,
    /// From when on it is not to be done any more.
    pub expires_at_s: UnixSeconds,
    /// What is asked.
    pub order: Order,
}

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Not an envelope.
    #[error("the request is no envelope: {0}")]
    Envelope(#[from] LineError),
    /// Not signed by the hub.
    #[error(
        "the request is not signed by the hub that this agent enrolled with ({0}); if the hub was set up anew, enrol again"
    )]
    Signature(#[from] SignatureError),
    /// Signed, but no request.
    #[error("the request cannot be read: {0}")]
    Payload(String),
    /// Of another agent.
    #[error("the request is for agent {0}")]
    Agent(AgentId),
    /// Too old.
    #[error("the request ended {0} s ago")]
    Expired(i64),
    /// From the future.
    #[error("the request is {0} s in the future: the clock of the hub or of this host is wrong")]
    Ahead(i64),
}

impl Request {
    /// A request that ends at `expires_at_s`.
    pub fn new(
        id: RequestId,
        agent: AgentId,
        times: std::ops::Range<UnixSeconds>,
        order: Order,
    ) -> Self {
        Self {
            version: REQUEST_VERSION,
            id,
            agent,
            made_at_s: times.start,
            expires_at_s: times.end,
            order,
        }
    }

    /// Signs it: one DSSE envelope as a line of JSON.
    pub fn seal(&self, key: &PrivateKey) -> Result<String, RequestError> {
        let unreadable = |error: String| RequestError::Payload(error);
        let payload = rmp_serde::to_vec_named(self).map_err(|e| unreadable(e.to_string()))?;
        limit(payload.len())?;
        let signed = Signed::new(key, REQUEST_TYPE, payload);
        dsse::to_line(&signed, &key.public()).map_err(|e| unreadable(e.to_string()))
    }

    /// Reads what [`Self::seal`] wrote, and believes it only if `hub` signed it, for `agent`, and it stands at `now_s`.
    pub fn open(
        line: &str,
        hub: &PublicKey,
        agent: AgentId,
        now_s: UnixSeconds,
    ) -> Result<Self, RequestError> {
        let signed = dsse::from_line(line)?;
        signed.verify(hub, REQUEST_TYPE)?;
        limit(signed.payload.len())?;
        let request: Self = rmp_serde::from_slice(&signed.payload)
            .map_err(|error| RequestError::Payload(error.to_string()))?;
        if request.version != REQUEST_VERSION {
            let text = "it has another layout: install the newer agent";
            return Err(RequestError::Payload(text.to_owned()));
        }
        if request.agent != agent {
            return Err(RequestError::Agent(request.agent));
        }
        if now_s >= request.expires_at_s {
            return Err(RequestError::Expired(now_s - request.expires_at_s));
        }
        if request.made_at_s > now_s + AHEAD_S {
            return Err(RequestError::Ahead(request.made_at_s - now_s));
        }
        Ok(request)
    }
}

fn limit(bytes: usize) -> Result<(), RequestError> {
    if bytes > REQUEST_BYTES_MAX {
        return Err(RequestError::Payload(format!(
            "{bytes} bytes are more than {REQUEST_BYTES_MAX}"
        )));
    }
    Ok(())
}

/// What the hub says to an answer, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// True if the answer is stored, now or since it came first; false for one to a request that is not known.
    #[serde(default)]
    pub stored: bool,
    /// What there is to do, each a signed line.
    #[serde(default)]
    pub requests: Vec<String>,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done = 1,
    /// This agent does not do that; nothing was touched.
    Refused = 2,
    /// It was begun and did not succeed.
    Failed = 3,
}

impl Outcome {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// To which request.
    pub request: RequestId,
    /// How it went.
    pub outcome: Outcome,
    /// In words: why not, or what a person should know.
    pub text: String,
    /// Compressed: what was asked for.
    pub content: Vec<u8>,
}

/// What an agent sends: an answer, or only the question what there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub agent: AgentId,
    /// The agent's clock.
    pub sent_at_s: UnixSeconds,
    /// The answer; `None` asks what there is to do.
    pub reply: Option<Reply>,
}

impl Answer {
    /// The body of the request, signed.
    pub fn seal(&self, key: &PrivateKey) -> Result<Vec<u8>, WireError> {
        let mut signed = Writer::default();
        signed
            .array(7)
            .uint(u64::from(VERSION))
            .bin(&self.agent.0)
            .int(self.sent_at_s);
        match &self.reply {
            None => signed.bin(&[]).uint(0).str("").bin(&[]),
            Some(reply) => signed
                .bin(&reply.request.0)
                .uint(reply.outcome as u64)
                .str(shortened(&reply.text))
                .bin(&reply.content),
        };
        let signed = signed.finish();
        let signature = key.sign(ANSWER_TYPE, &signed);
        let mut body = Writer::default();
        body.array(2).bin(&signed).bin(&signature);
        length(body.len())?;
        Ok(body.finish())
    }
}

/// As much of a text as an answer carries.
fn shortened(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn length(bytes: usize) -> Result<(), WireError> {
    if bytes > ANSWER_BODY_BYTES_MAX {
        return Err(WireError::Limit {
            what: "an answer",
            found: bytes as u64,
            max: ANSWER_BODY_BYTES_MAX as u64,
        });
    }
    Ok(())
}

/// An answer that was read, but not believed yet.
#[derive(Debug)]
pub struct Unverified<'a> {
    answer: Answer,
    signed: &'a [u8],
    signature: [u8; 64],
}

impl<'a> Unverified<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> Result<Self, WireError> {
        length(body.len())?;
        let mut outer = Reader::new(body);
        outer.array("an answer", 2)?;
        let signed = outer.bin("the signed part", ANSWER_BODY_BYTES_MAX)?;
        let signature = outer.bytes("the signature of an answer")?;
        outer.end("an answer")?;

        let mut reader = Reader::new(signed);
        reader.array("the signed part", 7)?;
        let version = reader.uint("the version")?;
        if version != u64::from(VERSION) {
            return Err(WireError::Version(version));
        }
        let agent = AgentId(reader.bytes("the agent's id")?);
        let sent_at_s = reader.int("the time of sending")?;
        let request = reader.bin("the request's id", 16)?;
        let outcome = reader.uint("the outcome")?;
        let text = reader
            .str("the text of an answer", TEXT_BYTES_MAX)?
            .to_owned();
        let content = reader.bin("the content of an answer", ANSWER_BODY_BYTES_MAX)?;
        reader.end("the signed part")?;
        let reply = match (request, outcome) {
            ([], 0) => None,
            (request, outcome) => Some(Reply {
                request: RequestId(
                    request
                        .try_into()
                        .map_err(|_| WireError::Value("the request's id"))?,
                ),
                outcome: match outcome {
                    1 => Outcome::Done,
                    2 => Outcome::Refused,
                    3 => Outcome::Failed,
                    _ => return Err(WireError::Value("the outcome")),
                },
                text,
                content: content.to_vec(),
            }),
        };
        Ok(Self {
            answer: Answer {
                agent,
                sent_at_s,
                reply,
            },
            signed,
            signature,
        })
    }

    /// Whose key to look up.
    pub fn claimed_agent(&self) -> AgentId {
        self.answer.agent
    }

    /// The answer, if one of `keys` (two shortly after a rotation) has signed it.
    pub fn verify(self, keys: &[PublicKey]) -> Result<Answer, WireError> {
        let is_signed = |key: &PublicKey| {
            let checked = key.verify(ANSWER_TYPE, self.signed, &self.signature);
            checked.is_ok()
        };
        if keys.iter().any(is_signed) {
            return Ok(self.answer);
        }
        Err(SignatureError::Wrong.into())
    }
}

#[cfg(test)]
mod tests;
