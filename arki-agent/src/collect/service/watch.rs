//! One service under watch: is it up, and how often did it start anew.

use super::cgroup::{Hierarchy, ServiceDirectory};
use super::unit::{self, Found, UnitKind};
use crate::collect::{Readings, Roots};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

/// What `restarts_per_hour` counts over.
const HOUR: Duration = Duration::from_secs(3600);

/// The most restarts that are remembered: one a pass, at the shortest interval of a second, is more than anybody
/// needs to know that a service does not stay up.
const RESTARTS_MAX: usize = 600;

/// Which run of a service it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Run {
    /// By systemd's invocation number.
    Invocation(Box<str>),
    /// By its processes, where systemd is too old (before 236) to show the number.
    Processes(Vec<u32>),
}

impl Run {
    /// True if `other` is the same run. Of processes, workers come and go, but the main one stays.
    fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Invocation(a), Self::Invocation(b)) => a == b,
            (Self::Processes(a), Self::Processes(b)) => a.iter().any(|process| b.contains(process)),
            // The number came or went: nothing can be compared.
            _ => true,
        }
    }
}

/// A service under watch.
#[derive(Debug)]
pub(super) struct Watched {
    /// As it is shown.
    pub(super) name: Box<str>,
    /// As systemd calls it; differs from the name when that is an alias.
    pub(super) unit: Box<str>,
    /// Named in the configuration: reported whether it runs or not.
    pub(super) is_named: bool,
    /// Started on demand: that it is gone does not mean that it is down.
    pub(super) may_leave: bool,
    /// What its unit file says.
    pub(super) kind: UnitKind,
    /// Its control group, once it was seen running.
    pub(super) directory: Option<PathBuf>,
    /// Why it cannot be up.
    pub(super) problem: Option<String>,
    run: Option<Run>,
    is_up: bool,
    up_at: Option<Duration>,
    /// When it was started anew; `None` before the first time.
    restarts: Option<VecDeque<Duration>>,
}

impl Watched {
    /// The service `unit`, shown as `name`.
    pub(super) fn of(name: &str, unit: &str) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            is_named: false,
            may_leave: false,
            kind: UnitKind::default(),
            directory: None,
            problem: None,
            run: None,
            is_up: false,
            up_at: None,
            restarts: None,
        }
    }

    /// The service that the configuration calls `name`.
    pub(super) fn named(name: &str) -> Self {
        Self {
            is_named: true,
            ..Self::of(name, &format!("{name}.service"))
        }
    }

    /// Looks up what the name stands for, and where it runs.
    pub(super) fn resolve(&mut self, host: &Roots, directories: &[ServiceDirectory]) {
        let asked = format!("{}.service", self.name);
        let found = unit::find(host, &asked);
        self.problem = None;
        if let Found::Unit { unit, kind } = &found {
            self.unit = unit.as_str().into();
            self.kind = *kind;
        }
        let running = directories
            .iter()
            .find(|directory| *directory.unit == *self.unit);
        if let Some(running) = running {
            // Stays when the service stops: it will be started in the same place.
            self.directory = Some(running.path.clone());
            return;
        }
        self.problem = match found {
            Found::Unit { .. } => None,
            Found::Masked => Some(format!(
                "service {} is masked: it is down until `systemctl unmask {asked}`",
                self.name
            )),
            Found::Absent => Some(format!(
                "service {} does not exist: no {asked} on this host (see `systemctl list-unit-files --type=service`)",
                self.name
            )),
        };
    }

    /// True if it was started where it was not looked for yet.
    pub(super) fn is_lost(&self, host: &Roots) -> bool {
        self.directory.is_none()
            && !self.kind.remains_after_exit
            && unit::invocation(host, &self.unit).is_some()
    }

    /// Finds out whether it is up, and whether it was started anew since the last look.
    pub(super) fn look(&mut self, host: &Roots, hierarchy: &Hierarchy, now: Duration) {
        let directory = self.directory.as_deref();
        let has_processes = directory.is_some_and(|path| hierarchy.is_populated(path));
        let invocation = unit::invocation(host, &self.unit);
        // Without processes, the number alone may be that of a service that waits to be started anew.
        self.is_up = has_processes || (invocation.is_some() && self.kind.remains_after_exit);
        if !self.is_up {
            return;
        }
        self.up_at = Some(now);
        let run = match (invocation, directory) {
            (Some(number), _) => Run::Invocation(number),
            (None, Some(path)) => Run::Processes(hierarchy.processes(path)),
            (None, None) => return,
        };
        if self.run.as_ref().is_some_and(|last| !last.is_same_as(&run)) {
            let restarts = self.restarts.get_or_insert_default();
            if restarts.len() == RESTARTS_MAX {
                restarts.pop_front();
            }
            restarts.push_back(now);
        }
        self.run = Some(run);
    }

    /// True if it was up less than `span` ago.
    pub(super) fn was_up_within(&self, span: Duration, now: Duration) -> bool {
        self.up_at.is_some_and(|at| now.saturating_sub(at) < span)
    }

    /// Puts what is known at `now`.
    pub(super) fn put(&mut self, now: Duration, out: &mut Readings) {
        if self.is_up || self.is_named || !self.may_leave {
            out.put_for("service.up", &self.name, f64::from(u8::from(self.is_up)));
        }
        if let Some(restarts) = &mut self.restarts {
            restarts.retain(|&at| now.saturating_sub(at) < HOUR);
        }
        if self.is_named || self.restarts.is_some() {
            let count = self.restarts.as_ref().map_or(0, VecDeque::len);
            out.put_for("service.restarts_per_hour", &self.name, count as f64);
        }
    }
}
