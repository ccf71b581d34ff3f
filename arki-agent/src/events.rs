//! The local log of signed events: appended durably before an event counts, bounded, and the source of the chain.
//!
//! ```text
//! events-<number of its first event, 20 digits>.log:
//!   "ARKIEVNT"  version u16
//!   { length u32  CRC-32 u32  body (MessagePack of `Signed`) } ...      integers little-endian
//! ```
//!
//! Recovery: each file is read from its start; what follows the last whole record of the newest file is a write
//! that a crash cut off, and is cut away. Damage anywhere else is copied aside and said. The end of the chain is the
//! last record, or what the record file remembers if that is further: a number is never given twice.
//! At most [`SEGMENTS_MAX`] files of [`SEGMENT_BYTES_MAX`] are kept, so some hundred events; the oldest file goes first.

mod segment;

use arki_model::chain::{self, Head};
use arki_model::clock::UnixSeconds;
use arki_model::event::Event;
use arki_model::id::EventId;
use arki_model::signature::{PrivateKey, Signed};
use segment::Segment;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

/// The most bytes of one file.
pub const SEGMENT_BYTES_MAX: u64 = 256 * 1024;
/// The most files: 1 MiB of events, at 2 to 4 KiB each.
pub const SEGMENTS_MAX: usize = 4;
/// The most events that are listed in memory, at some 100 bytes each; older ones are still in the files.
pub const INDEX_MAX: usize = 512;

/// What is known of an event without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number in the chain.
    pub sequence: u64,
    /// Its identifier.
    pub id: EventId,
    /// The series.
    pub series: Box<str>,
    /// When it was raised.
    pub raised_at: UnixSeconds,
}

/// Why an event is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The disk does not take it.
    #[error("{path}: cannot write the event: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be encoded.
    #[error("cannot encode the event: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
}

/// The log of one agent.
#[derive(Debug)]
pub struct EventLog {
    directory: PathBuf,
    /// Oldest first; the last is written to.
    segments: VecDeque<Segment>,
    index: VecDeque<Listed>,
    head: Head,
}

impl EventLog {
    /// Reads what is in `directory`. `remembered` is the end of the chain as saved elsewhere. Also returns what a
    /// person should know about damage.
    pub fn open(directory: &Path, remembered: Head) -> (Self, Vec<String>) {
        let mut log = Self {
            directory: directory.to_owned(),
            segments: VecDeque::new(),
            index: VecDeque::new(),
            head: Head::default(),
        };
        let mut notes = Vec::new();
        let (firsts, note) = segment::list(directory);
        notes.extend(note);
        for first in firsts {
            let (segment, note) = Segment::open(directory, first, |signed| log.list(signed));
            notes.extend(note);
            log.segments.extend(segment);
        }
        if remembered.sequence > log.head.sequence {
            notes.push(format!(
                "{}: the log of events ends at number {}, but {} were signed: the rest is lost",
                directory.display(),
                log.head.sequence,
                remembered.sequence
            ));
            log.head = remembered;
        }
        (log, notes)
    }

    /// The end of the chain.
    pub fn head(&self) -> Head {
        self.head
    }

    /// What is known of the events, oldest first.
    pub fn listed(&self) -> impl DoubleEndedIterator<Item = &Listed> {
        self.index.iter()
    }

    /// Signs `event` as the next of the chain and writes it durably. After an error it is not part of the chain.
    pub fn append(&mut self, event: Event, key: &PrivateKey) -> Result<Signed, EventError> {
        let mut head = self.head;
        let signed = head.append(event, key)?;
        let body = rmp_serde::to_vec(&signed)?;
        let full = self
            .segments
            .back()
            .is_none_or(|segment| !segment.takes(body.len()));
        if full {
            let segment = Segment::create(&self.directory, head.sequence).map_err(|source| {
                EventError::Write {
                    path: self.directory.clone(),
                    source,
                }
            })?;
            self.segments.push_back(segment);
        }
        if let Some(segment) = self.segments.back_mut() {
            segment.append(&body).map_err(|source| EventError::Write {
                path: segment.path().to_owned(),
                source,
            })?;
        }
        self.list(&signed);
        while self.segments.len() > SEGMENTS_MAX
            && let Some(oldest) = self.segments.pop_front()
        {
            oldest.remove();
            let first = self.segments.front().map_or(0, Segment::first);
            self.index.retain(|listed| listed.sequence >= first);
        }
        Ok(signed)
    }

    /// Reads the event with this number.
    pub fn read(&self, sequence: u64) -> Option<Signed> {
        let mut found = None;
        let segment = self
            .segments
            .iter()
            .rev()
            .find(|segment| segment.first() <= sequence)?;
        segment.scan(|signed| {
            if chain::decode(&signed.payload).is_ok_and(|event| event.sequence == sequence) {
                found = Some(signed.clone());
            }
        });
        found
    }

    /// Reads the events whose numbers are at least `from`, oldest first, at most `count`.
    pub fn read_from(&self, from: u64, count: usize) -> Vec<Signed> {
        let mut found = Vec::new();
        let later: Vec<u64> = self.segments.iter().skip(1).map(Segment::first).collect();
        let ends = later.into_iter().chain([u64::MAX]);
        for (segment, end) in self.segments.iter().zip(ends) {
            if end <= from || found.len() >= count {
                continue;
            }
            segment.scan(|signed| {
                let wanted =
                    chain::decode(&signed.payload).is_ok_and(|event| event.sequence >= from);
                if wanted && found.len() < count {
                    found.push(signed.clone());
                }
            });
        }
        found
    }

    /// Takes one event of the log into index and head; false if it is none.
    fn list(&mut self, signed: &Signed) -> bool {
        let Ok(event) = chain::decode(&signed.payload) else {
            return false;
        };
        self.head = Head {
            sequence: event.sequence,
            digest: signed.digest(),
        };
        if self.index.len() == INDEX_MAX {
            self.index.pop_front();
        }
        self.index.push_back(Listed {
            sequence: event.sequence,
            id: event.id,
            series: event.prediction.series.into(),
            raised_at: event.prediction.raised_at,
        });
        true
    }
}

#[cfg(test)]
mod tests;
