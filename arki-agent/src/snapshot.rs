//! A copy of a service's configuration, taken when the hub asks for one and the agent's own configuration permits it.
//!
//! ```text
//! [[service]] snapshot = [paths] -> walk (no link followed) -> read -> fingerprint -> redact -> snapshot (compressed)
//! ```
//!
//! One file at a time is in memory. It runs on a thread of its own, never in a pass, and the daemon gives it
//! [`TIME_MAX`]; a mount that hangs costs that thread, and no snapshot is taken until it is back. What the layout and
//! the fingerprints are, and why, says [`arki_model::snapshot`]; what is taken out, [`redact`].

pub mod redact;
mod walk;

use arki_model::clock::UnixSeconds;
use arki_model::snapshot::{Encoded, Encoder, Excess, Fingerprints};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use walk::{Kind, Mark, ReadError, Roots, WalkError};

/// 5 MiB in 4,096 files from a slow disk are read in a few seconds.
pub const TIME_MAX: Duration = Duration::from_secs(60);

/// Of what a snapshot is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The service.
    pub service: String,
    /// The allowed paths: files and directories.
    pub paths: Vec<PathBuf>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A path of the configuration cannot be opened.
    #[error("cannot copy {0}")]
    Path(String),
    /// Too much.
    #[error("the configuration is not copied: {0}")]
    Excess(#[from] Excess),
    /// The deadline.
    #[error("the configuration was not copied within {} s: is a file system stuck?", TIME_MAX.as_secs())]
    Late,
}

impl From<WalkError> for SnapshotError {
    fn from(error: WalkError) -> Self {
        match error {
            WalkError::Excess(excess) => Self::Excess(excess),
            WalkError::Stopped => Self::Late,
            error @ WalkError::Root { .. } => Self::Path(error.to_string()),
        }
    }
}

/// Takes a snapshot. `stop` ends it early.
pub fn take(
    wanted: &Wanted,
    fingerprints: &Fingerprints,
    now_s: UnixSeconds,
    stop: &AtomicBool,
) -> Result<Encoded, SnapshotError> {
    let roots = Roots::open(&wanted.paths, stop)?;
    let found = roots.find()?;
    let names: Vec<String> = wanted
        .paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let mut out = Encoder::new(&wanted.service, now_s, &names, found.len())?;
    for one in &found {
        match &one.kind {
            Kind::Directory { mode } => out.directory(&one.path, *mode)?,
            Kind::Link { target } => out.link(&one.path, target)?,
            Kind::LeftOut { mark, reason } => {
                let print = match mark {
                    Mark::There => fingerprints.of_stamp(0, 0),
                    Mark::Stamp((size, changed)) => fingerprints.of_stamp(*size, *changed),
                    Mark::Link { text, file } => fingerprints.of_link(text, *file),
                };
                out.left_out(&one.path, print, reason)?;
            }
            Kind::File(leaf) => {
                let (size, changed) = leaf.stamp;
                let stamp = fingerprints.of_stamp(size, changed);
                match roots.read(leaf) {
                    Ok(bytes) => match redact::redact(&one.path, &bytes) {
                        Some(clean) => {
                            let print = fingerprints.of_bytes(&bytes);
                            drop(bytes);
                            out.file(&one.path, leaf.mode, print, (&clean.bytes, clean.count))?;
                        }
                        None => {
                            out.left_out(&one.path, fingerprints.of_bytes(&bytes), "no text")?;
                        }
                    },
                    Err(ReadError::Denied) if redact::is_key_by_name(&one.path) => {
                        // The published key can stand for it unseen.
                        let key = redact::test_key();
                        out.file(&one.path, leaf.mode, stamp, (&key.bytes, key.count))?;
                    }
                    Err(ReadError::Denied) => {
                        out.left_out(&one.path, stamp, "not readable for the agent's user")?;
                    }
                    Err(ReadError::Other(reason)) => out.left_out(&one.path, stamp, &reason)?,
                }
            }
        }
    }
    if stop.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(SnapshotError::Late);
    }
    Ok(out.finish()?)
}

#[cfg(test)]
mod tests;
