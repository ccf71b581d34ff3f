//! When a forecast is good enough to be told.
//!
//! Most climbs stop. Without knowing more, a climb that has gone on for a time `e` goes on for `r` more with
//! probability `e / (e + r)` (Lindy's law: the lifetime of unknown scale has the prior `1/t`), so half of
//! the way, counted to the moment at which the message can be out, is where "it will get there"
//! becomes more likely than not. Every climb of this series that stopped by itself raises what is asked for.

use crate::quiet::HOLD_S;
use crate::voter::trend::Forecast;

/// More likely than not.
const WAY_MIN: f64 = 0.5;
/// A forecast this narrow comes from growth without any whim: a little less of the way is asked for.
const WIDTH_CLEAN: f64 = 0.56;
const WAY_CLEAN: f64 = 0.43;
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
    let hold = HOLD_S as f64;
    let way = (forecast.age_s + hold) / (forecast.age_s + median);
    let width = (high - low) / median.max(1.0);
    let far = ((median / NO_HURRY_S).log2() / 2.0).clamp(0.0, 1.0);
    let base = if width < WIDTH_CLEAN {
        WAY_CLEAN
    } else {
        WAY_MIN
    };
    let way_min = base + far * (WAY_FAR - base);
    if way < way_min.powf(1.0 / (1.0 + stopped as f64)) {
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
