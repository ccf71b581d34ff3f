//! The state directory: everything that survives a restart, and the lock that keeps a second daemon out.
//!
//! Each state file is written as a whole beside the old one and renamed over it, so that a crash at any moment
//! leaves the old or the new state, never half of one. Layout, integers little-endian:
//!
//! ```text
//! "ARKISTAT"  version u16  payload length u64  CRC-32 of the payload u32  payload (MessagePack)
//! ```
//!
//! A file that is damaged, too large or of a newer version is renamed to `<name>.damaged-N` and the agent starts
//! without it. At most [`DAMAGED_MAX`] such files are kept.

mod file;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How many damaged files of one name are kept for who wants to look.
pub const DAMAGED_MAX: u32 = 3;

const LOCK_FILE: &str = "lock";

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be made.
    #[error("{path}: cannot make the state directory: {source}", path = path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else uses it.
    #[error(
        "{path}: another agent runs on this state directory; stop it, or name another directory (state_dir)",
        path = path.display()
    )]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A file in it cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The state directory, locked for this process.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Released by the kernel when the process ends, however it ends.
    _lock: File,
}

impl StateDir {
    /// Makes the directory (mode 0700) where it is missing and locks it.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| StateError::Create {
                path: path.to_owned(),
                source,
            })?;
        let lock_path = path.join(LOCK_FILE);
        let failed = |source| StateError::File {
            path: lock_path.clone(),
            source,
        };
        let made = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path);
        // Held for reading, so that the file system can be made read-only under it; and where it has become that, the
        // lock file of the last run serves.
        let lock = File::open(&lock_path).map_err(|error| failed(made.err().unwrap_or(error)))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(StateError::Locked {
                path: path.to_owned(),
            }),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `value` as the state file `name`, atomically and durably.
    pub fn save<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        let path = self.path.join(name);
        file::save(&path, value).map_err(|source| StateError::File { path, source })
    }

    /// Reads the state file `name`. `Ok(None)` where there is none; where it is damaged it is set aside, and the
    /// second part says so.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> (Option<T>, Option<String>) {
        load(&self.path.join(name))
    }
}

/// Writes `value` as the state file `path`, atomically and durably.
pub fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    file::save(path, value)
}

/// Reads the state file `path`, like [`StateDir::load`].
pub fn load<T: DeserializeOwned>(path: &Path) -> (Option<T>, Option<String>) {
    match file::load(path) {
        Ok(value) => (value, None),
        Err(damage) => (None, Some(set_aside(path, &damage.to_string()))),
    }
}

/// Renames a file that cannot be used and says so in one sentence.
pub fn set_aside(path: &Path, damage: &str) -> String {
    let aside = aside_name(path);
    match fs::rename(path, &aside) {
        Ok(()) => format!(
            "{}: {damage}; set aside as {}",
            path.display(),
            aside.file_name().unwrap_or_default().display()
        ),
        Err(error) => format!(
            "{}: {damage}; left out, and it cannot be set aside: {error}",
            path.display()
        ),
    }
}

/// Where a damaged file goes: the first free name; once all are taken, the last is used again, so that the first
/// damage stays to be seen.
pub fn aside_name(path: &Path) -> PathBuf {
    let name = |n: u32| PathBuf::from(format!("{}.damaged-{n}", path.display()));
    (1..=DAMAGED_MAX)
        .map(name)
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| name(DAMAGED_MAX))
}

/// Makes a rename or a new file in `directory` durable.
pub fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
