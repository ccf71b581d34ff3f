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

pub mod agent;
pub mod apply;
pub mod cli;
pub mod collect;
pub mod command;
pub mod config;
pub mod context;
pub mod daemon;
pub mod doctor;
pub mod events;
pub mod explain;
pub mod export;
pub mod health;
pub mod identity;
pub mod local_time;
pub mod notify;
pub mod outbox;
pub mod pipeline;
pub mod playback;
pub mod replay;
pub mod request;
pub mod ship;
pub mod snapshot;
pub mod socket;
pub mod state;
pub mod status;
pub mod terminal;
pub mod timekeeper;
