//! The usual day of a series: how fast it rises at each half hour. What is written by night, by people at work or
//! by a job every evening is forecast through the hours to come.

use crate::clock::UnixSeconds;
use crate::window::Ring;

/// Half hours of a day.
pub(super) const SLOTS: usize = 48;
/// A day and a good part of the next: no hour is known before it has come twice.
const KNOWN_MIN_S: i64 = 30 * 3_600;

/// The steps of one series by time of day, each with its neighbours: a job does not start to the minute.
#[derive(Debug, Clone)]
pub(super) struct Day {
    sums: [f64; SLOTS],
    counts: [f64; SLOTS],
    mean: f64,
}

impl Day {
    /// From the half hours since `since`; `None` if these are too few, or it does not rise.
    pub(super) fn of(ring: &Ring, since: UnixSeconds, turn: f64) -> Option<Self> {
        let age_s = ring.newest_at() - since;
        if age_s < KNOWN_MIN_S {
            return None;
        }
        let mut day = Self {
            sums: [0.0; SLOTS],
            counts: [0.0; SLOTS],
            mean: 0.0,
        };
        let cells = (age_s / ring.step_s()).min(ring.len() as i64 - 2).max(0) as usize;
        for age in 1..cells {
            let step = step(ring, age, turn);
            let slot = slot_of(ring.newest_at() - age as i64 * ring.step_s());
            if step.is_finite() {
                day.sums[slot] += step;
                day.counts[slot] += 1.0;
            }
        }
        let count: f64 = day.counts.iter().sum();
        day.mean = day.sums.iter().sum::<f64>() / count.max(1.0);
        (day.mean > 0.0).then_some(day)
    }

    /// How fast it rises at `at`, 1 on average.
    pub(super) fn usual(&self, at: UnixSeconds) -> f64 {
        self.rate(slot_of(at), 0.0, 0.0)
    }

    /// What the other days say of the step `age` steps ago: a step must not be explained by itself.
    pub(super) fn of_other_days(&self, ring: &Ring, age: usize, turn: f64) -> f64 {
        let slot = slot_of(ring.newest_at() - age as i64 * ring.step_s());
        let own = [age + 1, age, age.saturating_sub(1)].map(|age| step(ring, age, turn));
        let (sum, count) = own
            .into_iter()
            .filter(|step| step.is_finite())
            .fold((0.0, 0.0), |(s, c), step| (s + step, c + 1.0));
        self.rate(slot, sum, count)
    }

    fn rate(&self, slot: usize, less_sum: f64, less_count: f64) -> f64 {
        let near = [slot + SLOTS - 1, slot, slot + 1].map(|slot| slot % SLOTS);
        let sum: f64 = near.iter().map(|&slot| self.sums[slot]).sum();
        let count: f64 = near.iter().map(|&slot| self.counts[slot]).sum();
        if count - less_count < 0.5 {
            1.0
        } else {
            ((sum - less_sum) / (count - less_count) / self.mean).max(0.0)
        }
    }
}

/// By how much the series rose in the step that closed `age` steps ago.
fn step(ring: &Ring, age: usize, turn: f64) -> f64 {
    turn * (f64::from(ring.back(age)) - f64::from(ring.back(age + 1)))
}

/// Which half hour of its day a moment lies in.
pub(super) fn slot_of(at: UnixSeconds) -> usize {
    (at.div_euclid(1_800)).rem_euclid(SLOTS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_S: i64 = 3_600;
    /// A Monday, midnight.
    const T0: i64 = 19_723 * 24 * HOUR_S;

    /// Half hours of `days` days of a series that rises by one a half hour while `grows(day, hour)`.
    fn ring(days: i64, grows: impl Fn(i64, i64) -> bool) -> Ring {
        let mut ring = Ring::new(1_800, 336);
        let mut level = 20.0;
        for at in (T0..T0 + days * 24 * HOUR_S).step_by(1_800) {
            let (day, hour) = ((at - T0) / (24 * HOUR_S), (at - T0) / HOUR_S % 24);
            level += if grows(day, hour) { 1.0 } else { 0.0 };
            ring.push(at, level);
        }
        ring
    }

    #[test]
    fn the_hours_at_which_a_series_rises_are_known() {
        let nightly = ring(4, |_, hour| (1..4).contains(&hour));
        let day = Day::of(&nightly, T0, 1.0).expect("it rises");
        assert!((day.usual(T0 + 2 * HOUR_S) - 8.0).abs() < 0.5);
        assert_eq!(day.usual(T0 + 12 * HOUR_S), 0.0);
        // The newest half hour is that of 23:30: the small hours are 44 half hours ago.
        assert!((day.of_other_days(&nightly, 44, 1.0) - 8.0).abs() < 0.5);
        assert_eq!(day.of_other_days(&nightly, 20, 1.0), 0.0);
    }

    #[test]
    fn what_happened_once_does_not_explain_itself() {
        let once = ring(4, |day, hour| day == 2 && (1..4).contains(&hour));
        let day = Day::of(&once, T0, 1.0).expect("it rises");
        // 23:30 of the fourth day back to 02:00 of the third
        assert_eq!(day.of_other_days(&once, 48 + 43, 1.0), 0.0);
    }

    #[test]
    fn a_short_history_and_a_level_have_no_usual_day() {
        assert!(Day::of(&ring(1, |_, _| true), T0, 1.0).is_none());
        assert!(Day::of(&ring(4, |_, _| false), T0, 1.0).is_none());
    }
}
