//! One trace through the engine: the very calls that the daemon makes at every pass.

use super::error::{Flaw, Reason};
use super::trace::{Row, SERIES_MAX, Trace};
use crate::context::Calendar;
use arki_model::clock::UnixSeconds;
use arki_model::engine::{Engine, Settings};
use arki_model::kind::Kinds;
use arki_model::prediction::Prediction;
use arki_model::registry::SeriesId;
use std::io::Read;

/// The rows by which the interval is told; held until it is.
const INTERVAL_ROWS: usize = 100;

/// The longest interval.
const INTERVAL_MAX_S: i64 = 3600;

/// What is told about a pass.
#[derive(Debug)]
pub struct Pass<'a> {
    /// Its time.
    pub at: UnixSeconds,
    /// The engine after it.
    pub engine: &'a Engine,
    /// What it predicts.
    pub told: &'a [Prediction],
    /// The values that went in.
    pub values: &'a [(SeriesId, f64)],
}

impl Pass<'_> {
    /// When `prediction`, told now, was told first: the ledger counts what is said again as one.
    pub fn first_word_of(&self, prediction: &Prediction) -> UnixSeconds {
        let mut active = self.engine.ledger().active().iter();
        active
            .find(|active| active.prediction.series == prediction.series)
            .map_or(self.at, |active| active.first_raised_at)
    }
}

/// What is listening to a replay.
pub trait Listener {
    /// After every pass. An error ends the replay of all traces: nobody takes what is found.
    fn pass(&mut self, pass: &Pass<'_>) -> std::io::Result<()>;
}

/// Why the replay of a trace ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// The trace is broken.
    Flaw(Flaw),
    /// The listener cannot go on.
    Listener(std::io::Error),
}

impl From<Flaw> for Stop {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

/// Replays one trace from beginning to end.
pub fn replay(
    reader: impl Read,
    kinds: &Kinds,
    calendar: &Calendar,
    listener: &mut impl Listener,
) -> Result<(), Stop> {
    let mut trace = Trace::open(reader)?;
    let mut ahead = Vec::with_capacity(INTERVAL_ROWS);
    let mut flaw = None;
    while ahead.len() < INTERVAL_ROWS {
        let mut row = Row::default();
        match trace.next_row(&mut row) {
            Ok(true) => ahead.push(row),
            Ok(false) => break,
            Err(found) => {
                flaw = Some(found);
                break;
            }
        }
    }
    let interval_s = interval_of(&ahead).map_err(|reason| Flaw {
        line: trace.line(),
        reason,
    })?;
    let mut host = Host {
        engine: Engine::new(Settings {
            interval_s,
            series_max: SERIES_MAX,
            kinds: kinds.clone(),
        }),
        values: Vec::with_capacity(trace.series().len()),
    };
    for row in &ahead {
        host.pass(trace.series(), row, calendar, listener)?;
    }
    drop(ahead);
    if let Some(flaw) = flaw {
        return Err(flaw.into());
    }
    let mut row = Row::default();
    while trace.next_row(&mut row)? {
        host.pass(trace.series(), &row, calendar, listener)?;
    }
    Ok(())
}

#[derive(Debug)]
struct Host {
    engine: Engine,
    values: Vec<(SeriesId, f64)>,
}

impl Host {
    fn pass(
        &mut self,
        names: &[String],
        row: &Row,
        calendar: &Calendar,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        self.values.clear();
        for &(column, value) in &row.values {
            let id = self.engine.series(&names[column], row.at);
            // names and their number were checked with the header
            self.values.extend(id.ok().map(|id| (id, value)));
        }
        let contexts = calendar.active(row.at);
        let told = self.engine.pass(row.at, &mut self.values, &contexts);
        listener
            .pass(&Pass {
                at: row.at,
                engine: &self.engine,
                told: &told,
                values: &self.values,
            })
            .map_err(Stop::Listener)
    }
}

/// The median of the differences between the times of `rows`; a single row has none and may have any.
fn interval_of(rows: &[Row]) -> Result<i64, Reason> {
    let mut steps: Vec<i64> = rows
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .collect();
    steps.sort_unstable();
    match steps.get(steps.len() / 2) {
        None => Ok(30),
        Some(&step) if step <= INTERVAL_MAX_S => Ok(step),
        Some(&step) => Err(Reason::Interval(step)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(times: &[i64]) -> Vec<Row> {
        let row = |&at| Row {
            at,
            values: Vec::new(),
        };
        times.iter().map(row).collect()
    }

    #[test]
    fn the_interval_is_the_usual_step_whatever_is_missing() {
        assert_eq!(interval_of(&rows(&[0, 30, 60, 9000, 9030])).unwrap(), 30);
        assert_eq!(interval_of(&rows(&[0, 1, 2, 3, 60])).unwrap(), 1);
        assert_eq!(interval_of(&rows(&[7])).unwrap(), 30);
        assert_eq!(interval_of(&rows(&[0, 3600])).unwrap(), 3600);
        assert!(matches!(
            interval_of(&rows(&[0, 3601])),
            Err(Reason::Interval(3601))
        ));
    }
}
