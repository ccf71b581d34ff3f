//! Labels: what really happened on the hosts of a replay.
//!
//! ```text
//! host,start,end[,...]                  incidents: when something was wrong
//! host,kind,series,onset,fail           failures: which series ran out, and when (empty: nothing fails)
//! ```
//!
//! The header tells which of the two; the order of the columns is free, further columns are skipped.

use super::error::{Flaw, Reason, TraceError, excerpt};
use super::lines::Lines;
use super::number;
use super::trace::split;
use arki_model::clock::UnixSeconds;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The most labels: what a thousand hosts with a thousand incidents have.
const LABELS_MAX: usize = 1_000_000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The series that failed, where it is a failure.
    pub series: Option<String>,
    /// When it began.
    pub start: UnixSeconds,
    /// When it was over; of a failure, when it failed.
    pub end: UnixSeconds,
}

/// What happened on all the hosts.
#[derive(Debug, Default)]
pub struct Labels {
    /// True for failures, false for incidents.
    pub failures: bool,
    by_host: HashMap<String, Vec<Label>>,
}

impl Labels {
    /// Reads `file`.
    pub fn load(file: &Path) -> Result<Self, TraceError> {
        let reader = File::open(file).map_err(|error| Flaw {
            line: 0,
            reason: Reason::Io(error),
        });
        reader
            .and_then(Self::read)
            .map_err(|flaw| TraceError::new(file, flaw))
    }

    /// Reads them from `reader`.
    pub fn read(reader: impl Read) -> Result<Self, Flaw> {
        let mut lines = Lines::new(reader);
        let mut labels = Self::default();
        let mut columns = None;
        let mut count = 0;
        while let Some(line) = lines.next_line()? {
            let taken = match &columns {
                _ if line.is_empty() => Ok(()),
                None => Columns::of(line).map(|found| {
                    labels.failures = found.series.is_some();
                    columns = Some(found);
                }),
                Some(columns) => columns.label(line).map(|(host, label)| {
                    count += 1;
                    labels.by_host.entry(host).or_default().extend(label);
                }),
            };
            let line = lines.number();
            taken.map_err(|reason| Flaw { line, reason })?;
            if count > LABELS_MAX {
                let reason = Reason::TooManyLabels(LABELS_MAX);
                return Err(Flaw { line, reason });
            }
        }
        if columns.is_none() {
            let reason = Reason::NoLabels(String::new());
            return Err(Flaw { line: 0, reason });
        }
        Ok(labels)
    }

    /// What happened on `host`.
    pub fn of(&self, host: &str) -> &[Label] {
        self.by_host.get(host).map_or(&[], Vec::as_slice)
    }

    /// Hosts with labels.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.by_host.keys().map(String::as_str)
    }
}

/// Where what is.
#[derive(Debug)]
struct Columns {
    count: usize,
    host: usize,
    series: Option<usize>,
    start: usize,
    end: usize,
}

impl Columns {
    fn of(line: &[u8]) -> Result<Self, Reason> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let names = fields(line)?;
        let find = |name: &str| names.iter().position(|other| other == name);
        let times = find("start")
            .zip(find("end"))
            .map(|(start, end)| (None, start, end))
            .or_else(|| {
                let (series, onset) = (find("series")?, find("onset")?);
                Some((Some(series), onset, find("fail")?))
            });
        let (host, (series, start, end)) = find("host")
            .zip(times)
            .ok_or_else(|| Reason::NoLabels(excerpt(line)))?;
        Ok(Self {
            count: names.len(),
            host,
            series,
            start,
            end,
        })
    }

    /// The host of a line, and what happened there; nothing where there are no times.
    fn label(&self, line: &[u8]) -> Result<(String, Option<Label>), Reason> {
        let fields = fields(line)?;
        if fields.len() != self.count {
            return Err(Reason::Cells {
                found: fields.len(),
                expected: self.count,
            });
        }
        let time = |column: usize| {
            let text = &fields[column];
            number::parse(text.as_bytes())
                .filter(|at| (0.0..1e11).contains(at))
                .map(|at| at as UnixSeconds)
                .ok_or_else(|| Reason::Time(excerpt(text.as_bytes()), ""))
        };
        let host = fields[self.host].clone();
        if fields[self.start].is_empty() && fields[self.end].is_empty() {
            return Ok((host, None));
        }
        let (start, end) = (time(self.start)?, time(self.end)?);
        if end < start {
            let (at, before) = (end, start);
            return Err(Reason::Order { at, before });
        }
        let series = self.series.map(|column| fields[column].clone());
        Ok((host, Some(Label { series, start, end })))
    }
}

fn fields(line: &[u8]) -> Result<Vec<String>, Reason> {
    split(std::str::from_utf8(line).map_err(|_| Reason::NotText)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_labels_are_read() {
        let incidents =
            Labels::read(&b"host,start,end,note\r\na,10,20,\"x, y\"\nb,,,\n"[..]).unwrap();
        assert_eq!(incidents.of("a")[0].end, 20);
        assert_eq!(incidents.of("b"), []);
        assert_eq!(incidents.hosts().count(), 2);
        let truth = b"host,kind,series,onset,fail\nweb,f,disk.used_percent{/},100.0,200\n";
        let failure = Label {
            series: Some("disk.used_percent{/}".into()),
            start: 100,
            end: 200,
        };
        assert_eq!(Labels::read(&truth[..]).unwrap().of("web"), [failure]);
    }

    #[test]
    fn wrong_labels_are_refused_with_their_line() {
        for (text, told) in [
            ("", "0: no labels"),
            ("a,b\n", "1: no labels"),
            ("host,start,end\na,1\n", "2: 2 cells"),
            ("host,start,end\na,x,5\n", "2: \"x\" is no time"),
            ("host,start,end\na,9,5\n", "2: time goes back"),
        ] {
            let flaw = Labels::read(text.as_bytes()).unwrap_err();
            let found = format!("{}: {}", flaw.line, flaw.reason);
            assert!(found.starts_with(told), "{found}");
        }
    }
}
