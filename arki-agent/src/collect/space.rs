//! `disk.used_percent{/var}` and `disk.inodes_used_percent{/var}`: how full every file system is.
//!
//! Local file systems answer from memory and are asked in the pass; the others are asked aside (see [`Aside`]).

use super::aside::{Answer, Aside};
use super::mounts::{self, FILE_SYSTEMS_MAX, MountTable, Mounted};
use super::problems::Problems;
use super::statvfs::{Space, Statvfs};
use super::{CollectError, CollectSettings, Collector, Moment, Readings, Roots};
use std::io;
use std::sync::Arc;

/// Reads `self/mountinfo` and asks the file systems.
#[derive(Debug)]
struct Spaces {
    table: MountTable,
    mounted: Mounted,
    broken: Option<CollectError>,
    statvfs: Direct,
    aside: Aside,
}

/// A call that is made in the pass.
struct Direct(Arc<Statvfs>);

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Direct")
    }
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(settings: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Spaces::new(settings))
}

impl Spaces {
    fn new(settings: &CollectSettings) -> Self {
        let statvfs = Arc::clone(&settings.kernel.statvfs);
        Self {
            table: MountTable::default(),
            mounted: Mounted::default(),
            broken: None,
            statvfs: Direct(Arc::clone(&statvfs)),
            aside: Aside::new(statvfs, settings.mount_patience),
        }
    }

    fn read_mounts(&mut self, host: &Roots) -> Result<(), CollectError> {
        let path = host.proc.join("self/mountinfo");
        let has_changed = self
            .table
            .refresh(&host.proc)
            .map_err(|error| CollectError::reading(&path, &error))?;
        if has_changed {
            self.mounted = mounts::file_systems(self.table.bytes());
            let broken = self.mounted.broken.take();
            self.broken = broken.map(|error| CollectError::parsing(&path, &error));
        }
        Ok(())
    }
}

impl Collector for Spaces {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        self.read_mounts(host)?;
        let mut answers = self.aside.take(at.monotonic);
        let mut problems = Problems::default();
        for system in &self.mounted.systems {
            let path = host.path(&system.point);
            if !system.may_block {
                put(&system.name, (self.statvfs.0)(&path), out, &mut problems);
                continue;
            }
            if let Some(index) = answers.iter().position(|answer| answer.point == path) {
                let Answer { space, .. } = answers.swap_remove(index);
                put(&system.name, space, out, &mut problems);
            }
            let name = &system.name;
            if self.aside.is_stalled(&path) {
                problems.add(CollectError::Failed(format!(
                    "mount {name} does not answer"
                )));
            } else {
                match self.aside.ask(&path, at.monotonic) {
                    Ok(true) => {}
                    Ok(false) => problems.add(CollectError::Failed(format!(
                        "mount {name} is not asked, because too many others do not answer"
                    ))),
                    Err(error) => problems.add(CollectError::Failed(error.to_string())),
                }
            }
        }
        if self.mounted.left_out > 0 {
            problems.add(CollectError::Failed(format!(
                "{} more file systems are mounted than the {FILE_SYSTEMS_MAX} that are watched",
                self.mounted.left_out
            )));
        }
        if let Some(broken) = &self.broken {
            problems.add(broken.clone());
        }
        problems.finish()
    }
}

/// Puts what the file system called `name` answered.
fn put(name: &str, space: io::Result<Space>, out: &mut Readings, problems: &mut Problems) {
    match space {
        Ok(space) => {
            if let Some(percent) = space.used_percent() {
                out.put_for("disk.used_percent", name, percent);
            }
            if let Some(percent) = space.inodes_used_percent() {
                out.put_for("disk.inodes_used_percent", name, percent);
            }
        }
        // Unmounted since the mounts were read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            problems.add(CollectError::Denied(format!(
                "mount {name} (its directory is closed to the agent's user)"
            )));
        }
        Err(error) => problems.add(CollectError::Failed(format!(
            "cannot tell how full {name} is: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests;
