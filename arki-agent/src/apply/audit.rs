//! The audit file: one line of JSON for every request that was taken, refused, begun or ended, for people and for
//! whatever collects logs.
//!
//! `audit.jsonl` in the state directory, appended and synced; when it has [`BYTES_MAX`] it becomes `audit.jsonl.1` and
//! the one before goes. A line that cannot be written is in the log of the daemon, as every line is.

use arki_model::clock::UnixSeconds;
use serde::Serialize;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file inside the state directory.
pub const FILE: &str = "audit.jsonl";
/// Some thousand lines; a day of mischief does not fill a disk.
const BYTES_MAX: u64 = 1024 * 1024;

/// Writes the audit file.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
}

#[derive(Serialize)]
struct Line<'a, T> {
    at: UnixSeconds,
    what: &'a str,
    #[serde(flatten)]
    about: &'a T,
}

impl Audit {
    /// The audit file of `state_dir`.
    pub fn new(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join(FILE),
        }
    }

    /// Appends one line.
    pub fn write(&self, what: &str, about: &impl Serialize, at: UnixSeconds) {
        let line = Line { at, what, about };
        let Ok(mut text) = serde_json::to_string(&line) else {
            tracing::error!(what, "an audit line cannot be written as JSON");
            return;
        };
        tracing::info!(target: "audit", "{text}");
        text.push('\n');
        if let Err(error) = self.append(text.as_bytes()) {
            tracing::error!(%error, path = %self.path.display(), "the audit file cannot be written");
        }
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|meta| meta.len() + line.len() as u64 > BYTES_MAX) {
            fs::rename(&self.path, self.path.with_extension("jsonl.1"))?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.path)?;
        file.write_all(line)?;
        file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_json_and_the_file_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit::new(dir.path());
        let about = serde_json::json!({"text": "x".repeat(100_000)});
        for n in 0..25 {
            audit.write("refused", &about, n);
        }
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["at"], &last["what"]),
            (&24.into(), &"refused".into())
        );
        let all: u64 = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!(all <= 2 * BYTES_MAX, "{all}");
    }
}
