//! Arki's shared library: what a sample, a prediction and an event are, and how a prediction is made.
//!
//! One way through, and only [`engine`] knows the order:
//!
//! ```text
//! reading -> windows -> voters (trend, correlation, pattern) -> consensus -> quiet -> decision -> ledger
//! ```
//!
//! Invariants: no I/O, no threads, no clock and no randomness of its own (time and random bytes are
//! passed in); every container has a limit; the same readings in the same order give the same decisions,
//! live or in a replay.

pub mod chain;
pub mod clock;
pub mod dsse;
pub mod event;
pub mod hex;
pub mod id;
pub mod prediction;
pub mod receipt;
pub mod report;
pub mod request;
pub mod series;
pub mod signature;
pub mod snapshot;
pub mod span;
pub mod summary;
pub mod vote;
pub mod wire;

#[cfg(feature = "voters")]
pub mod consensus;
#[cfg(feature = "voters")]
pub mod context;
#[cfg(feature = "voters")]
pub mod engine;
#[cfg(feature = "voters")]
pub mod exhaustion;
#[cfg(feature = "voters")]
pub mod incident;
#[cfg(feature = "voters")]
pub mod kind;
#[cfg(feature = "voters")]
pub mod ledger;
#[cfg(feature = "voters")]
pub mod quiet;
#[cfg(feature = "voters")]
pub mod registry;
#[cfg(feature = "voters")]
pub mod voter;
#[cfg(feature = "voters")]
pub mod window;
