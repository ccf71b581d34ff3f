//! Follows one file from where it stood, by its inode: the name may change, the file may be deleted.
//!
//! ```text
//! 0 ........ [64 bytes: mark] offset ..... complete lines ..... | begun line | end of file
//!            unchanged?              counted now                 read again next time
//! ```
//!
//! Invariants: at most the given number of bytes is read at a time, however much was written; a line is counted once,
//! when its end is there; a file that became shorter, or whose bytes before the offset are others, was truncated and
//! starts anew. What was written between the last look and a truncation is lost, as it is to every reader.

use super::lines::{self, Counts, LINE_BYTES_MAX};
use super::pattern::Pattern;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

/// How many bytes before the offset tell whether the file is still the same: a timestamp and some words.
const MARK_BYTES: u64 = 64;

/// How a burst is sampled: in so many pieces, evenly spread, because errors come in clusters.
const PIECES: u64 = 16;

/// What identifies a file as long as somebody has it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of a file with this metadata.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// What one look found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Look {
    /// What was counted, or estimated.
    pub counts: Counts,
    /// How many bytes were new, if that was more than could be read: then the counts are estimates.
    pub burst_bytes: Option<u64>,
    /// True if nobody wrote to it.
    pub was_quiet: bool,
}

/// Where logs are read into, and how much may be read before a pass has taken long enough.
#[derive(Debug, Default)]
pub struct Room {
    buffer: Vec<u8>,
    bytes_left: u64,
}

/// Room for some lines of the greatest length.
const BUFFER_BYTES: usize = 4 * LINE_BYTES_MAX;
/// What a pass reads of all logs; a mebibyte costs 3 ms, the whole of what a pass should take, and only in a burst.
const PASS_BYTES_MAX: u64 = 1 << 20;
/// What is read of one file in a pass; at 30 s that is 8 KiB a second, which only a busy log keeps up.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// What is read of every file however much the others had: pieces of 2 KiB, some lines each.
const FILE_BYTES_MIN: u64 = 32 * 1024;

impl Room {
    /// A new pass.
    pub fn refill(&mut self) {
        self.buffer.resize(BUFFER_BYTES, 0);
        self.bytes_left = PASS_BYTES_MAX;
    }

    /// Takes what one file with `new` bytes may read.
    fn take(&mut self, new: u64) -> u64 {
        let granted = FILE_BYTES_MAX.min(self.bytes_left).max(FILE_BYTES_MIN);
        self.bytes_left = self.bytes_left.saturating_sub(granted.min(new));
        granted
    }
}

/// A file that is followed.
#[derive(Debug)]
pub struct Tail {
    file: File,
    id: FileId,
    /// Where the first line begins that was not counted.
    offset: u64,
    /// How long the file was at the last look.
    length: u64,
    /// The line before the offset is longer than what is looked at and goes on; whether it is an error.
    long_line: Option<bool>,
    mark: u32,
}

impl Tail {
    /// Follows `file` from its end on, or from its beginning.
    pub fn new(file: File, from_end: bool) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let mut tail = Self {
            file,
            id: FileId::of(&metadata),
            offset: if from_end { metadata.len() } else { 0 },
            length: metadata.len(),
            long_line: None,
            mark: 0,
        };
        tail.mark = tail.mark_now()?;
        Ok(tail)
    }

    /// Which file it is.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// True if no name leads to it any more.
    pub fn is_deleted(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// Counts what is new, as far as there is room. `length` in bytes, where the caller has just seen it.
    pub fn look(
        &mut self,
        length: Option<u64>,
        pattern: &mut Pattern,
        room: &mut Room,
    ) -> io::Result<Look> {
        let length = length.map_or_else(|| self.file.metadata().map(|now| now.len()), Ok)?;
        if length < self.offset || (length > self.offset && self.mark_now()? != self.mark) {
            self.offset = 0;
            self.mark = crc32fast::hash(&[]);
            self.long_line = None;
        }
        let before = self.offset;
        let new = length - self.offset;
        let mut look = Look {
            was_quiet: length == self.length,
            ..Look::default()
        };
        self.length = length;
        let bytes_max = room.take(new);
        if new > bytes_max {
            look.counts = self.sample(pattern, &mut room.buffer, length, bytes_max)?;
            look.burst_bytes = Some(new);
        } else if new > 0 {
            look.counts = self.read_to(pattern, &mut room.buffer, length)?;
        }
        if self.offset != before {
            self.mark = self.mark_now()?;
        }
        Ok(look)
    }

    /// The last line of a file that nobody writes to any more, if it has no end.
    pub fn finish(mut self, pattern: &mut Pattern, room: &mut Room) -> Counts {
        let buffer = &mut room.buffer;
        if let Some(is_error) = self.long_line.take() {
            return Counts::line(is_error);
        }
        match read_at(&self.file, buffer, self.offset) {
            Ok(length) if length > 0 => {
                let line = buffer.get(..length).unwrap_or_default();
                Counts::line(lines::is_error(line, pattern))
            }
            _ => Counts::default(),
        }
    }

    /// Reads everything up to `end`.
    fn read_to(
        &mut self,
        pattern: &mut Pattern,
        buffer: &mut [u8],
        end: u64,
    ) -> io::Result<Counts> {
        let mut total = Counts::default();
        while self.offset < end {
            let wanted = usize::try_from(end - self.offset)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let length = read_at(&self.file, &mut buffer[..wanted], self.offset)?;
            let mut text = &buffer[..length];
            if length == 0 {
                break;
            }
            if let Some(is_error) = self.long_line {
                let Some(rest) = lines::newline(text) else {
                    self.offset += length as u64;
                    continue;
                };
                total.add(Counts::line(is_error));
                self.long_line = None;
                self.offset += rest as u64 + 1;
                text = &text[rest + 1..];
            }
            let (counts, begun) = lines::count(text, pattern);
            total.add(counts);
            self.offset += begun as u64;
            let begun = &text[begun..];
            if begun.len() >= LINE_BYTES_MAX {
                self.long_line = Some(lines::is_error(begun, pattern));
                self.offset += begun.len() as u64;
            } else if length < wanted || self.offset + begun.len() as u64 >= end {
                // The end, which may have come nearer meanwhile.
                break;
            }
        }
        Ok(total)
    }

    /// Reads pieces of what is between the offset and `end`, estimates the whole, and goes to the end.
    fn sample(
        &mut self,
        pattern: &mut Pattern,
        buffer: &mut [u8],
        end: u64,
        bytes_max: u64,
    ) -> io::Result<Counts> {
        let piece = (bytes_max / PIECES).min(buffer.len() as u64);
        let new = end - self.offset;
        let step = (new - piece) / (PIECES - 1);
        let (mut whole, mut newlines, mut bytes) = (Counts::default(), 0.0, 0.0);
        let mut begun_at = None;
        for number in 0..PIECES {
            let start = match number {
                last if last == PIECES - 1 => end - piece,
                _ => self.offset + number * step,
            };
            let length = read_at(&self.file, &mut buffer[..piece as usize], start)?;
            let text = &buffer[..length];
            bytes += length as f64;
            begun_at = lines::newline(text).map(|first| {
                let (counts, begun) = lines::count(&text[first + 1..], pattern);
                whole.add(counts);
                newlines += counts.lines + 1.0;
                start + (first + 1 + begun) as u64
            });
        }
        // Without a line's end in the last piece, the line goes on, and nothing is known of how it began.
        self.long_line = begun_at.is_none().then_some(false);
        self.offset = begun_at.unwrap_or(end);
        let lines = newlines * new as f64 / f64::max(bytes, 1.0);
        Ok(Counts {
            lines,
            errors: lines * whole.errors / f64::max(whole.lines, 1.0),
        })
    }

    fn mark_now(&self) -> io::Result<u32> {
        let mut bytes = [0; MARK_BYTES as usize];
        let start = self.offset.saturating_sub(MARK_BYTES);
        let length = (self.offset - start) as usize;
        let read = read_at(&self.file, &mut bytes[..length], start)?;
        Ok(crc32fast::hash(&bytes[..read]))
    }
}

/// Reads until `buffer` is full or the file ends.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
