//! Time as it is passed in. Only [`SystemClock`] may read the machine's clock.

use std::cell::Cell;
use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z; what every timestamp in Arki is counted in.
pub type UnixSeconds = i64;

/// Where the time comes from: the machine, or a test.
pub trait Clock {
    /// Wall-clock time. May jump in either direction.
    fn now_s(&self) -> UnixSeconds;
    /// Time since some fixed point. Never goes back; does not jump with the wall clock.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    #[expect(
        clippy::new_without_default,
        reason = "reading the clock is no default"
    )]
    pub fn new() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now_s(&self) -> UnixSeconds {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs() as UnixSeconds)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_s: Cell<UnixSeconds>,
    monotonic: Cell<Duration>,
}

impl ManualClock {
    /// A clock that stands at `now_s`.
    pub fn at(now_s: UnixSeconds) -> Self {
        Self {
            now_s: Cell::new(now_s),
            monotonic: Cell::default(),
        }
    }

    /// Lets `seconds` pass on both clocks.
    pub fn advance(&self, seconds: u64) {
        self.now_s.set(self.now_s.get() + seconds as UnixSeconds);
        self.monotonic
            .set(self.monotonic.get() + Duration::from_secs(seconds));
    }

    /// Sets the wall clock alone, as an administrator or NTP would.
    pub fn jump_to(&self, now_s: UnixSeconds) {
        self.now_s.set(now_s);
    }
}

impl Clock for ManualClock {
    fn now_s(&self) -> UnixSeconds {
        self.now_s.get()
    }

    fn monotonic(&self) -> Duration {
        self.monotonic.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_wall_clock_leaves_the_monotonic_clock_alone() {
        let clock = ManualClock::at(1_000);
        clock.advance(30);
        clock.jump_to(0);
        assert_eq!(
            (clock.now_s(), clock.monotonic()),
            (0, Duration::from_secs(30))
        );
    }
}
