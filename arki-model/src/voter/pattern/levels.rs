//! Levels by hour: the highest value of every half hour of the last seven days, and of half a day before them: a job
//! that runs once a week is found although it starts a little later, and "a week ago" is a whole day.

use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

const SLOT_S: i64 = 1_800;
const DAY_SLOTS: i64 = 48;
const DAYS: i64 = 7;
const SLOTS: usize = (DAY_SLOTS * DAYS + DAY_SLOTS / 2) as usize;
/// A job drifts: an hour earlier or later is the same hour.
const NEAR_SLOTS: i64 = 2;

/// The half-hour maxima of one series. 1.4 KB.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Levels {
    newest: i64,
    first: i64,
    highest: Box<[f32]>,
}

/// What is known of a level at an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Known {
    /// On how many of the past days there is any value at this hour.
    pub days: u32,
    /// On how many of them the level was reached.
    pub reached: u32,
    /// The highest value of all of them.
    pub highest: f64,
    /// True if the level was reached a week ago at this hour.
    pub week_ago: bool,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            newest: i64::MIN,
            first: i64::MAX,
            highest: vec![f32::NAN; SLOTS].into(),
        }
    }
}

impl Levels {
    /// Takes in a value.
    pub fn push(&mut self, at: UnixSeconds, value: f64) {
        let slot = at.div_euclid(SLOT_S);
        if self.newest == i64::MIN {
            self.first = slot;
            self.newest = slot;
        }
        if slot < self.newest {
            return;
        }
        for skipped in (self.newest + 1..=slot).rev().take(SLOTS) {
            let index = self.index(skipped);
            self.highest[index] = f32::NAN;
        }
        self.newest = slot;
        let index = self.index(slot);
        let cell = &mut self.highest[index];
        *cell = cell.max(value as f32);
    }

    /// For how many seconds there is a history.
    pub fn span_s(&self) -> i64 {
        if self.newest == i64::MIN {
            0
        } else {
            (self.newest - self.first) * SLOT_S
        }
    }

    /// Asks about `level` at this hour (an hour either way) on the past days.
    pub fn at_this_hour(&self, at: UnixSeconds, level: f64) -> Known {
        let now = at.div_euclid(SLOT_S);
        let mut known = Known {
            highest: f64::NEG_INFINITY,
            ..Known::default()
        };
        for day in 1..=DAYS {
            let centre = now - day * DAY_SLOTS;
            let highest = (centre - NEAR_SLOTS..=centre + NEAR_SLOTS)
                .filter_map(|slot| self.get(slot))
                .fold(f64::NEG_INFINITY, f64::max);
            if highest.is_finite() {
                known.days += 1;
                known.highest = known.highest.max(highest);
                if highest >= level {
                    known.reached += 1;
                    known.week_ago |= day == DAYS;
                }
            }
        }
        known
    }

    /// On how many of the past seven days (24 hours each, today not counted) `level` was reached at any hour.
    pub fn days_reaching(&self, at: UnixSeconds, level: f64) -> u32 {
        let now = at.div_euclid(SLOT_S);
        let reached = |day: &i64| {
            let end = now - day * DAY_SLOTS + DAY_SLOTS / 2;
            (end - DAY_SLOTS..end)
                .filter_map(|slot| self.get(slot))
                .any(|v| v >= level)
        };
        (1..=DAYS).filter(reached).count() as u32
    }

    /// Forgets everything since `since`: what led to a failure is not normal.
    pub fn erase_since(&mut self, since: UnixSeconds) {
        let from = since.div_euclid(SLOT_S);
        if self.newest == i64::MIN {
            return;
        }
        for slot in (from..=self.newest).rev().take(SLOTS) {
            let index = self.index(slot);
            self.highest[index] = f32::NAN;
        }
    }

    /// Moves the time axis after the clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        if self.newest == i64::MIN {
            return;
        }
        let slots = (delta_s as f64 / SLOT_S as f64).round() as i64;
        self.highest
            .rotate_right(slots.rem_euclid(self.highest.len() as i64) as usize);
        self.newest += slots;
        self.first += slots;
    }

    fn get(&self, slot: i64) -> Option<f64> {
        let held = slot <= self.newest && slot > self.newest - self.highest.len() as i64;
        let value = self.highest[self.index(slot)];
        (held && value.is_finite()).then_some(f64::from(value))
    }

    /// Where a slot is kept. A history that was saved with fewer slots goes on with those.
    fn index(&self, slot: i64) -> usize {
        slot.rem_euclid(self.highest.len().max(1) as i64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: i64 = 86_400;
    const HOUR_S: i64 = 3_600;
    /// A Monday, midnight.
    const T0: i64 = 19_723 * DAY_S;

    /// Level 20, and 80 for an hour at ten on the given days.
    fn with_job(days: i64, on: impl Fn(i64) -> bool) -> Levels {
        let mut levels = Levels::default();
        for at in (T0..T0 + days * DAY_S).step_by(600) {
            let (day, hour) = ((at - T0) / DAY_S, (at - T0) % DAY_S / HOUR_S);
            levels.push(at, if hour == 10 && on(day) { 80.0 } else { 20.0 });
        }
        levels
    }

    #[test]
    fn a_level_is_known_at_its_hour_on_the_days_it_was_reached() {
        let levels = with_job(5, |day| day != 2);
        let known = levels.at_this_hour(T0 + 5 * DAY_S + 10 * HOUR_S, 79.0);
        assert_eq!((known.days, known.reached), (5, 4));
        let evening = levels.at_this_hour(T0 + 5 * DAY_S + 18 * HOUR_S, 79.0);
        assert_eq!((evening.days, evening.reached), (5, 0));
        assert_eq!(levels.days_reaching(T0 + 5 * DAY_S, 79.0), 4);
        assert_eq!(levels.days_reaching(T0 + 5 * DAY_S, 81.0), 0);
    }

    #[test]
    fn a_job_of_a_week_ago_is_found_though_it_comes_an_hour_later() {
        let levels = with_job(7, |day| day == 0);
        for late_s in [0, HOUR_S, HOUR_S + 1_700] {
            let known = levels.at_this_hour(T0 + 7 * DAY_S + 10 * HOUR_S + late_s, 79.0);
            assert!(known.week_ago && known.reached == 1, "{late_s}: {known:?}");
        }
        assert!(
            !levels
                .at_this_hour(T0 + 7 * DAY_S + 14 * HOUR_S, 79.0)
                .week_ago
        );
    }

    #[test]
    fn what_led_to_a_failure_is_forgotten_and_the_rest_is_not() {
        let mut levels = with_job(5, |day| day >= 3);
        levels.erase_since(T0 + 4 * DAY_S);
        let known = levels.at_this_hour(T0 + 5 * DAY_S + 10 * HOUR_S, 79.0);
        assert_eq!((known.days, known.reached), (4, 1));
    }

    #[test]
    fn a_clock_that_is_set_takes_the_hours_along() {
        let mut levels = with_job(5, |_| true);
        levels.shift(3 * HOUR_S);
        let then = T0 + 5 * DAY_S + 13 * HOUR_S;
        assert_eq!(levels.at_this_hour(then, 79.0).reached, 5);
        assert_eq!(levels.span_s(), 5 * DAY_S - SLOT_S);
    }

    #[test]
    fn a_history_that_was_saved_with_fewer_slots_goes_on() {
        let mut levels = with_job(5, |_| true);
        levels.highest = vec![20.0; 336].into();
        levels.push(T0 + 5 * DAY_S, 30.0);
        assert_eq!(levels.days_reaching(T0 + 6 * DAY_S, 30.0), 1);
    }
}
