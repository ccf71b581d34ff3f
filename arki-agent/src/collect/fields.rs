//! The words of one line of a file, with errors that name the line.

use super::ParseError;
use std::str::SplitAsciiWhitespace;

/// Takes the words of a line one by one.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    line: usize,
    words: SplitAsciiWhitespace<'a>,
}

impl<'a> Fields<'a> {
    /// The words of `text`, which is the line number `line` of its file.
    pub(super) fn new(line: usize, text: &'a str) -> Self {
        Self {
            line,
            words: text.split_ascii_whitespace(),
        }
    }

    /// The next word; `what` is what it should be.
    pub(super) fn word(&mut self, what: &str) -> Result<&'a str, ParseError> {
        self.words
            .next()
            .ok_or_else(|| ParseError::new(self.line, format!("{what} is missing")))
    }

    /// The next word as a number.
    pub(super) fn number(&mut self, what: &str) -> Result<u64, ParseError> {
        let word = self.word(what)?;
        word.parse()
            .map_err(|_| ParseError::new(self.line, format!("{what} is no number: {word:?}")))
    }

    /// The next `N` words as numbers.
    pub(super) fn numbers<const N: usize>(&mut self, what: &str) -> Result<[u64; N], ParseError> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.number(what)?;
        }
        Ok(numbers)
    }

    /// True when no word is left.
    pub(super) fn is_done(&self) -> bool {
        self.words.clone().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_no_number_is_named_with_its_line() {
        let mut fields = Fields::new(7, " 12 x");
        assert_eq!(fields.number("reads"), Ok(12));
        assert_eq!(
            fields.number("writes").unwrap_err().to_string(),
            "line 7: writes is no number: \"x\""
        );
        assert_eq!(
            fields.number("busy").unwrap_err().to_string(),
            "line 7: busy is missing"
        );
    }
}
