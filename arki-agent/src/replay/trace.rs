//! A trace: a wide CSV of one host, read row by row.
//!
//! ```text
//! timestamp,cpu.busy_percent,"disk.used_percent{/srv/a,b}"
//! 1704067200,12.5,71.25
//! 1704067230,,71.5                 an empty cell is a missing value
//! ```
//!
//! Unix seconds, strictly rising (a fraction of a second is cut off); `\n` or `\r\n`; a byte order mark and empty
//! lines are skipped; names and cells may be quoted as in RFC 4180, without line breaks.

use super::error::{Flaw, Reason, excerpt};
use super::lines::Lines;
use super::number;
use arki_model::clock::UnixSeconds;
use arki_model::series::SeriesName;
use std::collections::HashMap;
use std::io::Read;

/// The most series of one trace: what an agent may be told to watch.
pub const SERIES_MAX: usize = crate::config::SERIES_MAX_LIMIT;

/// 9999-12-31: a later time is not in seconds.
const TIME_MAX: f64 = 253_402_300_799.0;

/// The reader of one trace.
#[derive(Debug)]
pub struct Trace<R> {
    lines: Lines<R>,
    series: Vec<String>,
    last_at: Option<UnixSeconds>,
}

/// One row: a time and the values that are there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The time.
    pub at: UnixSeconds,
    /// Column (0 is the first series) and value, in the order of the columns.
    pub values: Vec<(usize, f64)>,
}

impl<R: Read> Trace<R> {
    /// Reads the header.
    pub fn open(reader: R) -> Result<Self, Flaw> {
        let mut lines = Lines::new(reader);
        let series = loop {
            match lines.next_line()? {
                None => return Err(flaw(0, Reason::Empty)),
                Some([]) => {}
                Some(line) => {
                    let series = header(line);
                    break series.map_err(|reason| flaw(lines.number(), reason))?;
                }
            }
        };
        Ok(Self {
            lines,
            series,
            last_at: None,
        })
    }

    /// The series, in the order of the columns.
    pub fn series(&self) -> &[String] {
        &self.series
    }

    /// The number of the line that was read last.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    /// Reads the next row into `row`; false at the end.
    pub fn next_row(&mut self, row: &mut Row) -> Result<bool, Flaw> {
        loop {
            let number = self.lines.number() + 1;
            let Some(line) = self.lines.next_line()? else {
                return Ok(false);
            };
            if line.is_empty() {
                continue;
            }
            cells(line, &self.series, row).map_err(|reason| flaw(number, reason))?;
            if let Some(before) = self.last_at.filter(|&before| row.at <= before) {
                let at = row.at;
                return Err(flaw(number, Reason::Order { at, before }));
            }
            self.last_at = Some(row.at);
            return Ok(true);
        }
    }
}

fn flaw(line: u64, reason: Reason) -> Flaw {
    Flaw { line, reason }
}

fn header(line: &[u8]) -> Result<Vec<String>, Reason> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Reason::NotText)?;
    let mut names = split(text)?.into_iter();
    if names.next().is_none_or(|first| first.trim() != "timestamp") {
        return Err(Reason::NoHeader(excerpt(line)));
    }
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return Err(Reason::NoSeries);
    }
    if names.len() > SERIES_MAX {
        let found = names.len();
        let limit = SERIES_MAX;
        return Err(Reason::TooMany { found, limit });
    }
    let mut seen = HashMap::new();
    for (column, name) in (2..).zip(&names) {
        SeriesName::new(name).map_err(|error| Reason::Series {
            column,
            error: error.into(),
        })?;
        if let Some(before) = seen.insert(name.as_str(), column) {
            return Err(Reason::Twice(name.clone(), before, column));
        }
    }
    Ok(names)
}

/// The fields of a header, quotes taken off.
pub(super) fn split(text: &str) -> Result<Vec<String>, Reason> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            if let Some((field, after)) = rest.split_once(',') {
                fields.push(field.trim().to_owned());
                rest = after;
                continue;
            }
            fields.push(rest.trim().to_owned());
            return Ok(fields);
        };
        let mut field = String::new();
        let mut open = quoted;
        let after = loop {
            let (part, after) = open.split_once('"').ok_or(Reason::Quote)?;
            field.push_str(part);
            match after.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    open = more;
                }
                None => break after,
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => return Err(Reason::Quote),
        }
    }
}

fn cells(line: &[u8], series: &[String], row: &mut Row) -> Result<(), Reason> {
    row.values.clear();
    let mut rest = line;
    let mut column = 0;
    loop {
        // a search would cost more than it finds: a cell has some six bytes
        let end = rest.iter().position(|&byte| byte == b',');
        let cell = &rest[..end.unwrap_or(rest.len())];
        if column == 0 {
            row.at = time(cell)?;
        } else if column > series.len() {
            return Err(wrong_count(line, series.len()));
        } else if !cell.is_empty()
            && let Some(value) = value(cell, &series[column - 1])?
        {
            row.values.push((column - 1, value));
        }
        column += 1;
        match end {
            Some(end) => rest = &rest[end + 1..],
            None if column <= series.len() => return Err(wrong_count(line, series.len())),
            None => return Ok(()),
        }
    }
}

fn wrong_count(line: &[u8], series: usize) -> Reason {
    Reason::Cells {
        found: 1 + memchr::memchr_iter(b',', line).count(),
        expected: series + 1,
    }
}

fn value(cell: &[u8], name: &str) -> Result<Option<f64>, Reason> {
    let bare = unquoted(cell);
    if let Some(value) = number::parse(bare) {
        return Ok(Some(value));
    }
    if bare.trim_ascii().is_empty() {
        return Ok(None);
    }
    Err(Reason::Number {
        column: name.to_owned(),
        text: excerpt(cell),
    })
}

fn time(cell: &[u8]) -> Result<UnixSeconds, Reason> {
    match number::parse(unquoted(cell)) {
        Some(at) if (0.0..=TIME_MAX).contains(&at) => Ok(at as UnixSeconds),
        Some(at) if at > TIME_MAX => Err(Reason::Time(
            excerpt(cell),
            ": it looks like milliseconds or less; divide it",
        )),
        _ => Err(Reason::Time(excerpt(cell), "")),
    }
}

fn unquoted(cell: &[u8]) -> &[u8] {
    cell.strip_prefix(b"\"")
        .and_then(|cell| cell.strip_suffix(b"\""))
        .unwrap_or(cell)
}

#[cfg(test)]
mod tests;
