//! `process.count`, `process.blocked`, `process.zombies`, and who grew: one scan of `/proc/PID` a pass.
//!
//! ```text
//! /proc/PID/stat  every process: state, time, memory (in each pass; who does nothing, in turns)
//! /proc/PID/fd    a few each pass: how many descriptors (one stat(2) since Linux 6.2, which needs no right)
//! /proc/PID/io    a few each pass: bytes written (own processes only, without CAP_SYS_PTRACE)
//! ```
//!
//! The kernel adds what children wrote to the `io` of the parent that waits for them: of a shell it tells what all its
//! commands did. Where a process has one thread its own share is in `task/PID/io`, and the two are kept apart. Of
//! processes with several threads they cannot be: there, children that ended count as their parent.
//!
//! A process that ends while it is read is no error.

mod resource;
mod resting;
mod stat;
mod table;
mod writers;

pub use resource::Resource;

use self::resting::Resting;
use self::stat::Stat;
use self::table::{Process, ProcessTable, Sighting};
use super::fields::Fields;
use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};
use arki_model::event::ProcessGrowth;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How many processes' descriptors and written bytes are read in a pass, at 6 us each: on a usual host every process
/// once in two minutes, on one of 512 once in ten.
const CLOSER_LOOKS: usize = 24;

/// In a call of the kernel that no signal ends: a device or a server that does not answer.
const BLOCKED: u8 = b'D';

/// It ended, and its parent did not ask how.
const ZOMBIE: u8 = b'Z';

/// Reads `/proc/PID`.
#[derive(Debug)]
pub(super) struct Processes {
    source: Source,
    table: ProcessTable,
    resting: Resting,
    proc: PathBuf,
    page_kib: u64,
    /// True where the size of `/proc/PID/fd` is the number of descriptors.
    fd_size_counts: Option<bool>,
    /// Where the closer looks go on in the next pass.
    cursor: usize,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(settings: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Processes::new(settings))
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    blocked: usize,
    zombies: usize,
}

impl Processes {
    fn new(settings: &CollectSettings) -> Self {
        Self {
            source: Source::default(),
            table: ProcessTable::new(settings.kernel.ticks_per_second),
            resting: Resting::default(),
            proc: PathBuf::new(),
            page_kib: settings.kernel.page_bytes / 1024,
            fd_size_counts: None,
            cursor: 0,
        }
    }

    /// Every process once, and the last that could not be understood.
    fn scan(&mut self) -> Result<(Counts, Option<CollectError>), CollectError> {
        let mut counts = Counts::default();
        let (mut broken, mut sees_init) = (None, false);
        let entries =
            fs::read_dir(&self.proc).map_err(|error| CollectError::reading(&self.proc, &error))?;
        let mut path = self.proc.clone();
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            if self.resting.passes_over(pid) {
                sees_init |= pid == 1;
                counts.all += 1;
                self.table.keep(pid);
                continue;
            }
            path.push(&name);
            path.push("stat");
            if let Ok(bytes) = self.source.line(&path) {
                match stat::parse(bytes) {
                    Ok(stat) => {
                        sees_init |= pid == 1;
                        counts.add(&stat);
                        let did_nothing = self.table.see(&sighting(pid, &stat, self.page_kib));
                        if did_nothing && !matches!(stat.state, BLOCKED | ZOMBIE) {
                            self.resting.add(pid);
                        }
                    }
                    // Read while it ended.
                    Err(_) if bytes.is_empty() => {}
                    Err(error) => {
                        counts.all += 1;
                        broken = Some(CollectError::parsing(&path, &error));
                    }
                }
            }
            path.pop();
            path.pop();
        }
        if !sees_init {
            return Err(CollectError::Denied(format!(
                "{} hides the processes of other users (mount it without hidepid, or with gid= of the agent's group)",
                self.proc.display()
            )));
        }
        Ok((counts, broken))
    }

    /// Reads the descriptors and the written bytes of the next few processes.
    fn look_closer(&mut self) {
        let is_exact = match self.fd_size_counts {
            Some(is_exact) => is_exact,
            None => *self.fd_size_counts.insert(fd_size_counts(&self.proc)),
        };
        let processes = self.table.processes_mut();
        let (start, count) = (self.cursor, processes.len());
        self.cursor = if start + CLOSER_LOOKS < count {
            start + CLOSER_LOOKS
        } else {
            0
        };
        let mut path = self.proc.clone();
        for process in processes.iter_mut().skip(start).take(CLOSER_LOOKS) {
            if process.is_kernel {
                continue;
            }
            path.push(process.pid.to_string());
            let denied = [
                read_descriptors(process, &path.join("fd"), is_exact),
                read_written(process, &path, &mut self.source),
            ];
            process.is_denied = denied.contains(&true);
            path.pop();
        }
    }

    /// What could not be read of other users' processes.
    fn denied(&mut self) -> Result<(), CollectError> {
        let own = self
            .table
            .processes_mut()
            .iter()
            .filter(|process| !process.is_kernel);
        let (all, denied) = own.fold((0, 0), |(all, denied), process| {
            (all + 1, denied + usize::from(process.is_denied))
        });
        // A few that even root may not look into (sandboxes) are no lack.
        if denied * 4 < all || denied == 0 {
            return Ok(());
        }
        Err(CollectError::Denied(format!(
            "who writes and who holds descriptors, for {denied} of {all} processes (give the agent CAP_SYS_PTRACE; all else works without)"
        )))
    }
}

impl Collector for Processes {
    fn name(&self) -> &'static str {
        "process"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        if self.proc != host.proc {
            self.proc.clone_from(&host.proc);
        }
        self.table.begin(at.monotonic);
        self.resting.begin(at.monotonic);
        let scanned = self.scan();
        self.look_closer();
        self.table.end();
        let (counts, broken) = scanned?;
        out.put("process.count", counts.all as f64);
        out.put("process.blocked", counts.blocked as f64);
        out.put("process.zombies", counts.zombies as f64);
        broken.map_or_else(|| self.denied(), Err)
    }

    fn top_growth(&self, series: &str, count: usize) -> Vec<ProcessGrowth> {
        let grown = match Resource::of_series(series) {
            None => Vec::new(),
            Some(Resource::WrittenBytes) => writers::ranked(&self.table, &self.proc, series),
            Some(resource) => self.table.ranked(resource),
        };
        let grown = grown.into_iter().map(|(_, growth)| growth);
        grown.take(count).collect()
    }
}

impl Counts {
    fn add(&mut self, stat: &Stat<'_>) {
        self.all += 1;
        self.blocked += usize::from(stat.state == BLOCKED);
        self.zombies += usize::from(stat.state == ZOMBIE);
    }
}

fn sighting<'a>(pid: u32, stat: &Stat<'a>, page_kib: u64) -> Sighting<'a> {
    Sighting {
        pid,
        name: stat.name,
        is_kernel: stat.is_kernel,
        reaps: stat.children_ticks > 0 && stat.threads == 1,
        start_ticks: stat.start_ticks,
        cpu_ticks: stat.cpu_ticks,
        resident_kib: stat.resident_pages.saturating_mul(page_kib),
    }
}

/// Linux 6.2 and later: our own directory has as many bytes as we have descriptors. Of a fixture it has any size.
fn fd_size_counts(proc: &Path) -> bool {
    let is_procfs = nix::sys::statfs::statfs(proc)
        .is_ok_and(|system| system.filesystem_type() == nix::sys::statfs::PROC_SUPER_MAGIC);
    is_procfs && fs::metadata(proc.join("self/fd")).is_ok_and(|directory| directory.len() > 0)
}

/// True if it was turned down.
fn read_descriptors(process: &mut Process, path: &Path, is_exact: bool) -> bool {
    let count = if is_exact {
        fs::metadata(path).map(|directory| directory.len())
    } else {
        fs::read_dir(path).map(|entries| entries.count() as u64)
    };
    match count {
        Ok(count) => {
            process.set(Resource::Descriptors, count);
            false
        }
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

/// True if it was turned down.
fn read_written(process: &mut Process, path: &Path, source: &mut Source) -> bool {
    let all = match source.text(&path.join("io")) {
        // A line that is broken leaves the amounts as they were: they are evidence, no series.
        Ok(text) => written(text).ok(),
        Err(error) => return matches!(error, CollectError::Denied(_)),
    };
    let Some(all) = all else { return false };
    let own = if process.reaps {
        let own = path.join(format!("task/{}/io", process.pid));
        source
            .text(&own)
            .ok()
            .and_then(|text| written(text).ok())
            .unwrap_or(all)
    } else {
        all
    };
    let children_bytes = all.to_devices_bytes.saturating_sub(own.to_devices_bytes);
    for (resource, bytes) in [
        (Resource::WrittenBytes, own.to_devices_bytes),
        (Resource::WrittenAnywhereBytes, own.anywhere_bytes),
        (Resource::WrittenByChildrenBytes, children_bytes),
    ] {
        process.set(resource, bytes / 1024);
    }
    false
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Written {
    to_devices_bytes: u64,
    anywhere_bytes: u64,
}

/// `wchar` and `write_bytes` less `cancelled_write_bytes` (`proc_pid_io(5)`).
fn written(io: &str) -> Result<Written, ParseError> {
    let mut written = Written::default();
    let mut cancelled = 0;
    for (line, text) in (1..).zip(io.lines()) {
        let Some((name, rest)) = text.split_once(':') else {
            continue;
        };
        let target = match name {
            "wchar" => &mut written.anywhere_bytes,
            "write_bytes" => &mut written.to_devices_bytes,
            "cancelled_write_bytes" => &mut cancelled,
            _ => continue,
        };
        *target = Fields::new(line, rest).number(name)?;
    }
    written.to_devices_bytes = written.to_devices_bytes.saturating_sub(cancelled);
    Ok(written)
}

#[cfg(test)]
mod tests;
