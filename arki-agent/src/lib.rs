//! The agent: samples its host, runs the three voters there and keeps signed predictions.
//!
//! One way through, and only `pipeline` knows the order:
//!
//! ```text
//! collect -> engine (windows, voters, consensus, quiet) -> events -> outbox -> ship
//! ```
//!
//! `daemon` calls it once per interval and answers the socket in between; every other command either asks
//! the daemon over that socket or works on files alone.

pub mod cli;
pub mod collect;
pub mod command;
pub mod config;
pub mod events;
pub mod identity;
pub mod replay;
pub mod state;
pub mod terminal;
