//! Arki's hub: verifies what agents ship, stores it, tells people, and shows the fleet.
//!
//! ```text
//! server -> ingest (decode, verify) -> store (once per agent, epoch, sequence) -> acknowledgement
//!                                        store -> fleet (silent agents) -> alerts -> notify
//!                                        store -> api, page
//! ```
//!
//! Invariants: no prediction is computed here; nothing that a second hub would need is kept in memory; what is
//! acknowledged is on disk; every queue, body and answer has a limit.

pub mod api;
pub mod auth;
pub mod channel;
pub mod cli;
pub mod config;
pub mod counters;
pub mod fleet;
pub mod hub;
pub mod ingest;
pub mod notify;
pub mod page;
pub mod random;
pub mod sandbox;
pub mod secret;
pub mod server;
pub mod store;
pub mod supervised;
pub mod tls;

#[cfg(test)]
mod testing;
