//! `[roots]`: where the host is seen from, for an agent in a container and for tests.

use crate::collect::Roots;
use serde::Deserialize;
use std::path::PathBuf;

/// The roots of the host. In a container they are where the host's own are mounted, such as `/host/proc`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RootsSettings {
    /// procfs.
    pub proc: PathBuf,
    /// sysfs.
    pub sys: PathBuf,
    /// What mount points and log files are under.
    pub root: PathBuf,
}

impl Default for RootsSettings {
    fn default() -> Self {
        let Roots { proc, sys, root } = Roots::default();
        Self { proc, sys, root }
    }
}

impl RootsSettings {
    /// As the collectors take them.
    pub fn roots(&self) -> Roots {
        Roots {
            proc: self.proc.clone(),
            sys: self.sys.clone(),
            root: self.root.clone(),
        }
    }
}
