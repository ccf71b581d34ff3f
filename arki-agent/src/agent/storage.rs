//! What an agent reads at its start and writes while it runs.

use super::Agent;
use crate::events::EventLog;
use crate::state::{StateDir, StateError};
use arki_model::chain::Head;
use arki_model::engine::{Engine, Memory, Record, Settings};
use serde::{Deserialize, Serialize};

/// Windows and what was learned.
const MEMORY: &str = "memory";
/// Ledger, quiet and the end of the chain.
const RECORD: &str = "record";
/// What was announced and is not over.
pub(super) const CONTEXTS: &str = "contexts";

#[derive(Serialize)]
struct SavedRecord<'a> {
    record: &'a Record,
    head: Head,
}

#[derive(Deserialize)]
struct LoadedRecord {
    record: Record,
    head: Head,
}

/// The engine and the events of `state`, and what a person should know about damage.
pub(super) fn restore(state: &StateDir, settings: Settings) -> (Engine, EventLog, Vec<String>) {
    let (memory, memory_note) = state.load::<Memory>(MEMORY);
    let (record, record_note) = state.load::<LoadedRecord>(RECORD);
    let mut notes: Vec<String> = [memory_note, record_note].into_iter().flatten().collect();
    let mut engine = match memory {
        Some(memory) => {
            if memory.interval_s() != settings.interval_s {
                tracing::warn!(
                    "the interval has changed: the windows are filled anew, the ledger stays"
                );
            }
            Engine::restore(settings, memory)
        }
        None => Engine::new(settings),
    };
    let mut head = Head::default();
    if let Some(loaded) = record {
        engine.restore_record(loaded.record);
        head = loaded.head;
    }
    let (log, event_notes) = EventLog::open(state.path(), head);
    notes.extend(event_notes);
    (engine, log, notes)
}

impl Agent {
    /// True while something could not be written: to be tried again soon.
    pub fn is_unsettled(&self) -> bool {
        self.due.record
            || self.due.memory
            || self.due.contexts
            || self.due.ship
            || !self.waiting.is_empty()
    }

    /// Writes what is due; what fails stays due and is said.
    pub fn settle(&mut self) {
        while let Some(event) = self.waiting.front() {
            match self.log.append(event.clone(), &self.key) {
                Ok(_) => {
                    self.waiting.pop_front();
                    (self.due.record, self.due.ship) = (true, true);
                }
                Err(error) => {
                    let text = format!("{error}; {} events wait for the disk", self.waiting.len());
                    self.problems.set("events", text);
                    return;
                }
            }
        }
        if self.due.ship {
            self.ship_events();
        }
        // The first that fails ends it: a full disk is said once, not once a file.
        let all = [Self::save_record, Self::save_contexts, Self::save_memory];
        for save in all {
            if let Err(error) = save(self) {
                let text =
                    format!("{error}; predicting goes on, and it is tried again every few seconds");
                self.problems.set("storage", text);
                return;
            }
        }
        self.problems.clear("storage");
        self.problems.clear("events");
    }

    /// Writes everything, at the end.
    pub fn save(&mut self) {
        (self.due.record, self.due.memory) = (true, true);
        self.settle();
    }

    fn save_record(&mut self) -> Result<(), StateError> {
        if self.due.record {
            let saved = SavedRecord {
                record: self.pipeline.engine().record(),
                head: self.log.head(),
            };
            self.state.save(RECORD, &saved)?;
            self.due.record = false;
        }
        Ok(())
    }

    fn save_contexts(&mut self) -> Result<(), StateError> {
        if self.due.contexts {
            self.state.save(CONTEXTS, self.contexts.announced())?;
            self.due.contexts = false;
        }
        Ok(())
    }

    fn save_memory(&mut self) -> Result<(), StateError> {
        if self.due.memory {
            self.state.save(MEMORY, self.pipeline.engine().memory())?;
            self.due.memory = false;
            self.rare_work = true;
            self.memory_saved = self.clock.monotonic();
        }
        Ok(())
    }
}
