//! The lines of a file, each with its number, in one buffer of bounded length.

use super::error::{Flaw, Reason};
use std::io::{ErrorKind, Read};

/// The longest line. A header with the most series that there may be, and the longest names, is
/// half as long.
pub const LINE_BYTES_MAX: usize = 1 << 21;

/// What is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Reads line by line.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of `buffer` is not taken yet.
    start: usize,
    end: usize,
    /// How far from `start` there is no end of a line.
    searched: usize,
    /// The number of the line that was taken last.
    number: u64,
    finished: bool,
}

impl<R: Read> Lines<R> {
    /// Nothing read yet.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; CHUNK_BYTES],
            start: 0,
            end: 0,
            searched: 0,
            number: 0,
            finished: false,
        }
    }

    /// The number of the line that was taken last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end (`\n` or `\r\n`); `None` after the last.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, Flaw> {
        let (from, to) = loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memchr(b'\n', &unread[self.searched..]) {
                let from = self.start;
                let to = from + self.searched + at;
                self.start = to + 1;
                break (from, to);
            }
            self.searched = unread.len();
            if self.finished {
                let (from, to) = (self.start, self.end);
                self.start = self.end;
                if from == to {
                    return Ok(None);
                }
                break (from, to);
            }
            self.fill()?;
        };
        self.searched = 0;
        self.number += 1;
        let line = &self.buffer[from..to];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    fn fill(&mut self) -> Result<(), Flaw> {
        let line = self.number + 1;
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end >= LINE_BYTES_MAX {
            let reason = Reason::LongLine(LINE_BYTES_MAX);
            return Err(Flaw { line, reason });
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.finished = true;
                    return Ok(());
                }
                Ok(count) => {
                    self.end += count;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let reason = match error.kind() {
                        ErrorKind::UnexpectedEof => Reason::Truncated,
                        ErrorKind::InvalidData | ErrorKind::InvalidInput => Reason::Corrupt(error),
                        _ => Reason::Io(error),
                    };
                    return Err(Flaw { line, reason });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes three at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(3).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = b"first\r\n\nthird is longer\nlast";
        let mut lines = Lines::new(Trickle(text));
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            seen.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(seen, ["first", "", "third is longer", "last"]);
        assert_eq!(lines.number(), 4);
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let mut lines = Lines::new(std::io::repeat(b'7'));
        let flaw = lines.next_line().unwrap_err();
        assert!(matches!(flaw.reason, Reason::LongLine(_)) && flaw.line == 1);
        assert!(lines.buffer.len() <= 2 * LINE_BYTES_MAX);
    }
}
