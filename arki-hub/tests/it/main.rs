//! The real programs, as an operator runs them: `arki-hub` and `arki-agent`, over sockets and signals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails and says what it left out; the lint knows only the functions that are tests themselves"
)]
#![expect(clippy::too_many_lines, reason = "one story a test")]

mod apply;
mod automatic;
mod browser;
mod faults;
mod fleet;
mod listener;
mod load;
mod owner;
mod page;
mod program;
mod sender;
mod stored_bytes;
mod tls;
mod trial_page;
mod wire_bytes;
