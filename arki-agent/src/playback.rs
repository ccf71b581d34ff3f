//! A recorded host in place of this one: `run --trace FILE --speed N`.
//!
//! The daemon is the same in every other respect: its state, events, socket, `status` and `explain`. Time runs `speed`
//! times as fast and starts so far in the past that the trace ends about now, so that nothing it makes is of
//! the future. For trying Arki on history, for a demonstration, and for tests of the whole daemon.

use crate::collect::{CollectError, Collector, Moment, Readings, Roots};
use crate::replay::error::{Flaw, TraceError};
use crate::replay::source;
use crate::replay::trace::{Row, Trace};
use arki_model::clock::{Clock, SystemClock, UnixSeconds};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// A trace has no progress to show here.
static READ_BYTES: AtomicU64 = AtomicU64::new(0);

/// Gives the rows of a trace when their time has come.
pub struct Playback {
    file: PathBuf,
    trace: Trace<source::Source<'static>>,
    /// From the trace's time to the clock's.
    shift_s: i64,
    next: Option<Row>,
    flaw: Option<String>,
}

impl fmt::Debug for Playback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playback")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Playback {
    /// Opens a trace and reads it through once, to learn how long it is; it will end at `end_at`. Returns the
    /// clock's first time too.
    pub fn open(file: &Path, end_at: UnixSeconds) -> Result<(Self, UnixSeconds), TraceError> {
        let flawed = |flaw| TraceError::new(file, flaw);
        let (first_at, last_at) = span(file).map_err(flawed)?;
        let reader = source::open(file, &READ_BYTES).map_err(flawed)?;
        let mut playback = Self {
            file: file.to_owned(),
            trace: Trace::open(reader).map_err(flawed)?,
            shift_s: end_at - last_at,
            next: None,
            flaw: None,
        };
        playback.advance().map_err(flawed)?;
        Ok((playback, end_at - (last_at - first_at)))
    }

    fn advance(&mut self) -> Result<(), Flaw> {
        let mut row = Row::default();
        self.next = self.trace.next_row(&mut row)?.then_some(row);
        Ok(())
    }
}

/// When a trace begins and ends.
fn span(file: &Path) -> Result<(UnixSeconds, UnixSeconds), Flaw> {
    let mut trace = Trace::open(source::open(file, &READ_BYTES)?)?;
    let mut row = Row::default();
    let mut first_at = None;
    let mut last_at = 0;
    while trace.next_row(&mut row)? {
        first_at.get_or_insert(row.at);
        last_at = row.at;
    }
    Ok((first_at.unwrap_or(last_at), last_at))
}

impl Collector for Playback {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn collect(&mut self, _: &Roots, at: Moment, out: &mut Readings) -> Result<(), CollectError> {
        if let Some(flaw) = &self.flaw {
            return Err(CollectError::Failed(flaw.clone()));
        }
        let mut due = None;
        while self
            .next
            .as_ref()
            .is_some_and(|row| row.at + self.shift_s <= at.now_s)
        {
            due = self.next.take();
            if let Err(flaw) = self.advance() {
                self.flaw = Some(TraceError::new(&self.file, flaw).to_string());
            }
        }
        let Some(row) = due else {
            let over = "the trace is over".to_owned();
            return if self.next.is_some() {
                Ok(())
            } else {
                Err(CollectError::NoData(over))
            };
        };
        for (column, value) in row.values {
            out.put(&self.trace.series()[column], value);
        }
        Ok(())
    }
}

/// A clock that runs `speed` times as fast as the machine's, from `start_s` on.
#[derive(Debug)]
pub struct PlaybackClock {
    system: SystemClock,
    start_s: UnixSeconds,
    speed: u32,
}

impl PlaybackClock {
    /// Starts now.
    pub fn new(start_s: UnixSeconds, speed: u32) -> Self {
        let system = SystemClock::new();
        Self {
            system,
            start_s,
            speed,
        }
    }
}

impl Clock for PlaybackClock {
    fn now_s(&self) -> UnixSeconds {
        self.start_s + self.monotonic().as_secs() as i64
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() * self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(now_s: UnixSeconds) -> Moment {
        Moment {
            now_s,
            monotonic: Duration::ZERO,
        }
    }

    #[test]
    fn rows_come_when_their_time_has_come_and_end_with_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web-1.csv");
        std::fs::write(&file, "timestamp,a\n100,1\n130,2\n160,3\n").unwrap();
        let (mut playback, start_s) = Playback::open(&file, 10_060).unwrap();
        assert_eq!(start_s, 10_000);
        let mut seen = Vec::new();
        for now_s in [9_990, 10_000, 10_010, 10_059, 10_060] {
            let mut out = Readings::default();
            playback
                .collect(&Roots::default(), moment(now_s), &mut out)
                .unwrap();
            seen.push(out.get("a"));
        }
        assert_eq!(seen, [None, Some(1.0), None, Some(2.0), Some(3.0)]);
        let over = playback.collect(&Roots::default(), moment(10_090), &mut Readings::default());
        assert!(matches!(over, Err(CollectError::NoData(_))));
    }

    #[test]
    fn a_broken_trace_names_the_line_before_anything_starts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web-1.csv");
        std::fs::write(&file, "timestamp,a\n100,1\n130,two\n").unwrap();
        let error = Playback::open(&file, 0).unwrap_err().to_string();
        assert!(
            error.contains("web-1.csv") && error.contains('3'),
            "{error}"
        );
    }
}
