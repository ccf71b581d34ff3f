//! One file of a lane. Nothing is kept open: an outbox is written a few times an hour.

use super::record::{self, Scan};
use crate::state::{aside_name, sync_dir};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"ARKIOUTB";
const VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 10;

/// The longest file that is read: a segment of one record of the greatest length, and what may be torn behind it.
const FILE_BYTES_MAX: u64 = 4 * record::PAYLOAD_BYTES_MAX as u64;

#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    first: u64,
    /// Up to here all records are whole and synced.
    bytes: u64,
}

/// A file, read and understood.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) scan: Scan,
}

/// The numbers of the first records of all segments in `directory`, ascending.
pub(super) fn list(directory: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".seg"));
        firsts.extend(number.and_then(|digits| digits.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

impl Segment {
    /// A segment that is there; its records are not looked at yet.
    pub(super) fn existing(directory: &Path, first: u64) -> io::Result<Self> {
        let path = path(directory, first);
        let bytes = fs::metadata(&path)?.len();
        Ok(Self { path, first, bytes })
    }

    /// Makes the segment whose first record will have the number `first`.
    pub(super) fn create(directory: &Path, first: u64) -> io::Result<Self> {
        let path = path(directory, first);
        write(&path, &[])?;
        sync_dir(directory)?;
        Ok(Self {
            path,
            first,
            bytes: HEADER_BYTES as u64,
        })
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one record durably. After an error the file ends, for every reader, where it ended before.
    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        // What a failed write left behind is cut away first.
        file.set_len(self.bytes)?;
        file.write_all_at(record, self.bytes)?;
        file.sync_data()?;
        self.bytes += record.len() as u64;
        Ok(())
    }

    /// Reads the file as far as it is known to be whole. One without a header has no records, and is damaged unless it is empty.
    pub(super) fn read(&self) -> io::Result<Content> {
        let mut bytes = Vec::new();
        File::open(&self.path)?
            .take(self.bytes.min(FILE_BYTES_MAX))
            .read_to_end(&mut bytes)?;
        let whole = bytes.starts_with(&MAGIC)
            && bytes.get(MAGIC.len()..HEADER_BYTES) == Some(&VERSION.to_le_bytes());
        let scan = if whole {
            record::scan(&bytes, HEADER_BYTES)
        } else {
            // A header that was hit, or never written: the records behind it say for themselves whether they are whole.
            let mut scan = record::scan(&bytes, 0);
            scan.torn_at = None;
            scan
        };
        Ok(Content { bytes, scan })
    }

    /// Brings the file into order after [`Self::read`] found damage: what was there is copied aside, a clean copy with
    /// the whole records takes its place. A record that was merely torn is cut away without that.
    pub(super) fn repair(&mut self, content: &Content) -> io::Result<Option<String>> {
        let mut note = None;
        let Content { bytes, scan } = content;
        if scan.damaged > 0 {
            let aside = aside_name(&self.path);
            fs::copy(&self.path, &aside)?;
            note = Some(format!(
                "{}: {} could not be read; the file is kept as {}",
                self.path.display(),
                crate::terminal::count(scan.damaged, "record"),
                aside.file_name().unwrap_or_default().display()
            ));
        } else if scan.torn_at.is_none() {
            self.bytes = bytes.len() as u64;
            return Ok(None);
        }
        let whole: Vec<&[u8]> = scan
            .found
            .iter()
            .filter_map(|found| bytes.get(found.start..found.payload.end))
            .collect();
        let records = whole.concat();
        write(&self.path, &records)?;
        self.path.parent().map_or(Ok(()), sync_dir)?;
        self.bytes = (HEADER_BYTES + records.len()) as u64;
        Ok(note)
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.seg"))
}

/// Writes a whole segment beside the old one and renames it over that.
fn write(path: &Path, records: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all_at(&MAGIC, 0)?;
    file.write_all_at(&VERSION.to_le_bytes(), MAGIC.len() as u64)?;
    file.write_all_at(records, HEADER_BYTES as u64)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}
