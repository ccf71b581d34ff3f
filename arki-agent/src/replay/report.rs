//! The report of a replay for a person, in 80 columns.

use super::score::{Score, median};
use super::story::{Alert, Group, Story};
use crate::terminal::{COLUMNS, Paint, count, figure, fit, safe, span, wrap};
use arki_model::clock::UnixSeconds;
use arki_model::context::Source;
use arki_model::ledger::Outcome;
use arki_model::prediction::{Prediction, Severity};
use arki_model::quiet::Because;
use arki_model::vote::{Verdict, Vote};
use jiff::tz::TimeZone;
use std::fmt::{self, Write};

/// Seconds of a week.
const WEEK_S: f64 = 7.0 * 86_400.0;

/// How the report is written.
#[derive(Debug, Clone)]
pub struct Style {
    /// Times are told in this zone.
    pub zone: TimeZone,
    /// Colours.
    pub paint: Paint,
}

impl Style {
    /// `Tue 2024-01-09 03:12`.
    pub fn time(&self, at: UnixSeconds) -> String {
        self.format(at, "%a %Y-%m-%d %H:%M")
    }

    /// `at` by a format of strftime(3).
    pub fn format(&self, at: UnixSeconds, format: &str) -> String {
        jiff::Timestamp::from_second(at).map_or_else(
            |_| at.to_string(),
            |time| {
                time.to_zoned(self.zone.clone())
                    .strftime(format)
                    .to_string()
            },
        )
    }
}

/// The sums over all hosts.
#[derive(Debug, Default)]
pub struct Totals {
    hosts: u64,
    quiet_hosts: u64,
    seconds: i64,
    alerts: u64,
    words: u64,
    quieted: u64,
    happened: u64,
    inside: u64,
    averted: u64,
    expired: u64,
    missed: u64,
    running: u64,
    leads_s: Vec<i64>,
    score: Option<Score>,
}

impl Totals {
    /// The sums of one host.
    pub fn of(story: &Story, score: Option<Score>) -> Self {
        Self {
            hosts: 1,
            quiet_hosts: u64::from(story.alerts_total == 0),
            seconds: story.seconds(),
            alerts: story.alerts_total,
            words: story.words_total,
            quieted: story.quieted.iter().map(|group| group.count).sum(),
            happened: u64::from(story.counts.happened),
            inside: u64::from(story.counts.inside),
            averted: u64::from(story.counts.averted),
            expired: u64::from(story.counts.expired),
            missed: u64::from(story.counts.missed),
            running: story.running as u64,
            leads_s: story.leads_s.clone(),
            score,
        }
    }

    /// Adds the sums of other hosts.
    pub fn merge(&mut self, other: &Self) {
        self.hosts += other.hosts;
        self.quiet_hosts += other.quiet_hosts;
        self.seconds += other.seconds;
        self.alerts += other.alerts;
        self.words += other.words;
        self.quieted += other.quieted;
        self.happened += other.happened;
        self.inside += other.inside;
        self.averted += other.averted;
        self.expired += other.expired;
        self.missed += other.missed;
        self.running += other.running;
        self.leads_s.extend(&other.leads_s);
        if let Some(score) = &other.score {
            self.score.get_or_insert_default().add(score);
        }
    }
}

/// What is told of one host.
pub fn host(out: &mut String, name: &str, story: &Story, style: &Style) -> fmt::Result {
    let head = story.span.map_or_else(
        || "nothing to read".to_owned(),
        |(first, _)| {
            format!(
                "{} from {}",
                span(story.seconds() as f64),
                style.time(first)
            )
        },
    );
    let name = fit(&safe(name), COLUMNS - 3 - head.len());
    writeln!(out, "{} · {head}", style.paint.bold(&name))?;
    if story.alerts_total == 0 && story.quieted.is_empty() && story.counts.missed == 0 {
        return writeln!(out, "  nothing to tell\n");
    }
    for alert in &story.alerts {
        writeln!(out)?;
        told(out, alert, style)?;
    }
    let more = story.alerts_total - story.alerts.len() as u64;
    if more > 0 {
        writeln!(
            out,
            "\n  and {} more, in the output of predictions",
            count(more, "alert")
        )?;
    }
    if !story.quieted.is_empty() {
        writeln!(out, "\n  {}", style.paint.bold("Quieted"))?;
        for group in &story.quieted {
            quieted(out, group)?;
        }
    }
    if !story.missed.is_empty() {
        writeln!(
            out,
            "\n  {}",
            style.paint.bold("Failed without a prediction")
        )?;
        for (series, at) in &story.missed {
            let series = fit(&safe(series), COLUMNS - 26);
            writeln!(out, "    {}  {series}", style.time(*at))?;
        }
        let more = u64::from(story.counts.missed) - story.missed.len() as u64;
        if more > 0 {
            writeln!(out, "    and {} more", count(more, "time"))?;
        }
    }
    writeln!(out)
}

/// The time left as a person reads it: `1 h 10 left (50 min to 1 h 25)`.
pub fn time_left(prediction: &Prediction) -> String {
    let now = figure(prediction.value);
    match (prediction.eta, prediction.bound) {
        (Some(eta), Some(bound)) => format!(
            "{} left ({} to {}), {now} of {}",
            span(eta.median_s),
            span(eta.low_s),
            span(eta.high_s),
            plain(bound)
        ),
        _ => format!("out of the ordinary at {now}; there is no bound to run into"),
    }
}

/// A bound as it was given: `100`, `0.95`.
pub fn plain(value: f64) -> String {
    if value.abs() < 1e9 {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// What became of an alert.
pub fn became(outcome: Outcome, raised_at: UnixSeconds, at: UnixSeconds) -> String {
    let after = span((at - raised_at) as f64);
    match outcome {
        Outcome::Happened => format!("happened {after} later"),
        Outcome::Averted => format!("averted: it turned round within {after}"),
        Outcome::Expired => format!("came to nothing: expired after {after}"),
        Outcome::Missed => "failed with no word".to_owned(),
    }
}

fn told(out: &mut String, alert: &Alert, style: &Style) -> fmt::Result {
    let first = &alert.first;
    let severity = first.severity.to_string();
    let painted = match first.severity {
        Severity::Critical => style.paint.bad(&severity),
        Severity::Warning => style.paint.warn(&severity),
        Severity::Info => style.paint.dim(&severity),
    };
    let room = COLUMNS - 2 - 20 - 2 - 2 - severity.len();
    let series = fit(&safe(&first.series), room);
    writeln!(
        out,
        "  {}  {}{}  {painted}",
        style.time(first.raised_at),
        style.paint.bold(&series),
        " ".repeat(room - series.chars().count()),
    )?;
    writeln!(out, "      {}", time_left(first))?;
    for vote in &first.votes {
        voted(out, vote)?;
    }
    if !first.also.is_empty() {
        let also: Vec<String> = first.also.iter().map(|series| safe(series)).collect();
        block(out, "also", &also.join(", "))?;
    }
    let end = match alert.ended {
        Some((outcome, at)) => {
            let text = became(outcome, first.raised_at, at);
            match outcome {
                Outcome::Happened => style.paint.bad(&text),
                Outcome::Averted => style.paint.good(&text),
                _ => style.paint.dim(&text),
            }
        }
        None => "still running at the end".to_owned(),
    };
    match alert.words {
        1 => writeln!(out, "      -> {end}"),
        words => writeln!(out, "      -> {end}; said {words} times"),
    }
}

fn voted(out: &mut String, vote: &Vote) -> fmt::Result {
    let mut text = match vote.verdict {
        Verdict::Yes => String::new(),
        other => format!("{other}: "),
    };
    text.push_str(&safe(&vote.reason));
    if !vote.related.is_empty() {
        let related: Vec<String> = vote.related.iter().map(|series| safe(series)).collect();
        write!(text, " ({})", related.join(", "))?;
    }
    block(out, &vote.voter.to_string(), &text)
}

/// A word in a column of its own, and text beside it.
fn block(out: &mut String, word: &str, text: &str) -> fmt::Result {
    const INDENT: usize = 6 + 13;
    let mut word = word;
    for line in wrap(text, COLUMNS - INDENT) {
        writeln!(out, "      {word:13}{line}")?;
        word = "";
    }
    Ok(())
}

fn quieted(out: &mut String, group: &Group) -> fmt::Result {
    let series = fit(&safe(&group.series), 60);
    writeln!(out, "    {:>4} x  {series}", group.count)?;
    for line in wrap(&why(&group.because), COLUMNS - 12) {
        writeln!(out, "            {line}")?;
    }
    Ok(())
}

/// Why nobody was told.
fn why(because: &Because) -> String {
    match because {
        Because::Held => "gone within 2 minutes".to_owned(),
        Because::CoolDown { .. } => "told less than 30 minutes before, and no worse".to_owned(),
        Because::Context { name, source } => {
            let source = match source {
                Source::Declared => "declared in the calendar",
                Source::Announced => "announced",
                Source::Host => "seen running",
            };
            format!("{}: {source}", safe(name))
        }
        Because::Learned { reason } => format!("known here: {}", safe(reason)),
    }
}

/// The sums.
pub fn totals(out: &mut String, totals: &Totals, style: &Style) -> fmt::Result {
    let weeks = totals.seconds as f64 / WEEK_S;
    let each_week = |n: u64| if weeks > 0.0 { n as f64 / weeks } else { 0.0 };
    writeln!(
        out,
        "{} {}, {weeks:.1} host-weeks, {} with nothing to tell",
        style.paint.bold("Total"),
        count(totals.hosts, "host"),
        totals.quiet_hosts
    )?;
    line(
        out,
        "alerts",
        &format!(
            "{}, {:.2} a host-week ({} in all)",
            totals.alerts,
            each_week(totals.alerts),
            count(totals.words, "word")
        ),
    )?;
    let lead = median(&totals.leads_s).map_or_else(String::new, |lead_s| {
        format!(
            " (median {} before, {} within the interval)",
            span(lead_s as f64),
            totals.inside
        )
    });
    line(out, "happened", &format!("{}{lead}", totals.happened))?;
    line(out, "averted", &totals.averted.to_string())?;
    line(out, "to nothing", &totals.expired.to_string())?;
    line(out, "running", &totals.running.to_string())?;
    line(out, "quieted", &totals.quieted.to_string())?;
    line(out, "failed unsaid", &totals.missed.to_string())?;
    totals.score.as_ref().map_or(Ok(()), |score| {
        scored(out, score, each_week(score.false_alarms), style)
    })
}

fn scored(out: &mut String, score: &Score, false_each_week: f64, style: &Style) -> fmt::Result {
    let what = if score.failures {
        "failure"
    } else {
        "incident"
    };
    writeln!(out, "\n{}", style.paint.bold("By the labels"))?;
    let share = |n: u64, of: u64| 100.0 * n as f64 / of.max(1) as f64;
    let caught = share(score.caught, score.labels);
    let labels = count(score.labels, what);
    line(
        out,
        "caught",
        &format!("{} of {labels} ({caught:.0} %)", score.caught),
    )?;
    line(out, "missed", &(score.labels - score.caught).to_string())?;
    line(
        out,
        "false alarms",
        &format!("{}, {false_each_week:.3} a host-week", score.false_alarms),
    )?;
    if let Some(lead_s) = score.median_lead_s() {
        let side = match (score.failures, lead_s >= 0) {
            (true, _) => "before the failure",
            (false, true) => "before the start",
            (false, false) => "after the start",
        };
        let lead = span(lead_s.abs() as f64);
        line(out, "median lead", &format!("{lead} {side}"))?;
    }
    if score.failures {
        let right = share(score.eta_right, score.labels);
        line(
            out,
            "time left",
            &format!("right within a quarter: {right:.0} % of all failures"),
        )?;
        let inside = share(score.inside, score.intervals);
        line(
            out,
            "interval",
            &format!("held the true time: {inside:.0} % of {}", score.intervals),
        )?;
    }
    Ok(())
}

fn line(out: &mut String, word: &str, text: &str) -> fmt::Result {
    writeln!(out, "  {word:15}{text}")
}
