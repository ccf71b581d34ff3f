//! What was applied here: written before a command runs, so that no receipt is ever used twice.
//!
//! One state file, `applied`, replaced as a whole and synced. Invariants: an entry is on disk before its command starts;
//! it stays until its receipt has ended, so that it is refused all that time; at most [`ENTRIES_MAX`] entries, and when
//! all of them are of receipts that still stand, nothing more is applied. A journal that was lost or damaged begins anew,
//! and from then on only trials made after that moment are applied: what the old one knew cannot be used again.

use super::audit::Audit;
use crate::state;
use arki_model::clock::UnixSeconds;
use arki_model::ledger;
use arki_model::receipt::Receipt;
use arki_model::request::{Report, RequestId};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};

/// The file inside the state directory.
pub const FILE: &str = "applied";
/// As many commands within the life of a receipt (an hour) are no repair.
pub const ENTRIES_MAX: usize = 32;

/// Why a receipt is not taken.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It was used.
    #[error("run {0} was applied here before: a receipt works once")]
    Used(String),
    /// Older than the journal.
    #[error(
        "the trial is older than this agent's record of what was applied: try the action again"
    )]
    Older,
    /// Too many.
    #[error("{ENTRIES_MAX} commands were applied within the last hours: nothing more for now")]
    Full,
    /// A command runs.
    #[error("another command is being applied")]
    Busy,
    /// It cannot be written, so nothing may run.
    #[error("{path}: cannot remember what is applied, so nothing is: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// One command that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The trial's run.
    pub run: String,
    /// The request that brought it.
    pub request: RequestId,
    /// The service.
    pub service: String,
    /// The action.
    pub action: String,
    /// The command.
    pub argv: Vec<String>,
    /// Who decided, and why.
    pub decided_by: String,
    /// The series whose prediction it is to avert; empty if none.
    pub series: String,
    /// When it was begun.
    pub begun_at: UnixSeconds,
    /// Until when its receipt would have stood.
    pub expires_at: UnixSeconds,
    /// How it ended; `None` while it runs, and for ever if the agent ended first.
    pub ran: Option<Report>,
    /// What became of the prediction afterwards.
    pub outcome: Option<ledger::Outcome>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Content {
    /// When this journal began.
    since_s: UnixSeconds,
    /// The oldest first.
    entries: Vec<Entry>,
}

/// The journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    audit: Audit,
    content: RefCell<Content>,
    /// True while a command of this process runs.
    is_running: Cell<bool>,
}

impl Journal {
    /// Reads the journal of `state_dir`, or begins one at `now_s`. The text says what was wrong with the old one.
    pub fn open(state_dir: &Path, now_s: UnixSeconds) -> (Self, Option<String>) {
        let path = state_dir.join(FILE);
        let (content, note) = state::load::<Content>(&path);
        let is_new = content.is_none();
        let content = content.unwrap_or(Content {
            since_s: now_s,
            entries: Vec::new(),
        });
        if is_new && let Err(error) = state::save(&path, &content) {
            tracing::warn!(%error, "the journal of what is applied cannot be written");
        }
        let journal = Self {
            audit: Audit::new(state_dir),
            path,
            content: RefCell::new(content),
            is_running: Cell::new(false),
        };
        (journal, note)
    }

    /// The audit file beside it.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Whether the run of `receipt` may begin.
    pub fn check(&self, receipt: &Receipt, now_s: UnixSeconds) -> Result<(), JournalError> {
        let content = self.content.borrow();
        if content.entries.iter().any(|entry| entry.run == receipt.run) {
            return Err(JournalError::Used(receipt.run.clone()));
        }
        if receipt.tried_at < content.since_s {
            return Err(JournalError::Older);
        }
        if self.is_running.get() {
            return Err(JournalError::Busy);
        }
        let standing = content
            .entries
            .iter()
            .filter(|entry| now_s < entry.expires_at);
        if standing.count() >= ENTRIES_MAX {
            return Err(JournalError::Full);
        }
        Ok(())
    }

    /// Remembers durably that the run of `receipt` begins now.
    pub fn begin(
        &self,
        receipt: &Receipt,
        request: RequestId,
        series: String,
        now_s: UnixSeconds,
    ) -> Result<(), JournalError> {
        self.check(receipt, now_s)?;
        let entry = Entry {
            run: receipt.run.clone(),
            request,
            service: receipt.service.clone(),
            action: receipt.action.clone(),
            argv: receipt.argv.clone(),
            decided_by: format!("{}: {}", receipt.name, receipt.reason),
            series,
            begun_at: now_s,
            expires_at: receipt.expires_at,
            ran: None,
            outcome: None,
        };
        let mut next = self.content.borrow().clone();
        while next.entries.len() >= ENTRIES_MAX {
            let oldest = next
                .entries
                .iter()
                .position(|entry| now_s >= entry.expires_at);
            next.entries.remove(oldest.ok_or(JournalError::Full)?);
        }
        next.entries.push(entry.clone());
        self.save(&next)?;
        self.audit.write("begun", &entry, now_s);
        self.content.replace(next);
        self.is_running.set(true);
        Ok(())
    }

    /// Remembers how it ended.
    pub fn end(&self, run: &str, ran: &Report, now_s: UnixSeconds) -> Entry {
        self.is_running.set(false);
        let mut content = self.content.borrow_mut();
        let mut ended = None;
        for entry in &mut content.entries {
            if entry.run == run {
                entry.ran = Some(ran.clone());
                self.audit.write("ended", entry, now_s);
                ended = Some(entry.clone());
            }
        }
        if let Err(error) = self.save(&content) {
            tracing::error!(%error, "how an applied command ended is not on disk");
        }
        ended.expect("`begin` has put it there, and nothing takes it away while it runs")
    }

    /// What is known of a request that came before, unless its command still runs.
    pub fn by_request(&self, request: RequestId) -> Option<Entry> {
        let content = self.content.borrow();
        content
            .entries
            .iter()
            .find(|entry| entry.request == request)
            .cloned()
    }

    /// True while a command runs.
    pub fn is_running(&self) -> bool {
        self.is_running.get()
    }

    /// The newest entry.
    pub fn last(&self) -> Option<Entry> {
        self.content.borrow().entries.last().cloned()
    }

    /// Asks `fate` what became of the predictions that commands were to avert, and remembers it.
    pub fn watch(
        &self,
        now_s: UnixSeconds,
        fate: impl Fn(&str, UnixSeconds) -> Option<ledger::Outcome>,
    ) {
        let mut content = self.content.borrow_mut();
        let mut is_new = false;
        for entry in &mut content.entries {
            if entry.outcome.is_none()
                && entry.ran.is_some()
                && !entry.series.is_empty()
                && let Some(outcome) = fate(&entry.series, entry.begun_at)
            {
                entry.outcome = Some(outcome);
                is_new = true;
                tracing::info!(run = %entry.run, series = %entry.series, ?outcome, "what an applied command was to avert has ended");
                self.audit.write("outcome", entry, now_s);
            }
        }
        if is_new && let Err(error) = self.save(&content) {
            tracing::warn!(%error, "what became of a prediction is not in the journal");
        }
    }

    fn save(&self, content: &Content) -> Result<(), JournalError> {
        state::save(&self.path, content).map_err(|source| JournalError::File {
            path: self.path.clone(),
            source,
        })
    }
}
