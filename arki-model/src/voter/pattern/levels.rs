//! Levels by hour: the highest value of every half hour of the last seven days.

use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

const SLOT_S: i64 = 1_800;
const DAY_SLOTS: i64 = 48;
const DAYS: i64 = 7;
const SLOTS: usize = (DAY_SLOTS * DAYS) as usize;
/// A job drifts: an hour earlier or later is the same hour.
const NEAR_SLOTS: i64 = 2;

/// The half-hour maxima of one series. 1.3 KB.
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
            self.highest[index(skipped)] = f32::NAN;
        }
        self.newest = slot;
        let cell = &mut self.highest[index(slot)];
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
            self.highest[index(slot)] = f32::NAN;
        }
    }

    /// Moves the time axis after the clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        if self.newest == i64::MIN {
            return;
        }
        let slots = (delta_s as f64 / SLOT_S as f64).round() as i64;
        self.highest
            .rotate_right(slots.rem_euclid(SLOTS as i64) as usize);
        self.newest += slots;
        self.first += slots;
    }

    fn get(&self, slot: i64) -> Option<f64> {
        let held = slot <= self.newest && slot > self.newest - SLOTS as i64;
        let value = self.highest[index(slot)];
        (held && value.is_finite()).then_some(f64::from(value))
    }
}

fn index(slot: i64) -> usize {
    slot.rem_euclid(SLOTS as i64) as usize
}
