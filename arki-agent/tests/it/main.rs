//! The agent's integration tests, one binary.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it fails; the lint knows only the functions that are tests themselves"
)]

mod collect_garbage;
mod collect_golden;
