//! One journal file: what is new since the last look, counted from its own indices.
//!
//! Every DATA object (`PRIORITY=3`, `_SYSTEMD_UNIT=nginx.service`) counts the entries that have it, so that lines of a
//! unit and errors of all units are differences of two numbers, exact and free however large a burst was. Only errors
//! *of a unit* need the entries themselves: those that are new are looked through, and only if there was any error.
//!
//! Invariants: reads with `pread`, so that a file that is cut short is an error and no signal; every walk has a limit;
//! every offset is checked; what is inconsistent because journald is just writing is right at the next look.

use super::super::lines::Counts;
use super::super::tail::FileId;
use super::layout::{
    DATA_BYTES, ENTRY_BYTES, FIELD_BYTES, HEADER_BYTES, Header, Kind, LayoutError, u64_at,
};
use crate::collect::wildcard;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The fields whose values are watched. `UNIT=` is what systemd itself says about a unit ("failed", "killed").
const FIELDS: [&[u8]; 3] = [b"PRIORITY", b"_SYSTEMD_UNIT", b"UNIT"];

/// The largest hash table of fields that is looked through: systemd's has 333 or 1023 buckets of 16 bytes.
const FIELD_TABLE_BYTES_MAX: u64 = 64 * 1024;
/// The longest walk over values of a field, or fields of a bucket: more units than a host has.
const WALK_MAX: usize = 4096;
/// How many values that match are watched in a file.
const WATCHED_MAX: usize = 256;
/// Arrays double in size: more of them than this are more entries than a file can hold.
const ARRAYS_MAX: usize = 64;
/// How many new entries are looked through, about 2 µs each; of more, the last so many are a sample.
const ENTRIES_MAX: u64 = 512;

/// Why a file could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// What a value is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// An entry with it is an error.
    Error,
    /// An entry with it belongs to the logs whose bits are set.
    Unit(u64),
}

#[derive(Debug)]
struct Value {
    offset: u64,
    meaning: Meaning,
    /// How many entries had it at the last look.
    entries: u64,
}

/// What was found in a look: of everything, and of each log.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Found {
    pub(super) all: Counts,
    pub(super) by_log: Vec<Counts>,
    /// The errors of units are estimates: more entries were new than are looked through.
    pub(super) is_estimate: bool,
}

/// A journal file that is followed.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: File,
    id: FileId,
    entries: u64,
    /// Where the field objects are, and the first of their values at the last look.
    fields: [(Option<u64>, u64); FIELDS.len()],
    values: Vec<Value>,
}

impl JournalFile {
    /// Follows `file`; only what is new from now on counts. `since_us`: a file whose first entry is later is new and
    /// counts as a whole.
    pub(super) fn new(
        file: File,
        units: &[&str],
        since_us: Option<u64>,
    ) -> Result<Self, JournalError> {
        let id = FileId::of(&file.metadata()?);
        let mut journal = Self {
            file,
            id,
            entries: 0,
            fields: Default::default(),
            values: Vec::new(),
        };
        let header = journal.header()?;
        let is_new = since_us.is_some_and(|since| header.first_us >= since || header.entries == 0);
        if !is_new {
            journal.find_values(&header, units)?;
            journal.entries = header.entries;
            journal.count_values(&header)?;
        }
        Ok(journal)
    }

    /// Which file it is.
    pub(super) fn id(&self) -> FileId {
        self.id
    }

    /// What is new, for the logs of `units`; and whether nobody writes to the file any more.
    pub(super) fn look(&mut self, units: &[&str]) -> Result<(Found, bool), JournalError> {
        let mut found = Found {
            by_log: vec![Counts::default(); units.len()],
            ..Found::default()
        };
        let header = self.header()?;
        let Some(new) = header
            .entries
            .checked_sub(self.entries)
            .filter(|&new| new > 0)
        else {
            self.entries = header.entries;
            return Ok((found, header.is_archived));
        };
        self.find_values(&header, units)?;
        let before = std::mem::replace(&mut self.entries, header.entries);
        let grown = self.count_values(&header)?;
        found.all.lines = new as f64;
        for &(meaning, count) in &grown {
            match meaning {
                Meaning::Error => found.all.errors += count as f64,
                Meaning::Unit(logs) => {
                    add_to(&mut found.by_log, logs, |of| {
                        of.lines += count as f64;
                    });
                }
            }
        }
        let has_units = found.by_log.iter().any(|counts| counts.lines > 0.0);
        if has_units && found.all.errors > 0.0 {
            found.is_estimate = new > ENTRIES_MAX;
            let scale = new as f64 / new.min(ENTRIES_MAX) as f64;
            let first = before.max(header.entries.saturating_sub(ENTRIES_MAX));
            for entry in self.entries_from(&header, first)? {
                let logs = self.logs_of_error(&header, entry)?;
                add_to(&mut found.by_log, logs, |of| of.errors += scale);
            }
            for counts in &mut found.by_log {
                counts.errors = counts.errors.min(counts.lines);
            }
        }
        Ok((found, header.is_archived))
    }

    fn header(&self) -> Result<Header, JournalError> {
        let mut bytes = [0; HEADER_BYTES];
        let length = self.read(0, &mut bytes)?;
        let file_bytes = self.file.metadata()?.len();
        Ok(Header::parse(&bytes[..length], file_bytes)?)
    }

    /// Looks for values that are to be watched among those that are new.
    fn find_values(&mut self, header: &Header, units: &[&str]) -> Result<(), JournalError> {
        if self.fields.iter().any(|(field, _)| field.is_none()) {
            self.find_fields(header)?;
        }
        for index in 0..FIELDS.len() {
            let (Some(field), known) = self.fields[index] else {
                continue;
            };
            let mut bytes = [0; FIELD_BYTES];
            self.object(header, Kind::Field, field, &mut bytes)?;
            let head = u64_at(&bytes, 32);
            let mut at = head;
            for _ in 0..WALK_MAX {
                if at == 0 || at == known {
                    break;
                }
                let mut bytes = [0; DATA_BYTES];
                let size = self.object(header, Kind::Data, at, &mut bytes)?;
                let meaning = header
                    .payload(&bytes, size)
                    .and_then(|payload| meaning_of(payload, units));
                if let Some(meaning) = meaning
                    && self.values.len() < WATCHED_MAX
                {
                    self.values.push(Value {
                        offset: at,
                        meaning,
                        entries: 0,
                    });
                }
                at = u64_at(&bytes, 32);
            }
            self.fields[index].1 = head;
        }
        Ok(())
    }

    /// Looks for the objects of [`FIELDS`] in their hash table: all of it, which spares knowing the hash function.
    fn find_fields(&mut self, header: &Header) -> Result<(), JournalError> {
        let table_bytes = header.field_table_bytes;
        if table_bytes > FIELD_TABLE_BYTES_MAX || !header.holds(header.field_table, table_bytes) {
            return Err(LayoutError::Damaged(header.field_table).into());
        }
        let mut table = vec![0; table_bytes as usize];
        let length = self.read(header.field_table, &mut table)?;
        let mut steps = 0;
        for bucket in table[..length].chunks_exact(16) {
            let mut at = u64_at(bucket, 0);
            while at != 0 && steps < WALK_MAX {
                steps += 1;
                let mut bytes = [0; FIELD_BYTES];
                let size = self.object(header, Kind::Field, at, &mut bytes)?;
                let name = usize::try_from(size)
                    .ok()
                    .and_then(|end| bytes.get(40..end));
                if let Some(index) = FIELDS.iter().position(|&field| name == Some(field)) {
                    self.fields[index].0 = Some(at);
                }
                at = u64_at(&bytes, 24);
            }
        }
        Ok(())
    }

    /// By how much the watched values have grown.
    fn count_values(&mut self, header: &Header) -> Result<Vec<(Meaning, u64)>, JournalError> {
        let mut grown = Vec::new();
        for index in 0..self.values.len() {
            let mut bytes = [0; 64];
            let Value {
                offset,
                meaning,
                entries,
            } = self.values[index];
            self.object(header, Kind::Data, offset, &mut bytes)?;
            let now = u64_at(&bytes, 56);
            if now > entries {
                grown.push((meaning, now - entries));
            }
            self.values[index].entries = now;
        }
        Ok(grown)
    }

    /// The offsets of the entries from number `first` on, at most [`ENTRIES_MAX`].
    fn entries_from(&self, header: &Header, first: u64) -> Result<Vec<u64>, JournalError> {
        let item_bytes = header.array_item_bytes();
        let mut found = Vec::new();
        let (mut array, mut number) = (header.entry_array, 0_u64);
        for _ in 0..ARRAYS_MAX {
            if array == 0 || number >= header.entries {
                break;
            }
            let mut head = [0; 24];
            let size = self.object(header, Kind::EntryArray, array, &mut head)?;
            let count = size.saturating_sub(24) / item_bytes;
            let skipped = first.saturating_sub(number).min(count);
            let wanted = (count - skipped)
                .min(header.entries - number - skipped.min(header.entries - number))
                .min(ENTRIES_MAX - found.len() as u64);
            let mut items = vec![0; (wanted * item_bytes) as usize];
            let length = self.read(array + 24 + skipped * item_bytes, &mut items)?;
            let read = length / item_bytes as usize;
            found.extend((0..read).map(|index| header.array_item(&items, index)));
            number += count;
            array = u64_at(&head, 16);
        }
        found.retain(|&entry| entry != 0);
        Ok(found)
    }

    /// The logs whose error the entry at `offset` is, as bits.
    fn logs_of_error(&self, header: &Header, offset: u64) -> Result<u64, JournalError> {
        let mut bytes = [0; ENTRY_BYTES];
        let size = self.object(header, Kind::Entry, offset, &mut bytes)?;
        let (mut is_error, mut logs) = (false, 0);
        for item in header.items(&bytes, size) {
            let value = self.values.iter().find(|value| value.offset == item);
            match value.map(|value| value.meaning) {
                Some(Meaning::Error) => is_error = true,
                Some(Meaning::Unit(of)) => logs |= of,
                None => {}
            }
        }
        Ok(if is_error { logs } else { 0 })
    }

    /// Reads the beginning of the object at `offset`, as much as fits; returns its size.
    fn object(
        &self,
        header: &Header,
        kind: Kind,
        offset: u64,
        bytes: &mut [u8],
    ) -> Result<u64, JournalError> {
        if !header.holds(offset, 16) {
            return Err(LayoutError::Damaged(offset).into());
        }
        let length = self.read(offset, bytes)?;
        if length < 16 {
            return Err(LayoutError::Damaged(offset).into());
        }
        Ok(header.object_bytes(kind, offset, bytes)?)
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self
                .file
                .read_at(&mut bytes[filled..], offset + filled as u64)
            {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

fn add_to(by_log: &mut [Counts], logs: u64, add: impl Fn(&mut Counts)) {
    for (index, counts) in by_log.iter_mut().enumerate() {
        if logs >> index & 1 == 1 {
            add(counts);
        }
    }
}

/// What the value `NAME=value` means for the logs of `units`.
fn meaning_of(payload: &[u8], units: &[&str]) -> Option<Meaning> {
    let text = str::from_utf8(payload).ok()?;
    let (field, value) = text.split_once('=')?;
    if field == "PRIORITY" {
        // 0 emerg, 1 alert, 2 crit, 3 err (syslog(3)).
        return ["0", "1", "2", "3"]
            .contains(&value)
            .then_some(Meaning::Error);
    }
    let short = value.strip_suffix(".service").unwrap_or(value);
    let logs = units
        .iter()
        .take(64)
        .enumerate()
        .filter(|(_, unit)| {
            let unit = unit.strip_suffix(".service").unwrap_or(unit);
            unit != "*" && wildcard::matches(unit, short)
        })
        .fold(0, |logs, (index, _)| logs | 1 << index);
    (logs != 0).then_some(Meaning::Unit(logs))
}
