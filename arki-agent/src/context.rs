//! What is known to be going on at this host, so that nobody is told of what it does.
//!
//! ```text
//! [[context]] (declared)          calendar   \
//! arki-agent context begin ...    announced   -> ActiveContext, for the engine's quiet stage
//! timers, cron, apt, mdadm, ...   host       /
//! ```
//!
//! Declared contexts are a function of the time and the configuration alone, so that a replay has the same ones. What
//! is announced is part of the state of the agent and survives its restart. What is read from the host is looked up
//! once a minute.

pub mod announced;
pub mod calendar;
pub mod host;
mod settings;

pub use announced::{AnnounceError, Announced};
pub use calendar::Calendar;
pub use settings::ContextSettings;

use crate::collect::{Moment, Roots};
use arki_model::context::ActiveContext;
use arki_model::kind::series_glob;
use globset::GlobMatcher;
use host::HostContexts;

/// Everything that is known to be going on.
#[derive(Debug)]
pub struct Contexts {
    calendar: Calendar,
    announced: Announced,
    host: HostContexts,
    active: Vec<ActiveContext>,
}

impl Contexts {
    /// The contexts of `calendar`, what was announced before the restart, and what the host will show.
    pub fn new(calendar: Calendar, announced: Announced) -> Self {
        Self {
            calendar,
            announced,
            host: HostContexts::default(),
            active: Vec::new(),
        }
    }

    /// What is going on in this pass.
    pub fn pass(&mut self, host: &Roots, at: Moment) -> &[ActiveContext] {
        self.host.look(host, at);
        self.active.clear();
        self.active.extend(self.calendar.active(at.now_s));
        self.active.extend(self.announced.active(at.now_s));
        self.active.extend(self.host.active());
        &self.active
    }

    /// What was going on in the last pass.
    pub fn active(&self) -> &[ActiveContext] {
        &self.active
    }

    /// What was announced, to be saved with the state after every change.
    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    /// The same, to begin and end contexts.
    pub fn announced_mut(&mut self) -> &mut Announced {
        &mut self.announced
    }
}

/// The most series of one context.
pub const SERIES_MAX: usize = 16;

/// Compiles the globs of a context; the error says what is allowed.
fn compile(globs: &[String]) -> Result<Vec<GlobMatcher>, String> {
    if globs.len() > SERIES_MAX {
        return Err(format!("at most {SERIES_MAX} globs"));
    }
    let compile_one = |glob: &String| {
        if glob.is_empty() || glob.len() > arki_model::series::NAME_BYTES_MAX {
            return Err(format!(
                "globs of 1 to {} bytes",
                arki_model::series::NAME_BYTES_MAX
            ));
        }
        series_glob(glob)
            .map(|glob| glob.compile_matcher())
            .map_err(|error| format!("a glob over names of series: {error}"))
    };
    globs.iter().map(compile_one).collect()
}

/// Checks the name of a context; the error says what is allowed.
fn check_name(name: &str) -> Result<(), String> {
    const BYTES_MAX: usize = 64;
    let is_fine =
        !name.is_empty() && name.len() <= BYTES_MAX && !name.chars().any(char::is_control);
    is_fine
        .then_some(())
        .ok_or_else(|| format!("a name of 1 to {BYTES_MAX} bytes without control characters"))
}

#[cfg(test)]
mod tests;
