//! A synthetic host: eight series that follow one load, four that do not.

use crate::engine::{Engine, Settings};
use crate::kind::Kinds;
use crate::prediction::Prediction;
use crate::vote::{Verdict, Voter};

/// 2024-01-01, a Monday.
const MONDAY: i64 = 1_704_067_200;
const DAY: i64 = 1_440;

/// A number in 0..1 that depends on series and minute alone.
fn noise(series: u64, minute: i64) -> f64 {
    let mut x = (series << 40) ^ (minute as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The value of a series in a minute of a healthy host.
fn healthy(series: u64, minute: i64) -> f64 {
    let of_day = minute.rem_euclid(DAY) as f64 / DAY as f64;
    let wander = (minute as f64 / 173.0).sin() + (minute as f64 / 61.0).sin();
    let load = 40.0 - 20.0 * (of_day * std::f64::consts::TAU).cos() + 4.0 * wander;
    let scale = 1.0 + series as f64;
    if series < 8 {
        scale * (load + 3.0 * noise(series, minute))
    } else {
        scale * (10.0 + noise(series, minute))
    }
}

fn engine() -> Engine {
    Engine::new(Settings {
        interval_s: 60,
        series_max: 32,
        kinds: Kinds::default(),
    })
}

/// Runs the minutes of `range`; a value of NaN is a missing sample.
fn run(
    engine: &mut Engine,
    range: std::ops::Range<i64>,
    value: impl Fn(u64, i64) -> f64,
) -> Vec<Prediction> {
    let mut told = Vec::new();
    for minute in range {
        let at = MONDAY + minute * 60;
        let mut values = Vec::new();
        for series in 0..12 {
            let value = value(series, minute);
            if value.is_finite() {
                let id = engine.series(&format!("metric{{{series}}}"), at).unwrap();
                values.push((id, value));
            }
        }
        told.extend(engine.pass(at, &mut values, &[]));
    }
    told
}

/// From `begin` on, for `minutes`, seven of the series that move together are driven apart.
fn broken(begin: i64, minutes: i64) -> impl Fn(u64, i64) -> f64 {
    move |series, minute| {
        let usual = healthy(series, minute);
        if (begin..begin + minutes).contains(&minute) && series < 7 {
            let push = if series % 2 == 0 { 1.6 } else { 0.4 };
            usual * push
        } else {
            usual
        }
    }
}

#[test]
fn relations_that_break_on_many_series_are_told_once_within_minutes() {
    let mut engine = engine();
    assert_eq!(run(&mut engine, 0..16 * DAY, healthy), []);
    let begin = 16 * DAY + 700;
    let told = run(&mut engine, 16 * DAY..17 * DAY, broken(begin, 90));
    assert_eq!(told.len(), 1, "{told:#?}");
    let incident = &told[0];
    let delay = incident.raised_at - MONDAY - begin * 60;
    assert!((0..=300).contains(&delay), "{delay} s");
    assert!(incident.also.len() >= 4 && !incident.also.contains(&incident.series));
    // the leading series is one that was driven, and so are most of the others
    let driven = |name: &str| (0..7).any(|series| name == format!("metric{{{series}}}"));
    assert!(driven(&incident.series), "{}", incident.series);
    let others = incident.also.iter().filter(|name| driven(name)).count();
    assert!(2 * others >= incident.also.len(), "{:?}", incident.also);
    assert_eq!(incident.bound, None);
    let yes = |voter| {
        incident
            .votes
            .iter()
            .any(|v| v.voter == voter && v.verdict == Verdict::Yes)
    };
    assert!(yes(Voter::Trend) && yes(Voter::Correlation));
    assert!(incident.votes.iter().all(|vote| !vote.reason.is_empty()));
}

#[test]
fn nothing_is_told_in_the_first_day_and_of_one_series_alone() {
    let mut engine = engine();
    let told = run(&mut engine, 0..DAY, broken(600, 90));
    assert_eq!(told, []);
    let lone = |series, minute| {
        let usual = healthy(series, minute);
        if series == 3 && minute > 5 * DAY + 300 {
            usual * 4.0
        } else {
            usual
        }
    };
    assert_eq!(run(&mut engine, DAY..6 * DAY, lone), []);
}

#[test]
fn a_job_of_every_day_is_learned() {
    let mut engine = engine();
    let job = |series: u64, minute: i64| {
        let running = (180..210).contains(&minute.rem_euclid(DAY)) && series < 9;
        healthy(series, minute) * if running { 1.7 } else { 1.0 }
    };
    run(&mut engine, 0..10 * DAY, job);
    assert_eq!(run(&mut engine, 10 * DAY..20 * DAY, job), []);
}

#[test]
fn a_new_level_is_told_at_most_once() {
    let mut engine = engine();
    run(&mut engine, 0..8 * DAY, healthy);
    let deploy = |series: u64, minute: i64| {
        let moved = minute >= 8 * DAY + 400 && series < 6;
        healthy(series, minute) + if moved { 60.0 } else { 0.0 }
    };
    let told = run(&mut engine, 8 * DAY..12 * DAY, deploy);
    assert!(told.len() <= 1, "{told:#?}");
}

#[test]
fn a_minute_of_everything_is_no_incident() {
    let mut engine = engine();
    run(&mut engine, 0..8 * DAY, healthy);
    let told = run(
        &mut engine,
        8 * DAY..8 * DAY + 600,
        broken(8 * DAY + 300, 1),
    );
    assert_eq!(told, []);
}

#[test]
fn a_restart_changes_no_decision() {
    let mut engine = engine();
    run(&mut engine, 0..15 * DAY, healthy);
    let saved = rmp_serde::to_vec(engine.memory()).unwrap();
    let mut restored = Engine::restore(
        Settings {
            interval_s: 60,
            series_max: 32,
            kinds: Kinds::default(),
        },
        rmp_serde::from_slice(&saved).unwrap(),
    );
    let broken = broken(15 * DAY + 100, 60);
    let told = run(&mut engine, 15 * DAY..15 * DAY + 300, &broken);
    assert_eq!(told.len(), 1);
    assert_eq!(run(&mut restored, 15 * DAY..15 * DAY + 300, &broken), told);
}

#[test]
fn what_is_remembered_stops_growing() {
    let mut engine = engine();
    run(&mut engine, 0..16 * DAY, healthy);
    let size = |engine: &Engine| rmp_serde::to_vec(engine.memory()).unwrap().len();
    let before = size(&engine);
    run(&mut engine, 16 * DAY..24 * DAY, healthy);
    let after = size(&engine);
    // numbers take one to five bytes each, so the size breathes a little
    assert!(after < before + before / 20, "{before} {after}");
}

#[test]
fn gaps_and_series_that_come_and_go_are_no_incident() {
    let mut engine = engine();
    let gappy = |series: u64, minute: i64| {
        let hours = minute / 60;
        let gone = (hours % 31 == 7 && series < 6)
            || (hours % 50 < 20 && series == 9)
            || noise(series + 99, minute) < 0.1;
        if gone {
            f64::NAN
        } else {
            healthy(series, minute)
        }
    };
    assert_eq!(run(&mut engine, 0..16 * DAY, gappy), []);
    let begin = 16 * DAY + 500;
    let told = run(&mut engine, 16 * DAY..17 * DAY, |series, minute| {
        if gappy(series, minute).is_nan() {
            f64::NAN
        } else {
            broken(begin, 60)(series, minute)
        }
    });
    assert_eq!(told.len(), 1, "{told:#?}");
}
