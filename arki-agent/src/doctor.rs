//! What can keep an agent from working on this host, checked one by one.
//!
//! Nothing is changed: a check that would have to write does so in a file that it removes again.

mod host;
mod hub;
mod own;

use crate::config::Config;
use arki_model::clock::Clock;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but less well than it could.
    Warn,
    /// Does not work.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, and what to do.
    pub text: String,
}

impl Check {
    fn new(name: &str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict,
            text: text.into(),
        }
    }
}

/// All checks, in the order in which they depend on each other.
pub fn examine(config: &Config, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = vec![
        own::state_dir(config),
        own::space(config),
        own::key(config),
        own::daemon(config),
        hub::snapshots(config),
        hub::apply(config),
        host::clock(clock),
    ];
    checks.extend(host::kernel());
    checks.extend(host::collectors(config, clock));
    checks
}
