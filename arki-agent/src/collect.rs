//! What the agent reads of its own host: one [`Collector`] a file, all of them in [`COLLECTORS`].
//!
//! ```text
//! /proc, /sys, statvfs -> collector -> Readings (series name, value)
//! ```
//!
//! Invariants: a pass never waits for a device, a file system or a process; a value that is not known is left out,
//! never guessed; rates are taken over monotonic time, so that a clock that is set yields no false rate; every table
//! is bounded. Adding a collector takes its file, its `mod` and its line in [`COLLECTORS`].

mod aside;
mod block;
mod conntrack;
mod cpu;
mod error;
mod fields;
mod file;
#[cfg(test)]
mod fixture;
mod kernel;
mod load;
pub mod log;
mod memory;
mod mounts;
mod net;
mod own;
mod pressure;
pub mod problems;
pub mod process;
pub mod rate;
mod readings;
mod runner;
pub mod service;
mod source;
mod space;
mod statvfs;
pub mod unit_name;
pub mod wildcard;

pub use error::{CollectError, ParseError};
pub use kernel::Kernel;
pub use readings::{READINGS_MAX, Readings};
pub use runner::{CollectorReport, Collectors};
pub use source::Source;
pub use statvfs::{Space, Statvfs};

use arki_model::clock::{Clock, UnixSeconds};
use arki_model::event::ProcessGrowth;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Reads one part of the host.
pub trait Collector: fmt::Debug {
    /// One word, as `status` shows it.
    fn name(&self) -> &'static str;

    /// Puts what can be read now into `out`. Readings that were put before an error stand.
    fn collect(&mut self, host: &Roots, at: Moment, out: &mut Readings)
    -> Result<(), CollectError>;

    /// The at most `count` processes that grew most in the resource that `series` is about. Only the collector of
    /// processes knows any.
    fn top_growth(&self, series: &str, count: usize) -> Vec<ProcessGrowth> {
        let _ = (series, count);
        Vec::new()
    }
}

/// Makes a collector as the configuration says.
pub type Constructor = fn(&CollectSettings) -> Box<dyn Collector>;

/// Every collector, in the order of a pass.
pub const COLLECTORS: &[Constructor] = &[
    cpu::collector,
    load::collector,
    memory::collector,
    pressure::collector,
    space::collector,
    block::collector,
    net::collector,
    file::collector,
    conntrack::collector,
    process::collector,
    service::collector,
    log::collector,
    own::collector,
];

/// What the configuration tells the collectors.
#[derive(Debug, Clone)]
pub struct CollectSettings {
    /// How long a file system may take to answer before it counts as stalled. The pass does not wait for it.
    pub mount_patience: Duration,
    /// The calls of the kernel; a test puts its own here.
    pub kernel: Kernel,
    /// `[[service]]`.
    pub services: Vec<service::ServiceSettings>,
    /// `[[log]]`.
    pub logs: Vec<log::LogSettings>,
}

impl Default for CollectSettings {
    fn default() -> Self {
        Self {
            // A healthy NFS answers in milliseconds; its first retransmission comes after 0.6 to 60 s (nfs(5), timeo).
            mount_patience: Duration::from_secs(2),
            kernel: Kernel::default(),
            services: Vec::new(),
            logs: Vec::new(),
        }
    }
}

/// Where the host is: the machine itself, a container's view of it, or a fixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// Where procfs is mounted.
    pub proc: PathBuf,
    /// Where sysfs is mounted.
    pub sys: PathBuf,
    /// What mount points and other absolute paths are under.
    pub root: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            sys: "/sys".into(),
            root: "/".into(),
        }
    }
}

impl Roots {
    /// The absolute path `path` of the host, as this process reaches it.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// The time of a pass, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Wall-clock time. May jump; only for what is shown or stored.
    pub now_s: UnixSeconds,
    /// Never goes back; what rates are taken over.
    pub monotonic: Duration,
}

impl Moment {
    /// The time now.
    pub fn now(clock: &dyn Clock) -> Self {
        Self {
            now_s: clock.now_s(),
            monotonic: clock.monotonic(),
        }
    }
}
