//! Climbs that came and went: a zigzag over the cleaned values, which ends a climb when it has given back a
//! good part of its rise, or has stood still for as long as it took.
//!
//! A climb that fell back is what a job, a rotation or a garbage collector does; knowing two of them, the
//! next one is no surprise until it outgrows them.
//!
//! ```text
//!          /|    /|
//!    /|  /| |  /| |    inner: each tooth        (over when it gave back a third)
//!  /| |/| | |/| | |    outer: what they add to  (over when it gave back nearly all)
//! ```
//!
//! Collectors come in two sizes: small collections leave a little more each time until a great one takes it all. Of the
//! outer climbs those are kept that are more than one of their teeth.

use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

/// The most climbs of one size that are remembered.
const CLIMBS_MAX: usize = 12;
/// A climb is over when it has given back this share of its rise.
const GIVEN_BACK: f64 = 0.3;
/// One that teeth add up to, only when next to nothing is left of it: a tooth early in the climb takes half of it.
const OUTER_GIVEN_BACK: f64 = 0.8;
/// It is more than one of its teeth if it is this many times as high.
const OUTER_RISE: f32 = 1.3;
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

/// A climb that is going on.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Zigzag {
    low: Option<Point>,
    high: Option<Point>,
}

impl Zigzag {
    /// Takes in a value; the climb that ended with it, if one did. It is over when it gave back `given_back` of its rise.
    fn push(&mut self, at: UnixSeconds, value: f64, bound: f64, given_back: f64) -> Option<Climb> {
        let (Some(low), Some(high)) = (self.low.as_mut(), self.high.as_mut()) else {
            self.restart(at, value);
            return None;
        };
        let room = (bound - low.value).max(1e-9);
        if value <= low.value + 0.02 * room && high.value <= low.value + SHARE_MIN * room {
            // Still at the foot: the climb has not begun.
            low.at = at;
            low.value = low.value.min(value);
        }
        if value > high.value + STILL * (high.value - low.value) {
            *high = Point { at, value };
            return None;
        }
        let (low, high) = (*low, *high);
        let rise = high.value - low.value;
        let is_climb = rise >= SHARE_MIN * room;
        let ending = if is_climb && high.value - value >= given_back * rise {
            Some(Ending::Fell)
        } else if is_climb && at - high.at > STILL_S.max(high.at - low.at) {
            Some(Ending::Stopped)
        } else {
            None
        };
        if ending.is_some() || value < low.value {
            self.restart(at, value);
        }
        ending.map(|ending| Climb {
            ended_at: high.at,
            lasted_s: (high.at - low.at) as f32,
            rise: rise as f32,
            peak: high.value as f32,
            ending,
        })
    }

    fn restart(&mut self, at: UnixSeconds, value: f64) {
        self.low = Some(Point { at, value });
        self.high = self.low;
    }

    fn shift(&mut self, delta_s: i64) {
        for point in [&mut self.low, &mut self.high].into_iter().flatten() {
            point.at += delta_s;
        }
    }
}

/// The climbs of one series, and those that are going on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Climbs {
    inner: Zigzag,
    outer: Zigzag,
    ended: Vec<Climb>,
    outer_ended: Vec<Climb>,
}

impl Climbs {
    /// Takes in a cleaned value of a series whose bound lies at `bound`, above.
    pub fn push(&mut self, at: UnixSeconds, value: f64, bound: f64) {
        if let Some(climb) = self.inner.push(at, value, bound, GIVEN_BACK) {
            keep(&mut self.ended, climb);
        }
        if let Some(climb) = self.outer.push(at, value, bound, OUTER_GIVEN_BACK) {
            let began_at = climb.ended_at - climb.lasted_s as i64;
            let teeth = self.ended.iter().filter(|tooth| tooth.ended_at > began_at);
            let highest = teeth.map(|tooth| tooth.rise).fold(0.0, f32::max);
            if climb.ending == Ending::Fell && climb.rise > OUTER_RISE * highest {
                keep(&mut self.outer_ended, climb);
            }
        }
    }

    /// The climb that is going on: since when, and from which level.
    pub fn current(&self) -> Option<(UnixSeconds, f64)> {
        self.inner.low.map(|low| (low.at, low.value))
    }

    /// The climbs that ended by themselves, oldest first; not those that teeth add up to.
    pub fn ended(&self) -> &[Climb] {
        &self.ended
    }

    /// Past climbs that fell back, rose at least as far as `rise`, and did so about as fast (a quarter to
    /// four times the `lasted_s` that this one has taken so far).
    pub fn like(&self, rise: f64, lasted_s: f64) -> impl Iterator<Item = &Climb> {
        self.ended
            .iter()
            .chain(&self.outer_ended)
            .filter(move |climb| {
                let share = rise / f64::from(climb.rise);
                let then_s = f64::from(climb.lasted_s) * share.min(1.0);
                climb.ending == Ending::Fell
                    && share <= 1.05
                    && (0.25..=4.0).contains(&(lasted_s / then_s.max(1.0)))
            })
    }

    /// After a failure: what goes on from here is a new climb, and what led to it is not remembered.
    pub fn restart(&mut self, at: UnixSeconds, value: f64) {
        self.inner.restart(at, value);
        self.outer.restart(at, value);
    }

    /// Moves the time axis after the clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        self.inner.shift(delta_s);
        self.outer.shift(delta_s);
        for climb in self.ended.iter_mut().chain(&mut self.outer_ended) {
            climb.ended_at += delta_s;
        }
    }
}

/// Adds it, and forgets those that are too old or too many.
fn keep(ended: &mut Vec<Climb>, climb: Climb) {
    ended.retain(|old| climb.ended_at - old.ended_at < FORGET_S);
    if ended.len() == CLIMBS_MAX {
        ended.remove(0);
    }
    ended.push(climb);
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
        assert_eq!(along(&waves).ended().len(), 0);
        let teeth: Vec<(i64, f64)> = (0..80)
            .map(|i| (30 * i, 40.0 + 20.0 * f64::from(i as i32 % 2)))
            .collect();
        assert_eq!(along(&teeth).ended().len(), CLIMBS_MAX);
    }

    /// Teeth of 10 in 20 minutes that leave 3 each, until a great fall takes all eight of them.
    #[test]
    fn a_climb_of_teeth_is_known_as_a_whole() {
        let mut knots = vec![(0, 40.0)];
        for tooth in 0..24_i64 {
            let (at, foot) = (22 * tooth, 40.0 + 3.0 * (tooth % 8) as f64);
            let left = if tooth % 8 == 7 { 40.0 } else { foot + 3.0 };
            knots.extend([(at + 20, foot + 10.0), (at + 22, left)]);
        }
        knots.push((540, 40.0));
        let climbs = along(&knots);
        assert!(climbs.ended().iter().all(|climb| climb.rise < 20.0));
        assert_eq!(climbs.outer_ended.len(), 3);
        // two thirds up the next one, after two hours
        assert_eq!(climbs.like(20.0, 7_200.0).count(), 3);
        assert_eq!(climbs.like(35.0, 10_000.0).count(), 0, "it outgrows them");
    }

    #[test]
    fn after_a_failure_a_new_climb_begins_and_the_clock_takes_all_along() {
        let mut climbs = along(&[(0, 40.0), (60, 40.0), (120, 70.0)]);
        climbs.restart(7_200, 40.0);
        assert_eq!(climbs.ended().len(), 0);
        assert_eq!(climbs.current(), Some((7_200, 40.0)));
        climbs.shift(-600);
        assert_eq!(climbs.current(), Some((6_600, 40.0)));
    }
}
