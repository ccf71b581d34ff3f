//! Counts the lines in pieces of a log, and those that are errors.

use super::pattern::Pattern;

/// What is looked at of a line: enough for any message; the rest of it is a dump.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// Lines, and how many of them were errors. Fractions come from sampling.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// All lines.
    pub lines: f64,
    /// Those that matched.
    pub errors: f64,
}

impl Counts {
    /// One line.
    pub fn line(is_error: bool) -> Self {
        Self {
            lines: 1.0,
            errors: f64::from(u8::from(is_error)),
        }
    }

    /// Adds `other`.
    pub fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.errors += other.errors;
    }
}

/// Counts the complete lines at the start of `text`; returns where the first incomplete one begins.
pub fn count(text: &[u8], pattern: &mut Pattern) -> (Counts, usize) {
    let mut counts = Counts::default();
    let mut start = 0;
    while let Some(length) = newline(text.get(start..).unwrap_or_default()) {
        let line = text.get(start..start + length).unwrap_or_default();
        counts.add(Counts::line(is_error(line, pattern)));
        start += length + 1;
    }
    (counts, start)
}

/// True if what is looked at of `line` matches.
pub fn is_error(line: &[u8], pattern: &mut Pattern) -> bool {
    pattern.is_match(line.get(..LINE_BYTES_MAX).unwrap_or(line))
}

/// Where the first line of `text` ends.
pub fn newline(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', text)
}

#[cfg(test)]
mod tests {
    use super::super::pattern::DEFAULT;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn complete_lines_are_counted_and_the_rest_is_left() {
        let mut pattern = Pattern::new(DEFAULT).unwrap();
        let text = b"fine\nan error here\n\n\xff\xfe\x00 binary\npart of an erro";
        let (counts, rest) = count(text, &mut pattern);
        assert_eq!(
            counts,
            Counts {
                lines: 4.0,
                errors: 1.0
            }
        );
        assert_eq!(&text[rest..], b"part of an erro");
    }

    #[test]
    fn the_end_of_a_very_long_line_is_not_looked_at() {
        let mut pattern = Pattern::new(DEFAULT).unwrap();
        let mut line = vec![b' '; LINE_BYTES_MAX];
        line.extend_from_slice(b"error\n");
        assert_eq!(count(&line, &mut pattern).0, Counts::line(false));
    }

    proptest! {
        #[test]
        fn any_bytes_have_as_many_lines_as_newlines(text in prop::collection::vec(any::<u8>(), 0..500)) {
            let (counts, rest) = count(&text, &mut Pattern::new(DEFAULT).unwrap());
            let newlines = text.split(|&byte| byte == b'\n').count() - 1;
            prop_assert_eq!(counts.lines, newlines as f64);
            prop_assert!(counts.errors <= counts.lines);
            prop_assert!(!text[rest..].contains(&b'\n'));
        }
    }
}
