//! Writes a snapshot entry by entry, compressing as it goes, so that an agent never holds more than one file of it.

use super::{BYTES_MAX, ENTRIES_MAX, REASON_BYTES_MAX, VERSION, configuration, link_digest};
use crate::clock::UnixSeconds;
use crate::request::ANSWER_BODY_BYTES_MAX;
use crate::wire::pack::Writer;
use std::fmt;
use std::io::{self, Write};
use zstd::zstd_safe::CParameter;

/// What goes around the content in the body of an answer: ids, a text and the signature.
const AROUND_BYTES: usize = 2048;

/// Why a configuration is not copied.
#[derive(Debug, thiserror::Error)]
pub enum Excess {
    /// Too many entries.
    #[error("it has more than {ENTRIES_MAX} files: name less of it")]
    Entries,
    /// Too many bytes.
    #[error("it has more than {} MiB: name less of it", BYTES_MAX / 1024 / 1024)]
    Bytes,
    /// Too many bytes even when compressed.
    #[error("it has more than {} MiB after its compression: name less of it", ANSWER_BODY_BYTES_MAX / 1024 / 1024)]
    Compressed,
    /// Not compressed.
    #[error("it cannot be compressed: {0}")]
    Compression(#[from] io::Error),
}

/// A snapshot, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The content of the answer.
    pub compressed: Vec<u8>,
    /// What [`super::Snapshot::configuration`] says of it.
    pub configuration: [u8; 32],
    /// Bytes of all files.
    pub bytes: usize,
}

/// Writes a snapshot. The entries come sorted by path, as many as were announced.
pub struct Encoder {
    zstd: zstd::stream::write::Encoder<'static, Vec<u8>>,
    bytes: usize,
    digests: Vec<(String, [u8; 32])>,
    left: usize,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("bytes", &self.bytes)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// Begins a snapshot of `entries` entries.
    pub fn new<S: AsRef<str>>(
        service: &str,
        taken_at_s: UnixSeconds,
        roots: &[S],
        entries: usize,
    ) -> Result<Self, Excess> {
        if entries > ENTRIES_MAX {
            return Err(Excess::Entries);
        }
        let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        // 128 KiB to look back and 64 KiB of tables: 300 KB in all, for files that are mostly smaller.
        for parameter in [
            CParameter::WindowLog(17),
            CParameter::HashLog(13),
            CParameter::ChainLog(13),
        ] {
            zstd.set_parameter(parameter)?;
        }
        let mut head = Writer::default();
        head.array(5)
            .uint(u64::from(VERSION))
            .str(service)
            .int(taken_at_s)
            .array(roots.len());
        for root in roots {
            head.str(root.as_ref());
        }
        head.array(entries);
        zstd.write_all(&head.finish())?;
        Ok(Self {
            zstd,
            bytes: 0,
            digests: Vec::with_capacity(entries),
            left: entries,
        })
    }

    /// A file, redacted.
    pub fn file(
        &mut self,
        path: &str,
        mode: u32,
        fingerprint: [u8; 32],
        redacted: (&[u8], u32),
    ) -> Result<(), Excess> {
        let (bytes, redactions) = redacted;
        self.bytes += bytes.len();
        if self.bytes > BYTES_MAX {
            return Err(Excess::Bytes);
        }
        let mut entry = Writer::default();
        entry
            .array(6)
            .uint(1)
            .str(path)
            .uint(u64::from(mode & 0o7777))
            .bin(&fingerprint)
            .uint(u64::from(redactions))
            .bin(bytes);
        self.entry(entry, Some((path, fingerprint)))
    }

    /// A link to `target`, which is below a root.
    pub fn link(&mut self, path: &str, target: &str) -> Result<(), Excess> {
        let mut entry = Writer::default();
        entry.array(3).uint(2).str(path).str(target);
        self.entry(entry, Some((path, link_digest(target))))
    }

    /// A directory.
    pub fn directory(&mut self, path: &str, mode: u32) -> Result<(), Excess> {
        let mut entry = Writer::default();
        entry
            .array(3)
            .uint(3)
            .str(path)
            .uint(u64::from(mode & 0o7777));
        self.entry(entry, None)
    }

    /// Something that is not copied.
    pub fn left_out(
        &mut self,
        path: &str,
        fingerprint: [u8; 32],
        reason: &str,
    ) -> Result<(), Excess> {
        let end = (0..=REASON_BYTES_MAX.min(reason.len()))
            .rev()
            .find(|&end| reason.is_char_boundary(end));
        let reason = reason.get(..end.unwrap_or(0)).unwrap_or_default();
        let mut entry = Writer::default();
        entry
            .array(4)
            .uint(4)
            .str(path)
            .bin(&fingerprint)
            .str(reason);
        self.entry(entry, Some((path, fingerprint)))
    }

    fn entry(&mut self, entry: Writer, digest: Option<(&str, [u8; 32])>) -> Result<(), Excess> {
        self.left = self.left.checked_sub(1).ok_or(Excess::Entries)?;
        self.digests
            .extend(digest.map(|(path, digest)| (path.to_owned(), digest)));
        self.zstd.write_all(&entry.finish())?;
        if self.zstd.get_ref().len() + AROUND_BYTES > ANSWER_BODY_BYTES_MAX {
            return Err(Excess::Compressed);
        }
        Ok(())
    }

    /// The end: as many entries as were announced have been written.
    pub fn finish(self) -> Result<Encoded, Excess> {
        if self.left > 0 {
            return Err(Excess::Entries);
        }
        let compressed = self.zstd.finish()?;
        if compressed.len() + AROUND_BYTES > ANSWER_BODY_BYTES_MAX {
            return Err(Excess::Compressed);
        }
        let digests = self.digests.iter();
        Ok(Encoded {
            compressed,
            configuration: configuration(digests.map(|(path, digest)| (path.as_str(), *digest))),
            bytes: self.bytes,
        })
    }
}
