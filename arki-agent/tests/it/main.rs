//! The agent's integration tests, one binary: collectors over fixtures, and the real binary started, asked, stopped and
//! killed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails; the lint knows only the functions that are tests themselves"
)]

mod collect_garbage;
mod collect_golden;
mod commands;
mod daemon;
mod events;
mod export;
mod full_disk;
mod hostile;
mod process;
mod replay;
