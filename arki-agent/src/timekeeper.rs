//! The time that the engine sees: it advances with the monotonic clock and follows the wall clock's date.
//!
//! Small differences (an NTP daemon that slews, rounding) are followed a second at a time. A larger one means that
//! the wall clock was set, or that the machine slept: the pass before is then moved instead of believing that hours
//! passed between two samples.

use crate::collect::Moment;
use arki_model::clock::UnixSeconds;
use std::time::Duration;

/// A difference of this many seconds or more is a clock that was set. Rounding makes 1; a slewing NTP daemon (500 ppm at
/// the most) needs over an hour for 2 and is followed before.
pub const JUMP_S: i64 = 3;

/// A clock that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// By how many seconds, positive if it went forward.
    pub delta_s: i64,
    /// When, on the monotonic clock.
    pub at: Duration,
}

/// Keeps the engine's time.
#[derive(Debug)]
pub struct Timekeeper {
    /// Engine time less monotonic time, in seconds.
    offset_s: i64,
    skew: Option<Skew>,
}

impl Timekeeper {
    /// Starts at `now`.
    pub fn new(now: Moment) -> Self {
        Self {
            offset_s: now.now_s - seconds(now.monotonic),
            skew: None,
        }
    }

    /// The engine's time at `now`, and by how much the clock was set since the last call.
    pub fn tick(&mut self, now: Moment) -> (UnixSeconds, Option<i64>) {
        let difference_s = now.now_s - self.at(now);
        if difference_s.abs() >= JUMP_S {
            self.offset_s += difference_s;
            self.skew = Some(Skew {
                delta_s: difference_s,
                at: now.monotonic,
            });
            return (self.at(now), Some(difference_s));
        }
        if difference_s.abs() == JUMP_S - 1 {
            self.offset_s += difference_s.signum();
        }
        (self.at(now), None)
    }

    /// Notes that the clock went back while the agent was not running.
    pub fn went_back(&mut self, delta_s: i64, now: Moment) {
        self.skew = Some(Skew {
            delta_s,
            at: now.monotonic,
        });
    }

    /// The engine's time at `now`, without looking at the wall clock.
    pub fn at(&self, now: Moment) -> UnixSeconds {
        self.offset_s + seconds(now.monotonic)
    }

    /// The last time that the clock was set.
    pub fn skew(&self) -> Option<Skew> {
        self.skew
    }
}

fn seconds(monotonic: Duration) -> i64 {
    monotonic.as_secs() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use arki_model::clock::ManualClock;

    #[test]
    fn time_goes_on_evenly_whatever_the_wall_clock_does() {
        let clock = ManualClock::at(1_700_000_000);
        let mut time = Timekeeper::new(Moment::now(&clock));
        clock.advance(30);
        assert_eq!(time.tick(Moment::now(&clock)), (1_700_000_030, None));
        clock.advance(30);
        clock.jump_to(1_700_000_061); // rounding
        assert_eq!(time.tick(Moment::now(&clock)), (1_700_000_060, None));
        for delta_s in [-315_360_000, -3_600, 3_600, 315_360_000] {
            clock.advance(30);
            let before = Moment::now(&clock).now_s;
            clock.jump_to(before + delta_s);
            let (at, jump) = time.tick(Moment::now(&clock));
            assert!((jump.unwrap() - delta_s).abs() <= 1, "{jump:?}");
            assert_eq!(at, before + delta_s);
        }
        assert_eq!(time.skew().unwrap().delta_s, 315_360_000);
    }

    #[test]
    fn a_slewing_clock_is_followed_without_a_jump() {
        let clock = ManualClock::at(1_700_000_000);
        let mut time = Timekeeper::new(Moment::now(&clock));
        for i in 0..1_000 {
            clock.advance(30);
            if i % 60 == 0 {
                clock.jump_to(clock_now(&clock) - 1);
            }
            let (at, jump) = time.tick(Moment::now(&clock));
            assert_eq!(jump, None);
            assert!((at - clock_now(&clock)).abs() <= 1);
        }
    }

    fn clock_now(clock: &ManualClock) -> i64 {
        Moment::now(clock).now_s
    }
}
