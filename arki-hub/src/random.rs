//! Random bytes of the system: for keys, tokens and secrets only. Everything that has to be repeatable gets its
//! randomness passed in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `N` random bytes. A system without randomness cannot make keys, and nothing sensible is left to do.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}

/// 256 random bits after `prefix`, in a form that fits into headers, URLs and shells.
pub fn token(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes::<32>()))
}
