//! The journal of systemd, read as files: no library, no subprocess, no memory mapping.
//!
//! ```text
//! /var/log/journal/<machine id>/{system,user-1000}.journal      what journald writes to now
//! /run/log/journal/<machine id>/...                             the same, where nothing is kept over a restart
//! .../system@<id>-<number>-<time>.journal                       what it wrote to before: the same file, renamed
//! ```
//!
//! A file is followed by its inode, so that what was written just before a rotation counts. Errors are entries of
//! priority `err` and worse; a unit has its own entries and what systemd says about it.

mod file;
mod layout;

use super::lines::Counts;
use super::tail::FileId;
use crate::collect::problems::Problems;
use crate::collect::{CollectError, Moment, Roots};
use file::{Found, JournalError, JournalFile};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many files are followed: one for the system, one for every user that is logged in.
const FILES_MAX: usize = 64;
/// How many names are looked at in a directory; journald keeps at most 100 files by default.
const NAMES_MAX: usize = 4096;

#[derive(Debug)]
struct Followed {
    journal: JournalFile,
    has_name: bool,
}

/// Follows the journal for several logs.
#[derive(Debug)]
pub(super) struct Journal {
    /// The unit of each log; `*` is everything.
    units: Vec<String>,
    files: Vec<Followed>,
    last: Option<Moment>,
}

impl Journal {
    /// Follows the journal for logs of these units, at most 64.
    pub(super) fn new(units: Vec<String>) -> Self {
        Self {
            units,
            files: Vec::new(),
            last: None,
        }
    }

    /// What is new for each of the logs; `None` if there is no journal, or in the first pass.
    pub(super) fn look(
        &mut self,
        host: &Roots,
        at: Moment,
        problems: &mut Problems,
    ) -> Option<Vec<Counts>> {
        self.find(host, problems);
        let units: Vec<&str> = self.units.iter().map(String::as_str).collect();
        let mut total = vec![Counts::default(); units.len()];
        let has_files = !self.files.is_empty();
        let mut is_estimate = false;
        self.files
            .retain_mut(|file| match file.journal.look(&units) {
                Ok((found, is_archived)) => {
                    is_estimate |= found.is_estimate;
                    add(&mut total, &units, &found);
                    file.has_name || !(is_archived || found.all.lines == 0.0)
                }
                Err(error) => {
                    problems.add(CollectError::Failed(format!(
                        "a file of the journal cannot be read: {error} (see `journalctl --verify`)"
                    )));
                    file.has_name
                }
            });
        if is_estimate {
            problems.add(CollectError::Failed(
                "more entries of the journal were new than are read in a pass; the errors of units are estimates from the last ones".to_owned(),
            ));
        }
        let is_first = self.last.replace(at).is_none();
        (has_files && !is_first).then_some(total)
    }

    /// Brings the list of files up to date.
    fn find(&mut self, host: &Roots, problems: &mut Problems) {
        for file in &mut self.files {
            file.has_name = false;
        }
        let before = problems.count();
        let mut found = 0;
        for directory in directories(host) {
            let Ok(names) = fs::read_dir(&directory) else {
                continue;
            };
            for entry in names.flatten().take(NAMES_MAX) {
                let name = entry.file_name();
                let is_active = name
                    .to_str()
                    .is_some_and(|name| name.ends_with(".journal") && !name.contains('@'));
                if !is_active || found == FILES_MAX {
                    continue;
                }
                found += 1;
                if let Err(error) = self.meet(&entry.path()) {
                    problems.add(refusal(host, &entry.path(), &error));
                }
            }
        }
        if found == 0 && problems.count() == before {
            problems.add(CollectError::NoData(
                "there is no journal of this host under /var/log/journal and /run/log/journal"
                    .to_owned(),
            ));
        }
    }

    /// Follows the file at `path`, unless it is followed already.
    fn meet(&mut self, path: &Path) -> Result<(), JournalError> {
        let id = FileId::of(&fs::metadata(path)?);
        if let Some(known) = self.files.iter_mut().find(|file| file.journal.id() == id) {
            known.has_name = true;
            return Ok(());
        }
        let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let file: File = OpenOptions::new()
            .read(true)
            .custom_flags(nonblocking)
            .open(path)?;
        let units: Vec<&str> = self.units.iter().map(String::as_str).collect();
        let since_us = self
            .last
            .map(|last| u64::try_from(last.now_s).unwrap_or(0) * 1_000_000);
        self.files.push(Followed {
            journal: JournalFile::new(file, &units, since_us)?,
            has_name: true,
        });
        Ok(())
    }
}

fn add(total: &mut [Counts], units: &[&str], found: &Found) {
    for ((total, &unit), &of_unit) in total.iter_mut().zip(units).zip(&found.by_log) {
        total.add(if unit == "*" { found.all } else { of_unit });
    }
}

/// Where journald of this host writes to.
fn directories(host: &Roots) -> Vec<PathBuf> {
    let Some(machine) = machine_id(host) else {
        return Vec::new();
    };
    ["/var/log/journal", "/run/log/journal"]
        .iter()
        .map(|directory| host.path(Path::new(directory)).join(&machine))
        .collect()
}

/// `/etc/machine-id`: 32 hexadecimal digits.
fn machine_id(host: &Roots) -> Option<String> {
    let mut text = String::new();
    let file = File::open(host.path(Path::new("/etc/machine-id"))).ok()?;
    file.take(64).read_to_string(&mut text).ok()?;
    let id = text.trim_end();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

fn refusal(host: &Roots, path: &Path, error: &JournalError) -> CollectError {
    let shown = path.strip_prefix(&host.root).unwrap_or(path).display();
    match error {
        JournalError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            CollectError::Denied(format!(
                "the journal /{shown} may not be read (add the agent's user to the group systemd-journal, for example `usermod -aG systemd-journal arki`, and restart the agent)"
            ))
        }
        error => CollectError::Failed(format!("the journal /{shown} cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests;
