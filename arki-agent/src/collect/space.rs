//! `disk.used_percent{/var}` and `disk.inodes_used_percent{/var}`: how full every file system is.
//!
//! Local file systems answer from memory and are asked in the pass; the others are asked aside (see [`Aside`]).

use super::aside::{Answer, Aside};
use super::mounts::{self, FileSystem};
use super::statvfs::{Space, Statvfs};
use super::{CollectError, CollectSettings, Collector, Moment, Readings, Roots, Source};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// How many problems one message names.
const PROBLEMS_MAX: usize = 3;

/// Reads `self/mountinfo` and asks the file systems.
#[derive(Debug)]
struct Spaces {
    source: Source,
    /// `mountinfo` as it was read last: it is parsed when it changes.
    known: Vec<u8>,
    systems: Vec<FileSystem>,
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
            source: Source::default(),
            known: Vec::new(),
            systems: Vec::new(),
            broken: None,
            statvfs: Direct(Arc::clone(&statvfs)),
            aside: Aside::new(statvfs, settings.mount_patience),
        }
    }

    fn read_mounts(&mut self, host: &Roots) -> Result<(), CollectError> {
        let path = host.proc.join("self/mountinfo");
        let bytes = self
            .source
            .bytes(&path)
            .map_err(|error| CollectError::reading(&path, &error))?;
        if bytes != self.known {
            self.known.clear();
            self.known.extend_from_slice(bytes);
            let (systems, broken) = mounts::file_systems(bytes);
            self.systems = systems;
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
        for system in &self.systems {
            let path = host.path(&system.point);
            if !system.may_block {
                problems.take(&system.point, (self.statvfs.0)(&path), &system.name, out);
                continue;
            }
            if let Some(index) = answers.iter().position(|answer| answer.point == path) {
                let Answer { space, .. } = answers.swap_remove(index);
                problems.take(&system.point, space, &system.name, out);
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
        if let Some(broken) = &self.broken {
            problems.add(broken.clone());
        }
        problems.finish()
    }
}

/// What went wrong with single file systems, to be told as one.
#[derive(Debug, Default)]
struct Problems {
    all: Vec<CollectError>,
}

impl Problems {
    fn add(&mut self, error: CollectError) {
        self.all.push(error);
    }

    /// Puts what a file system answered.
    fn take(&mut self, point: &Path, space: io::Result<Space>, name: &str, out: &mut Readings) {
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
                self.add(CollectError::Denied(format!(
                    "mount {name} (its directory is closed to the agent's user)"
                )));
            }
            Err(error) => self.add(CollectError::Failed(format!(
                "cannot tell how full {} is: {error}",
                point.display()
            ))),
        }
    }

    /// One error: failed if anything failed.
    fn finish(self) -> Result<(), CollectError> {
        if self.all.is_empty() {
            return Ok(());
        }
        let failed = |error: &&CollectError| matches!(error, CollectError::Failed(_));
        let texts = |errors: &[&CollectError]| {
            let shown = errors.iter().take(PROBLEMS_MAX);
            let mut texts: Vec<String> = shown
                .map(|error| match error {
                    CollectError::NoData(text)
                    | CollectError::Denied(text)
                    | CollectError::Failed(text) => text.clone(),
                })
                .collect();
            if errors.len() > PROBLEMS_MAX {
                texts.push(format!("{} more", errors.len() - PROBLEMS_MAX));
            }
            texts.join("; ")
        };
        let worst: Vec<&CollectError> = self.all.iter().filter(failed).collect();
        if worst.is_empty() {
            return Err(CollectError::Denied(texts(
                &self.all.iter().collect::<Vec<_>>(),
            )));
        }
        Err(CollectError::Failed(texts(&worst)))
    }
}

#[cfg(test)]
mod tests;
