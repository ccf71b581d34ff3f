//! What the host itself shows to be going on: jobs of timers and of cron, updates, backups, checks of its disks.
//!
//! ```text
//! control groups + unit files   a service that runs and has a timer          "apt-daily"
//! /proc/PID/stat, cmdline       children of cron, known programs             "cron:backup.sh", "rsync"
//! /proc/mdstat                  checks and rebuilds of arrays, with their end  "md0 check"
//! ```
//!
//! Everybody may read all of it. A scrub of a ZFS pool leaves no trace in files; it is seen when a timer or cron waits
//! for it (`zpool scrub -w`, as Debian's `zfs-scrub@.service` does).
//!
//! Invariants: looked up once a minute; at most [`ACTIVE_MAX`] at a time; what runs for longer than [`AGE_MAX_S`] is a
//! daemon, whatever it is called, and explains nothing.

mod kind;
mod process;
mod raid;
mod timer;

use crate::collect::{Moment, Roots};
use arki_model::clock::UnixSeconds;
use arki_model::context::{ActiveContext, Source};
use globset::GlobMatcher;
use kind::JobKind;
use process::Processes;
use std::time::Duration;
use timer::Timers;

/// How often the host is looked at: a job that is over sooner moves no series for long.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How many jobs are told apart; more at a time explain nothing that these do not.
const ACTIVE_MAX: usize = 16;

/// The longest that a job lasts, in seconds. A backup of a terabyte at 50 MB/s takes 5.8 hours; a daemon lasts longer.
const AGE_MAX_S: i64 = 6 * 3600;

/// A job that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    name: String,
    kind: JobKind,
    since: UnixSeconds,
    until: Option<UnixSeconds>,
}

#[derive(Debug)]
struct Known {
    job: Job,
    series: Vec<GlobMatcher>,
}

/// The jobs that run on the host.
#[derive(Debug, Default)]
pub struct HostContexts {
    looked_at: Option<Duration>,
    timers: Timers,
    processes: Processes,
    known: Vec<Known>,
}

impl HostContexts {
    /// Looks at the host, if it is time to.
    pub fn look(&mut self, host: &Roots, at: Moment) {
        let is_due = self
            .looked_at
            .is_none_or(|last| at.monotonic.saturating_sub(last) >= LOOK_EVERY);
        if !is_due {
            return;
        }
        self.looked_at = Some(at.monotonic);
        let mut jobs = self.timers.look(host, at.now_s);
        jobs.extend(self.processes.look(host, at.now_s));
        jobs.extend(raid::look(host, at.now_s));
        self.take(jobs, at.now_s);
    }

    /// What runs and explains something.
    pub fn active(&self) -> impl Iterator<Item = ActiveContext> {
        self.known.iter().map(|known| ActiveContext {
            name: known.job.name.clone(),
            source: Source::Host,
            since: known.job.since,
            until: known.job.until,
            series: known.series.clone(),
        })
    }

    /// Keeps what was known (its beginning stays, its globs are compiled), forgets what is over.
    fn take(&mut self, jobs: Vec<Job>, now_s: UnixSeconds) {
        let mut before = std::mem::take(&mut self.known);
        for job in jobs {
            let is_taken = self.known.iter().any(|known| known.job.name == job.name);
            let is_job = now_s.saturating_sub(job.since) < AGE_MAX_S;
            if is_taken || !is_job || self.known.len() == ACTIVE_MAX {
                continue;
            }
            let same = |known: &Known| known.job.name == job.name && known.job.kind == job.kind;
            let known = match before.iter().position(same) {
                Some(index) => Known {
                    series: before.swap_remove(index).series,
                    job,
                },
                None => Known {
                    series: job.kind.series(),
                    job,
                },
            };
            self.known.push(known);
        }
    }
}

#[cfg(test)]
mod tests;
