//! Opens a trace: a plain or a gzip file, with its bytes counted for the progress.

use super::error::{Flaw, Reason};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Compressed bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A trace file that is open.
pub type Source<'a> = Box<dyn Read + 'a>;

/// Opens `file`; what is read of it is added to `read_bytes`.
pub fn open<'a>(file: &Path, read_bytes: &'a AtomicU64) -> Result<Source<'a>, Flaw> {
    let failed = |error| Flaw {
        line: 0,
        reason: Reason::Io(error),
    };
    let counted = Counted {
        file: File::open(file).map_err(failed)?,
        read_bytes,
    };
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, counted);
    let zipped = reader.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC);
    if zipped {
        return Ok(Box::new(MultiGzDecoder::new(reader)));
    }
    if file.extension().is_some_and(|ext| ext == "gz") {
        let reason = Reason::NotGzip;
        return Err(Flaw { line: 0, reason });
    }
    Ok(Box::new(reader))
}

/// The host of a trace: the file's name without `.csv`, `.csv.gz` or `.gz`.
pub fn host_of(file: &Path) -> String {
    let name = file
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let bare = name.strip_suffix(".gz").unwrap_or(&name);
    let bare = bare.strip_suffix(".csv").unwrap_or(bare);
    if bare.is_empty() {
        name
    } else {
        bare.to_owned()
    }
}

#[derive(Debug)]
struct Counted<'a> {
    file: File,
    read_bytes: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read_bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_name_without_extensions() {
        for (file, host) in [
            ("/a/web-1.csv", "web-1"),
            ("web-1.csv.gz", "web-1"),
            ("db.example.org.csv.gz", "db.example.org"),
            ("db.example.org", "db.example.org"),
            (".csv", ".csv"),
        ] {
            assert_eq!(host_of(Path::new(file)), host);
        }
    }
}
