//! Values of keys that sound like secrets, in whatever syntax: `key = value`, `key: value`, `key value;`, `"key": "value"`,
//! `<key>value</key>`, `--key=value`, `set $key value;`, `if ($key = "value")`, `map $key $x { "value" 1; }`.
//!
//! A line is searched for identifiers; where one is the name of a secret, what follows it is its value: to the closing
//! quote, over lines if need be; to the end of the line where the key stands first; else to the end of the word.

use super::name::{is_key, is_login, is_secret};
use super::{Mask, run};

/// A quoted value is no longer: beyond it a quote was an apostrophe.
const QUOTED_BYTES_MAX: usize = 4096;
/// Words that switch something, and are no secrets.
const SWITCHES: [&[u8]; 14] = [
    b"on",
    b"off",
    b"yes",
    b"no",
    b"true",
    b"false",
    b"none",
    b"null",
    b"nil",
    b"default",
    b"builtin",
    b"required",
    b"optional",
    b"any",
];
/// Directives that set a name to a value: the value may stand on the next line.
const SETTERS: [&[u8]; 11] = [
    b"proxy_set_header",
    b"fastcgi_param",
    b"uwsgi_param",
    b"scgi_param",
    b"grpc_set_header",
    b"add_header",
    b"set",
    b"setenv",
    b"env",
    b"requestheader",
    b"header",
];
/// Words before a key that leave it the first of its line.
const PREFIXES: [&[u8]; 3] = [b"export", b"declare", b"let"];
/// Schemes of an `Authorization` header; they stay.
const SCHEMES: [&[u8]; 5] = [b"basic", b"bearer", b"digest", b"token", b"negotiate"];

/// Hides the values of all keys that sound like secrets.
pub(super) fn hide(mask: &mut Mask<'_>) {
    let mut block = Block::default();
    for (start, end) in mask.lines() {
        let line = Line::of(mask.text, start, end);
        block.hide(mask, &line);
        let mut at = start;
        while at < end {
            let begin = at + run(&mask.text[at..end], 0, end - at, |byte| !is_name(byte));
            let stop = run(mask.text, begin, end, is_name);
            if stop > begin {
                key(mask, &line, begin, stop);
            }
            at = stop.max(at + 1);
        }
    }
}

struct Line {
    start: usize,
    end: usize,
    /// Where the first word begins.
    first: usize,
    /// The first word, in lower case.
    word: Vec<u8>,
    is_comment: bool,
}

impl Line {
    fn of(text: &[u8], start: usize, end: usize) -> Self {
        let blank = run(text, start, end, |byte| byte.is_ascii_whitespace());
        let is_comment = matches!(
            text.get(blank..end),
            Some([b'#' | b';', ..] | [b'/', b'/', ..])
        );
        let first = run(text, blank, end, |byte| !is_name(byte) && byte != b'$');
        let word_end = run(text, first, end, is_name);
        Self {
            start,
            end,
            first,
            word: text[first..word_end].to_ascii_lowercase(),
            is_comment,
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// One identifier, at `begin..stop`.
fn key(mask: &mut Mask<'_>, line: &Line, begin: usize, stop: usize) {
    let text = mask.text;
    let begin = begin
        + run(&text[begin..stop], 0, stop - begin, |byte| {
            byte == b'-' || byte == b'.'
        });
    let stop = stop
        - text[begin..stop]
            .iter()
            .rev()
            .take_while(|&&byte| b"-.".contains(&byte))
            .count();
    if begin >= stop {
        return;
    }
    let name = &text[begin..stop];
    let is_flag = begin > line.start && text[begin - 1] == b'-';
    let secret = is_secret(name);
    let login = !secret && is_login(name, is_flag);
    if !secret && !login {
        return;
    }
    let before = begin
        .checked_sub(1)
        .filter(|&at| at >= line.start)
        .map(|at| text[at]);
    let Some((value, sign)) = separator(text, line, (begin, stop), before) else {
        return;
    };
    // Without a sign only the last part of a dotted name is a name: `server_name secret.example.org www.example.org`.
    let bare = name.rsplit(|&byte| byte == b'.').next().unwrap_or(name);
    if sign == Sign::Blank && !login && !is_secret(bare) {
        return;
    }
    if value >= line.end || only(&text[value..line.end], b"\\") {
        // The value may stand on the next line.
        let continues = sign == Sign::Equals || text.get(value) == Some(&b'\\');
        if !line.is_comment && (continues || SETTERS.contains(&line.word.as_slice())) {
            next_word(mask, line.end);
        }
        return;
    }
    if login {
        let (from, to) = extent(text, line, value, (begin, stop), sign);
        let colon = run(text, from, to, |byte| byte != b':');
        if colon > from && colon + 1 < to && text.get(colon + 1) != Some(&b'/') {
            mask.hide(colon + 1, to);
        }
        return;
    }
    let (from, to) = extent(text, line, value, (begin, stop), sign);
    hide_value(mask, name, from, to);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equals,
    Colon,
    /// A tag of XML: the value ends with the next tag.
    Tag,
    Blank,
    /// A comparison with a variable.
    Compare,
}

/// Where the value of the key at `begin..stop` begins, and what stands between; `None` if that is no key.
fn separator(
    text: &[u8],
    line: &Line,
    key: (usize, usize),
    before: Option<u8>,
) -> Option<(usize, Sign)> {
    let ((begin, stop), end) = (key, line.end);
    let blank = |at| run(text, at, end, |byte| byte == b' ' || byte == b'\t');
    if before == Some(b'<') {
        let close = run(text, stop, end, |byte| byte != b'>');
        return (close < end).then_some((close + 1, Sign::Tag));
    }
    let mut at = stop;
    if let Some(quote @ (b'"' | b'\'' | b'`')) = before
        && text.get(at) == Some(&quote)
    {
        at += 1;
    }
    let is_variable = before == Some(b'$')
        || (before == Some(b'{') && begin >= 2 && matches!(text[begin - 2], b'$' | b'%'));
    let closed = at < end && matches!(text[at], b'}' | b')' | b']');
    if closed {
        at += 1;
    }
    let after = blank(at);
    let rest = &text[after..end];
    let is_condition = line.word == b"rewritecond" && closed;
    for sign in [&b"!~*"[..], b"==", b"!=", b"!~", b"~*", b"=~", b"~", b"-eq"] {
        if rest.starts_with(sign) {
            return Some((blank(after + sign.len()), Sign::Compare));
        }
    }
    for sign in [&b":="[..], b"=>", b"+=", b"="] {
        if rest.starts_with(sign) {
            return Some((blank(after + sign.len()), Sign::Equals));
        }
    }
    if is_condition || (is_variable && line.word == b"set") {
        return Some((after, Sign::Compare)).filter(|_| after > at);
    }
    if is_variable || closed {
        return None;
    }
    if rest.starts_with(b":") {
        return (!rest.starts_with(b"://")).then(|| (blank(after + 1), Sign::Colon));
    }
    if rest.starts_with(b"(") || (at > stop && rest.starts_with(b",")) {
        return Some((blank(after + 1), Sign::Compare));
    }
    // A word of a path is no key.
    let is_path = matches!(before, Some(b'/' | b'\\' | b'@' | b'^'));
    let blank_follows = after > at || after >= end;
    (blank_follows && !is_path).then_some((after, Sign::Blank))
}

/// From where to where the value that begins at `value` goes.
fn extent(
    text: &[u8],
    line: &Line,
    value: usize,
    key: (usize, usize),
    sign: Sign,
) -> (usize, usize) {
    if let Some(&quote @ (b'"' | b'\'' | b'`')) = text.get(value) {
        return (
            value + 1,
            closing(text, value + 1, quote).unwrap_or(line.end),
        );
    }
    if sign == Sign::Tag {
        return (value, run(text, value, line.end, |byte| byte != b'<'));
    }
    let before = &text[line.first.min(key.0)..key.0];
    let is_alone = before.iter().all(|&byte| !is_name(byte) || byte == b'-');
    let is_first = (is_alone && !before.ends_with(b"-"))
        || PREFIXES.contains(&before.trim_ascii().to_ascii_lowercase().as_slice());
    if is_first
        && sign != Sign::Compare
        && !before.contains(&b'{')
        && text[key.0.saturating_sub(1)] != b'?'
    {
        return (value, line_value(text, value, line.end, sign));
    }
    let in_query = key.0 > 0 && b"?&".contains(&text[key.0 - 1]);
    let end = run(text, value, line.end, |byte| {
        let ends = byte.is_ascii_whitespace() || b";\"'<".contains(&byte);
        !ends && (!in_query || byte != b'&')
    });
    (
        value,
        value + text[value..end].trim_ascii_end().len() - trailing(&text[value..end], b"),}]|"),
    )
}

/// To the end of the line, less its terminator; or to a `;` behind which another key follows.
fn line_value(text: &[u8], value: usize, end: usize, sign: Sign) -> usize {
    let mut at = value;
    while at < end {
        let stop = run(text, at, end, |byte| byte != b';');
        let next = run(text, stop + 1, end, |byte| byte.is_ascii_whitespace());
        let word = run(text, next, end, |byte| is_name(byte) || byte == b' ');
        let is_pair = word > next && text.get(word) == Some(&b'=');
        if stop >= end || is_pair || (sign == Sign::Blank && next > stop + 1) {
            at = stop.min(end);
            break;
        }
        at = stop + 1;
    }
    let found = &text[value..at.min(end)];
    let trimmed = found.trim_ascii_end();
    value + trimmed.len() - trailing(trimmed, b";,")
}

fn trailing(text: &[u8], of: &[u8]) -> usize {
    text.iter()
        .rev()
        .take_while(|byte| of.contains(byte))
        .count()
}

/// The quote that closes what begins at `from`; a backslash takes the next byte's meaning away.
fn closing(text: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    let end = (from + QUOTED_BYTES_MAX).min(text.len());
    while at < end {
        match text[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Hides a value, unless it is a switch, a variable, or the path of a key.
fn hide_value(mask: &mut Mask<'_>, name: &[u8], from: usize, to: usize) {
    let text = mask.text;
    let value = text.get(from..to).unwrap_or_default().trim_ascii();
    let lower = value.to_ascii_lowercase();
    let is_path = value.starts_with(b"/") && !value.contains(&b' ') && is_key(name);
    if SWITCHES.contains(&lower.as_slice()) || is_variable(value) || is_path {
        return;
    }
    let mut at = from;
    while at < to {
        let word = run(text, at, to, |byte| byte.is_ascii_whitespace());
        let end = run(text, word, to, |byte| !byte.is_ascii_whitespace());
        let token = &text[word..end];
        let is_scheme =
            at == from && SCHEMES.contains(&token.to_ascii_lowercase().as_slice()) && end < to;
        if !is_scheme && !token.iter().all(|byte| b"{}[]();,|>\\".contains(byte)) {
            mask.hide(word, end);
        }
        at = end.max(at + 1);
    }
    // A continued line: the rest stands on the next one.
    if value.ends_with(b"\\") {
        next_word(mask, to);
    }
}

/// `$name`, `${name}`, `%{name}`, `{{ name }}`: what stands for a value from elsewhere.
fn is_variable(value: &[u8]) -> bool {
    let ([b'$' | b'%', b'{', inner @ .., b'}']
    | [b'{', b'{', inner @ .., b'}', b'}']
    | [b'$', inner @ ..]) = value
    else {
        return value.is_empty();
    };
    let inner = inner.trim_ascii();
    !inner.is_empty()
        && inner
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte))
        && (inner.len() <= 2 || !inner[0].is_ascii_digit())
}

fn only(text: &[u8], of: &[u8]) -> bool {
    text.trim_ascii().iter().all(|byte| of.contains(byte))
}

/// Hides the first word or quoted text after `from`.
fn next_word(mask: &mut Mask<'_>, from: usize) {
    let text = mask.text;
    let end = text.len();
    let start = run(text, from, end, |byte| {
        byte.is_ascii_whitespace() || byte == b'\\'
    });
    match text.get(start) {
        Some(&quote @ (b'"' | b'\'')) => {
            let close = closing(text, start + 1, quote);
            let line = run(text, start, end, |byte| byte != b'\n');
            hide_value(mask, b"", start + 1, close.unwrap_or(line));
        }
        Some(_) => {
            let stop = run(text, start, end, |byte| {
                !byte.is_ascii_whitespace() && byte != b';'
            });
            hide_value(mask, b"", start, stop);
        }
        None => {}
    }
}

/// A `map` of nginx from or to a variable that sounds like a secret.
#[derive(Debug, Default)]
struct Block {
    is_inside: bool,
    from: bool,
    to: bool,
}

impl Block {
    fn hide(&mut self, mask: &mut Mask<'_>, line: &Line) {
        let text = &mask.text[line.start..line.end];
        let words: Vec<&[u8]> = text
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .collect();
        if line.word == b"map" && !line.is_comment {
            let sounds = |at: usize| {
                words
                    .get(at)
                    .is_some_and(|word| is_secret(word.strip_prefix(b"$").unwrap_or(word)))
            };
            (self.from, self.to) = (sounds(1), sounds(2));
            self.is_inside = self.from || self.to;
            let open = run(mask.text, line.start, line.end, |byte| byte != b'{');
            if self.is_inside && open < line.end {
                self.row(mask, open + 1, line.end);
            }
        } else if self.is_inside {
            self.row(mask, line.start, line.end);
        }
        self.is_inside &= !text.contains(&b'}');
    }

    /// `from to;`, once or more.
    fn row(&self, mask: &mut Mask<'_>, start: usize, end: usize) {
        let mut at = start;
        let mut number = 0;
        while at < end {
            let word = run(mask.text, at, end, |byte| byte.is_ascii_whitespace());
            let quote = mask.text.get(word).copied();
            let (from, to, next) = if let Some(quote @ (b'"' | b'\'')) = quote {
                let close = closing(mask.text, word + 1, quote).unwrap_or(end).min(end);
                (word + 1, close, close + 1)
            } else {
                let stop = run(mask.text, word, end, |b| {
                    !b.is_ascii_whitespace() && b != b';' && b != b'}'
                });
                (word, stop, stop)
            };
            let found = mask.text.get(from..to).unwrap_or_default();
            let is_word_of_map =
                [&b"default"[..], b"hostnames", b"include", b"volatile"].contains(&found);
            if !is_word_of_map && ((number == 0 && self.from) || (number == 1 && self.to)) {
                hide_value(mask, b"", from, to);
            }
            number += 1;
            let ends = run(mask.text, next, end, |byte| byte == b';' || byte == b'}');
            if ends > next {
                number = 0;
            }
            at = ends.max(at + 1);
        }
    }
}
