//! The real programs, as an operator runs them: `arki-hub` and `arki-agent`, over sockets and signals.

mod browser;
mod faults;
mod fleet;
mod listener;
mod load;
mod page;
mod program;
mod sender;
mod tls;
mod wire_bytes;
