//! Reading a file of procfs or sysfs into a buffer that is used again.

use super::CollectError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most that is read of one file. `/proc/stat` of a host with 1,000 cores and as many interrupt lines has 200 KB.
const FILE_BYTES_MAX: usize = 1 << 20;

/// `/proc/PID/stat` has at most 52 numbers of 20 digits and a name.
const LINE_BYTES_MAX: usize = 2048;

/// A buffer to read files into, one after the other.
#[derive(Debug, Default)]
pub struct Source {
    bytes: Vec<u8>,
}

impl Source {
    /// The whole of `path`, at most [`FILE_BYTES_MAX`].
    pub fn bytes(&mut self, path: &Path) -> io::Result<&[u8]> {
        self.bytes.clear();
        let file = File::open(path)?;
        file.take(FILE_BYTES_MAX as u64)
            .read_to_end(&mut self.bytes)?;
        Ok(&self.bytes)
    }

    /// The first line of `path`, as far as one read gives it: half the calls, for files that are short and read by
    /// the hundred. The kernel gives such a file whole.
    pub(super) fn line(&mut self, path: &Path) -> io::Result<&[u8]> {
        self.bytes.resize(LINE_BYTES_MAX.max(self.bytes.len()), 0);
        let length = File::open(path)?.read(&mut self.bytes)?;
        Ok(self.bytes.get(..length).unwrap_or_default())
    }

    /// The same as [`Self::bytes`], as text.
    pub fn text(&mut self, path: &Path) -> Result<&str, CollectError> {
        let bytes = self
            .bytes(path)
            .map_err(|error| CollectError::reading(path, &error))?;
        str::from_utf8(bytes).map_err(|error| {
            CollectError::Failed(format!("{} is no text: {error}", path.display()))
        })
    }
}
