//! PEM blocks (RFC 7468): private keys become a throw-away key, the first certificate of a file the one that fits it.
//!
//! The pair is an elliptic-curve key (P-256) and its self-signed certificate, made once and published with this
//! program: it protects nothing and authenticates nobody, and every server that checks that key and certificate fit
//! (`nginx -t`, `apachectl configtest`) is content. A library that makes a fresh pair on each host would cost the agent
//! memory for ever and gain nothing. Further certificates of a file are a chain or a bundle of authorities: they are
//! public, and stay. Keys of other programs (OpenSSH, PGP) keep their form and lose their content.

/// The key, in PKCS #8.
pub(super) const KEY: &str = include_str!("test.key");
/// Its certificate, good until 2126.
const CERTIFICATE: &str = include_str!("test.crt");

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// Longer than any label.
const LABEL_BYTES_MAX: usize = 64;
/// Labels of keys that a TLS server reads.
const SERVER_KEYS: [&[u8]; 4] = [
    b"PRIVATE KEY",
    b"RSA PRIVATE KEY",
    b"EC PRIVATE KEY",
    b"ENCRYPTED PRIVATE KEY",
];

struct Block {
    start: usize,
    /// Where the content begins.
    inner: usize,
    /// Where the content ends.
    inner_end: usize,
    end: usize,
    label: Vec<u8>,
    is_closed: bool,
}

/// The text with its keys and first certificate replaced, and how many keys there were.
pub(super) fn replace(text: &[u8]) -> (Vec<u8>, u32) {
    let mut out = Vec::with_capacity(text.len());
    let (mut done, mut keys, mut certificates) = (0, 0, 0);
    while let Some(block) = next(text, done) {
        out.extend_from_slice(&text[done..block.start]);
        let is_key = is_key(&block.label);
        let own_line = block.start == 0 || text[block.start - 1] == b'\n';
        let is_server_key = SERVER_KEYS.contains(&block.label.as_slice());
        let whole = &text[block.start..block.end];
        done = block.end;
        if is_key && is_server_key && own_line && block.is_closed {
            out.extend_from_slice(KEY.trim_end().as_bytes());
            keys += u32::from(whole != KEY.trim_end().as_bytes());
        } else if is_key {
            keys += 1;
            out.extend_from_slice(&text[block.start..block.inner]);
            out.extend(
                text[block.inner..block.inner_end]
                    .iter()
                    .map(|&byte| blank(byte)),
            );
            out.extend_from_slice(&text[block.inner_end..block.end]);
        } else if block.label == b"CERTIFICATE" && certificates == 0 && own_line && block.is_closed
        {
            certificates += 1;
            out.extend_from_slice(CERTIFICATE.trim_end().as_bytes());
        } else {
            out.extend_from_slice(whole);
        }
    }
    out.extend_from_slice(&text[done..]);
    (out, keys)
}

/// Blocks that hold nothing but base64 and no private key but the published one.
pub(super) fn public_blocks(text: &[u8]) -> Vec<(usize, usize)> {
    let mut blocks = Vec::new();
    let mut done = 0;
    while let Some(block) = next(text, done) {
        done = block.end;
        let is_key = is_key(&block.label);
        let is_ours = &text[block.start..block.end] == KEY.trim_end().as_bytes();
        let is_base64 = text[block.inner..block.inner_end]
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte));
        if block.is_closed && is_base64 && (!is_key || is_ours) {
            blocks.push((block.start, block.end));
        }
    }
    blocks
}

fn is_key(label: &[u8]) -> bool {
    label.windows(11).any(|part| part == b"PRIVATE KEY")
}

fn blank(byte: u8) -> u8 {
    if byte.is_ascii_whitespace() || byte == b'\\' {
        byte
    } else {
        b'x'
    }
}

/// The next block from `from` on. A key that never ends goes to the end of the text: better too much than a key. Anything
/// else that does not end, or has a beginning in it, is no block.
fn next(text: &[u8], from: usize) -> Option<Block> {
    let mut from = from;
    loop {
        let start = find(text, from, BEGIN)?;
        let label = start + BEGIN.len();
        let limit = (label + LABEL_BYTES_MAX).min(text.len());
        let found = find(&text[..limit], label, DASHES).filter(|&end| {
            text[label..end]
                .iter()
                .all(|&b| b == b' ' || b.is_ascii_uppercase() || b.is_ascii_digit())
        });
        let Some(label_end) = found else {
            from = label;
            continue;
        };
        let inner = label_end + DASHES.len();
        let name = &text[label..label_end];
        let closing = [END, name, DASHES].concat();
        let inner_end = find(text, inner, &closing);
        let is_whole = inner_end.is_some_and(|end| find(&text[..end], inner, BEGIN).is_none());
        if !is_whole && !is_key(name) {
            from = inner;
            continue;
        }
        return Some(Block {
            start,
            inner,
            inner_end: inner_end.unwrap_or(text.len()),
            end: inner_end.map_or(text.len(), |end| end + closing.len()),
            label: name.to_vec(),
            is_closed: inner_end.is_some(),
        });
    }
}

fn find(text: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text.get(from..)?, what).map(|at| from + at)
}
