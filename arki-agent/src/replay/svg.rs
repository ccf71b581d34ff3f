//! Draws one prediction: the series, the forecast cone from p10 to p90, the bound, what really came, and the
//! votes with their reasons. One self-contained file, readable on light and on dark ground.
//!
//! ```text
//! host  series
//! when · severity · time left
//! +------------------------------------------+
//! | ------------ bound ----------- / -- / -- |
//! |    the series ....____----*   /    /     |
//! +------------------------------------------+
//! votes, one a line
//! ```
//!
//! Names and reasons are not to be trusted: every text is escaped and cut.

mod axis;
mod page;

use super::chart::Chart;
use super::report::{Style, became, plain, time_left};
use crate::terminal::{count, fit, safe, wrap};
use arki_model::clock::UnixSeconds;
use arki_model::ledger::Outcome;
use arki_model::prediction::{Eta, Severity};
use arki_model::vote::Verdict;
use axis::{Axis, time_ticks, value_ticks};
use page::{Page, Point};

/// The picture's width, and where the plot is in it, in pixels.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 936.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 400.0;
/// The first line of the votes, and the distance of lines.
const VOTES_TOP: f64 = 480.0;
const LINE: f64 = 20.0;
/// How many characters of 14 pixels fit beside a vote's name: 7 pixels each.
const REASON_CHARS: usize = 108;

/// The picture of one prediction of `host`.
pub fn draw(host: &str, chart: &Chart, style: &Style) -> String {
    let notes = notes(chart);
    let lines: usize = notes.iter().map(|note| note.lines.len()).sum();
    let height = VOTES_TOP + LINE * lines as f64 + 6.0 * notes.len() as f64;
    let mut page = Page::new(WIDTH, height);
    page.title(&format!(
        "{}: {}",
        safe(host),
        safe(&chart.prediction.series)
    ));
    head(&mut page, host, chart, style);
    plot(&mut page, chart, style);
    let mut y = VOTES_TOP;
    for note in notes {
        page.text(LEFT, y, "mark", note.class, note.mark);
        page.text(LEFT + 20.0, y, "strong", "", &note.word);
        for line in note.lines {
            page.text(LEFT + 116.0, y, "", "", &line);
            y += LINE;
        }
        y += 6.0;
    }
    page.finish()
}

/// One line below the plot.
struct Note {
    mark: &'static str,
    class: &'static str,
    word: String,
    lines: Vec<String>,
}

fn notes(chart: &Chart) -> Vec<Note> {
    let prediction = &chart.prediction;
    let mut notes = Vec::new();
    for vote in &prediction.votes {
        let (mark, class) = match vote.verdict {
            Verdict::Yes => ("●", "yes"),
            Verdict::No => ("○", "no"),
            Verdict::Abstain => ("–", "no"),
            Verdict::Veto => ("✕", "no"),
        };
        let mut text = format!("{}: {}", vote.verdict, safe(&vote.reason));
        if !vote.related.is_empty() {
            let related: Vec<String> = vote.related.iter().map(|name| safe(name)).collect();
            text = format!("{text} ({})", related.join(", "));
        }
        notes.push(Note {
            mark,
            class,
            word: vote.voter.to_string(),
            lines: wrap(&text, REASON_CHARS),
        });
    }
    if !prediction.also.is_empty() {
        let also: Vec<String> = prediction.also.iter().map(|name| safe(name)).collect();
        notes.push(Note {
            mark: "+",
            class: "no",
            word: "also".to_owned(),
            lines: wrap(&also.join(", "), REASON_CHARS),
        });
    }
    notes
}

fn head(page: &mut Page, host: &str, chart: &Chart, style: &Style) {
    let prediction = &chart.prediction;
    let host = fit(&safe(host), 36);
    let series = fit(&safe(&prediction.series), 76 - host.chars().count());
    page.heading(LEFT, 40.0, &host, &series);
    let mut parts = vec![style.time(prediction.raised_at), time_left(prediction)];
    if let Some((outcome, at)) = chart.ended {
        parts.push(became(outcome, prediction.raised_at, at));
    }
    let class = severity_class(prediction.severity);
    page.pill(LEFT, 54.0, class, &prediction.severity.to_string());
    page.text(LEFT + 78.0, 68.0, "", "", &fit(&parts.join(" · "), 112));
}

fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

fn plot(page: &mut Page, chart: &Chart, style: &Style) {
    let raised_at = chart.prediction.raised_at;
    let first = chart.history.first().map_or(raised_at, |&(at, _)| at);
    // a host that has just begun to be watched has little past: the present is never at the very edge
    let from = first.min(raised_at - (chart.until - raised_at) / 8);
    let x = Axis::new(from as f64, chart.until as f64, LEFT, RIGHT);
    let (low, high) = value_range(chart);
    let ticks = value_ticks(low, high);
    let (low, high) = (low.min(ticks[0]), high);
    let y = Axis::new(low, high, BOTTOM, TOP);
    for tick in ticks {
        page.line("grid", (LEFT, y.place(tick)), (RIGHT, y.place(tick)));
        page.label(LEFT - 8.0, y.place(tick) + 4.0, "end", &short(tick));
    }
    for (at, text) in time_ticks(from, chart.until, style) {
        let place = x.place(at as f64);
        page.line("grid", (place, BOTTOM), (place, BOTTOM + 5.0));
        page.label(place, BOTTOM + 20.0, "middle", &text);
    }
    page.line("axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
    let now = x.place(raised_at as f64);
    page.line("now", (now, TOP), (now, BOTTOM));
    page.begin_plot(LEFT, TOP - 12.0, RIGHT - LEFT, BOTTOM - TOP + 12.0);
    let spot = (now, y.place(chart.prediction.value));
    if let (Some(eta), Some(bound)) = (chart.prediction.eta, chart.prediction.bound) {
        cone(page, eta, spot, y.place(bound), |s| {
            x.place(raised_at as f64 + s)
        });
    }
    let place = |&(at, value): &(UnixSeconds, f64)| (x.place(at as f64), y.place(value));
    let came: Vec<Point> = chart.after.points().iter().map(place).collect();
    page.polyline("came", &came);
    let mut seen: Vec<Point> = chart.history.iter().map(place).collect();
    seen.push(spot);
    page.polyline("seen", &seen);
    for &at in &chart.again {
        page.line(
            "again",
            (x.place(at as f64), BOTTOM - 7.0),
            (x.place(at as f64), BOTTOM),
        );
    }
    page.end_plot();
    if let Some(bound) = chart.prediction.bound {
        let level = y.place(bound);
        page.line("bound", (LEFT, level), (RIGHT, level));
        page.label(
            LEFT + 4.0,
            level - 6.0,
            "start",
            &format!("bound {}", plain(bound)),
        );
        if let Some(eta) = chart.prediction.eta {
            let at = raised_at as f64 + eta.median_s;
            let text = format!("p50 {}", style.format(at as i64, "%H:%M"));
            page.label(x.place(at).min(RIGHT - 30.0), level - 10.0, "middle", &text);
        }
        if let Some((Outcome::Happened, at)) = chart.ended {
            page.cross(x.place(at as f64), level);
        }
    }
    page.dot(spot.0, spot.1);
    legend(page, chart);
}

/// From the present to the bound: p10 to p90 as an area, p50 as a line.
fn cone(page: &mut Page, eta: Eta, from: Point, bound: f64, place: impl Fn(f64) -> f64) {
    let class = "cone";
    let edges = [eta.low_s, eta.high_s].map(|left_s| (place(left_s), bound));
    page.polygon(class, &[from, edges[0], edges[1]]);
    page.line("median", from, (place(eta.median_s), bound));
    for edge in edges {
        page.line("edge", from, edge);
    }
}

fn legend(page: &mut Page, chart: &Chart) {
    let mut x = LEFT;
    let y = BOTTOM + 40.0;
    let mut entry = |class: &str, text: &str| {
        page.line(class, (x, y - 4.0), (x + 22.0, y - 4.0));
        page.label(x + 28.0, y, "start", text);
        x += 28.0 + 6.6 * text.chars().count() as f64 + 24.0;
    };
    entry("seen", "seen until then");
    if !chart.after.points().is_empty() {
        entry("came", "what came");
    }
    if chart.prediction.eta.is_some() {
        entry("median", "forecast p50, area p10 to p90");
    }
    if !chart.again.is_empty() {
        let again = count(chart.again.len() as u64, "time");
        entry("again", &format!("said again {again}"));
    }
}

/// The values that must be in the plot, with room around them.
fn value_range(chart: &Chart) -> (f64, f64) {
    let seen = chart.history.iter().chain(chart.after.points());
    let values = seen
        .map(|&(_, value)| value)
        .chain([chart.prediction.value])
        .chain(chart.prediction.bound);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let room = if high > low {
        0.06 * (high - low)
    } else {
        high.abs().max(1.0) * 0.1
    };
    let floor = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    ((low - room).max(floor), high + room)
}

/// A value at an axis: `1.5 M`, `20`, `0.25`.
fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v >= 1e12 => (value / 1e12, " T"),
        v if v >= 1e9 => (value / 1e9, " G"),
        v if v >= 1e6 => (value / 1e6, " M"),
        v if v >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    // nine digits are more than the steps between ticks need, and hide that 0.1 + 0.2 is not 0.3
    let rounded = (scaled * 1e9).round() / 1e9;
    format!("{rounded}{unit}")
}
