//! One lane: records in order, from the oldest that was not acknowledged to the newest.

use super::OutboxError;
use super::record;
use super::segment::{self, Segment};
use crate::state;
use arki_model::wire::Epoch;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The most bytes of one file, unless a single record is longer: what is read at once, and dropped at once.
pub const SEGMENT_BYTES_MAX: u64 = 128 * 1024;

const STATE_FILE: &str = "lane";

/// No more records than that fit into a segment: by so much the numbers jump where it cannot be told how many a damage
/// has hit, so that none is given twice.
const NUMBERS_PER_SEGMENT: u64 = SEGMENT_BYTES_MAX / record::HEADER_BYTES as u64;

/// What is remembered besides the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    epoch: u64,
    /// Everything up to here is at the hub, dropped, or set aside.
    acknowledged: u64,
    /// The highest number that was used when this was written; the segments may know a higher one.
    last_number: u64,
    last_tag: u64,
    dropped: u64,
    set_aside: u64,
}

/// Records that wait, as they go into one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The epoch of all of them.
    pub epoch: Epoch,
    /// The number of the first.
    pub first: u64,
    /// Their payloads.
    pub payloads: Vec<Vec<u8>>,
}

impl Pending {
    /// The number of the last.
    pub fn last(&self) -> u64 {
        self.first + self.payloads.len() as u64 - 1
    }
}

#[derive(Debug)]
pub(super) struct Lane {
    directory: PathBuf,
    memory: Memory,
    /// Oldest first; the last is written to.
    segments: VecDeque<Segment>,
    bytes: u64,
}

impl Lane {
    pub(super) fn open(
        directory: &Path,
        random: &mut dyn FnMut() -> u64,
        notes: &mut Vec<String>,
    ) -> Result<Self, OutboxError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(directory).map_err(|e| at(directory, e))?;
        let (memory, note) = state::load::<Memory>(&directory.join(STATE_FILE));
        notes.extend(note);
        let is_new = memory.is_none();
        let memory = memory.unwrap_or_else(|| Memory {
            epoch: random(),
            acknowledged: 0,
            last_number: 0,
            last_tag: 0,
            dropped: 0,
            set_aside: 0,
        });
        let mut lane = Self {
            directory: directory.to_owned(),
            memory,
            segments: VecDeque::new(),
            bytes: 0,
        };
        for first in segment::list(directory).map_err(|e| at(directory, e))? {
            let segment = Segment::existing(directory, first).map_err(|e| at(directory, e))?;
            lane.segments.push_back(segment);
        }
        lane.recover_newest(notes);
        lane.sum();
        if is_new {
            lane.save()?;
        }
        Ok(lane)
    }

    /// Reads the newest segment, cuts what is torn, and learns the highest number. One that cannot be repaired now
    /// (the disk may be full) is left as it is, and the next record goes into a new one.
    fn recover_newest(&mut self, notes: &mut Vec<String>) {
        let Some(newest) = self.segments.back_mut() else {
            return;
        };
        self.memory.last_number = self.memory.last_number.max(newest.first() - 1);
        let repaired = newest.read().and_then(|content| {
            if let Some(last) = content.scan.found.last() {
                self.memory.last_number = self.memory.last_number.max(last.number);
                self.memory.last_tag = last.tag;
            }
            if content.scan.damaged > 0 {
                self.memory.last_number += NUMBERS_PER_SEGMENT;
                self.memory.set_aside += content.scan.damaged;
            }
            newest
                .repair(&content)
                .map(|note| (content.scan.found.is_empty(), note))
        });
        match repaired {
            Ok((is_empty, note)) => {
                notes.extend(note);
                if is_empty {
                    self.recover_tag();
                }
            }
            Err(error) => {
                notes.push(format!("{}: {error}", newest.path().display()));
                self.memory.last_number += NUMBERS_PER_SEGMENT;
                let next = self.memory.last_number + 1;
                if let Ok(segment) = Segment::create(&self.directory, next) {
                    self.segments.push_back(segment);
                }
            }
        }
    }

    /// The newest segment was just begun when the agent ended: the last tag is in the one before.
    fn recover_tag(&mut self) {
        let before = self.segments.iter().rev().nth(1);
        if let Some(content) = before.and_then(|segment| segment.read().ok())
            && let Some(last) = content.scan.found.last()
        {
            self.memory.last_tag = last.tag;
        }
    }

    pub(super) fn append(&mut self, tag: u64, payload: &[u8]) -> Result<u64, OutboxError> {
        let number = self.memory.last_number + 1;
        let record = record::encode(number, tag, payload);
        let takes = |segment: &Segment| {
            segment.bytes() + record.len() as u64 <= SEGMENT_BYTES_MAX
                || segment.bytes() == segment::HEADER_BYTES as u64
        };
        if !self.segments.back().is_some_and(takes) {
            let segment = Segment::create(&self.directory, number)
                .map_err(|error| at(&self.directory, error))?;
            self.segments.push_back(segment);
        }
        if let Some(segment) = self.segments.back_mut() {
            segment
                .append(&record)
                .map_err(|error| at(segment.path(), error))?;
        }
        self.sum();
        self.memory.last_number = number;
        self.memory.last_tag = tag;
        Ok(number)
    }

    pub(super) fn pending(
        &mut self,
        records_max: usize,
        bytes_max: usize,
    ) -> Result<(Option<Pending>, Vec<String>), OutboxError> {
        let mut notes = Vec::new();
        while self.waiting() > 0 {
            let Some(oldest) = self.segments.front_mut() else {
                break;
            };
            let content = match oldest.read() {
                Ok(content) => content,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    notes.push(format!("{}: is gone", oldest.path().display()));
                    self.give_up_oldest()?;
                    continue;
                }
                Err(error) => return Err(at(oldest.path(), error)),
            };
            if content.scan.damaged > 0 {
                notes.extend(oldest.repair(&content).map_err(|e| at(oldest.path(), e))?);
                self.memory.set_aside += content.scan.damaged;
                self.sum();
                self.save()?;
            }
            let pending = self.gather(&content, records_max, bytes_max);
            if pending.is_some() {
                return Ok((pending, notes));
            }
            // Nothing of it is left to send.
            let end = self.end_of_oldest();
            self.advance(end)?;
        }
        if self.waiting() > 0 {
            notes.push(format!(
                "{}: {} are gone",
                self.directory.display(),
                crate::terminal::count(self.waiting(), "record")
            ));
            self.memory.set_aside += self.waiting();
            self.advance(self.memory.last_number)?;
        }
        Ok((None, notes))
    }

    fn gather(
        &self,
        content: &segment::Content,
        records_max: usize,
        bytes_max: usize,
    ) -> Option<Pending> {
        let mut pending: Option<Pending> = None;
        let mut bytes = 0;
        let waiting = content.scan.found.iter();
        for found in waiting.filter(|found| found.number > self.memory.acknowledged) {
            let payload = content.bytes.get(found.payload.clone())?;
            bytes += payload.len();
            let pending = pending.get_or_insert_with(|| Pending {
                epoch: self.epoch(),
                first: found.number,
                payloads: Vec::new(),
            });
            let follows = found.number == pending.first + pending.payloads.len() as u64;
            let full = pending.payloads.len() >= records_max || bytes > bytes_max;
            if !follows || (full && !pending.payloads.is_empty()) {
                break;
            }
            pending.payloads.push(payload.to_vec());
        }
        pending
    }

    pub(super) fn acknowledge(&mut self, epoch: Epoch, number: u64) -> Result<(), OutboxError> {
        if epoch == self.epoch() && number > self.memory.acknowledged {
            self.advance(number.min(self.memory.last_number))?;
        }
        Ok(())
    }

    /// Remembers that everything up to `number` is done with, then removes the files that hold no more.
    fn advance(&mut self, number: u64) -> Result<(), OutboxError> {
        self.memory.acknowledged = self.memory.acknowledged.max(number);
        let saved = self.save();
        while !self.segments.is_empty() && self.end_of_oldest() <= self.memory.acknowledged {
            // The newest says which numbers were used, until that is saved.
            if saved.is_err() && self.segments.len() == 1 {
                break;
            }
            self.remove_oldest()?;
        }
        // On a full disk there may be room now.
        saved.or_else(|_| self.save())
    }

    /// The highest number that the oldest segment can hold.
    fn end_of_oldest(&self) -> u64 {
        self.segments
            .get(1)
            .map_or(self.memory.last_number, |next| next.first() - 1)
    }

    fn remove_oldest(&mut self) -> Result<(), OutboxError> {
        if let Some(oldest) = self.segments.pop_front()
            && let Err(error) = oldest.remove()
        {
            let error = at(oldest.path(), error);
            self.segments.push_front(oldest);
            return Err(error);
        }
        self.sum();
        Ok(())
    }

    /// Drops the oldest segment and counts what of it waited. False if there is none.
    pub(super) fn drop_oldest(&mut self) -> Result<bool, OutboxError> {
        if self.segments.is_empty() {
            return Ok(false);
        }
        let end = self.end_of_oldest();
        self.memory.dropped += end.saturating_sub(self.memory.acknowledged);
        self.advance(end)?;
        Ok(true)
    }

    pub(super) fn count_dropped(&mut self) -> Result<(), OutboxError> {
        self.memory.dropped += 1;
        self.save()
    }

    /// The oldest segment cannot be read at all.
    fn give_up_oldest(&mut self) -> Result<(), OutboxError> {
        let end = self.end_of_oldest();
        self.memory.set_aside += end.saturating_sub(self.memory.acknowledged);
        self.advance(end)
    }

    /// Keeps the records of `pending` aside and goes on behind them.
    pub(super) fn set_aside(&mut self, pending: &Pending) -> Result<String, OutboxError> {
        let path = self.directory.join("refused");
        let path = state::aside_name(&path);
        state::save(&path, &pending.payloads).map_err(|error| at(&path, error))?;
        self.memory.set_aside += pending.payloads.len() as u64;
        self.advance(pending.last())?;
        Ok(path.display().to_string())
    }

    pub(super) fn renew_epoch(&mut self, epoch: Epoch) -> Result<(), OutboxError> {
        self.memory.epoch = epoch.0;
        self.save()
    }

    fn save(&self) -> Result<(), OutboxError> {
        let path = self.directory.join(STATE_FILE);
        state::save(&path, &self.memory).map_err(|error| at(&path, error))
    }

    fn sum(&mut self) {
        self.bytes = self.segments.iter().map(Segment::bytes).sum();
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn epoch(&self) -> Epoch {
        Epoch(self.memory.epoch)
    }

    pub(super) fn last_number(&self) -> u64 {
        self.memory.last_number
    }

    pub(super) fn last_tag(&self) -> u64 {
        self.memory.last_tag
    }

    pub(super) fn waiting(&self) -> u64 {
        self.memory
            .last_number
            .saturating_sub(self.memory.acknowledged)
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.memory.acknowledged
    }

    pub(super) fn dropped(&self) -> u64 {
        self.memory.dropped
    }

    pub(super) fn set_aside_count(&self) -> u64 {
        self.memory.set_aside
    }
}

fn at(path: &Path, source: io::Error) -> OutboxError {
    OutboxError::File {
        path: path.to_owned(),
        source,
    }
}
