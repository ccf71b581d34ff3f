//! The agent's own things: state directory, key, socket.

use super::{Check, Verdict};
use crate::config::Config;
use crate::identity;
use crate::socket::client::{AskError, ask};
use crate::socket::message::{Request, Response};
use crate::terminal::{bytes, count};
use nix::sys::statvfs::statvfs;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// Below this the state may not fit: memory twice (old and new) for the default 600 series, and 1 MiB of events.
const SPACE_BYTES_MIN: u64 = 16 * 1024 * 1024;

pub(super) fn state_dir(config: &Config) -> Check {
    let path = &config.state_dir;
    let shown = path.display();
    let check = |verdict, text| Check::new("state directory", verdict, text);
    let Ok(metadata) = fs::metadata(path) else {
        let text = format!("{shown} is not there yet; `run` makes it");
        return check(Verdict::Ok, text);
    };
    if !metadata.is_dir() {
        let text = format!("{shown} is no directory: move it away, or name another (state_dir)");
        return check(Verdict::Fail, text);
    }
    match try_write(path) {
        Ok(()) => check(Verdict::Ok, format!("{shown} can be written")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let text = format!(
                "{shown} belongs to another user: run doctor as the agent's user, or as root"
            );
            check(Verdict::Warn, text)
        }
        Err(error) => {
            let text = format!(
                "{shown} cannot be written ({error}): nothing is remembered over a restart"
            );
            check(Verdict::Fail, text)
        }
    }
}

fn try_write(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!("doctor-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?
        .sync_all()?;
    fs::remove_file(path)
}

pub(super) fn space(config: &Config) -> Check {
    let existing = config.state_dir.ancestors().find(|path| path.exists());
    let check = |verdict, text| Check::new("disk space", verdict, text);
    let Some(Ok(stat)) = existing.map(statvfs) else {
        return check(
            Verdict::Warn,
            format!("unknown for {}", config.state_dir.display()),
        );
    };
    let free = stat.blocks_available().saturating_mul(stat.fragment_size());
    let text = format!("{} free for the state directory", bytes(free as f64));
    if free < SPACE_BYTES_MIN {
        return check(
            Verdict::Fail,
            format!(
                "only {text}; the agent wants {}",
                bytes(SPACE_BYTES_MIN as f64)
            ),
        );
    }
    check(Verdict::Ok, text)
}

pub(super) fn key(config: &Config) -> Check {
    let check = |verdict, text| Check::new("key", verdict, text);
    match identity::load(&config.state_dir) {
        Ok(Some(key)) => check(
            Verdict::Ok,
            format!("{}, readable by its owner alone", key.public()),
        ),
        Ok(None) => check(Verdict::Ok, "none yet; `run` makes one".to_owned()),
        Err(identity::IdentityError::File { path, source })
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            check(
                Verdict::Warn,
                format!(
                    "{} is not yours to read: run doctor as the agent's user",
                    path.display()
                ),
            )
        }
        Err(error) => check(Verdict::Fail, error.to_string()),
    }
}

pub(super) fn daemon(config: &Config) -> Check {
    let check = |verdict, text| Check::new("daemon", verdict, text);
    match ask(&config.socket, &Request::Status) {
        Ok(Response::Status(status)) if status.healthy => check(
            Verdict::Ok,
            format!(
                "runs as process {}, with {}",
                status.pid,
                count(status.predictions.len() as u64, "active prediction")
            ),
        ),
        Ok(Response::Status(status)) => {
            let problems: Vec<String> = status
                .problems
                .iter()
                .map(|p| format!("{}: {}", p.area, p.text))
                .collect();
            check(
                Verdict::Warn,
                format!("runs, but is degraded: {}", problems.join("; ")),
            )
        }
        Ok(_) => check(
            Verdict::Fail,
            "answers something else than its status: restart it".to_owned(),
        ),
        Err(error @ AskError::NotRunning { .. }) => check(Verdict::Warn, error.to_string()),
        Err(error) => check(Verdict::Fail, error.to_string()),
    }
}
