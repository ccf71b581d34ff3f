//! What may reach a person's terminal, and how figures are written there.
//!
//! A mount point, process or unit may be called anything; a control character in its name must never act on
//! the terminal of who looks at it.

pub use arki_model::span::span;
use std::io::IsTerminal;

/// The width that every screen fits into.
pub const COLUMNS: usize = 80;

/// `text` with every control and direction-changing character replaced by `?`.
pub fn safe(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if harmful(c) { '?' } else { c })
        .collect()
}

/// `1 event`, `3 events`.
pub fn count(n: u64, thing: &str) -> String {
    if n == 1 {
        format!("1 {thing}")
    } else {
        format!("{n} {thing}s")
    }
}

/// Bytes with a binary unit: `7.2 MiB`.
pub fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value.abs() < 1024.0 {
            return if unit == "B" {
                format!("{value:.0} B")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// A measured value without false precision: `0.031`, `4.2`, `98.5`, `1250`.
pub fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}").replace(".0", ""),
        v if v >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

/// What is the matter with a series at its bound: `full`, or `at 500`.
pub fn at_bound(series: &str, bound: f64) -> String {
    let metric = series.split_once('{').map_or(series, |(metric, _)| metric);
    if metric.ends_with("used_percent") && bound == 100.0 {
        "full".to_owned()
    } else {
        format!("at {}", figure(bound))
    }
}

/// `text` cut to `width` characters, with `…` where something is missing.
pub fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// `text` broken into lines of at most `width` characters, at spaces where there are any.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word = fit(word, width);
        let line = lines
            .last_mut()
            .expect("starts with one line and never shrinks");
        let needed = line.chars().count() + usize::from(!line.is_empty()) + word.chars().count();
        if needed <= width {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// The same in at most `count` lines, with ` …` where words are missing.
pub fn wrap_within(text: &str, width: usize, count: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > count {
        lines.truncate(count);
        if let Some(last) = lines.last_mut() {
            while last.chars().count() + 2 > width
                && let Some((words, _)) = last.rsplit_once(' ')
            {
                *last = words.to_owned();
            }
            *last = fit(&format!("{last} …"), width);
        }
    }
    lines
}

/// Colours, where they are wanted: on a terminal, and not with `NO_COLOR` (<https://no-color.org>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// No colour.
    pub const PLAIN: Self = Self(false);

    /// Colour, whoever looks.
    #[cfg(test)]
    pub const ALWAYS: Self = Self(true);

    /// As the standard output wants it.
    pub fn for_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(!refused && std::io::stdout().is_terminal())
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A heading.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Beside the point.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Well.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Needs a look.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Needs a hand.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_act_on_the_terminal() {
        assert_eq!(safe("/mnt/\x1b[2J\u{202e}\r\n\u{9b}ä"), "/mnt/?[2J????ä");
    }

    #[test]
    fn figures_are_short() {
        let spans = [0.4, 59.4, 60.0, 3_569.0, 20_400.0, 86_400.0, 273_000.0, 9e6].map(span);
        assert_eq!(
            spans,
            [
                "0 s", "59 s", "1 min", "59 min", "5 h 40", "1 d 0 h", "3 d 4 h", "104 d"
            ]
        );
        assert_eq!(
            [7_549_747.0, 12.0, 5e12].map(bytes),
            ["7.2 MiB", "12 B", "4.5 TiB"]
        );
        assert_eq!(
            [0.0, 0.0314, 4.21, 98.5, 100.0, 1249.6, 1e-5].map(figure),
            ["0", "0.031", "4.2", "98.5", "100", "1250", "1.0e-5"]
        );
    }

    #[test]
    fn lines_are_broken_at_spaces_and_long_words_are_cut() {
        assert_eq!(
            wrap("rises 3 points an hour", 10),
            ["rises 3", "points an", "hour"]
        );
        assert_eq!(wrap("abcdefgh", 4), ["abc…"]);
        assert_eq!(fit("äöü", 3), "äöü");
    }
}
