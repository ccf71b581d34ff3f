//! What the agent has in its windows, as a wide CSV trace that `replay` reads.
//!
//! The daemon answers in [`Page`]s, each from the windows as they are then, so that it never holds more of the trace
//! than [`CELLS_PER_PAGE`] cells; the client asks on from where a page ended and puts them together ([`csv`]).
//!
//! Invariants: times rise strictly from row to row; a row with nothing in it is left out; a number is written with
//! the fewest digits that read back as the same `f32`.

pub mod csv;
mod plan;

use arki_model::clock::UnixSeconds;
use arki_model::registry::{Registry, SeriesId};
use arki_model::window::{Window, Windows};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Cells of one page: 40 rows of 200 series, some 60 KB of text.
pub const CELLS_PER_PAGE: usize = 8 * 1024;

/// Which rings are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Every ring, each up to where a finer one begins
    Auto,
    /// Every sample: the last 120
    Raw,
    /// Means over 10 to 60 s: the last 120
    Minute,
    /// Means over five minutes: a day
    FiveMinutes,
    /// Means over half an hour: a week
    HalfHour,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Which rings.
    pub detail: Detail,
    /// No row before this time.
    pub from_s: UnixSeconds,
    /// No row that is older than the newest by more than this.
    pub since_s: Option<u64>,
}

/// Some rows of the trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The series, in the order of the cells: as they were when this page was made.
    pub names: Vec<String>,
    /// The rows, oldest first.
    pub rows: Vec<Row>,
    /// The time of the newest row that there is; `None` where there is none.
    pub newest_s: Option<UnixSeconds>,
    /// From where to ask on; `None` at the end.
    pub next_s: Option<UnixSeconds>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// When the step began, in Unix seconds.
    pub at: UnixSeconds,
    /// As in the CSV: numbers between commas, nothing for a gap.
    pub cells: String,
}

/// The rows that `asked` wants, up to the limit of a page.
pub fn page(registry: &Registry, windows: &Windows, asked: &Asked) -> Page {
    let series: Vec<(&str, &Window)> = registry
        .iter()
        .filter_map(|(id, name): (SeriesId, _)| Some((name, windows.get(id)?)))
        .collect();
    let plan = plan::plan(&series.iter().map(|&(_, window)| window), asked.detail);
    let newest_s = plan.last().map(|span| span.newest_s);
    let since_s = asked.since_s.zip(newest_s).map(|(since_s, newest_s)| {
        newest_s.saturating_sub(i64::try_from(since_s).unwrap_or(i64::MAX))
    });
    let from_s = asked.from_s.max(since_s.unwrap_or(i64::MIN));
    let rows_max = (CELLS_PER_PAGE / series.len().max(1)).max(1);
    let mut page = Page {
        names: series.iter().map(|&(name, _)| name.to_owned()).collect(),
        rows: Vec::new(),
        newest_s,
        next_s: None,
    };
    for (ring, at) in plan.iter().flat_map(|span| span.times_from(from_s)) {
        if page.rows.len() == rows_max {
            page.next_s = Some(at);
            break;
        }
        let values = series.iter().map(|(_, window)| {
            let ring = window.rings()[ring];
            plan::value_at(ring, at)
        });
        page.rows
            .extend(cells(values).map(|cells| Row { at, cells }));
    }
    page
}

/// The cells of a row; `None` if all are empty.
fn cells(values: impl Iterator<Item = f32>) -> Option<String> {
    let mut text = String::new();
    let mut any = false;
    for (column, value) in values.enumerate() {
        if column > 0 {
            text.push(',');
        }
        if !value.is_finite() {
            continue;
        }
        any = true;
        let size = value.abs();
        // As people write it where that is short.
        let written = if size == 0.0 || (1e-5..1e16).contains(&size) {
            write!(text, "{value}")
        } else {
            write!(text, "{value:e}")
        };
        written.expect("a string takes everything");
    }
    any.then_some(text)
}

#[cfg(test)]
mod tests;
