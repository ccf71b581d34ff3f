//! `log.lines_per_minute{NAME}` and `log.errors_per_minute{NAME}`: what is written to the logs that the configuration
//! names, files or the journal.
//!
//! ```text
//! [[log]] path    -> expand -> follow -> tail -> lines -> pattern \
//! [[log]] journal -> journal                                       -> counts over monotonic time
//! ```
//!
//! Only what is new since the agent started counts, however long a log is. The memory does not grow with a log: one
//! buffer for all, no line is kept. A file on a mount that may stop answering is left alone and named. A pass reads at
//! most so many bytes; of a burst, samples, and the error says so.

pub mod expand;
mod follow;
mod journal;
pub mod lines;
pub mod pattern;
mod settings;
pub mod tail;

pub use settings::{LOGS_MAX, LogSettings};

use super::mounts::{Hanging, MountTable};
use super::problems::Problems;
use super::{CollectError, CollectSettings, Collector, Moment, Readings, Roots};
use expand::Way;
use follow::Follow;
use journal::Journal;
use lines::Counts;
use pattern::Pattern;
use std::time::Duration;
use tail::Room;

/// Below this a rate is noise.
const ELAPSED_MIN: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct FileLog {
    name: String,
    follow: Follow,
    /// Its own pattern; `None` is the default one, which all share.
    pattern: Option<Pattern>,
    pending: Pending,
}

/// What was counted since a rate was last put.
#[derive(Debug, Default)]
struct Pending {
    counts: Counts,
    since: Option<Duration>,
}

impl Pending {
    /// Adds `counts` and puts the rates of the log called `name`; without counts, it starts over.
    fn put(&mut self, name: &str, counts: Option<Counts>, now: Duration, out: &mut Readings) {
        let Some(counts) = counts else {
            *self = Self {
                since: Some(now),
                ..Self::default()
            };
            return;
        };
        self.counts.add(counts);
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_sub(since);
        if elapsed < ELAPSED_MIN {
            return;
        }
        let minutes = elapsed.as_secs_f64() / 60.0;
        out.put_for("log.lines_per_minute", name, self.counts.lines / minutes);
        out.put_for("log.errors_per_minute", name, self.counts.errors / minutes);
        *self = Self {
            since: Some(now),
            ..Self::default()
        };
    }
}

/// Follows logs.
#[derive(Debug)]
struct Logs {
    files: Vec<FileLog>,
    /// The default pattern, made when a log uses it.
    pattern: Option<Pattern>,
    journal: Option<Journal>,
    /// The logs of the journal, in its order.
    of_journal: Vec<(String, Pending)>,
    room: Room,
    table: MountTable,
    hanging: Hanging,
    /// What is wrong with the settings.
    refused: Vec<String>,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(settings: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Logs::new(&settings.logs))
}

impl Collector for Logs {
    fn name(&self) -> &'static str {
        "log"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        let mut problems = Problems::default();
        for text in &self.refused {
            problems.add(CollectError::Failed(text.clone()));
        }
        if !self.files.is_empty() {
            self.room.refill();
            // Where no mounts are told, none can be kept clear of.
            if self.table.refresh(&host.proc).unwrap_or(false) {
                self.hanging = Hanging::of(self.table.bytes());
            }
        }
        for log in &mut self.files {
            let Some(pattern) = log.pattern.as_mut().or(self.pattern.as_mut()) else {
                continue;
            };
            let way = Way {
                host,
                hanging: &self.hanging,
            };
            let counts = log
                .follow
                .look(&way, at, pattern, &mut self.room, &mut problems);
            log.pending.put(&log.name, counts, at.monotonic, out);
        }
        if let Some(journal) = &mut self.journal {
            let counts = journal.look(host, at, &mut problems);
            for (index, (name, pending)) in self.of_journal.iter_mut().enumerate() {
                let counts = counts.as_ref().and_then(|all| all.get(index).copied());
                pending.put(name, counts, at.monotonic, out);
            }
        }
        problems.finish()
    }
}

impl Logs {
    fn new(settings: &[LogSettings]) -> Self {
        let mut logs = Self {
            files: Vec::new(),
            pattern: None,
            journal: None,
            of_journal: Vec::new(),
            room: Room::default(),
            table: MountTable::default(),
            hanging: Hanging::default(),
            refused: Vec::new(),
        };
        let mut units = Vec::new();
        for log in settings.iter().take(LOGS_MAX) {
            if let Err((key, allowed)) = log.check() {
                logs.refused
                    .push(format!("log {}: {key} must be {allowed}", log.name));
                continue;
            }
            if let Some(unit) = &log.journal {
                units.push(unit.clone());
                logs.of_journal.push((log.name.clone(), Pending::default()));
            } else if let Some(path) = &log.path {
                logs.add_file(log, path);
            }
        }
        if settings.len() > LOGS_MAX {
            logs.refused.push(format!(
                "{} logs are configured, only {LOGS_MAX} are followed",
                settings.len()
            ));
        }
        logs.journal = (!units.is_empty()).then(|| Journal::new(units));
        logs
    }

    fn add_file(&mut self, log: &LogSettings, path: &str) {
        let compiled = match &log.errors {
            Some(own) => Pattern::new(own).map(Some),
            None if self.pattern.is_none() => Pattern::new(pattern::DEFAULT).map(|default| {
                self.pattern = Some(default);
                None
            }),
            None => Ok(None),
        };
        match compiled {
            Ok(pattern) => self.files.push(FileLog {
                name: log.name.clone(),
                follow: Follow::new(&log.name, path),
                pattern,
                pending: Pending::default(),
            }),
            Err(allowed) => self
                .refused
                .push(format!("log {}: errors must be {allowed}", log.name)),
        }
    }
}

#[cfg(test)]
mod tests;
