//! One state file: header, checksum, payload; written beside the old one and renamed over it.

use crate::state::sync_dir;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const MAGIC: [u8; 8] = *b"ARKISTAT";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 8 + 2 + 8 + 4;

/// 64 MiB: twice what 4096 series (the most that can be configured) at 8 KB each take.
const PAYLOAD_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a state file is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("cannot be read ({0})")]
    Read(#[from] io::Error),
    #[error("is no state file of Arki")]
    Magic,
    #[error("was written by a newer version (layout {0}, this one reads {VERSION})")]
    Newer(u16),
    #[error("is damaged ({0})")]
    Damaged(&'static str),
    #[error("does not hold what it should ({0})")]
    Content(rmp_serde::decode::Error),
}

pub(super) fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&partial)?;
    // The payload is streamed, so that saving 1.5 MB of windows takes no 1.5 MB of memory.
    let mut out = Summed::new(BufWriter::with_capacity(16 * 1024, file));
    out.inner.write_all(&[0; HEADER_BYTES])?;
    rmp_serde::encode::write(&mut out, value).map_err(io::Error::other)?;
    let (bytes, crc) = (out.bytes, out.crc.finalize());
    let mut file = out
        .inner
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header(bytes, crc))?;
    file.sync_data()?;
    fs::rename(&partial, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// `Ok(None)` where there is no such file.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Damage> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut head = [0; HEADER_BYTES];
    file.read_exact(&mut head)
        .map_err(|_| Damage::Damaged("too short"))?;
    let (bytes, crc) = check_header(&head)?;
    if file.metadata()?.len() != HEADER_BYTES as u64 + bytes {
        return Err(Damage::Damaged("of another length than it says"));
    }
    // Checked as a whole before a byte of it is believed.
    let mut summed = Summed::new(io::sink());
    io::copy(&mut BufReader::new(&mut file), &mut summed)?;
    if summed.crc.finalize() != crc {
        return Err(Damage::Damaged("wrong checksum"));
    }
    file.seek(SeekFrom::Start(HEADER_BYTES as u64))?;
    rmp_serde::from_read(BufReader::new(file))
        .map(Some)
        .map_err(Damage::Content)
}

fn header(bytes: u64, crc: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..10].copy_from_slice(&VERSION.to_le_bytes());
    header[10..18].copy_from_slice(&bytes.to_le_bytes());
    header[18..].copy_from_slice(&crc.to_le_bytes());
    header
}

fn check_header(header: &[u8; HEADER_BYTES]) -> Result<(u64, u32), Damage> {
    let [m0, m1, m2, m3, m4, m5, m6, m7, v0, v1, rest @ ..] = *header;
    if [m0, m1, m2, m3, m4, m5, m6, m7] != MAGIC {
        return Err(Damage::Magic);
    }
    let version = u16::from_le_bytes([v0, v1]);
    if version > VERSION {
        return Err(Damage::Newer(version));
    }
    let [b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3] = rest;
    let bytes = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(Damage::Damaged("larger than any state"));
    }
    Ok((bytes, u32::from_le_bytes([c0, c1, c2, c3])))
}

/// Counts and sums what is written through it.
struct Summed<W> {
    inner: W,
    crc: crc32fast::Hasher,
    bytes: u64,
}

impl<W> Summed<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            crc: crc32fast::Hasher::new(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.inner.write_all(buffer)?;
        self.crc.update(buffer);
        self.bytes += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
