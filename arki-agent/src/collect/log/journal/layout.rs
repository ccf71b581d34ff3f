//! The format of a journal file, as far as counting needs it.
//!
//! ```text
//! header:  0 "LPKSHHRH" | 12 incompatible flags u32 | 16 state u8 | 88 header size | 120 field table offset, size
//!          152 entries | 176 entry array offset | 184 realtime of the first entry
//! object:  0 type u8 | 1 flags u8 | 8 size | payload           everything little-endian, aligned to 8
//! DATA     1: 32 next of the field | 56 entries | 64 (compact: 72) "NAME=value"
//! FIELD    2: 24 next of the hash | 32 first DATA | 40 "NAME"
//! ENTRY    3: 64 items: offset u64, hash u64 (compact: offset u32)
//! ARRAY    6: 16 next array | 24 offsets of entries u64 (compact: u32)
//! ```
//!
//! Source: systemd's `JOURNAL_FILE_FORMAT`. Pure: takes bytes, gives numbers, never panics. An offset is not trusted
//! before [`Header::holds`] has seen it.

/// What is read of the header: up to `head_entry_realtime`, which every version has.
pub(super) const HEADER_BYTES: usize = 208;
/// The longest field name that is compared.
pub(super) const FIELD_BYTES: usize = 40 + 32;
/// What is read of a DATA object: the head, and a payload as long as `_SYSTEMD_UNIT=` and the longest unit name.
pub(super) const DATA_BYTES: usize = 72 + 14 + 256;
/// What is read of an ENTRY: 60 items; entries of journald have 20 to 30.
pub(super) const ENTRY_BYTES: usize = 64 + 60 * 16;

/// Compression of three kinds, keyed hashes, compact. A file with other bits is of a format that is not known.
const INCOMPATIBLE_KNOWN: u32 = 0b1_1111;
const COMPACT: u32 = 1 << 4;
/// Any of the three compressions of a payload.
const COMPRESSED: u8 = 0b111;
const ARCHIVED: u8 = 2;

/// The kinds of objects that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data = 1,
    Field = 2,
    Entry = 3,
    EntryArray = 6,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum LayoutError {
    #[error("it is not a journal")]
    NotAJournal,
    #[error("it has a format newer than this agent (flags {0:#x})")]
    TooNew(u32),
    #[error("it is damaged at {0:#x}")]
    Damaged(u64),
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Where the objects begin and end.
    start: u64,
    end: u64,
    is_compact: bool,
    /// Nobody writes to it any more.
    pub(super) is_archived: bool,
    pub(super) field_table: u64,
    pub(super) field_table_bytes: u64,
    pub(super) entries: u64,
    pub(super) entry_array: u64,
    /// Microseconds since 1970 of the first entry; 0 without entries.
    pub(super) first_us: u64,
}

impl Header {
    /// Reads the first [`HEADER_BYTES`] of a file that has `file_bytes`.
    pub(super) fn parse(bytes: &[u8], file_bytes: u64) -> Result<Self, LayoutError> {
        if bytes.len() < HEADER_BYTES || bytes.get(..8) != Some(b"LPKSHHRH") {
            return Err(LayoutError::NotAJournal);
        }
        let flags = u32_at(bytes, 12);
        if flags & !INCOMPATIBLE_KNOWN != 0 {
            return Err(LayoutError::TooNew(flags));
        }
        let header_bytes = u64_at(bytes, 88);
        let end = header_bytes.saturating_add(u64_at(bytes, 96));
        if header_bytes < HEADER_BYTES as u64 || header_bytes > file_bytes {
            return Err(LayoutError::Damaged(88));
        }
        Ok(Self {
            start: header_bytes,
            end: end.min(file_bytes),
            is_compact: flags & COMPACT != 0,
            is_archived: bytes.get(16) == Some(&ARCHIVED),
            field_table: u64_at(bytes, 120),
            field_table_bytes: u64_at(bytes, 128),
            entries: u64_at(bytes, 152),
            entry_array: u64_at(bytes, 176),
            first_us: u64_at(bytes, 184),
        })
    }

    /// True if something of `bytes` bytes can be at `offset`.
    pub(super) fn holds(&self, offset: u64, bytes: u64) -> bool {
        offset.is_multiple_of(8)
            && offset >= self.start
            && offset.checked_add(bytes).is_some_and(|end| end <= self.end)
    }

    /// Size of the object at `offset`, whose beginning is `bytes`, if it is a `kind`.
    pub(super) fn object_bytes(
        &self,
        kind: Kind,
        offset: u64,
        bytes: &[u8],
    ) -> Result<u64, LayoutError> {
        let size = u64_at(bytes, 8);
        let is_one = bytes.first() == Some(&(kind as u8)) && size >= 16 && self.holds(offset, size);
        is_one.then_some(size).ok_or(LayoutError::Damaged(offset))
    }

    /// Bytes of one entry in an array.
    pub(super) fn array_item_bytes(&self) -> u64 {
        if self.is_compact { 4 } else { 8 }
    }

    /// An item of an array, of which `bytes` are the items.
    pub(super) fn array_item(&self, bytes: &[u8], index: usize) -> u64 {
        if self.is_compact {
            u64::from(u32_at(bytes, index * 4))
        } else {
            u64_at(bytes, index * 8)
        }
    }

    /// The DATA objects of the ENTRY of `size` bytes that begins with `bytes`.
    pub(super) fn items(&self, bytes: &[u8], size: u64) -> impl Iterator<Item = u64> {
        let is_compact = self.is_compact;
        let step = if is_compact { 4 } else { 16 };
        let end = bytes.len().min(usize::try_from(size).unwrap_or(usize::MAX));
        let items = bytes.get(64..end).unwrap_or_default();
        items.chunks_exact(step).map(move |item| {
            if is_compact {
                u64::from(u32_at(item, 0))
            } else {
                u64_at(item, 0)
            }
        })
    }

    /// The payload of the DATA object of `size` bytes that begins with `bytes`; `None` if it is compressed or longer
    /// than what was read.
    pub(super) fn payload<'a>(&self, bytes: &'a [u8], size: u64) -> Option<&'a [u8]> {
        if bytes.get(1)? & COMPRESSED != 0 {
            return None;
        }
        let start = if self.is_compact { 72 } else { 64 };
        bytes.get(start..usize::try_from(size).ok()?)
    }
}

/// The little-endian number at `at`; 0 past the end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}
