//! What systemd runs, as its control groups show it: every unit with processes is a directory.
//!
//! ```text
//! cgroup 2     /sys/fs/cgroup/system.slice/nginx.service/cgroup.events      "populated 1"
//! hybrid       /sys/fs/cgroup/unified/system.slice/...                      the same
//! cgroup 1     /sys/fs/cgroup/systemd/system.slice/.../cgroup.procs         one process number a line
//! ```
//!
//! Slices nest (`system.slice/system-postgresql.slice/postgresql@15-main.service`). Everything is readable by
//! anybody. Sessions and units of users (`user.slice`) are not services of the host and are left out.

use crate::collect::Roots;
use std::fs;
use std::path::{Path, PathBuf};

/// How deep slices are followed: systemd's own nest two deep, an administrator's `a-b-c.slice` three.
const SLICE_DEPTH_MAX: usize = 5;
/// How many directories are looked at. A host with 1,000 containers as units still fits.
const DIRECTORIES_MAX: usize = 4096;
/// How deep processes are looked for below a unit on cgroup 1, where a delegated unit has none of its own.
const DELEGATED_DEPTH_MAX: usize = 3;
/// How many process numbers of a unit are compared, so that a restart is seen without invocation numbers.
const PROCESSES_MAX: usize = 32;

/// The control group tree that systemd keeps its units in.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    top: PathBuf,
    /// cgroup 2, where `cgroup.events` says whether a unit or anything below it has processes.
    is_unified: bool,
}

/// A directory of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceDirectory {
    /// The unit: `nginx.service`.
    pub unit: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Hierarchy {
    /// Where systemd keeps its units; `None` if systemd does not run this host.
    pub fn find(host: &Roots) -> Option<Self> {
        let mount = host.sys.join("fs/cgroup");
        let candidates = [
            (mount.clone(), true),
            (mount.join("unified"), true),
            (mount.join("systemd"), false),
        ];
        candidates.into_iter().find_map(|(top, is_unified)| {
            let has_controllers = !is_unified || top.join("cgroup.controllers").exists();
            (has_controllers && top.join("system.slice").is_dir())
                .then_some(Self { top, is_unified })
        })
    }

    /// The directories of all services, running or about to go, by name.
    pub fn services(&self) -> Vec<ServiceDirectory> {
        let mut found = Vec::new();
        let mut slices = vec![(self.top.clone(), 0)];
        let mut seen = 0;
        while let Some((slice, depth)) = slices.pop() {
            let Ok(entries) = fs::read_dir(&slice) else {
                continue;
            };
            for entry in entries.flatten() {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let name = entry.file_name();
                let Some(name) = name.to_str().filter(|_| is_directory) else {
                    continue;
                };
                seen += 1;
                if seen > DIRECTORIES_MAX {
                    break;
                }
                // A name that could be taken for a file of the kernel's gets an underscore in front.
                let unit = name.strip_prefix('_').unwrap_or(name);
                match unit.rsplit_once('.') {
                    Some((_, "service")) => found.push(ServiceDirectory {
                        unit: unit.to_owned(),
                        path: entry.path(),
                    }),
                    Some((_, "slice")) if unit != "user.slice" && depth < SLICE_DEPTH_MAX => {
                        slices.push((entry.path(), depth + 1));
                    }
                    _ => {}
                }
            }
        }
        found.sort_by(|a, b| a.unit.cmp(&b.unit));
        found
    }

    /// True if the unit in `directory` has a process.
    pub fn is_populated(&self, directory: &Path) -> bool {
        if self.is_unified {
            return fs::read_to_string(directory.join("cgroup.events"))
                .is_ok_and(|events| events.lines().any(|line| line == "populated 1"));
        }
        !self.processes(directory).is_empty()
    }

    /// Some processes of the unit in `directory`, always the same ones as long as they live.
    pub fn processes(&self, directory: &Path) -> Vec<u32> {
        let mut found = Vec::new();
        let mut groups = vec![(directory.to_owned(), 0)];
        while let Some((group, depth)) = groups.pop() {
            if let Ok(text) = fs::read_to_string(group.join("cgroup.procs")) {
                found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
            }
            if !found.is_empty() || depth == DELEGATED_DEPTH_MAX {
                break;
            }
            let below = fs::read_dir(&group).into_iter().flatten().flatten();
            groups.extend(
                below
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                    .take(PROCESSES_MAX)
                    .map(|entry| (entry.path(), depth + 1)),
            );
        }
        found.sort_unstable();
        found.truncate(PROCESSES_MAX);
        found
    }
}
