//! `service.up{nginx}` and `service.restarts_per_hour{nginx}`: the services of systemd, without root, D-Bus or subprocess.
//!
//! ```text
//! control groups (who has processes), every pass for what is watched, every minute for what is new
//! /run/systemd/units/invocation:* (a new number with every start)   -> up 1/0, restarts of the last hour
//! unit files (does it exist, is it a job, may it leave when idle)
//! ```
//!
//! Watched are the services that `[[service]]` names, whether they run or not, and what else runs: not jobs (oneshot,
//! or started by a timer), which are context, and not what comes and goes with users and terminals. A service that
//! nobody named is reported down once it was seen running, for a day; unless it may leave when idle (started by a
//! socket or a bus name). Its restarts are a series from the first one on: a series that is 0 for ever says nothing.
//!
//! Limits: at most one restart is counted in a pass, because what happens in between leaves no trace in files; at most
//! [`UNITS_MAX`] services, the named ones first.

pub mod cgroup;
mod settings;
pub mod unit;
mod watch;

pub use settings::ServiceSettings;

use super::problems::Problems;
use super::{CollectError, CollectSettings, Collector, Moment, Readings, Roots, wildcard};
use cgroup::{Hierarchy, ServiceDirectory};
use std::time::Duration;
use unit::Found;
use watch::Watched;

/// The most services that are watched; more than half of the default limit of series would starve the rest.
pub const UNITS_MAX: usize = 64;

/// How often it is looked for services that are new: as short as an operator waits, as long as saves the walk.
const DISCOVERY_EVERY: Duration = Duration::from_secs(60);

/// How long a service that nobody named is reported down: then it is gone on purpose.
const DOWN_FOR: Duration = Duration::from_secs(86_400);

/// What comes and goes with users, terminals and containers, and is no service of the host.
const COMES_AND_GOES: [&str; 6] = [
    "user@*",
    "user-runtime-dir@*",
    "getty@*",
    "serial-getty@*",
    "container-getty@*",
    "run-*",
];

/// Watches services.
#[derive(Debug)]
struct Services {
    settings: Vec<ServiceSettings>,
    watched: Vec<Watched>,
    discovered_at: Option<Duration>,
    /// How many services run that there was no room for.
    left_out: usize,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(settings: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Services::new(settings.services.clone()))
}

impl Collector for Services {
    fn name(&self) -> &'static str {
        "service"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        let Some(hierarchy) = Hierarchy::find(host) else {
            let text = "systemd keeps no services here (no system.slice among the control groups)";
            return Err(if self.settings.iter().any(|service| service.watch) {
                CollectError::Failed(format!("{text}: `[[service]]` cannot be watched"))
            } else {
                CollectError::NoData(text.to_owned())
            });
        };
        let is_due = self
            .discovered_at
            .is_none_or(|last| at.monotonic.saturating_sub(last) >= DISCOVERY_EVERY);
        if is_due || self.watched.iter().any(|service| service.is_lost(host)) {
            self.discover(host, &hierarchy, at);
        }
        for service in &mut self.watched {
            service.look(host, &hierarchy, at.monotonic);
        }
        self.watched
            .retain(|service| service.is_named || service.was_up_within(DOWN_FOR, at.monotonic));
        let mut problems = Problems::default();
        for service in &mut self.watched {
            service.put(at.monotonic, out);
            if let Some(problem) = &service.problem {
                problems.add(CollectError::Failed(problem.clone()));
            }
        }
        if self.left_out > 0 {
            problems.add(CollectError::Failed(format!(
                "{} more services run than the {UNITS_MAX} that are watched (name those that matter as `[[service]]`, leave out others with `watch = false`)",
                self.left_out
            )));
        }
        problems.finish()
    }
}

impl Services {
    fn new(settings: Vec<ServiceSettings>) -> Self {
        Self {
            settings,
            watched: Vec::new(),
            discovered_at: None,
            left_out: 0,
        }
    }

    /// Brings the list of watched services up to date: the named ones, then what runs.
    fn discover(&mut self, host: &Roots, hierarchy: &Hierarchy, at: Moment) {
        self.discovered_at = Some(at.monotonic);
        let directories = hierarchy.services();
        for service in &self.settings {
            let name = unit::short(&service.name);
            if !service.watch || wildcard::is_pattern(name) {
                continue;
            }
            let known = self
                .watched
                .iter()
                .position(|watched| watched.is_named && &*watched.name == name);
            let index = known.unwrap_or_else(|| {
                self.watched.push(Watched::named(name));
                self.watched.len() - 1
            });
            self.watched[index].resolve(host, &directories);
        }
        self.left_out = 0;
        for directory in &directories {
            self.meet(host, hierarchy, directory);
        }
    }

    /// Takes a service that has a directory under watch, if it is to be watched and there is room.
    fn meet(&mut self, host: &Roots, hierarchy: &Hierarchy, directory: &ServiceDirectory) {
        if let Some(known) = self
            .watched
            .iter_mut()
            .find(|service| *service.unit == *directory.unit)
        {
            known.directory = Some(directory.path.clone());
            return;
        }
        let name = unit::short(&directory.unit);
        let rule = self
            .settings
            .iter()
            .find(|service| wildcard::matches(unit::short(&service.name), name));
        let is_named = rule.is_some_and(|service| service.watch);
        let is_left_out = rule.is_some_and(|service| !service.watch)
            || COMES_AND_GOES
                .iter()
                .any(|pattern| wildcard::matches(pattern, name));
        if (is_left_out && !is_named) || !hierarchy.is_populated(&directory.path) {
            return;
        }
        let kind = match unit::find(host, &directory.unit) {
            Found::Unit { kind, .. } => kind,
            Found::Absent | Found::Masked => unit::UnitKind::default(),
        };
        let is_job = kind.is_oneshot || unit::has_companion(host, name, ".timer");
        if is_job && !is_named {
            return;
        }
        if self.watched.len() >= UNITS_MAX {
            self.left_out += 1;
            return;
        }
        let mut service = Watched::of(name, &directory.unit);
        service.is_named = is_named;
        service.may_leave = kind.is_on_bus || unit::has_companion(host, name, ".socket");
        service.kind = kind;
        service.directory = Some(directory.path.clone());
        self.watched.push(service);
    }
}

#[cfg(test)]
mod tests;
