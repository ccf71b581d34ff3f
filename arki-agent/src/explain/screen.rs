//! `explain` for a person: 80 columns, the answer first.

use super::{EventView, Explanation, Fate, Line, SeriesView};
use crate::terminal::{COLUMNS, Paint, at_bound, bytes, figure, fit, safe, span, wrap};
use arki_model::event::ProcessGrowth;
use arki_model::ledger::Outcome;
use arki_model::prediction::{Prediction, Severity};
use arki_model::vote::{Verdict, Vote};

const INDENT: usize = 12;

/// The text. `clock` turns Unix seconds into date and time.
pub fn render(explanation: &Explanation, paint: Paint, clock: &dyn Fn(i64) -> String) -> String {
    let mut text = Text {
        lines: Vec::new(),
        paint,
    };
    match explanation {
        Explanation::Event(event) => event_text(&mut text, event, clock),
        Explanation::Series(series) => series_text(&mut text, series, clock),
        Explanation::Several { events } => {
            text.lines
                .push("Several events fit; the newest:".to_owned());
            list(&mut text, events, clock);
        }
    }
    text.lines.push(String::new());
    text.lines.join("\n")
}

struct Text {
    lines: Vec<String>,
    paint: Paint,
}

impl Text {
    fn field(&mut self, name: &str, value: &str) {
        let name = self.paint.bold(&format!("{name:<INDENT$}"));
        for (number, line) in wrap(value, COLUMNS - INDENT).into_iter().enumerate() {
            let before = if number == 0 {
                name.clone()
            } else {
                " ".repeat(INDENT)
            };
            self.lines.push(format!("{before}{line}"));
        }
    }
}

fn event_text(text: &mut Text, event: &EventView, clock: &dyn Fn(i64) -> String) {
    text.lines.push(headline(&event.prediction, text.paint));
    text.lines.push(String::new());
    course(text, event, clock);
    text.lines.push(String::new());
    for vote in &event.prediction.votes {
        vote_text(text, vote);
    }
    if !event.prediction.also.is_empty() {
        text.field("With it", &safe(&event.prediction.also.join(", ")));
    }
    processes(text, &event.processes);
    let context = if event.context.is_empty() {
        "nothing known was going on".to_owned()
    } else {
        let names = safe(&event.context.join(", "));
        format!("{names} was active and did not explain it")
    };
    text.field("Context", &context);
    text.lines.push(String::new());
    proof(text, event);
}

/// When it was told, how much time was left, and what became of it.
fn course(text: &mut Text, event: &EventView, clock: &dyn Fn(i64) -> String) {
    let prediction = &event.prediction;
    let ago = span((event.now_s - prediction.raised_at) as f64);
    text.field(
        "When",
        &format!("told {}, {ago} ago", clock(prediction.raised_at)),
    );
    if let (Some(eta), Some(bound)) = (prediction.eta, prediction.bound) {
        let [low, median, high] = [eta.low_s, eta.median_s, eta.high_s].map(span);
        let at = clock(prediction.raised_at + eta.median_s as i64);
        let what = at_bound(&prediction.series, bound);
        text.field(
            "Time left",
            &format!("{median} when told: {what} at {at}; in 8 cases of 10 within {low} to {high}"),
        );
    }
    let now = event
        .value_now
        .map_or("not read any more".to_owned(), |value| {
            format!("{} now", figure(value))
        });
    text.field(
        "Value",
        &format!("{} then, {now}", figure(prediction.value)),
    );
    text.field("Became", &fate(event.fate, prediction, clock));
}

/// Why the event can be believed.
fn proof(text: &mut Text, event: &EventView) {
    let name = format!(
        "{}, number {} of {}",
        safe(&event.id),
        event.sequence,
        safe(&event.host)
    );
    text.field("Event", &name);
    let signature = if event.signature_valid {
        "valid"
    } else {
        "DOES NOT FIT"
    };
    let follows = match event.follows {
        Some(true) => "follows the event before it",
        Some(false) => "DOES NOT FOLLOW the event before it",
        None => "the event before it is not in the log any more",
    };
    let key: String = safe(&event.key).chars().take(16).collect();
    text.field(
        "Signature",
        &format!("{signature}, by ed25519:{key}; {follows}"),
    );
}

fn headline(prediction: &Prediction, paint: Paint) -> String {
    let series = safe(&prediction.series);
    let mark = match prediction.severity {
        Severity::Critical => paint.bad("CRITICAL"),
        Severity::Warning => paint.warn("Warning"),
        Severity::Info => "Odd".to_owned(),
    };
    let what = match (prediction.eta, prediction.bound) {
        (Some(eta), Some(bound)) => format!(
            "{} in {}",
            at_bound(&prediction.series, bound),
            span(eta.median_s)
        ),
        _ => "behaves oddly".to_owned(),
    };
    format!("{mark}: {} {what}", paint.bold(&fit(&series, COLUMNS - 40)))
}

fn fate(fate: Fate, prediction: &Prediction, clock: &dyn Fn(i64) -> String) -> String {
    match fate {
        Fate::Active => "still active".to_owned(),
        Fate::Unknown => "ended longer ago than the ledger lists".to_owned(),
        Fate::Ended { outcome, at } => {
            let after = span((at - prediction.raised_at) as f64);
            match outcome {
                Outcome::Happened => format!("happened {}, {after} after it was told", clock(at)),
                Outcome::Averted => format!("averted: it turned round; closed {}", clock(at)),
                Outcome::Expired => format!(
                    "expired: its time passed and it did not happen; closed {}",
                    clock(at)
                ),
                Outcome::Missed => {
                    format!("missed: it happened {} and had not been told", clock(at))
                }
            }
        }
    }
}

fn vote_text(text: &mut Text, vote: &Vote) {
    let verdict = match vote.verdict {
        Verdict::Yes => text.paint.warn("yes"),
        other => other.to_string(),
    };
    let name = vote.voter.to_string();
    text.field(&name, &format!("{verdict}: {}", safe(&vote.reason)));
    let figures: Vec<String> = vote
        .figures
        .iter()
        .map(|f| format!("{} {}", safe(&f.name).replace('_', " "), figure(f.value)))
        .collect();
    for (what, list) in [
        ("", figures.join(", ")),
        ("with ", safe(&vote.related.join(", "))),
    ] {
        if !list.is_empty() {
            for line in wrap(&format!("{what}{list}"), COLUMNS - INDENT) {
                text.lines
                    .push(format!("{:INDENT$}{}", "", text.paint.dim(&line)));
            }
        }
    }
}

fn processes(text: &mut Text, processes: &[ProcessGrowth]) {
    for (number, process) in processes.iter().enumerate() {
        let amount = |value: f64| match process.resource.as_str() {
            name if name.contains("bytes") => bytes(value),
            _ => figure(value),
        };
        let name = fit(&safe(&process.name), 20);
        let (grown, span) = (amount(process.growth), span(process.span_s));
        let what = match process.resource.as_str() {
            "resident_bytes" => format!("of memory in {span}, holds {}", amount(process.value)),
            "cpu_seconds" => format!("CPU seconds in {span}"),
            "written_bytes" => format!("written in {span}"),
            "written_by_children_bytes" => {
                format!("written in {span} by commands that it ran and that ended")
            }
            other => format!(
                "{} in {span}, holds {}",
                safe(other).replace('_', " "),
                amount(process.value)
            ),
        };
        let line = format!("{name} ({}) +{grown} {what}", process.pid);
        text.field(if number == 0 { "Who grew" } else { "" }, &line);
    }
}

fn series_text(text: &mut Text, view: &SeriesView, clock: &dyn Fn(i64) -> String) {
    text.lines
        .push(text.paint.bold(&fit(&safe(&view.series), COLUMNS)));
    text.lines.push(String::new());
    let now = view
        .value_now
        .map_or("not read in the last pass".to_owned(), |value| {
            format!("{} now", figure(value))
        });
    let bound = view.bound.map_or(
        "it has no bound: only odd behaviour is told".to_owned(),
        |bound| format!("it fails at {}", figure(bound)),
    );
    text.field("Value", &format!("{now}; {bound}"));
    if let Some(day) = view.day {
        text.field(
            "Last day",
            &format!(
                "{} to {}, {} at the mean, over {}",
                figure(day.min),
                figure(day.max),
                figure(day.mean),
                span(day.hours * 3600.0)
            ),
        );
    }
    match &view.predicted {
        None => text.field("Predicted", "nothing"),
        Some(predicted) => {
            let left = predicted
                .fails_at
                .map_or("behaves oddly".to_owned(), |[_, median, _]| {
                    format!("fails in {}", span(median - view.now_s as f64))
                });
            let id = predicted.sequence.unwrap_or_default();
            text.field(
                "Predicted",
                &format!(
                    "{left}; {}; arki-agent explain {}",
                    safe(&predicted.reason),
                    id
                ),
            );
        }
    }
    if view.votes.is_empty() {
        text.field("Voters", "none has seen it yet");
    }
    for vote in &view.votes {
        vote_text(text, vote);
    }
    for (number, hushed) in view.quieted.iter().enumerate() {
        let since = if hushed.first_at == hushed.last_at {
            clock(hushed.last_at)
        } else {
            format!("{} to {}", clock(hushed.first_at), clock(hushed.last_at))
        };
        text.field(
            if number == 0 { "Not told" } else { "" },
            &format!("{since}: {}", safe(&hushed.because)),
        );
    }
    processes(text, &view.processes);
    if !view.events.is_empty() {
        text.lines.push(String::new());
        text.lines.push("Events, the newest first:".to_owned());
        list(text, &view.events, clock);
    }
}

fn list(text: &mut Text, events: &[Line], clock: &dyn Fn(i64) -> String) {
    for event in events {
        let line = format!(
            "  {}  {}  {}",
            safe(&event.id),
            clock(event.raised_at),
            safe(&event.series)
        );
        text.lines.push(fit(&line, COLUMNS));
    }
}

#[cfg(test)]
mod tests;
