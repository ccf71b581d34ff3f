//! Whole traces through the engine: what runs out is told in time, what does not is left alone. The shapes are
//! made here, seeded, so that every truth is known by construction.

use arki_model::engine::{Engine, Memory, Settings};
use arki_model::kind::{Bound, Direction, Kinds, Rule};
use arki_model::prediction::Prediction;
use arki_model::registry::SeriesId;

const T0: i64 = 1_700_006_400;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;

/// A small deterministic generator (`SplitMix64`), uniform in -1..1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A host with one series that has a bound (`shape` of the seconds since the start) and three that show how
/// busy it is: a working day with noise.
struct Host<F> {
    engine: Engine,
    step_s: i64,
    shape: F,
    noise: Noise,
    now_s: i64,
    /// By how much the wall clock has been set.
    set_by_s: i64,
    /// Since when the disk works four times as much, on a host where that is read.
    writes_from: Option<f64>,
}

fn settings(step_s: i64) -> Settings {
    let down = Bound {
        value: 0.0,
        direction: Direction::Down,
    };
    let kinds = Kinds::new(vec![Rule::new("*.free", Some(down)).unwrap()]);
    Settings {
        interval_s: step_s,
        series_max: 16,
        kinds,
    }
}

impl<F: Fn(f64) -> Option<f64>> Host<F> {
    fn new(step_s: i64, shape: F) -> Self {
        Self {
            engine: Engine::new(settings(step_s)),
            step_s,
            shape,
            noise: Noise(7),
            now_s: 0,
            set_by_s: 0,
            writes_from: None,
        }
    }

    /// Runs until `until_s` seconds after the start, the bounded series being called `name`.
    fn run(&mut self, name: &str, until_s: f64) -> Vec<Prediction> {
        let mut told = Vec::new();
        while (self.now_s as f64) < until_s {
            let t = self.now_s as f64;
            let at = T0 + self.now_s + self.set_by_s;
            let busy = 1.0 + 0.6 * (t / DAY * std::f64::consts::TAU).sin();
            let mut values: Vec<(SeriesId, f64)> = Vec::new();
            for (other, scale) in [
                ("cpu.busy_percent", 20.0),
                ("net.rx_bytes_per_second{a}", 1e6),
            ] {
                let value = scale * busy * (1.0 + 0.1 * self.noise.next());
                values.push((self.engine.series(other, at).unwrap(), value));
            }
            if let Some(from) = self.writes_from {
                let driven = if t < from { 1.0 } else { 4.0 };
                for (other, scale) in [
                    ("disk.write_bytes_per_second{a}", 1e6 * driven),
                    ("disk.busy_percent{a}", 5.0 * driven),
                    ("net.tx_bytes_per_second{a}", 1e6),
                    ("process.count", 150.0),
                ] {
                    let value = scale * busy * (1.0 + 0.1 * self.noise.next());
                    values.push((self.engine.series(other, at).unwrap(), value));
                }
            }
            if let Some(value) = (self.shape)(t) {
                let value = value + 0.05 * self.noise.next();
                values.push((self.engine.series(name, at).unwrap(), value));
            }
            told.extend(self.engine.pass(at, &mut values, &[]));
            self.now_s += self.step_s;
        }
        told
    }

    /// Sets the wall clock, as a person or a time server does.
    fn set_clock(&mut self, delta_s: i64) {
        self.engine.shift_time(delta_s);
        self.set_by_s += delta_s;
    }

    /// Saves and loads everything, as a restart does.
    fn restart(&mut self) {
        let saved = rmp_serde::to_vec(self.engine.memory()).unwrap();
        let memory: Memory = rmp_serde::from_slice(&saved).unwrap();
        self.engine = Engine::restore(settings(self.step_s), memory);
    }
}

const DISK: &str = "disk.used_percent{/srv}";

/// Level 40 until `onset_s`, then `growth` (1 at the bound) of the hours since.
fn from(onset_s: f64, growth: impl Fn(f64) -> f64) -> impl Fn(f64) -> Option<f64> {
    move |t| {
        Some(
            (40.0
                + if t < onset_s {
                    0.0
                } else {
                    60.0 * growth((t - onset_s) / HOUR)
                })
            .min(100.0),
        )
    }
}

/// Asserts that the first word came in time, that its ETA was right within a quarter and that nothing was told
/// before the onset.
fn assert_told(told: &[Prediction], onset_s: f64, fail_s: f64) {
    let first = told.first().expect("it is predicted");
    let at = (first.raised_at - T0) as f64;
    assert!(at >= onset_s, "told {} s before the onset", onset_s - at);
    let left = fail_s - at;
    assert!(
        left >= ((fail_s - onset_s) / 3.0).min(1_800.0),
        "only {left} s ahead"
    );
    let eta = first.eta.expect("there is a bound");
    assert!(
        (eta.median_s - left).abs() <= 0.25 * left,
        "{} s told, {left} s left",
        eta.median_s
    );
    assert!(eta.low_s <= eta.median_s && eta.median_s <= eta.high_s);
}

#[test]
fn a_straight_fill_is_told_once_half_of_the_way_is_gone_and_not_every_half_hour() {
    let onset = 3.0 * DAY;
    let told = Host::new(30, from(onset, |h| h / 6.0)).run(DISK, onset + 6.0 * HOUR);
    assert_told(&told, onset, onset + 6.0 * HOUR);
    assert!(told.len() <= 6, "{} times", told.len());
    let left = onset + 6.0 * HOUR - (told[0].raised_at - T0) as f64;
    assert!(left >= 2.4 * HOUR, "{left} s ahead");
}

#[test]
fn growth_that_speeds_up_teeth_and_steps_are_read() {
    let onset = 3.0 * DAY;
    let fast = |h: f64| (h / 6.0).powi(2);
    assert_told(
        &Host::new(30, from(onset, fast)).run(DISK, onset + 6.0 * HOUR),
        onset,
        onset + 6.0 * HOUR,
    );
    let steps = |h: f64| (h * 5.0).floor() / 30.0;
    assert_told(
        &Host::new(30, from(onset, steps)).run(DISK, onset + 6.0 * HOUR),
        onset,
        onset + 6.0 * HOUR,
    );
    // teeth of 6 points every 24 minutes on a floor that rises for ten hours: the first tooth reaches the
    // bound when the floor has 0.1 to go
    let teeth = |h: f64| h / 10.0 + 0.1 * (h * 2.5).fract();
    assert_told(
        &Host::new(30, from(onset, teeth)).run(DISK, onset + 9.2 * HOUR),
        onset,
        onset + 9.2 * HOUR,
    );
}

#[test]
fn a_fill_three_hours_after_the_start_is_told_without_pattern() {
    let onset = 3.0 * HOUR;
    let told = Host::new(30, from(onset, |h| h / 4.0)).run(DISK, onset + 4.0 * HOUR);
    assert_told(&told, onset, onset + 4.0 * HOUR);
    assert!(
        told[0].votes[2].reason.starts_with("learning 0/14 d"),
        "{:?}",
        told[0].votes[2]
    );
}

#[test]
fn every_interval_from_a_second_to_an_hour() {
    // ten minutes at one second: three minutes to spare
    let onset = 2.0 * HOUR;
    let told = Host::new(1, from(onset, |h| h * 6.0)).run(DISK, onset + 600.0);
    let first = told.first().expect("it is predicted");
    assert!(onset + 600.0 - (first.raised_at - T0) as f64 >= 180.0);
    for (step_s, hours) in [(10, 3.0), (60, 6.0), (300, 12.0), (3_600, 60.0)] {
        let onset = 3.0 * DAY;
        let told = Host::new(step_s, from(onset, |h| h / hours)).run(DISK, onset + hours * HOUR);
        assert_told(&told, onset, onset + hours * HOUR);
    }
}

#[test]
fn a_restart_and_a_gap_in_the_middle_change_nothing() {
    let onset = 3.0 * DAY;
    let fill = from(onset, |h| h / 6.0);
    let mut host = Host::new(30, |t| {
        let hours = (t - onset) / HOUR;
        if (1.0..1.5).contains(&hours) {
            None
        } else {
            fill(t)
        }
    });
    let early = host.run(DISK, onset + 2.0 * HOUR);
    host.restart();
    let late = host.run(DISK, onset + 6.0 * HOUR);
    assert_told(&[early, late].concat(), onset, onset + 6.0 * HOUR);
}

#[test]
fn a_clock_that_is_set_in_the_middle_changes_nothing() {
    let onset = 3.0 * DAY;
    for delta_s in [-5_400, 7_200] {
        let mut host = Host::new(30, from(onset, |h| h / 6.0));
        let mut told = host.run(DISK, onset + 1.5 * HOUR);
        host.set_clock(delta_s);
        let late = host.run(DISK, onset + 6.0 * HOUR);
        told.extend(late.into_iter().map(|mut prediction| {
            prediction.raised_at -= delta_s;
            prediction
        }));
        assert_told(&told, onset, onset + 6.0 * HOUR);
    }
}

#[test]
fn what_works_like_a_job_is_told_where_it_would_fill_the_disk_and_else_left_alone() {
    // the second day: pattern does not know the host yet
    let onset = 1.5 * DAY;
    let writes_until = |share: f64| {
        let mut host = Host::new(30, from(onset, move |h| (h / 1.2).min(share)));
        host.writes_from = Some(onset);
        host.run(DISK, onset + 1.2 * HOUR)
    };
    assert_eq!(writes_until(0.8), []);
    let told = writes_until(1.0);
    let first = told.first().expect("a runaway writer is predicted");
    let left = onset + 1.2 * HOUR - (first.raised_at - T0) as f64;
    let eta = first.eta.expect("there is a bound");
    assert!(left >= 300.0, "only {left} s ahead");
    assert!(
        (eta.median_s - left).abs() <= 0.25 * left,
        "{} s told, {left} s left",
        eta.median_s
    );
}

#[test]
fn a_weekly_job_is_known_the_second_time() {
    // 45 points within two hours, on the second day and on the ninth, then freed
    let job = |t: f64| {
        let hours = (t - DAY) % (7.0 * DAY) / HOUR - 10.0;
        let runs = t > DAY && (0.0..2.0).contains(&hours);
        Some(50.0 + if runs { 22.5 * hours } else { 0.0 })
    };
    let mut host = Host::new(30, job);
    host.run(DISK, 7.5 * DAY);
    assert_eq!(host.run(DISK, 9.0 * DAY), []);
}

#[test]
fn what_is_used_up_downwards_is_told_too() {
    let onset = 3.0 * DAY;
    let up = from(onset, |h| h / 5.0);
    let told =
        Host::new(30, |t| up(t).map(|v| 3.0 * (100.0 - v))).run("pool.free", onset + 5.0 * HOUR);
    assert_told(&told, onset, onset + 5.0 * HOUR);
}

#[test]
fn a_nightly_job_is_known_after_two_nights() {
    // 45 points within an hour, every night at two, then freed
    let job = |t: f64| {
        let hour = (t / HOUR) % 24.0;
        Some(
            50.0 + if (2.0..3.0).contains(&hour) {
                45.0 * (hour - 2.0)
            } else {
                0.0
            },
        )
    };
    let mut host = Host::new(30, job);
    host.run(DISK, 2.5 * DAY);
    assert_eq!(host.run(DISK, 8.0 * DAY), []);
}

#[test]
fn spikes_a_step_and_a_cache_that_levels_off_are_left_alone() {
    let onset = 3.0 * DAY;
    let spikes = |t: f64| {
        Some(if (t / HOUR).fract() < 0.02 {
            99.0
        } else {
            40.0
        })
    };
    assert_eq!(Host::new(30, spikes).run(DISK, 4.0 * DAY), []);
    let step = from(onset, |_| 0.8);
    assert_eq!(Host::new(30, step).run(DISK, 4.0 * DAY), []);
    let cache = from(onset, |h| 0.6 * (1.0 - (-h).exp()));
    assert_eq!(Host::new(30, cache).run(DISK, 4.0 * DAY), []);
    let slow_cache = from(onset, |h| 0.7 * (1.0 - (-h / 3.0).exp()));
    assert_eq!(Host::new(30, slow_cache).run(DISK, 4.0 * DAY), []);
}

#[test]
fn after_a_failure_nothing_is_told_and_the_next_one_is_no_old_friend() {
    let fill = |t: f64| {
        let hours = (t - 3.0 * DAY) / HOUR;
        let again = hours - 48.0;
        let grown = |h: f64| {
            if (0.0..5.2).contains(&h) {
                60.0 * h / 5.0
            } else {
                0.0
            }
        };
        Some((40.0 + grown(hours) + grown(again)).min(100.0))
    };
    let mut host = Host::new(30, fill);
    let first = host.run(DISK, 3.0 * DAY + 5.0 * HOUR);
    assert_told(&first, 3.0 * DAY, 3.0 * DAY + 5.0 * HOUR);
    assert_eq!(host.run(DISK, 5.0 * DAY), [], "at the bound and after it");
    let second = host.run(DISK, 5.0 * DAY + 5.0 * HOUR);
    assert_told(&second, 5.0 * DAY, 5.0 * DAY + 5.0 * HOUR);
    assert_eq!(host.run(DISK, 5.0 * DAY + 5.1 * HOUR), []);
    assert_eq!(host.engine.ledger().counts().happened, 2);
}
