//! Trend's second look at an incident: has this series become more restless than it was over the last hours?
//!
//! The mean size of its steps over ten minutes against that over twelve hours, in units of how far the two usually are
//! apart. A disk that begins to thrash keeps its level for a while; its restlessness changes at once. Falling still counts
//! as well, but a calm of ten minutes is rarely rare: there is less room below the usual than above it. It sees sizes of steps only, so it is nearly independent of levels.

use super::smooth::{Mean, Scale, floor_of};
use super::surprise::{COMMON, Surprise};
use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

/// Ten minutes: a single jump is a tenth of it, a burst of a few minutes most of it.
const NOW_S: f32 = 600.0;
/// Twelve hours: longer than a job, and half a day so that day and night both fade.
const BEFORE_S: f32 = 12.0 * 3_600.0;
/// Three days: what is usual by day and by night alike.
const USUAL_S: f32 = 3.0 * 86_400.0;

/// What is known of how restless one series is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Restlessness {
    last: Option<f32>,
    now: Mean,
    before: Mean,
    usual: Scale,
    surprise: Surprise,
    /// How many times its usual size the newest change of restlessness was, negative if it became calmer.
    pub times: f32,
}

impl Restlessness {
    /// Takes in the mean of a step of `step_s` seconds, `elapsed` steps after the one before, and says how rare the
    /// change of its restlessness is. `broken` says that steps are missing before it: no step leads to it.
    pub fn rate(
        &mut self,
        at: UnixSeconds,
        value: f32,
        step_s: f32,
        elapsed: f32,
        broken: bool,
    ) -> f32 {
        let last = self.last.replace(value).filter(|_| !broken);
        let Some(last) = last else {
            return COMMON;
        };
        let size = (value - last).abs();
        self.now.push(size, NOW_S / step_s, elapsed);
        let change = self.now.value - self.before.value;
        self.before.push(size, BEFORE_S / step_s, elapsed);
        let tau = USUAL_S / step_s;
        let times = self.usual.rate(change, floor_of(value), tau, elapsed);
        self.times = times.copysign(change);
        self.surprise.rate(at, times)
    }

    /// Moves the remembered times by `delta_s`.
    pub fn shift(&mut self, delta_s: i64) {
        self.surprise.shift(delta_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three days of a series that goes up and down by about one, then `value` for ten minutes.
    fn then(value: impl Fn(i64) -> f32) -> (f32, f32) {
        let mut restless = Restlessness::default();
        let mut rarity = COMMON;
        let known = 3 * 1_440;
        for minute in 0..known + 10 {
            let usual = 50.0 + (minute % 2) as f32 * (1.0 + 0.3 * (minute as f32 / 97.0).sin());
            let value = if minute < known { usual } else { value(minute) };
            rarity = restless.rate(1_000_000 + minute * 60, value, 60.0, 1.0, false);
        }
        (rarity, restless.times)
    }

    #[test]
    fn thrashing_is_rare_falling_still_is_seen_and_going_on_is_not() {
        let (rarity, times) = then(|minute| 50.0 + (minute % 2) as f32 * 20.0);
        assert!(rarity > 1.0 && times > 5.0, "{rarity} {times}");
        let (rarity, times) = then(|_| 50.0);
        assert!(rarity < 1.0 && times < 0.0, "{rarity} {times}");
        let (rarity, _) = then(|minute| 50.0 + (minute % 2) as f32);
        assert!(rarity < 0.0, "{rarity}");
    }

    #[test]
    fn no_step_leads_over_a_gap() {
        let mut restless = Restlessness::default();
        for minute in 0..3 * 1_440 {
            restless.rate(1_000_000 + minute * 60, 5.0, 60.0, 1.0, false);
        }
        let rarity = restless.rate(1_400_000, 500.0, 60.0, 2_000.0, true);
        assert_eq!(rarity, COMMON);
    }
}
