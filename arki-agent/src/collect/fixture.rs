//! For the tests: a host made of files in a temporary directory.

use super::{CollectError, Collector, Moment, Readings, Roots};
use std::time::Duration;
use tempfile::TempDir;

/// A host to write files into and to run a collector over.
#[derive(Debug)]
pub(super) struct FixtureHost {
    dir: TempDir,
    pub(super) roots: Roots,
}

impl FixtureHost {
    /// A host without any file.
    pub(super) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let roots = Roots {
            proc: dir.path().join("proc"),
            sys: dir.path().join("sys"),
            root: dir.path().to_owned(),
        };
        Self { dir, roots }
    }

    /// A host with these files: path under its root, text.
    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        let host = Self::empty();
        for (path, text) in files {
            host.write(path, text);
        }
        host
    }

    /// Writes a file.
    pub(super) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Takes a file or a directory away.
    pub(super) fn remove(&self, path: &str) {
        let path = self.dir.path().join(path);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }

    /// What `collector` reads `seconds` after the start.
    pub(super) fn read(&self, collector: &mut dyn Collector, seconds: u64) -> Readings {
        let (readings, result) = self.try_read(collector, seconds);
        result.unwrap();
        readings
    }

    /// The same with what went wrong.
    pub(super) fn try_read(
        &self,
        collector: &mut dyn Collector,
        seconds: u64,
    ) -> (Readings, Result<(), CollectError>) {
        let mut readings = Readings::default();
        let at = Moment {
            now_s: 1_700_000_000 + seconds as i64,
            monotonic: Duration::from_secs(seconds),
        };
        let result = collector.collect(&self.roots, at, &mut readings);
        (readings, result)
    }
}
