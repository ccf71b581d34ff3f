//! What an agent and a hub say to each other, byte by byte.
//!
//! ```text
//! POST /v1/ingest     application/vnd.arki.batch+msgpack        -> 200 application/json   Acknowledgement
//! POST /v1/enroll     application/vnd.arki.enrollment+msgpack   -> 200 application/json   Enrolled
//! POST /v1/agent/answers                                              what the hub asks of an agent: see `request`
//!                                              anything refused -> 4xx, 5xx application/problem+json   Problem
//!
//! body     = [signed: bin, signature: bin 64]                           MessagePack, arrays throughout
//! signed   = [version, agent: bin 16, epoch: uint, sequence: uint, sent_at_s: int, compressed: bin]
//! batch    = unzstd(compressed) = [kind, about, [record, ...]]
//! about    = [agent_version: str, host: str, interval_s: uint, summaries_dropped: uint, records_set_aside: uint]
//! record   = event | summary                                            as `kind` (1 | 2) says for all of them
//! event    = [payload_type: str, payload: bin, signature: bin 64]       a `signature::Signed`: an event of the chain, or
//!                                                                       a `report` (how it ended, what was quieted)
//! summary  = [digest: bin 16, [name: str, ...], start_s: int, width_s: uint, series: uint, buckets: uint,
//!             columns: bin]                                             see `wire::column`
//! ```
//!
//! `signature` is Ed25519 over the DSSE pre-authentication encoding of [`BATCH_TYPE`] and `signed`, so that these
//! bytes can never be taken for an event or an enrolment, nor those for a batch. The order of a reader is: limit,
//! signature, decompression with a limit, decoding; nothing is allocated for a length that was not checked.
//!
//! **Numbers.** An agent keeps two spools, one of events and one of summaries, each with an *epoch* (64 random bits,
//! made with the spool) and numbers without end within it. `sequence` is the number of the first record of a batch;
//! the others follow without a gap. A record is known by (agent, epoch, number) for ever: a hub stores it once, and
//! the same number with other bytes is [`problem::SEQUENCE_REUSED`]. Numbers that never come were dropped (the oldest
//! summaries, counted in `about`) or set aside as damaged. An agent has one batch in flight per epoch and sends in
//! order, so the highest number stored says it all.
//!
//! **Names.** A summary names its series by the digest of their list ([`SeriesSet`]); the list itself comes along
//! only until the hub has acknowledged a batch with it. A hub that does not know a digest answers
//! [`problem::SERIES_UNKNOWN`], stores nothing of that batch, and gets it again with the names.

mod acknowledgement;
mod batch;
pub mod column;
mod compress;
pub mod enroll;
mod envelope;
mod id;
pub(crate) mod pack;
pub mod problem;
mod series_set;

pub use acknowledgement::Acknowledgement;
pub use batch::{About, Batch, Kind, Records, Summary, encode_event, encode_summary, strip_names};
pub use compress::{Decompressor, compress};
pub use envelope::{Envelope, Header, Verified, seal};
pub use id::{AgentId, Epoch};
pub use problem::Problem;
pub use series_set::SeriesSet;

use crate::signature::SignatureError;

/// The version of the layout. A reader refuses a newer one.
pub const VERSION: u8 = 1;
/// Where batches go.
pub const INGEST_PATH: &str = "/v1/ingest";
/// Where a new key is introduced.
pub const ENROLL_PATH: &str = "/v1/enroll";
/// The content type of a batch, and the type that its signature covers.
pub const BATCH_TYPE: &str = "application/vnd.arki.batch+msgpack";
/// The content type of a refusal (RFC 9457).
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// The longest body, in bytes. Summaries of a full host (4,096 series) take 60 KB; 64 full events 1 MiB.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The longest batch once decompressed, in bytes: what a body of the greatest length holds at the ratio of 4 that
/// names and reasons reach.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most records of a batch: 42 hours of summaries, or 36 events a second at one batch every 15 seconds.
pub const RECORDS_MAX: usize = 512;
/// The most series of a summary; the most that an agent watches.
pub const SERIES_MAX: usize = 4096;
/// The most buckets of a summary: an hour of 30 s, five hours of five minutes.
pub const BUCKETS_MAX: usize = 120;
/// The most samples of a summary (series x buckets); decoded, 40 bytes each.
pub const SAMPLES_MAX: usize = 32 * 1024;
/// The longest answer that an agent reads, in bytes: an acknowledgement has 60, a problem with its detail 500.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// The longest payload type of an event, in bytes.
pub const PAYLOAD_TYPE_BYTES_MAX: usize = 64;
/// The longest host name, in bytes (RFC 1035).
pub const HOST_BYTES_MAX: usize = 253;
/// The longest version of an agent, in bytes: `0.10.12-rc.1+build` and room.
pub const AGENT_VERSION_BYTES_MAX: usize = 32;

/// Why bytes are no message, or a message is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end too early.
    #[error("{0}: the bytes end before it does")]
    Truncated(&'static str),
    /// Something else stands there.
    #[error("{0}: another type was found there")]
    Type(&'static str),
    /// Longer or more than allowed.
    #[error("{what}: {found} is more than the {max} allowed")]
    Limit {
        /// What is too long.
        what: &'static str,
        /// How long it is, as far as is known.
        found: u64,
        /// How long it may be.
        max: u64,
    },
    /// A value that cannot be.
    #[error("{0}: the value cannot be")]
    Value(&'static str),
    /// Bytes after the end.
    #[error("{0}: bytes follow its end")]
    Trailing(&'static str),
    /// A layout of the future.
    #[error("layout {0} is newer than {VERSION}, which is the newest known here")]
    Version(u64),
    /// zstd is not content.
    #[error("not decompressed: {0}")]
    Compression(String),
    /// The signature is not believed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod mutation;
