//! The daemon's Unix socket: one JSON object a line, each way.
//!
//! ```text
//! -> {"version":1,"request":{"kind":"status"}}
//! <- {"version":1,"response":{"kind":"status",...}}
//! ```
//!
//! Mode 0660: who may connect is the owner, its group and root; who may change something is checked again by the
//! kernel's word on the peer (`SO_PEERCRED`). At most [`CLIENTS_MAX`] clients, [`REQUEST_BYTES_MAX`] a request,
//! [`IDLE`] to send one and to take the answer: a client that hangs, floods or talks rubbish costs nobody anything.

pub mod client;
pub mod message;
pub mod server;

use std::time::Duration;

/// The version of the protocol.
pub const VERSION: u32 = 1;
/// Clients that are served at once; a person and a few programs.
pub const CLIENTS_MAX: usize = 16;
/// The longest request: a context that names sixteen series.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// The longest answer that a client takes.
pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a client may take to send a line or to take an answer.
pub const IDLE: Duration = Duration::from_secs(10);
