//! Reading a file of procfs or sysfs into a buffer that is used again.

use super::CollectError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most that is read of one file. `/proc/stat` of a host with 1,000 cores and as many interrupt lines has 200 KB.
const FILE_BYTES_MAX: usize = 1 << 20;

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

    /// The same as text.
    pub fn text(&mut self, path: &Path) -> Result<&str, CollectError> {
        let bytes = self
            .bytes(path)
            .map_err(|error| CollectError::reading(path, &error))?;
        str::from_utf8(bytes).map_err(|error| {
            CollectError::Failed(format!("{} is no text: {error}", path.display()))
        })
    }
}
