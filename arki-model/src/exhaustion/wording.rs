//! The votes as a colleague would put them.

use super::state::PATTERN_READY_S;
use crate::consensus::{Consensus, consensus};
use crate::registry::{Registry, SeriesId};
use crate::vote::{Verdict, Vote, Voter};
use crate::voter::pattern::Known as Level;
use crate::voter::trend::Forecast;

/// What the load explains of a climb.
#[derive(Debug, Clone)]
pub(super) struct Companions {
    /// From how many series the load is known.
    pub(super) series: u32,
    /// Change of the load over the climb, 1 being the usual load.
    pub(super) load_change: f64,
    /// The share of the climb that the load explains.
    pub(super) explained: f64,
    /// True if the series is known to follow the load.
    pub(super) follows: bool,
    /// Series that doubled with the climb.
    pub(super) driven: Vec<SeriesId>,
    /// For how long it has been going on.
    pub(super) age_s: f64,
    /// The share of the way to the bound that is behind it.
    pub(super) way: f64,
}

/// One series that rises with a disk is what fills it; two or more are a job at work.
pub(super) const JOB_SERIES: usize = 2;
/// Most jobs are over by then.
const JOB_S: f64 = 2.0 * 3_600.0;
/// What still climbs with an eighth of the way left may be a job, but one that fills the host: what writes without end
/// drives the disk's other series as a backup does.
const JOB_WAY: f64 = 0.875;

/// What pattern knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) history_s: i64,
    pub(super) value: f64,
    pub(super) level: Level,
    /// On how many of the past seven days the level was reached at any hour.
    pub(super) any_hour: u32,
    /// 1 or -1: see [`super::state::Now::turn`].
    pub(super) turn: f64,
    /// Climbs like this one that came and went.
    pub(super) climbs: usize,
    /// The highest of them.
    pub(super) climb_rise: f64,
}

/// What the three come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Agreed,
    Vetoed,
    Open,
}

pub(super) fn standing(votes: &[Vote]) -> Standing {
    match consensus(votes, true) {
        Consensus::Agreed => Standing::Agreed,
        Consensus::Vetoed => Standing::Vetoed,
        Consensus::Open => Standing::Open,
    }
}

/// Trend's yes.
pub(super) fn trend(forecast: &Forecast) -> Vote {
    let hours = forecast.age_s / 3_600.0;
    let rate = forecast.rise / hours.max(1e-6);
    let [low, median, high] = forecast.left_s;
    Vote::new(
        Voter::Trend,
        Verdict::Yes,
        format!(
            "{} for {}: {} in all, {} an hour; the bound is {} away",
            forecast.shape,
            duration(forecast.age_s),
            figure(forecast.rise),
            figure(rate),
            duration(median),
        ),
    )
    .with("rate_per_hour", rate)
    .with("span_s", forecast.age_s)
    .with("left_p10_s", low)
    .with("left_p50_s", median)
    .with("left_p90_s", high)
    .with("explained_share", forecast.explained)
    .with("crossing_share", forecast.crossing)
    .with("noise", forecast.noise)
}

/// Correlation's answer: is the climb more than the load would make it?
pub(super) fn correlation(seen: &Companions, registry: &Registry) -> Vote {
    if seen.series == 0 {
        return Vote::new(
            Voter::Correlation,
            Verdict::Abstain,
            "no other series to compare with",
        );
    }
    let percent = 100.0 * seen.explained;
    let (verdict, reason) = if seen.explained > 0.5 {
        (
            Verdict::No,
            format!("it follows the load, which explains {percent:.0} % of the climb"),
        )
    } else if seen.driven.len() >= JOB_SERIES && seen.age_s < JOB_S && seen.way < JOB_WAY {
        let names: Vec<&str> = seen
            .driven
            .iter()
            .take(3)
            .map(|&id| registry.name(id))
            .collect();
        (
            Verdict::No,
            format!(
                "as if a job were running: {} doubled with it",
                names.join(", ")
            ),
        )
    } else if seen.follows {
        (
            Verdict::Yes,
            format!("the load explains {:.0} % of the climb", percent.max(0.0)),
        )
    } else {
        (
            Verdict::Yes,
            "the climb does not follow the host's load".to_owned(),
        )
    };
    let vote = Vote::new(Voter::Correlation, verdict, reason);
    let vote = seen
        .driven
        .iter()
        .fold(vote, |vote, &id| vote.naming(registry.name(id)));
    vote.with("explained_share", seen.explained)
        .with("load_change", seen.load_change)
        .with("load_series", f64::from(seen.series))
}

/// Correlation's answer where nothing climbs.
pub(super) fn no_climb(series: u32) -> Vote {
    let reason = match series {
        0 => "no other series to compare with".to_owned(),
        _ => format!("there is no climb to explain; the load is known from {series} series"),
    };
    Vote::new(Voter::Correlation, Verdict::Abstain, reason)
}

/// Pattern's answer where nothing climbs: what would be a veto is no more than a no.
pub(super) fn level(known: &Known) -> Vote {
    let mut vote = pattern(known);
    if vote.verdict == Verdict::Veto {
        vote.verdict = Verdict::No;
    }
    vote
}

/// Pattern's answer: is this level, or this climb, known here?
pub(super) fn pattern(known: &Known) -> Vote {
    let level = known.level;
    let days = known.history_s / 86_400;
    let value = figure(known.value);
    let (verdict, reason) = if known.climbs >= 2 {
        let reason = format!(
            "{} climbs like this have come and gone, up to {}",
            known.climbs,
            figure(known.climb_rise)
        );
        (Verdict::Veto, reason)
    } else if level.reached >= 2 {
        let reason = format!(
            "{value} at this hour was seen on {} of {} days",
            level.reached, level.days
        );
        (Verdict::Veto, reason)
    } else if known.any_hour >= 2 {
        (
            Verdict::Veto,
            format!("{value} was lived through on {} past days", known.any_hour),
        )
    } else if level.week_ago {
        (
            Verdict::Veto,
            format!("{value} at this hour was seen a week ago"),
        )
    } else if known.history_s < PATTERN_READY_S || level.days < 2 {
        (Verdict::Abstain, format!("learning {days}/14 d"))
    } else if level.reached == 1 {
        (
            Verdict::No,
            format!(
                "{value} at this hour was seen on one of {} days",
                level.days
            ),
        )
    } else {
        let most = figure(known.turn * level.highest);
        (
            Verdict::Yes,
            format!(
                "{value} is new at this hour: {most} at most in {} days",
                level.days
            ),
        )
    };
    let highest = if level.highest.is_finite() {
        known.turn * level.highest
    } else {
        f64::NAN
    };
    Vote::new(Voter::Pattern, verdict, reason)
        .with("highest_at_this_hour", highest)
        .with("days_known", f64::from(level.days))
        .with("climbs_known", known.climbs as f64)
}

/// Three significant digits, as a person reads them.
fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// `2 h 10 min`, `3 d 4 h`.
fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round().max(0.0) as u64;
    let (days, hours) = (minutes / 1_440, minutes / 60);
    if minutes == 0 {
        "less than a minute".to_owned()
    } else if hours == 0 {
        format!("{minutes} min")
    } else if days == 0 {
        format!("{hours} h {:02} min", minutes % 60)
    } else {
        format!("{days} d {} h", hours % 24)
    }
}
