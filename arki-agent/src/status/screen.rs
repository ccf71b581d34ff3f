//! `status` as one screen: 80 columns, at most 24 lines where little is going on, readable without colour.

use super::{Hushed, Predicted, Status, Why};
use crate::terminal::{
    COLUMNS, Paint, at_bound, count, figure, fit, safe, span, wrap, wrap_within,
};
use arki_model::ledger::Counts;
use arki_model::prediction::Severity;

/// Lines of quieted predictions that are shown.
const QUIETED_LINES: usize = 4;
/// Predictions that are shown.
const PREDICTIONS: usize = 5;
/// Those of them that are shown with value and reason.
const IN_FULL: usize = 3;
/// Lines of one reason.
const REASON_LINES: usize = 2;
/// Where the text beside the headings begins.
const INDENT: usize = 9;

/// The screen. `clock` turns Unix seconds into a time of day.
pub fn render(status: &Status, paint: Paint, clock: &dyn Fn(i64) -> String) -> String {
    let mut screen = Screen {
        lines: Vec::new(),
        paint,
    };
    head(&mut screen, status);
    collect(&mut screen, status);
    voters(&mut screen, status, clock);
    predictions(&mut screen, status);
    quieted(&mut screen, status, clock);
    ledger(&mut screen, status, clock);
    problems(&mut screen, status);
    screen.lines.push(String::new());
    screen.lines.join("\n")
}

struct Screen {
    lines: Vec<String>,
    paint: Paint,
}

impl Screen {
    /// A heading and its text, broken where it is too long.
    fn section(&mut self, heading: &str, text: &str) {
        let heading = self.paint.bold(&format!("{heading:<INDENT$}"));
        for (number, line) in wrap(text, COLUMNS - INDENT).into_iter().enumerate() {
            if number == 0 {
                self.lines.push(format!("{heading}{line}"));
            } else {
                self.lines.push(format!("{:INDENT$}{line}", ""));
            }
        }
    }

    /// Text further in, in at most [`REASON_LINES`].
    fn under(&mut self, indent: usize, text: &str) {
        for line in wrap_within(text, COLUMNS - indent, REASON_LINES) {
            self.lines
                .push(format!("{:indent$}{}", "", self.paint.dim(&line)));
        }
    }
}

fn head(screen: &mut Screen, status: &Status) {
    let paint = screen.paint;
    let state = if status.healthy {
        paint.good("running")
    } else {
        paint.warn("degraded")
    };
    let name = paint.bold(&format!("arki-agent {}", safe(&status.version)));
    let host = fit(&safe(&status.host), 28);
    screen.lines.push(format!(
        "{name} on {host}: {state} for {}",
        span(status.uptime_s as f64)
    ));

    let own = &status.own;
    let resident = own
        .resident_bytes
        .map_or("memory unknown".to_owned(), |bytes| {
            let budget = own.resident_bytes_budget as f64 / 1e6;
            format!("{:.1} of {budget:.0} MB resident", bytes as f64 / 1e6)
        });
    let cpu = own
        .cpu_seconds_per_hour
        .map_or("CPU not known yet".to_owned(), |seconds| {
            format!("CPU {seconds:.2} s an hour")
        });
    let pass = match (own.pass_median_ms, own.pass_p99_ms) {
        (Some(median), Some(p99)) => format!("pass {median:.1} ms (p99 {p99:.1})"),
        _ => "no pass yet".to_owned(),
    };
    screen.section("Cost", &format!("{resident}, {cpu}, {pass}"));
    if let Some(clock) = &status.clock {
        let way = if clock.delta_s > 0 { "forward" } else { "back" };
        let by = span(clock.delta_s.unsigned_abs() as f64);
        let ago = span(clock.ago_s as f64);
        screen.section(
            "Clock",
            &format!("was set {way} by {by}, {ago} ago; nothing was lost"),
        );
    }
    screen.section("Hub", &safe(&status.hub.text));
    if let Some(apply) = &status.apply {
        screen.section("Apply", &applied(apply));
        if let Some(last) = &apply.last {
            let ago = span((status.now_s - last.begun_at) as f64);
            let text = format!(
                "{}, {ago} ago: {}{}",
                last.what, last.ended, last.prediction
            );
            screen.under(INDENT, &safe(&text));
        }
    }
}

fn applied(apply: &super::Apply) -> String {
    let list = |items: &[String]| safe(&items.join(", "));
    let mut text = if apply.enabled {
        format!("on: {}", list(&apply.allowed))
    } else {
        "off".to_owned()
    };
    if !apply.snapshots.is_empty() {
        text.push_str("; copies of ");
        text.push_str(&list(&apply.snapshots));
    }
    if apply.refused > 0 {
        text.push_str("; refused ");
        text.push_str(&count(apply.refused, "request"));
    }
    text
}

fn collect(screen: &mut Screen, status: &Status) {
    let collect = &status.collect;
    let last = collect.last_ago_s.map_or("not yet".to_owned(), |ago| {
        format!("last {} ago", span(ago as f64))
    });
    let text = format!(
        "{} of at most {}, every {}, {last}",
        count(collect.series as u64, "serie").replace("1 serie", "1 series"),
        collect.series_max,
        span(collect.interval_s as f64),
    );
    screen.section("Collect", &text);
    for unread in collect
        .unread
        .iter()
        .filter(|unread| unread.why != Why::Absent)
    {
        let text = format!("{}: {}", safe(&unread.collector), safe(&unread.text));
        screen.under(INDENT, &text);
    }
    let absent: Vec<String> = collect
        .unread
        .iter()
        .filter(|unread| unread.why == Why::Absent)
        .map(|unread| safe(&unread.collector))
        .collect();
    if !absent.is_empty() {
        let text = format!("not on this host: {}", absent.join(", "));
        screen.under(INDENT, &text);
    }
}

fn voters(screen: &mut Screen, status: &Status, clock: &dyn Fn(i64) -> String) {
    if status.voters.is_empty() {
        screen.section("Voters", "know nothing yet");
    }
    for (number, readiness) in status.voters.iter().enumerate() {
        let text = format!("{}: {}", readiness.voter, safe(&readiness.text));
        screen.section(if number == 0 { "Voters" } else { "" }, &text);
    }
    let contexts: Vec<String> = status
        .contexts
        .iter()
        .map(|context| {
            let until = context
                .until
                .map_or(String::new(), |until| format!(" until {}", clock(until)));
            format!(
                "{} ({}{until})",
                safe(&context.name),
                format!("{:?}", context.source).to_lowercase()
            )
        })
        .collect();
    let text = if contexts.is_empty() {
        "none active".to_owned()
    } else {
        contexts.join(", ")
    };
    screen.section("Context", &text);
}

fn predictions(screen: &mut Screen, status: &Status) {
    if status.predictions.is_empty() {
        screen.section("Predicts", "nothing");
        return;
    }
    let title = format!(
        "Predicts {}:",
        count(status.predictions.len() as u64, "failure")
    );
    screen.lines.push(screen.paint.bold(&title));
    for (number, predicted) in status.predictions.iter().take(PREDICTIONS).enumerate() {
        prediction(screen, predicted, status.now_s);
        if number < IN_FULL {
            why(screen, predicted, status.now_s);
        }
    }
    if status.predictions.len() > PREDICTIONS {
        let more = status.predictions.len() - PREDICTIONS;
        screen.under(INDENT, &format!("and {more} more: status --json"));
    }
}

fn prediction(screen: &mut Screen, predicted: &Predicted, now_s: i64) {
    let mark = match predicted.severity {
        Severity::Critical => screen.paint.bad("CRITICAL"),
        Severity::Warning => screen.paint.warn("warning "),
        Severity::Info => "odd     ".to_owned(),
    };
    let when = time_left(predicted, now_s);
    // "  CRITICAL  " before it, a space behind it
    let room = COLUMNS - 13 - when.chars().count().min(COLUMNS - 33);
    let name = fit(&safe(&predicted.series), room);
    screen
        .lines
        .push(format!("  {mark}  {} {when}", screen.paint.bold(&name)));
}

/// Its value, who says so and why.
fn why(screen: &mut Screen, predicted: &Predicted, now_s: i64) {
    let value = match predicted.bound {
        Some(bound) => format!("{} of {}", figure(predicted.value), figure(bound)),
        None => figure(predicted.value),
    };
    let told = span((now_s - predicted.first_raised_at) as f64);
    let voters: Vec<String> = predicted.voters.iter().map(ToString::to_string).collect();
    let how = match predicted.sequence {
        Some(number) => format!("; arki-agent explain {number}"),
        None => String::new(),
    };
    screen.under(12, &format!("now {value}; told {told} ago{how}"));
    let reason = safe(&predicted.reason);
    screen.under(12, &format!("{}: {reason}", voters.join(" and ")));
}

/// `full in 5 h 40 (4 h 10 to 8 h 00)`.
fn time_left(predicted: &Predicted, now_s: i64) -> String {
    let Some([low, median, high]) = predicted.fails_at else {
        return match predicted.also.len() {
            0 => "behaves oddly".to_owned(),
            others => format!("behaves oddly, with {others} more"),
        };
    };
    let [low, median, high] = [low, median, high].map(|at| span(at - now_s as f64));
    let what = match predicted.bound {
        Some(bound) => at_bound(&predicted.series, bound),
        None => "over".to_owned(),
    };
    format!("{what} in {median} ({low} to {high})")
}

fn quieted(screen: &mut Screen, status: &Status, clock: &dyn Fn(i64) -> String) {
    if status.quieted.is_empty() {
        return;
    }
    let title = format!("Kept quiet in the last day ({}):", status.quieted.len());
    screen.lines.push(screen.paint.bold(&title));
    for hushed in status.quieted.iter().take(QUIETED_LINES) {
        let Hushed {
            series,
            last_at,
            because,
            ..
        } = hushed;
        let series = fit(&safe(series), 34);
        let text = format!("{} {series}: {}", clock(*last_at), safe(because));
        for (number, line) in wrap_within(&text, COLUMNS - 4, REASON_LINES)
            .into_iter()
            .enumerate()
        {
            let indent = if number == 0 { 2 } else { 4 };
            screen.lines.push(format!("{:indent$}{line}", ""));
        }
    }
    if status.quieted.len() > QUIETED_LINES {
        screen.lines.push(format!(
            "  and {} more: status --json",
            status.quieted.len() - QUIETED_LINES
        ));
    }
}

fn ledger(screen: &mut Screen, status: &Status, clock: &dyn Fn(i64) -> String) {
    let Counts {
        happened,
        averted,
        expired,
        missed,
        inside,
    } = status.ledger.counts;
    let text = if happened + averted + expired + missed == 0 {
        "no prediction has ended yet, and nothing failed without one".to_owned()
    } else {
        let lead = status.ledger.median_lead_s.map_or(String::new(), |lead| {
            format!(" (median lead {}, {inside} as timed)", span(lead as f64))
        });
        format!("{happened} came true{lead}, {averted} averted, {expired} expired, {missed} missed")
    };
    screen.section("Ledger", &text);
    if let Some(event) = &status.last_event {
        let sent = match event.acknowledged {
            Some(true) => ", at the hub",
            Some(false) => ", not yet at the hub",
            None => "",
        };
        let text = format!(
            "{} {}, number {}, signed{sent}",
            clock(event.raised_at),
            safe(&event.series),
            event.sequence
        );
        screen.section("Last", &text);
    }
}

fn problems(screen: &mut Screen, status: &Status) {
    for problem in &status.problems {
        let heading = screen.paint.warn("Problem  ");
        let text = format!("{}: {}", safe(&problem.area), safe(&problem.text));
        for (number, line) in wrap(&text, COLUMNS - INDENT).into_iter().enumerate() {
            let before = if number == 0 {
                heading.clone()
            } else {
                " ".repeat(INDENT)
            };
            screen.lines.push(format!("{before}{line}"));
        }
    }
}

#[cfg(test)]
mod tests;
