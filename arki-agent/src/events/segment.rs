//! One file of the log of events.

use super::SEGMENT_BYTES_MAX;
use crate::state::{aside_name, set_aside, sync_dir};
use arki_model::chain::PAYLOAD_BYTES_MAX;
use arki_model::signature::Signed;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"ARKIEVNT";
const VERSION: u16 = 1;
const HEADER_BYTES: u64 = 10;
/// A payload with its type and signature.
const BODY_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 1024;
const CUT_OFF: &str = "ends in the middle of an event";
/// More files than that are not looked at: there can be four, and one that could not be removed.
const FILES_MAX: usize = 64;

/// One file; its records are whole up to `bytes`.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    first: u64,
    bytes: u64,
}

/// The numbers of the first events of all files in `directory`, ascending; and why they cannot be listed.
pub(super) fn list(directory: &Path) -> (Vec<u64>, Option<String>) {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            return (
                Vec::new(),
                Some(format!("{}: {error}", directory.display())),
            );
        }
    };
    let mut firsts: Vec<u64> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let digits = name
                .to_str()?
                .strip_prefix("events-")?
                .strip_suffix(".log")?;
            digits.parse().ok()
        })
        .take(FILES_MAX)
        .collect();
    firsts.sort_unstable();
    (firsts, None)
}

/// What reading a file from its start came to.
struct Scan {
    /// Up to here all records are whole.
    bytes: u64,
    /// What is wrong behind that, if anything.
    damage: Option<&'static str>,
}

impl Segment {
    /// Reads the file whose first event has the number `first`, gives each record to `take`, and repairs its end.
    /// `None` if nothing of it can be used; the text says what was found.
    pub(super) fn open(
        directory: &Path,
        first: u64,
        take: impl FnMut(&Signed) -> bool,
    ) -> (Option<Self>, Option<String>) {
        let path = path(directory, first);
        let scan = match scan(&path, take) {
            Ok(scan) => scan,
            Err(error) => {
                return (
                    None,
                    Some(format!("{}: cannot be read: {error}", path.display())),
                );
            }
        };
        if scan.bytes < HEADER_BYTES {
            return (
                None,
                Some(set_aside(
                    &path,
                    scan.damage.unwrap_or("is no log of events"),
                )),
            );
        }
        let note = scan
            .damage
            .map(|damage| repair(&path, scan.bytes, damage))
            .filter(|text| {
                // What a crash cut off was never acknowledged: worth a line in the log, no more.
                let cut_off = scan.damage == Some(CUT_OFF);
                if cut_off {
                    tracing::info!("{text}");
                }
                !cut_off
            });
        let segment = Self {
            path,
            first,
            bytes: scan.bytes,
        };
        (Some(segment), note)
    }

    /// Makes the file whose first event will have the number `first`.
    pub(super) fn create(directory: &Path, first: u64) -> io::Result<Self> {
        let path = path(directory, first);
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        let mut header = [0; HEADER_BYTES as usize];
        header[..8].copy_from_slice(&MAGIC);
        header[8..].copy_from_slice(&VERSION.to_le_bytes());
        file.write_all_at(&header, 0)?;
        file.sync_all()?;
        sync_dir(directory)?;
        Ok(Self {
            path,
            first,
            bytes: HEADER_BYTES,
        })
    }

    /// True if a body of this length still goes in.
    pub(super) fn takes(&self, body_bytes: usize) -> bool {
        self.bytes + 8 + body_bytes as u64 <= SEGMENT_BYTES_MAX
    }

    /// Writes one record durably. After an error the file ends, for every reader, where it ended before.
    pub(super) fn append(&mut self, body: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        let mut record = Vec::with_capacity(8 + body.len());
        record.extend((body.len() as u32).to_le_bytes());
        record.extend(crc32fast::hash(body).to_le_bytes());
        record.extend(body);
        // What a failed write left behind is cut away first, so that it cannot follow a shorter record.
        file.set_len(self.bytes)?;
        file.write_all_at(&record, self.bytes)?;
        file.sync_data()?;
        self.bytes += record.len() as u64;
        Ok(())
    }

    /// Gives each record to `take`, as far as they can be read.
    pub(super) fn scan(&self, mut take: impl FnMut(&Signed)) {
        let whole = scan(&self.path, |signed| {
            take(signed);
            true
        });
        if let Err(error) = whole {
            tracing::warn!(file = %self.path.display(), %error, "cannot read the log of events");
        }
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the file. One that cannot be deleted is found again at the next start.
    pub(super) fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), %error, "cannot remove old events");
        }
    }
}

fn path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("events-{first:020}.log"))
}

fn scan(path: &Path, mut take: impl FnMut(&Signed) -> bool) -> io::Result<Scan> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let mut header = [0; HEADER_BYTES as usize];
    if length < HEADER_BYTES {
        return Ok(Scan {
            bytes: 0,
            damage: Some("is too short for a log of events"),
        });
    }
    reader.read_exact(&mut header)?;
    let [magic @ .., low, high] = header;
    if magic != MAGIC {
        return Ok(Scan {
            bytes: 0,
            damage: Some("is no log of events"),
        });
    }
    if u16::from_le_bytes([low, high]) > VERSION {
        return Ok(Scan {
            bytes: 0,
            damage: Some("was written by a newer version"),
        });
    }
    let mut bytes = HEADER_BYTES;
    let mut body = Vec::new();
    while bytes < length {
        if length - bytes < 8 {
            return Ok(Scan {
                bytes,
                damage: Some(CUT_OFF),
            });
        }
        let mut prefix = [0; 8];
        reader.read_exact(&mut prefix)?;
        let [l0, l1, l2, l3, c0, c1, c2, c3] = prefix;
        let body_bytes = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if body_bytes > BODY_BYTES_MAX {
            return Ok(Scan {
                bytes,
                damage: Some("holds a record that is longer than any event"),
            });
        }
        if length - bytes - 8 < body_bytes as u64 {
            return Ok(Scan {
                bytes,
                damage: Some(CUT_OFF),
            });
        }
        body.resize(body_bytes, 0);
        reader.read_exact(&mut body)?;
        let whole = crc32fast::hash(&body) == u32::from_le_bytes([c0, c1, c2, c3]);
        if !whole || !rmp_serde::from_slice(&body).is_ok_and(|signed| take(&signed)) {
            return Ok(Scan {
                bytes,
                damage: Some("holds a damaged event"),
            });
        }
        bytes += 8 + body_bytes as u64;
    }
    Ok(Scan {
        bytes,
        damage: None,
    })
}

/// Cuts the file after its whole records. The rest of a write that a crash cut off was never acknowledged and is
/// dropped; anything else is kept in a copy.
fn repair(path: &Path, bytes: u64, damage: &str) -> String {
    let cut = || -> io::Result<u64> {
        let file = OpenOptions::new().write(true).open(path)?;
        let length = file.metadata()?.len();
        if damage != CUT_OFF {
            fs::copy(path, aside_name(path))?;
        }
        file.set_len(bytes)?;
        file.sync_data()?;
        Ok(length - bytes)
    };
    match cut() {
        Ok(cut) => format!(
            "{}: {damage}; its last {cut} bytes are left out",
            path.display()
        ),
        Err(error) => format!(
            "{}: {damage}, and it cannot be repaired: {error}",
            path.display()
        ),
    }
}
