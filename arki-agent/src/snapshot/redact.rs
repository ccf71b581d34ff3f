//! Takes secrets out of a configuration file before anything of it leaves the host.
//!
//! What goes, in this order:
//!
//! 1. private keys and certificates: a published throw-away pair takes their place ([`pem`]);
//! 2. files that are secrets by their name or form (`.htpasswd`, `shadow`, a single word): [`mod@file`]; files that are
//!    called keys, and those that are no text, whole;
//! 3. values of keys that sound like secrets, however they are written ([`value`], [`name`]);
//! 4. what looks like a secret wherever it stands: users in URLs, hashes of passwords, tokens with known beginnings,
//!    strings that are too irregular for words ([`shape`]).
//!
//! A secret becomes as many `x` as it had bytes; white space, quotes and terminators stay, so that lines, columns and
//! syntax are the original's. Where it is not clear whether something is a secret, it goes: a copy that lacks a word
//! costs a trial, a password that left costs more. What it cannot see: a secret in plain words under a name that says
//! nothing (`greeting = letmein`), and prose in comments.
//!
//! Invariants: the length stays (but for PEM blocks); redacting again changes nothing; no panic on any bytes; linear in
//! the length of the file.

mod file;
mod name;
mod pem;
mod shape;
mod value;

/// Binary files up to this size become as many zeros; longer ones are data, not configuration.
const BINARY_BYTES_MAX: usize = 64 * 1024;
/// How often a file is looked through: what was hidden may change how the rest reads, once or twice.
const ROUNDS_MAX: usize = 8;

/// A text in an older encoding has a letter with the eighth bit here and there; of random bytes it is every other one.
const FOREIGN_SHARE: usize = 8;

/// What is left of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// What may leave the host.
    pub bytes: Vec<u8>,
    /// How many secrets were replaced.
    pub count: u32,
}

/// The throw-away private key that stands for every other, in PKCS #8.
pub fn test_key() -> Redacted {
    Redacted {
        bytes: pem::KEY.as_bytes().to_vec(),
        count: 1,
    }
}

/// Redacts the file at `path`; `None` for one that is too long to be configuration and no text.
pub fn redact(path: &str, bytes: &[u8]) -> Option<Redacted> {
    if is_binary(bytes) {
        return (bytes.len() <= BINARY_BYTES_MAX).then(|| Redacted {
            bytes: vec![0; bytes.len()],
            count: u32::from(bytes.iter().any(|byte| *byte != 0)),
        });
    }
    Some(hide(
        bytes,
        |mask| file::hide(path, mask),
        is_key_by_name(path),
    ))
}

/// Redacts what a program wrote: it quotes configuration.
pub fn redact_text(text: &str) -> String {
    let hidden = hide(text.as_bytes(), |_| {}, false);
    String::from_utf8_lossy(&hidden.bytes).into_owned()
}

/// True for what is no text: bytes that no text has, or too many that are no characters.
fn is_binary(bytes: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < 32 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let foreign = || bytes.iter().filter(|byte| !byte.is_ascii()).count();
    bytes.iter().any(is_control)
        || (str::from_utf8(bytes).is_err() && foreign() * FOREIGN_SHARE > bytes.len())
}

/// A file that is called like a key is one.
pub(super) fn is_key_by_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    ending == "key" || (ending == "pem" && stem.contains("key"))
}

fn hide(bytes: &[u8], by_file: impl Fn(&mut Mask<'_>), is_key: bool) -> Redacted {
    let (text, mut count) = pem::replace(bytes);
    let public = pem::public_blocks(&text);
    let mut text = text;
    for _ in 0..ROUNDS_MAX {
        let mut mask = Mask::new(&text, &public);
        if is_key && public.is_empty() {
            mask.hide(0, mask.text.len());
        }
        by_file(&mut mask);
        value::hide(&mut mask);
        shape::hide(&mut mask);
        let (hidden, new) = mask.finish();
        text = hidden;
        if new == 0 {
            break;
        }
        count += new;
    }
    Redacted { bytes: text, count }
}

/// A text and which of its bytes are to go.
struct Mask<'a> {
    text: &'a [u8],
    out: Vec<u8>,
    /// Ranges that are known to hold nothing secret, in order.
    public: &'a [(usize, usize)],
    count: u32,
}

impl<'a> Mask<'a> {
    fn new(text: &'a [u8], public: &'a [(usize, usize)]) -> Self {
        Self {
            text,
            out: text.to_vec(),
            public,
            count: 0,
        }
    }

    /// Hides `start..end`, but for white space and the public blocks.
    fn hide(&mut self, start: usize, end: usize) {
        let mut is_new = false;
        for at in start..end.min(self.out.len()) {
            let byte = self.out[at];
            if !byte.is_ascii_whitespace() && byte != b'x' && !self.is_public(at) {
                self.out[at] = b'x';
                is_new = true;
            }
        }
        self.count += u32::from(is_new);
    }

    fn is_public(&self, at: usize) -> bool {
        let after = self.public.partition_point(|&(start, _)| start <= at);
        after > 0 && at < self.public[after - 1].1
    }

    /// The lines, as ranges without their ends.
    fn lines(&self) -> Vec<(usize, usize)> {
        let mut lines = Vec::new();
        let mut start = 0;
        for (at, &byte) in self.text.iter().enumerate() {
            if byte == b'\n' {
                lines.push((start, at));
                start = at + 1;
            }
        }
        lines.push((start, self.text.len()));
        lines
    }

    fn finish(self) -> (Vec<u8>, u32) {
        (self.out, self.count)
    }
}

/// Where the run of bytes that `is` takes, beginning at `start`, ends; at most at `end`.
fn run(text: &[u8], start: usize, end: usize, is: impl Fn(u8) -> bool) -> usize {
    let bytes = text.get(start..end).unwrap_or_default();
    start
        + bytes
            .iter()
            .position(|&byte| !is(byte))
            .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests;
