//! Climbs that came and went: a zigzag over the cleaned values, which ends a climb when it has given back a
//! good part of its rise, or has stood still for as long as it took.
//!
//! A climb that fell back is what a job, a rotation or a garbage collector does; knowing two of them, the
//! next one is no surprise until it outgrows them.

use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

/// The most climbs that are remembered.
const CLIMBS_MAX: usize = 12;
/// A climb is over when it has given back this share of its rise.
const GIVEN_BACK: f64 = 0.3;
/// Climbs below this share of the room are noise.
const SHARE_MIN: f64 = 0.04;
/// A climb that stands still for this long, and for as long as it took, has stopped.
const STILL_S: i64 = 3_600;
/// It stands still, too, while it creeps: less than this share of the climb is noise about a plateau.
const STILL: f64 = 0.03;
/// Climbs older than this are forgotten.
const FORGET_S: i64 = 9 * 86_400;

/// How a climb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It came down again.
    Fell,
    /// It stayed where it was.
    Stopped,
}

/// A climb that ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Climb {
    /// When it ended.
    pub ended_at: UnixSeconds,
    /// How long it rose, in seconds.
    pub lasted_s: f32,
    /// How far it rose.
    pub rise: f32,
    /// How far it got.
    pub peak: f32,
    /// How it ended.
    pub ending: Ending,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Point {
    at: UnixSeconds,
    value: f64,
}

/// The climbs of one series, and the one that is going on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Climbs {
    low: Option<Point>,
    high: Option<Point>,
    ended: Vec<Climb>,
}

impl Climbs {
    /// Takes in a cleaned value of a series whose bound lies at `bound`, above.
    pub fn push(&mut self, at: UnixSeconds, value: f64, bound: f64) {
        let (Some(low), Some(high)) = (self.low.as_mut(), self.high.as_mut()) else {
            self.restart(at, value);
            return;
        };
        let room = (bound - low.value).max(1e-9);
        if value <= low.value + 0.02 * room && high.value <= low.value + SHARE_MIN * room {
            // Still at the foot: the climb has not begun.
            low.at = at;
            low.value = low.value.min(value);
        }
        if value > high.value + STILL * (high.value - low.value) {
            *high = Point { at, value };
            return;
        }
        let (low, high) = (*low, *high);
        let rise = high.value - low.value;
        let is_climb = rise >= SHARE_MIN * room;
        let still_s = at - high.at;
        if is_climb && high.value - value >= GIVEN_BACK * rise {
            self.end(low, high, Ending::Fell);
            self.restart(at, value);
        } else if is_climb && still_s > STILL_S.max(high.at - low.at) {
            self.end(low, high, Ending::Stopped);
            self.restart(at, value);
        } else if value < low.value {
            self.restart(at, value);
        }
    }

    /// The climb that is going on: since when, and from which level.
    pub fn current(&self) -> Option<(UnixSeconds, f64)> {
        self.low.map(|low| (low.at, low.value))
    }

    /// The climbs that ended by themselves, oldest first.
    pub fn ended(&self) -> &[Climb] {
        &self.ended
    }

    /// Past climbs that fell back, rose at least as far as `rise`, and did so about as fast (a quarter to
    /// four times the `lasted_s` that this one has taken so far).
    pub fn like(&self, rise: f64, lasted_s: f64) -> impl Iterator<Item = &Climb> {
        self.ended.iter().filter(move |climb| {
            let share = rise / f64::from(climb.rise);
            let then_s = f64::from(climb.lasted_s) * share.min(1.0);
            climb.ending == Ending::Fell
                && share <= 1.05
                && (0.25..=4.0).contains(&(lasted_s / then_s.max(1.0)))
        })
    }

    /// After a failure: what goes on from here is a new climb, and what led to it is not remembered.
    pub fn restart(&mut self, at: UnixSeconds, value: f64) {
        self.low = Some(Point { at, value });
        self.high = self.low;
    }

    /// Moves the time axis after the clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        for point in [&mut self.low, &mut self.high].into_iter().flatten() {
            point.at += delta_s;
        }
        for climb in &mut self.ended {
            climb.ended_at += delta_s;
        }
    }

    fn end(&mut self, low: Point, high: Point, ending: Ending) {
        let now_s = high.at;
        self.ended.retain(|climb| now_s - climb.ended_at < FORGET_S);
        if self.ended.len() == CLIMBS_MAX {
            self.ended.remove(0);
        }
        self.ended.push(Climb {
            ended_at: high.at,
            lasted_s: (high.at - low.at) as f32,
            rise: (high.value - low.value) as f32,
            peak: high.value as f32,
            ending,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes `(minute, value)` knots, joined by straight lines, a value a minute, against the bound 100.
    fn along(knots: &[(i64, f64)]) -> Climbs {
        let mut climbs = Climbs::default();
        for pair in knots.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            for minute in from..to {
                let share = (minute - from) as f64 / (to - from) as f64;
                climbs.push(60 * minute, low + share * (high - low), 100.0);
            }
        }
        climbs
    }

    #[test]
    fn a_climb_that_falls_back_is_over_and_known() {
        let climbs = along(&[(0, 40.0), (60, 40.0), (120, 70.0), (121, 40.0), (200, 40.0)]);
        assert_eq!(climbs.ended().len(), 1);
        let climb = climbs.ended()[0];
        assert_eq!(climb.ending, Ending::Fell);
        assert!((climb.rise - 30.0).abs() < 1.0 && (climb.peak - 70.0).abs() < 1.0);
        assert!((climb.lasted_s - 3_600.0).abs() < 300.0);
        // half as high at the same pace is like it; higher, or eight times as fast, is not
        assert_eq!(climbs.like(15.0, 1_800.0).count(), 1);
        assert_eq!(climbs.like(35.0, 3_600.0).count(), 0);
        assert_eq!(climbs.like(15.0, 200.0).count(), 0);
    }

    #[test]
    fn a_climb_that_stands_still_has_stopped_and_is_not_taken_for_one_that_fell() {
        let climbs = along(&[(0, 40.0), (60, 40.0), (120, 70.0), (240, 70.0)]);
        assert_eq!(climbs.ended().len(), 1);
        assert_eq!(climbs.ended()[0].ending, Ending::Stopped);
        assert_eq!(climbs.like(20.0, 2_400.0).count(), 0);
    }

    #[test]
    fn a_climb_that_creeps_on_has_stopped_too() {
        // 30 points in an hour, and then a tenth of a point an hour
        let climbs = along(&[(0, 40.0), (60, 40.0), (120, 70.0), (360, 70.4)]);
        assert_eq!(climbs.ended().len(), 1);
        assert_eq!(climbs.ended()[0].ending, Ending::Stopped);
    }

    #[test]
    fn small_waves_are_no_climbs_and_the_list_is_bounded() {
        let waves: Vec<(i64, f64)> = (0..80)
            .map(|i| (30 * i, 40.0 + f64::from(i as i32 % 2)))
            .collect();
        assert!(along(&waves).ended().is_empty());
        let teeth: Vec<(i64, f64)> = (0..80)
            .map(|i| (30 * i, 40.0 + 20.0 * f64::from(i as i32 % 2)))
            .collect();
        assert_eq!(along(&teeth).ended().len(), CLIMBS_MAX);
    }

    #[test]
    fn after_a_failure_a_new_climb_begins_and_the_clock_takes_all_along() {
        let mut climbs = along(&[(0, 40.0), (60, 40.0), (120, 70.0)]);
        climbs.restart(7_200, 40.0);
        assert!(climbs.ended().is_empty());
        assert_eq!(climbs.current(), Some((7_200, 40.0)));
        climbs.shift(-600);
        assert_eq!(climbs.current(), Some((6_600, 40.0)));
    }
}
