//! A copy of a service's configuration, as an agent sends it: redacted, bounded, and with a fingerprint of every file.
//!
//! ```text
//! snapshot  = [version, service: str, taken_at_s: int, [root: str, ...], [entry, ...]]      MessagePack, then zstd
//! entry     = [1, path: str, mode: uint, fingerprint: bin 32, redactions: uint, bytes: bin]  a file, redacted
//!           | [2, path: str, target: str]                                                    a link within the roots
//!           | [3, path: str, mode: uint]                                                     a directory
//!           | [4, path: str, fingerprint: bin 32, reason: str]                               left out, and why
//! ```
//!
//! **Fingerprints** are HMAC-SHA-256 over the *original* bytes with a key that never leaves the host
//! ([`Fingerprints`]). A plain digest of a file with a short password in it could be guessed off line, and one of the
//! redacted bytes would not change when the password does. Only the agent can tell whether a file has changed; a hub
//! compares what the agent said then and says now. What is left out has a fingerprint of its size and time of change; a
//! link that leads out of the roots, of its text and of size and time of the file that it leads to.
//!
//! **The configuration's hash** ([`Snapshot::configuration`]) is taken over paths and fingerprints: a receipt carries
//! it, and an agent whose live configuration has another one refuses to apply what was tried on this one.
//!
//! Invariants of whatever was decoded: paths are absolute, without `.`, `..`, empty parts or control characters,
//! each below a root and there once, in order; no path runs through another entry that is no directory; a link's target is
//! below a root; at most [`ENTRIES_MAX`] entries and [`BYTES_MAX`] bytes of content.

mod encode;

pub use encode::{Encoded, Encoder, Excess};

use crate::clock::UnixSeconds;
use crate::request::SERVICE_BYTES_MAX;
use crate::wire::pack::Reader;
use crate::wire::{Decompressor, WireError};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The layout of a snapshot.
const VERSION: u8 = 1;
/// The most bytes of all files together: a large `/etc/nginx` has 300 KB.
pub const BYTES_MAX: usize = 5 * 1024 * 1024;
/// The most bytes of one file.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// The most files, links, directories and notes: `/etc/apache2` has 220.
pub const ENTRIES_MAX: usize = 4096;
/// The most roots of one service.
pub const ROOTS_MAX: usize = 16;
/// The longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 1024;
/// The longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 200;
/// The longest encoding: content, paths, and 64 bytes around each entry.
const ENCODED_BYTES_MAX: usize = BYTES_MAX + ENTRIES_MAX * (64 + 2 * 128);

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A regular file.
    File {
        /// Its permissions, 0 to 0o7777.
        mode: u32,
        /// Of the original.
        fingerprint: [u8; 32],
        /// How many secrets were replaced.
        redactions: u32,
        /// What is left after the redaction.
        bytes: Vec<u8>,
    },
    /// A link to another path below the roots: where it ends, absolute.
    Link {
        /// Absolute.
        target: String,
    },
    /// A directory.
    Directory {
        /// Its permissions, 0 to 0o7777.
        mode: u32,
    },
    /// Something that was not copied.
    LeftOut {
        /// Of its size and time of change, or of the link.
        fingerprint: [u8; 32],
        /// Why, in words.
        reason: String,
    },
}

/// One path of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absolute.
    pub path: String,
    /// What is there.
    pub what: What,
}

/// A snapshot, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Of which service.
    pub service: String,
    /// When, by the agent's clock.
    pub taken_at_s: UnixSeconds,
    /// The paths that the agent's configuration allows.
    pub roots: Vec<String>,
    /// Sorted by path.
    pub entries: Vec<Entry>,
}

impl Snapshot {
    /// Decompresses and reads what an [`Encoder`] wrote. The caller has limited `compressed`.
    pub fn decode(compressed: &[u8], decompressor: &mut Decompressor) -> Result<Self, WireError> {
        let bytes = decompressor.decompress_up_to(compressed, ENCODED_BYTES_MAX)?;
        let mut reader = Reader::new(&bytes);
        reader.array("a snapshot", 5)?;
        let version = reader.uint("the version of a snapshot")?;
        if version != u64::from(VERSION) {
            return Err(WireError::Version(version));
        }
        let service = reader.str("the service", SERVICE_BYTES_MAX)?.to_owned();
        let taken_at_s = reader.int("the time of a snapshot")?;
        let count = reader.array_up_to("the roots", ROOTS_MAX)?;
        let mut roots = Vec::with_capacity(count);
        for _ in 0..count {
            roots.push(path(&mut reader)?);
        }
        let count = reader.array_up_to("the entries of a snapshot", ENTRIES_MAX)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = entry(&mut reader)?;
            check(&entry, &roots, &entries)?;
            entries.push(entry);
        }
        reader.end("a snapshot")?;
        Ok(Self {
            service,
            taken_at_s,
            roots,
            entries,
        })
    }

    /// The hash that a receipt carries.
    pub fn configuration(&self) -> [u8; 32] {
        configuration(self.entries.iter().filter_map(|entry| {
            let digest = match &entry.what {
                What::File { fingerprint, .. } | What::LeftOut { fingerprint, .. } => *fingerprint,
                What::Link { target } => link_digest(target),
                What::Directory { .. } => return None,
            };
            Some((entry.path.as_str(), digest))
        }))
    }
}

/// SHA-256 over paths and what stands for their content; see [`crate::receipt::configuration_hash`], which this is.
fn configuration<'a>(files: impl IntoIterator<Item = (&'a str, [u8; 32])>) -> [u8; 32] {
    crate::receipt::configuration_hash(files)
}

/// What stands for a link: where it leads is no secret.
fn link_digest(target: &str) -> [u8; 32] {
    Sha256::digest(["link\0", target].concat()).into()
}

/// Takes fingerprints with a key of this host.
pub struct Fingerprints(Hmac<Sha256>);

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprints")
    }
}

impl Fingerprints {
    /// `secret` stays on the host; what is derived from it is good for fingerprints only.
    pub fn new(secret: &[u8; 32]) -> Self {
        let mac = |key: &[u8]| {
            Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
        };
        let key = mac(secret)
            .chain_update("arki snapshot fingerprint 1")
            .finalize();
        Self(mac(&key.into_bytes()))
    }

    /// Of a file's bytes.
    pub fn of_bytes(&self, bytes: &[u8]) -> [u8; 32] {
        self.finish("bytes\0", bytes)
    }

    /// Of a file that is not read: its size and the time of its last change, in nanoseconds.
    pub fn of_stamp(&self, size: u64, changed_ns: i128) -> [u8; 32] {
        let stamp = [&size.to_be_bytes()[..], &changed_ns.to_be_bytes()].concat();
        self.finish("stamp\0", &stamp)
    }

    /// Of a link that is not followed: its text, and size and time of change (in nanoseconds) of the file that it leads
    /// to, if it is one.
    pub fn of_link(&self, text: &[u8], file: Option<(u64, i128)>) -> [u8; 32] {
        let file = file.map(|(size, changed_ns)| {
            [&size.to_be_bytes()[..], &changed_ns.to_be_bytes()].concat()
        });
        // a text has no NUL in it
        self.finish("link\0", &[text, b"\0", &file.unwrap_or_default()].concat())
    }

    fn finish(&self, kind: &str, bytes: &[u8]) -> [u8; 32] {
        let mac = self.0.clone().chain_update(kind).chain_update(bytes);
        mac.finalize().into_bytes().into()
    }
}

fn entry(reader: &mut Reader<'_>) -> Result<Entry, WireError> {
    let parts = reader.array_up_to("an entry", 6)?;
    let kind = reader.uint("the kind of an entry")?;
    let path = path(reader)?;
    let mode = |reader: &mut Reader<'_>| {
        reader
            .uint_up_to("the mode of an entry", 0o7777)
            .map(|mode| mode as u32)
    };
    let what = match (kind, parts) {
        (1, 6) => What::File {
            mode: mode(reader)?,
            fingerprint: reader.bytes("the fingerprint of a file")?,
            redactions: reader.uint_up_to("the redactions", u64::from(u32::MAX))? as u32,
            bytes: reader.bin("a file", FILE_BYTES_MAX)?.to_vec(),
        },
        (2, 3) => What::Link {
            target: self::path(reader)?,
        },
        (3, 3) => What::Directory {
            mode: mode(reader)?,
        },
        (4, 4) => What::LeftOut {
            fingerprint: reader.bytes("the fingerprint of a file")?,
            reason: reader.str("the reason", REASON_BYTES_MAX)?.to_owned(),
        },
        _ => return Err(WireError::Value("the kind of an entry")),
    };
    Ok(Entry { path, what })
}

fn path(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let path = reader.str("a path", PATH_BYTES_MAX)?;
    if is_plain(path) {
        Ok(path.to_owned())
    } else {
        Err(WireError::Value("a path"))
    }
}

/// Whether a path is absolute and means what it says, whoever makes a file of that name.
pub fn is_plain(path: &str) -> bool {
    path.len() <= PATH_BYTES_MAX
        && !path.chars().any(char::is_control)
        && path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255)
        })
}

/// Whether `path` is one of `roots` or below one.
pub fn is_below<S: AsRef<str>>(path: &str, roots: &[S]) -> bool {
    roots.iter().any(|root| {
        path.strip_prefix(root.as_ref())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What holds between an entry and those before it.
fn check(entry: &Entry, roots: &[String], before: &[Entry]) -> Result<(), WireError> {
    let wrong = Err(WireError::Value("the path of an entry"));
    if !is_below(&entry.path, roots) {
        return wrong;
    }
    if before.last().is_some_and(|last| last.path >= entry.path) {
        return wrong;
    }
    // Sorted, so a path that this one runs through stands before it.
    let mut parent = entry.path.as_str();
    while let Some((above, _)) = parent.rsplit_once('/') {
        parent = above;
        let found = before.binary_search_by(|entry| entry.path.as_str().cmp(above));
        let is_directory = |at: usize| {
            matches!(
                before.get(at).map(|e| &e.what),
                Some(What::Directory { .. })
            )
        };
        if found.is_ok_and(|at| !is_directory(at)) {
            return wrong;
        }
    }
    match &entry.what {
        What::Link { target } if !is_below(target, roots) => {
            Err(WireError::Value("the target of a link"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
