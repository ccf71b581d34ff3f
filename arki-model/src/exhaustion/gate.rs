//! When a forecast is good enough to be told.
//!
//! Most climbs stop. Without knowing more, a climb that has gone on for a time `e` goes on for `r` more with
//! probability `e / (e + r)` (Lindy's law: the lifetime of unknown scale has the prior `1/t`), so half of
//! the way, counted to the moment at which the message can be out, is where "it will get there"
//! becomes more likely than not. Every climb of this series that stopped by itself raises what is asked for.

use super::state::PATTERN_READY_S;
use crate::prediction::CRITICAL_BELOW_S;
use crate::quiet::HOLD_S;
use crate::voter::trend::Forecast;

/// More likely than not.
const WAY_MIN: f64 = 0.5;
/// Before pattern knows two days nobody can tell a job of this host from a fault: more of the way is asked for.
const WAY_NEW: f64 = 0.55;
/// Most of what climbs this fast is a job: from 90 minutes down to 45 the way asked for grows up to this.
const SHORT_S: f64 = 5_400.0;
const WAY_SHORT: f64 = 0.5;
/// What is a warning now and critical in ten minutes is told once.
const SAME_WORD_S: f64 = 600.0;
/// A forecast this narrow comes from growth without any whim: a little less of the way is asked for.
const WIDTH_CLEAN: f64 = 0.56;
const WAY_CLEAN: f64 = 0.40;
/// There is no hurry to tell what is more than this away: waiting costs nothing and spares false alarms. Three
/// quarters of the way are asked for at four times this.
const NO_HURRY_S: f64 = 2.75 * 3_600.0;
const WAY_FAR: f64 = 0.75;
/// The hypotheses must mostly agree that it crosses.
const CROSSING_MIN: f64 = 0.7;
/// (p90 - p10) / p50 above this is no answer, unless it is urgent.
const WIDTH_MAX: f64 = 0.6;
/// Below this p50 there is no time to wait for a narrower interval.
const URGENT_S: f64 = 45.0 * 60.0;
/// With less than a day of history nobody knows what the night does: extrapolate at most ten hours.
const FIRST_DAY_S: i64 = 22 * 3_600;
const FIRST_DAY_REACH_S: f64 = 10.0 * 3_600.0;
/// A climb must stand out of the noise: four standard deviations are one chance in thirty thousand.
const NOISE_MIN: f64 = 4.0;

/// What the gate says about one forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Gate {
    /// Told.
    Open,
    /// It will not get there, or not for long.
    No,
    /// It may, but the answer is too vague.
    Vague,
    /// It may, but most of the way is still ahead.
    Early,
}

/// Judges a forecast. `stopped` is how many climbs like it have stopped by themselves.
pub(super) fn gate(forecast: &Forecast, known_s: i64, stopped: usize) -> Gate {
    let [low, median, high] = forecast.left_s;
    if forecast.crossing < CROSSING_MIN || !median.is_finite() {
        return Gate::No;
    }
    if forecast.rise < NOISE_MIN * forecast.noise {
        return Gate::No;
    }
    if known_s < FIRST_DAY_S && median > FIRST_DAY_REACH_S {
        return Gate::Early;
    }
    let way = way(forecast);
    let width = (high - low) / median.max(1.0);
    let way_min = way_min(median, width, known_s);
    if way < way_min.powf(1.0 / (1.0 + stopped as f64)) {
        return Gate::Early;
    }
    if median > CRITICAL_BELOW_S && median < CRITICAL_BELOW_S + SAME_WORD_S {
        return Gate::Early;
    }
    // The further it has come, the less room is left for being wrong.
    let width_max = if way < WAY_FAR {
        WIDTH_MAX
    } else {
        2.0 * WIDTH_MAX
    };
    if width > width_max && median > URGENT_S {
        return Gate::Vague;
    }
    Gate::Open
}

/// The share of the way that will be behind the climb when the message is out.
pub(super) fn way(forecast: &Forecast) -> f64 {
    (forecast.age_s + HOLD_S as f64) / (forecast.age_s + forecast.left_s[1])
}

/// The share of the way that must be behind a climb that has `median` seconds left.
fn way_min(median: f64, width: f64, known_s: i64) -> f64 {
    let base = if known_s < PATTERN_READY_S {
        WAY_NEW
    } else if width < WIDTH_CLEAN {
        WAY_CLEAN
    } else {
        WAY_MIN
    };
    let short = (SHORT_S / median.max(1.0)).log2().clamp(0.0, 1.0);
    let far = ((median / NO_HURRY_S).log2() / 2.0).clamp(0.0, 1.0);
    base + short * (WAY_SHORT - base).max(0.0) + far * (WAY_FAR - base)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: i64 = 5 * 86_400;
    const HOUR_S: f64 = 3_600.0;

    /// A straight climb, `age_s` old, that has `left_s` to go.
    fn climb(age_s: f64, left_s: f64) -> Forecast {
        Forecast {
            crossing: 1.0,
            left_s: [0.9 * left_s, left_s, 1.1 * left_s],
            age_s,
            rise: 20.0,
            noise: 0.5,
            explained: 0.99,
            shape: "steady",
        }
    }

    #[test]
    fn more_of_the_way_is_asked_for_where_less_is_known_and_where_there_is_no_hurry() {
        let half = climb(2.5 * HOUR_S, 2.5 * HOUR_S);
        assert_eq!(gate(&half, DAYS, 0), Gate::Open);
        assert_eq!(gate(&half, 30 * 3_600, 0), Gate::Early);
        assert_eq!(gate(&half, DAYS, 1), Gate::Early);
        assert_eq!(
            gate(&climb(11.0 * HOUR_S, 11.0 * HOUR_S), DAYS, 0),
            Gate::Early
        );
        assert_eq!(
            gate(&climb(40.0 * HOUR_S, 11.0 * HOUR_S), DAYS, 0),
            Gate::Open
        );
    }

    #[test]
    fn what_becomes_critical_in_a_moment_is_told_then() {
        assert_eq!(gate(&climb(9_000.0, 7_500.0), DAYS, 0), Gate::Early);
        assert_eq!(gate(&climb(9_300.0, 7_200.0), DAYS, 0), Gate::Open);
    }

    #[test]
    fn a_climb_must_stand_out_of_noise_and_its_end_must_be_known_well_enough() {
        let noisy = Forecast {
            noise: 5.1,
            ..climb(9_000.0, 6_000.0)
        };
        assert_eq!(gate(&noisy, DAYS, 0), Gate::No);
        let vague = Forecast {
            left_s: [4_000.0, 6_000.0, 8_200.0],
            ..climb(9_000.0, 6_000.0)
        };
        assert_eq!(gate(&vague, DAYS, 0), Gate::Vague);
        let unlikely = Forecast {
            crossing: 0.6,
            ..climb(9_000.0, 6_000.0)
        };
        assert_eq!(gate(&unlikely, DAYS, 0), Gate::No);
    }
}
