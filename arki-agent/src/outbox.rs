//! What waits for the hub: a bounded spool of files, one lane of events and one of summaries.
//!
//! ```text
//! outbox/{events,summaries}/
//!   lane                        epoch, acknowledged number, last number, counts (a state file, replaced as a whole)
//!   <number of its first record, 20 digits>.seg
//!     "ARKIOUTB"  version u16
//!     { length u32  number u64  tag u64  CRC-32 of the payload u32  CRC-32 of these 24 bytes u32  payload } ...
//! ```
//!
//! Integers are little-endian. A record counts once it is written and synced (`fdatasync`); until then whoever gave it
//! still has it. A number is never given twice within an epoch: the newest file goes only after `lane` holds a number
//! at least as high. `lane` may lag behind a crash; then records are sent again, and the hub knows them.
//!
//! **Bound.** All files together hold at most `bytes_max`, and one segment more for a moment. When a record does not
//! fit, the oldest segment of summaries goes, and is counted. An event for which there are no summaries left to drop
//! is refused with an error: never dropped silently.
//!
//! **Damage.** The last record of the newest file may be torn by a crash: it never counted, and is cut away. Damage
//! anywhere else (a bit that flipped, a page that was lost) costs the records it hit, no more: the reader finds the
//! next header by its checksum, the damaged file is kept aside, a clean copy takes its place, and the loss is counted.
//! Starting reads the newest file of each lane only, so that it takes milliseconds however much waits.

mod lane;
mod record;
mod segment;

pub use lane::{Pending, SEGMENT_BYTES_MAX};
pub use record::PAYLOAD_BYTES_MAX;

use arki_model::wire::{Epoch, Kind};
use lane::Lane;
use std::io;
use std::path::{Path, PathBuf};

/// The directory inside the state directory.
pub const DIRECTORY: &str = "outbox";

/// 128 MiB: a day of one 1 KiB event a second is 96 MiB, and a day of summaries of 200 series 1 MiB.
pub const BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Why a record is not in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The disk does not take or give it.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No room, and nothing left to drop.
    #[error("{path}: full: {bytes} bytes wait for the hub and {bytes_max} are allowed; is the hub reachable?", path = path.display())]
    Full {
        /// The directory.
        path: PathBuf,
        /// How much is there.
        bytes: u64,
        /// How much may be.
        bytes_max: u64,
    },
    /// Longer than any record.
    #[error("a record of {0} bytes is longer than {PAYLOAD_BYTES_MAX}")]
    TooLong(usize),
}

/// How the spool does, for `status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// What all files hold.
    pub bytes: u64,
    /// What they may hold.
    pub bytes_max: u64,
    /// Events that the hub has not acknowledged.
    pub events_waiting: u64,
    /// Summaries that the hub has not acknowledged.
    pub summaries_waiting: u64,
    /// The last event that it has.
    pub events_acknowledged: u64,
    /// The last summary that it has.
    pub summaries_acknowledged: u64,
    /// Summaries that were dropped for want of room.
    pub summaries_dropped: u64,
    /// How often an event found no room; it stays in the local log and is tried again.
    pub events_refused: u64,
    /// Records that were damaged on disk.
    pub records_set_aside: u64,
}

/// The spool.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    bytes_max: u64,
    events: Lane,
    summaries: Lane,
    events_refused: u64,
}

impl Outbox {
    /// Opens the spool in `path`, making it where it is missing. `random` gives the epochs of new lanes. Also returns
    /// what a person should know about damage.
    pub fn open(
        path: &Path,
        bytes_max: u64,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<(Self, Vec<String>), OutboxError> {
        let mut notes = Vec::new();
        let events = Lane::open(&path.join("events"), random, &mut notes)?;
        let summaries = Lane::open(&path.join("summaries"), random, &mut notes)?;
        let outbox = Self {
            path: path.to_owned(),
            bytes_max,
            events,
            summaries,
            events_refused: 0,
        };
        Ok((outbox, notes))
    }

    /// Writes a record durably and returns its number. `tag` is the caller's, and kept with it: [`Self::last_tag`].
    pub fn append(&mut self, kind: Kind, tag: u64, payload: &[u8]) -> Result<u64, OutboxError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(OutboxError::TooLong(payload.len()));
        }
        let needed = record::HEADER_BYTES as u64 + payload.len() as u64;
        while self.bytes() + needed > self.bytes_max {
            if !self.summaries.drop_oldest()? {
                match kind {
                    Kind::Events => self.events_refused += 1,
                    Kind::Summaries => self.summaries.count_dropped()?,
                }
                return Err(OutboxError::Full {
                    path: self.path.clone(),
                    bytes: self.bytes(),
                    bytes_max: self.bytes_max,
                });
            }
        }
        self.lane_mut(kind).append(tag, payload)
    }

    /// The oldest records that the hub has not acknowledged, numbered without a gap: at most `records_max`, and at
    /// most `bytes_max` of them together unless the first alone is longer. Also returns what was damaged.
    pub fn pending(
        &mut self,
        kind: Kind,
        records_max: usize,
        bytes_max: usize,
    ) -> Result<(Option<Pending>, Vec<String>), OutboxError> {
        self.lane_mut(kind).pending(records_max, bytes_max)
    }

    /// The hub has everything of this lane up to `number`. An answer for another epoch is none.
    pub fn acknowledge(
        &mut self,
        kind: Kind,
        epoch: Epoch,
        number: u64,
    ) -> Result<(), OutboxError> {
        self.lane_mut(kind).acknowledge(epoch, number)
    }

    /// The hub will never take this record: it is kept aside as a file, counted, and the next one's turn comes.
    pub fn set_aside(&mut self, kind: Kind, pending: &Pending) -> Result<String, OutboxError> {
        self.lane_mut(kind).set_aside(pending)
    }

    /// Begins a new epoch: what waits is sent again under numbers that nobody else used.
    pub fn renew_epoch(&mut self, kind: Kind, epoch: Epoch) -> Result<(), OutboxError> {
        self.lane_mut(kind).renew_epoch(epoch)
    }

    /// The highest number of this lane that was ever used.
    pub fn last_number(&self, kind: Kind) -> u64 {
        self.lane(kind).last_number()
    }

    /// The tag of the last record that was ever appended; 0 before the first.
    pub fn last_tag(&self, kind: Kind) -> u64 {
        self.lane(kind).last_tag()
    }

    /// Whether anything of this lane waits.
    pub fn is_waiting(&self, kind: Kind) -> bool {
        self.lane(kind).waiting() > 0
    }

    /// How it does.
    pub fn figures(&self) -> Figures {
        Figures {
            bytes: self.bytes(),
            bytes_max: self.bytes_max,
            events_waiting: self.events.waiting(),
            summaries_waiting: self.summaries.waiting(),
            events_acknowledged: self.events.acknowledged(),
            summaries_acknowledged: self.summaries.acknowledged(),
            summaries_dropped: self.summaries.dropped(),
            events_refused: self.events_refused,
            records_set_aside: self.events.set_aside_count() + self.summaries.set_aside_count(),
        }
    }

    fn bytes(&self) -> u64 {
        self.events.bytes() + self.summaries.bytes()
    }

    fn lane(&self, kind: Kind) -> &Lane {
        match kind {
            Kind::Events => &self.events,
            Kind::Summaries => &self.summaries,
        }
    }

    fn lane_mut(&mut self, kind: Kind) -> &mut Lane {
        match kind {
            Kind::Events => &mut self.events,
            Kind::Summaries => &mut self.summaries,
        }
    }
}

#[cfg(test)]
mod tests;
