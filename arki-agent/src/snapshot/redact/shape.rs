//! What looks like a secret, whatever it is called: users in URLs, `Authorization` schemes, hashes of passwords, tokens with
//! a known beginning, and strings that are too irregular to be words.

use super::{Mask, run};

/// Beginnings of well-known tokens, and how many bytes follow at the least.
/// Sources: the providers' own documentation, as collected by the rules of gitleaks and trufflehog.
const BEGINNINGS: [(&[u8], usize); 36] = [
    (b"AKIA", 16),
    (b"ASIA", 16),
    (b"ABIA", 16),
    (b"ghp_", 20),
    (b"gho_", 20),
    (b"ghs_", 20),
    (b"ghu_", 20),
    (b"ghr_", 20),
    (b"github_pat_", 20),
    (b"glpat-", 16),
    (b"gldt-", 16),
    (b"xoxb-", 10),
    (b"xoxp-", 10),
    (b"xoxa-", 10),
    (b"xoxr-", 10),
    (b"xoxs-", 10),
    (b"xapp-", 10),
    (b"AIza", 30),
    (b"ya29.", 20),
    (b"sk_live_", 10),
    (b"sk_test_", 10),
    (b"rk_live_", 10),
    (b"pk_live_", 10),
    (b"whsec_", 10),
    (b"SG.", 20),
    (b"eyJ", 20),
    (b"npm_", 20),
    (b"dop_v1_", 20),
    (b"hf_", 20),
    (b"sk-", 20),
    (b"hvs.", 16),
    (b"arki_key_", 10),
    (b"arki_enrol_", 10),
    (b"AGE-SECRET-KEY-", 20),
    (b"pypi-", 20),
    (b"shpat_", 20),
];
/// Fewer bytes are words or numbers, however odd.
const IRREGULAR_BYTES_MIN: usize = 20;
/// 128 bits in hexadecimal digits.
const HEX_BYTES_MIN: usize = 32;

/// Hides all of it.
pub(super) fn hide(mask: &mut Mask<'_>) {
    for (start, end) in mask.lines() {
        urls(mask, start, end);
        schemes(mask, start, end);
        hashes(mask, start, end);
        tokens(mask, start, end);
    }
}

/// `scheme://user:secret@host`; also `user:secret@tcp(host)`, as drivers of `MySQL` have it.
fn urls(mask: &mut Mask<'_>, start: usize, end: usize) {
    let text = mask.text;
    let mut at = start;
    while let Some(found) = memchr::memmem::find(&text[at..end], b"://") {
        let from = at + found + 3;
        let to = run(text, from, end, |b| {
            !b.is_ascii_whitespace() && !b"\"'<>`".contains(&b)
        });
        userinfo(mask, from, to);
        at = from;
    }
    for driver in [&b"@tcp("[..], b"@unix("] {
        let mut at = start;
        while let Some(found) = memchr::memmem::find(&text[at..end], driver) {
            let stop = at + found;
            let back = text[start..stop]
                .iter()
                .rev()
                .take_while(|b| !b.is_ascii_whitespace() && !b"\"'=".contains(b));
            userinfo(mask, stop - back.count(), stop + 1);
            at = stop + 1;
        }
    }
}

fn userinfo(mask: &mut Mask<'_>, from: usize, to: usize) {
    let text = mask.text;
    let Some(sign) = text[from..to]
        .iter()
        .rposition(|&byte| byte == b'@')
        .map(|at| from + at)
    else {
        return;
    };
    let path = run(text, from, sign, |byte| !b"/?#".contains(&byte));
    let colon = run(text, from, sign, |byte| byte != b':');
    if path < sign {
        // The sign is of the path, unless a secret has a slash in it: then a colon stands before it, and no port.
        let is_port = colon < path && text[colon + 1..path].iter().all(u8::is_ascii_digit);
        if colon >= path || is_port {
            let earlier = text[from..path].iter().rposition(|&byte| byte == b'@');
            if let Some(earlier) = earlier {
                userinfo(mask, from, from + earlier + 1);
            }
            return;
        }
    }
    if colon < sign {
        let secret = &text[colon + 1..sign];
        let is_variable = secret.starts_with(b"$")
            && secret[1..]
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"_{}".contains(b));
        if !is_variable {
            mask.hide(colon + 1, sign);
        }
    } else if sign - from >= 16 {
        // A token in the place of a user; shorter ones are names.
        mask.hide(from, sign);
    }
}

/// `Bearer …`, `Basic …` with what can only be a credential behind it.
fn schemes(mask: &mut Mask<'_>, start: usize, end: usize) {
    let lower = mask.text[start..end].to_ascii_lowercase();
    for (scheme, least) in [(&b"bearer "[..], 8), (b"basic ", 8)] {
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&lower[at..], scheme) {
            let from = start + at + found + scheme.len();
            let is_word = at + found == 0 || !lower[at + found - 1].is_ascii_alphanumeric();
            let to = token_end(mask.text, from, end);
            let credential = &mask.text[from..to];
            let is_odd = scheme == b"bearer "
                || credential.ends_with(b"=")
                || credential
                    .iter()
                    .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
            if is_word && credential.len() >= least && is_odd {
                mask.hide(from, to);
            }
            at += found + scheme.len();
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~+/".contains(&byte)
}

/// Where the token that begins at `from` ends, with the padding of base64 but without the sign of an assignment.
fn token_end(text: &[u8], from: usize, end: usize) -> usize {
    let to = run(text, from, end, is_token);
    let padded = run(text, to, end, |byte| byte == b'=');
    let is_padding =
        to > from && padded - to <= 2 && !text.get(padded).is_some_and(|&byte| is_token(byte));
    if is_padding { padded } else { to }
}

/// crypt(3): `$id$salt$hash`; LDAP: `{SSHA}base64`; `MySQL`: `*` and 40 digits fall under the irregular ones.
fn hashes(mask: &mut Mask<'_>, start: usize, end: usize) {
    let text = mask.text;
    let is_crypt = |byte: u8| byte.is_ascii_alphanumeric() || b"./$=,+-".contains(&byte);
    for at in start..end {
        match text[at] {
            b'$' if at + 2 < end => {
                let id = run(text, at + 1, end, |byte| {
                    byte.is_ascii_alphanumeric() || byte == b'-'
                });
                let to = run(text, at, end, is_crypt);
                let parts = text[at..to].split(|&byte| byte == b'$').count();
                let hash = text[at..to]
                    .rsplit(|&byte| byte == b'$')
                    .next()
                    .unwrap_or_default();
                if (2..=12).contains(&(id - at))
                    && text.get(id) == Some(&b'$')
                    && parts > 3
                    && hash.len() >= 20
                {
                    mask.hide(at, to);
                }
            }
            b'{' => {
                let close = run(text, at + 1, end, |b| {
                    b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'
                });
                let to = run(text, (close + 1).min(end), end, |b| {
                    is_crypt(b) || b == b'/'
                });
                if text.get(close) == Some(&b'}')
                    && (3..=16).contains(&(close - at))
                    && to > close + 12
                {
                    mask.hide(close + 1, to);
                }
            }
            _ => {}
        }
    }
}

/// Tokens with a known beginning, and irregular strings.
fn tokens(mask: &mut Mask<'_>, start: usize, end: usize) {
    let mut at = start;
    while at < end {
        let from = run(mask.text, at, end, |byte| !is_token(byte));
        let to = token_end(mask.text, from, end);
        if to > from {
            token(mask, from, to);
        }
        at = to.max(at + 1);
    }
}

fn token(mask: &mut Mask<'_>, from: usize, to: usize) {
    let text = &mask.text[from..to];
    for (beginning, least) in BEGINNINGS {
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&text[at..], beginning) {
            let begin = at + found;
            let is_word = begin == 0 || !text[begin - 1].is_ascii_alphanumeric();
            let rest = run(text, begin, text.len(), |byte| byte != b'/');
            if is_word && rest - begin >= beginning.len() + least {
                mask.hide(from + begin, from + rest);
            }
            at = begin + beginning.len();
        }
    }
    // The whole, unless it is a path; then each part of it.
    if text.len() >= IRREGULAR_BYTES_MIN && is_irregular(text) && !is_path(text) {
        mask.hide(from, to);
        return;
    }
    let mut at = from;
    while at < to {
        let end = run(mask.text, at, to, |byte| !b"/=.~".contains(&byte));
        let part = &mask.text[at..end];
        if part.len() >= IRREGULAR_BYTES_MIN && (is_irregular(part) || has_random_part(part)) {
            mask.hide(at, end);
        }
        at = end + 1;
    }
}

fn is_path(text: &[u8]) -> bool {
    text.starts_with(b"/") || text.starts_with(b"./") || text.starts_with(b"../")
}

/// Pieces between `-`, `_` and `+` that are random by themselves: hexadecimal digits, or small letters and digits.
fn has_random_part(text: &[u8]) -> bool {
    text.split(|byte| b"-_+".contains(byte)).any(|part| {
        let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is_hex = part.len() >= HEX_BYTES_MIN && part.iter().all(u8::is_ascii_hexdigit);
        let is_mixed = part.len() >= 24
            && digits >= 4
            && digits < part.len()
            && part.len() * 10 <= runs(part) * 33;
        is_hex || is_mixed
    })
}

/// Letters of both sizes and digits in runs as short as chance makes them: 1.6 on average, words have 4.
fn is_irregular(text: &[u8]) -> bool {
    let has = |of: fn(&u8) -> bool| text.iter().any(of);
    let kinds = [
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
    ];
    let kinds = kinds.iter().filter(|is| **is).count();
    let letters = text
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .count();
    (kinds == 3 && letters * 10 <= runs(text) * 23)
        || (kinds >= 2 && has_both_cases(text) && letters * 10 <= runs(text) * 20)
}

fn has_both_cases(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase)
}

/// Runs of one kind of character; marks between are none.
fn runs(text: &[u8]) -> usize {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b'0'..=b'9' => 3,
        _ => 0,
    };
    let mut last = 0;
    let mut runs = 0;
    for &byte in text {
        let now = kind(byte);
        runs += usize::from(now != last && now != 0);
        last = if now == 0 { last } else { now };
    }
    runs
}
