//! The sandbox: a fix is tried on a copy of a service in a throw-away container, and what it did is recorded.
//!
//! ```text
//! request (api, hook, automatic) -> queue in the store -> runner: claim -> trial -> result
//!   trial = two containers side by side: one is tried on, the control copy is left alone
//! result -> person decides -> receipt, signed -> agent applies
//! ```
//!
//! Invariants: only a runner speaks to Docker; what it is asked for is a service and an action by name, never a command;
//! every container has every limit, no network, no capability and no writable root, and is removed whatever happens; the
//! queue, each run, its output and its time are bounded.

pub mod ask;
pub mod automatic;
pub mod configuration;
mod container;
mod copy;
pub mod decide;
pub mod engine;
mod exec;
pub mod hook;
pub mod images;
mod judge;
pub mod live;
mod look;
pub mod profile;
pub mod profiles;
pub mod result;
pub mod runner;
mod seccomp;
pub mod trial;
mod usage;

#[cfg(test)]
mod tests;
