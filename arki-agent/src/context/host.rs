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
//! daemon, whatever it is called, and explains nothing. So is what begins anew every minute: it is there at every look.

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
    /// Since when there was one of this name at every look.
    there_since: UnixSeconds,
    series: Vec<GlobMatcher>,
}

/// Jobs whose beginning is kept, so that what never ends is known for it.
const KNOWN_MAX: usize = 4 * ACTIVE_MAX;

/// The jobs that run on the host.
#[derive(Debug, Default)]
pub struct HostContexts {
    looked_at: Option<Duration>,
    looked_at_s: UnixSeconds,
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
        let ends = |known: &&Known| self.looked_at_s.saturating_sub(known.there_since) < AGE_MAX_S;
        let active = self.known.iter().filter(ends).take(ACTIVE_MAX);
        active.map(|known| ActiveContext {
            name: known.job.name.clone(),
            source: Source::Host,
            since: known.job.since,
            until: known.job.until,
            series: known.series.clone(),
        })
    }

    /// Keeps what was known (since when it is there, its globs are compiled), forgets what is over.
    fn take(&mut self, jobs: Vec<Job>, now_s: UnixSeconds) {
        let mut before = std::mem::take(&mut self.known);
        let before_s = std::mem::replace(&mut self.looked_at_s, now_s);
        for job in jobs {
            let is_taken = self.known.iter().any(|known| known.job.name == job.name);
            if is_taken || self.known.len() == KNOWN_MAX {
                continue;
            }
            let same = |known: &Known| known.job.name == job.name && known.job.kind == job.kind;
            let known = match before.iter().position(same) {
                Some(index) => {
                    let old = before.swap_remove(index);
                    // A daemon that was there alone has nothing to do with the job that came.
                    let was_daemon = before_s.saturating_sub(old.job.since) >= AGE_MAX_S;
                    let there_since = if was_daemon {
                        job.since
                    } else {
                        old.there_since.min(job.since)
                    };
                    Known {
                        series: old.series,
                        there_since,
                        job,
                    }
                }
                None => Known {
                    series: job.kind.series(),
                    there_since: job.since,
                    job,
                },
            };
            self.known.push(known);
        }
    }
}

#[cfg(test)]
mod tests;
