//! Files that are secrets as a whole: by their name, or because they hold a single word.

use super::{Mask, run};

/// Names (or parts of one) whose lines are `user:secret`, as htpasswd, htdigest, passwd and .pgpass have them.
const BY_COLON: [&str; 7] = [
    "htpasswd", "htdigest", "passwd", "shadow", "pgpass", "htusers", "userlist",
];
/// Names (or parts of one) whose whole content is secret: files of pass phrases, keys and tokens.
const WHOLE: [&str; 6] = [
    "password",
    "passphrase",
    "secret",
    ".pass",
    ".token",
    "apikey",
];
/// A file of one word is no longer.
const WORD_BYTES_MAX: usize = 512;
/// A shorter word is no secret worth the name, and may be a setting.
const WORD_BYTES_MIN: usize = 6;

/// Hides what such a file holds.
pub(super) fn hide(path: &str, mask: &mut Mask<'_>) {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_code = [
        ".conf", ".cnf", ".load", ".ini", ".inc", ".lua", ".php", ".js", ".sh", ".types",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    if is_code {
        return;
    }
    if BY_COLON.iter().any(|part| name.contains(part)) {
        for (start, end) in mask.lines() {
            let user = run(mask.text, start, end, |byte| byte != b':');
            if user < end {
                mask.hide_fields(user + 1, end);
            } else if mask.text.get(start) != Some(&b'#') {
                mask.hide(start, end);
            }
        }
    } else if WHOLE.iter().any(|part| name.contains(part)) || is_single_word(mask.text) {
        mask.hide(0, mask.text.len());
    }
}

fn is_single_word(text: &[u8]) -> bool {
    let word = text.trim_ascii();
    (WORD_BYTES_MIN..=WORD_BYTES_MAX).contains(&word.len())
        && !word.starts_with(b"#")
        && !word.starts_with(b"/")
        && !word
            .iter()
            .any(|byte| byte.is_ascii_whitespace() || b"={}[]<>;()".contains(byte))
}

impl Mask<'_> {
    /// Hides each field of a line whose fields are divided by colons.
    fn hide_fields(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let field = run(self.text, at, end, |byte| byte != b':');
            self.hide(at, field);
            at = field + 1;
        }
    }
}
