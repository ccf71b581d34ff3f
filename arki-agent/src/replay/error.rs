//! What is wrong with a trace, and where.

use arki_model::registry::RegistryError;
use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong with a trace: `web-1.csv:17: ...`.
#[derive(Debug)]
pub struct TraceError {
    /// The file.
    pub file: PathBuf,
    /// What and where in it.
    pub flaw: Flaw,
}

impl TraceError {
    /// A flaw of `file`.
    pub fn new(file: &Path, flaw: Flaw) -> Self {
        Self {
            file: file.to_owned(),
            flaw,
        }
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.flaw.line {
            0 => write!(f, "{file}: {}", self.flaw.reason),
            line => write!(f, "{file}:{line}: {}", self.flaw.reason),
        }
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.flaw.reason.source()
    }
}

/// What is wrong, and in which line.
#[derive(Debug)]
pub struct Flaw {
    /// The line, from 1; 0 where it is the file as a whole.
    pub line: u64,
    /// What.
    pub reason: Reason,
}

/// What can be wrong with a trace.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[source] std::io::Error),
    /// Called `.gz`, and no gzip.
    #[error("is called .gz, but is no gzip file")]
    NotGzip,
    /// A gzip without its end.
    #[error("the gzip file is truncated: it ends in the middle of this line")]
    Truncated,
    /// A gzip that does not decompress.
    #[error("the gzip file is damaged from here on: {0}")]
    Corrupt(#[source] std::io::Error),
    /// Nothing in it.
    #[error("is empty: a trace begins with a header, timestamp,<series>,...")]
    Empty,
    /// The first line is no header.
    #[error("no header: a trace begins with timestamp,<series>,..., this one with {0}")]
    NoHeader(String),
    /// Only `timestamp`.
    #[error("the header names no series after timestamp")]
    NoSeries,
    /// A line that is no text.
    #[error("is no UTF-8 text")]
    NotText,
    /// A quote that is not closed.
    #[error("a quote is not closed")]
    Quote,
    /// Longer than a line may be.
    #[error("a line is longer than {0} bytes")]
    LongLine(usize),
    /// One name twice.
    #[error("the series {0} is there twice, in columns {1} and {2}")]
    Twice(String, usize, usize),
    /// More columns than the engine watches, or a column that is no series name.
    #[error("column {column}: {error}")]
    Series {
        /// The column, from 1.
        column: usize,
        /// Why.
        error: RegistryError,
    },
    /// More series than are watched.
    #[error("{found} series, and at most {limit} are replayed: leave out what you do not need")]
    TooMany {
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Too few or too many cells.
    #[error("{found} cells, but the header has {expected} columns")]
    Cells {
        /// In this line.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// A cell that is no number.
    #[error("column {column}: {text} is not a finite number (leave a missing value empty)")]
    Number {
        /// The column's name.
        column: String,
        /// The cell, shortened and escaped.
        text: String,
    },
    /// No time, or one that no server has lived through.
    #[error("{0} is no time in Unix seconds{1}")]
    Time(String, &'static str),
    /// Not later than the line before.
    #[error(
        "time goes back: {at} after {before}; lines must be in the order of time, each time once"
    )]
    Order {
        /// In this line.
        at: i64,
        /// In the line before.
        before: i64,
    },
    /// Labels without their columns.
    #[error(
        "no labels: the header must name host,start,end or host,series,onset,fail; this one is {0}"
    )]
    NoLabels(String),
    /// More labels than are read.
    #[error("more than {0} labels")]
    TooManyLabels(usize),
    /// Rows further apart than an hour.
    #[error("the lines are {0} s apart; between 1 s and 1 h can be replayed")]
    Interval(i64),
}

/// The start of a hostile text, escaped and quoted.
pub(super) fn excerpt(text: &[u8]) -> String {
    // enough to be found again in the file, and one line of a terminal
    const SHOWN: usize = 40;
    let text = String::from_utf8_lossy(text);
    let short: String = text.chars().take(SHOWN).collect();
    let more = if short.len() < text.len() { "..." } else { "" };
    format!("{short:?}{more}")
}
