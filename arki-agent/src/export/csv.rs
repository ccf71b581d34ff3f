//! The trace as it is written: the header of the first page, and the rows of all pages under it.
//!
//! A series that appears between two pages is left out; one that is forgotten has empty cells from there on. Rows
//! that do not rise (the clock was set back between two pages) and rows after the end that the first page told (the
//! agent goes on sampling) are left out, but for a recording, which goes on with it.

use super::Page;
use arki_model::clock::UnixSeconds;
use std::io::{self, Write};

/// Writes pages one after the other.
#[derive(Debug)]
pub struct TraceWriter<W> {
    out: W,
    names: Vec<String>,
    is_begun: bool,
    end_s: Option<UnixSeconds>,
    last_s: Option<UnixSeconds>,
    rows: u64,
}

impl<W: Write> TraceWriter<W> {
    /// Nothing written yet.
    pub fn new(out: W) -> Self {
        Self {
            out,
            names: Vec::new(),
            is_begun: false,
            end_s: None,
            last_s: None,
            rows: 0,
        }
    }

    /// The same for a trace that goes on: rows after the end that the first page told are written, too.
    pub fn endless(out: W) -> Self {
        Self {
            end_s: Some(UnixSeconds::MAX),
            ..Self::new(out)
        }
    }

    /// Writes a page. Returns from where to ask on; `None` when all is written.
    pub fn page(&mut self, page: Page) -> io::Result<Option<UnixSeconds>> {
        let next_s = page.next_s;
        if page.rows.is_empty() && next_s.is_none() {
            return Ok(None);
        }
        self.end_s = self.end_s.or(page.newest_s);
        if !self.is_begun {
            self.is_begun = true;
            self.names.clone_from(&page.names);
            writeln!(self.out, "{}", header(&self.names))?;
        }
        // Where each column of the header is in this page; `None` as long as both are the same.
        let moved: Option<Vec<Option<usize>>> = (page.names != self.names).then(|| {
            let place = |name| page.names.iter().position(|other| other == name);
            self.names.iter().map(place).collect()
        });
        for row in page.rows {
            if self.end_s.is_some_and(|end| row.at > end)
                || self.last_s.is_some_and(|last| row.at <= last)
            {
                continue;
            }
            match &moved {
                None => writeln!(self.out, "{},{}", row.at, row.cells)?,
                Some(moved) => {
                    let cells: Vec<&str> = row.cells.split(',').collect();
                    write!(self.out, "{}", row.at)?;
                    for place in moved {
                        let cell = place.and_then(|place| cells.get(place));
                        write!(self.out, ",{}", cell.copied().unwrap_or(""))?;
                    }
                    writeln!(self.out)?;
                }
            }
            self.last_s = Some(row.at);
            self.rows += 1;
        }
        // An answer that does not lead on ends it.
        Ok(next_s
            .filter(|&next| self.last_s.is_none_or(|last| next > last))
            .filter(|&next| self.end_s.is_none_or(|end| next <= end)))
    }

    /// The writer below, how many series and how many rows went through it.
    pub fn finish(self) -> (W, usize, u64) {
        (self.out, self.names.len(), self.rows)
    }
}

/// `timestamp` and the names, quoted as in RFC 4180 where a reader would take them for something else.
fn header(names: &[String]) -> String {
    let mut text = String::from("timestamp");
    for name in names {
        text.push(',');
        if name.contains([',', '"']) || name.trim() != name {
            text.push('"');
            text.push_str(&name.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(name);
        }
    }
    text
}
