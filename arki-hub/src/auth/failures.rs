//! Wrong credentials, counted for each address: who guesses has to wait.
//!
//! This is the one count that each hub keeps for itself: another hub does not need it, and writing it to the
//! database would let a guesser write there.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Addresses remembered at one time; past it the whole table starts anew, which forgives a few.
const ADDRESSES_MAX: usize = 10_000;
const WINDOW: Duration = Duration::from_secs(60);

/// The failures of the last minute.
#[derive(Debug)]
pub struct Failures {
    per_minute: u32,
    seen: Mutex<HashMap<IpAddr, (Duration, u32)>>,
}

impl Failures {
    /// Allows `per_minute` failures to each address.
    pub fn new(per_minute: u32) -> Self {
        let seen = Mutex::default();
        Self { per_minute, seen }
    }

    /// How long `address` has to wait at `now` (monotonic); `None` if it may try.
    pub fn wait(&self, address: IpAddr, now: Duration) -> Option<Duration> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = seen.get(&block(address))?;
        let left = WINDOW.checked_sub(now.saturating_sub(*since))?;
        (*count >= self.per_minute && !left.is_zero()).then_some(left)
    }

    /// Counts a failure.
    pub fn note(&self, address: IpAddr, now: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ADDRESSES_MAX {
            seen.clear();
        }
        let entry = seen.entry(block(address)).or_insert((now, 0));
        if now.saturating_sub(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

/// IPv6 hands out whole /64 networks: whoever has one counts as one.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_has_to_wait_and_nobody_else() {
        let failures = Failures::new(3);
        let (guesser, other): (IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        let at = Duration::from_secs;
        for second in 0..3 {
            assert_eq!(failures.wait(guesser, at(second)), None);
            failures.note(guesser, at(second));
        }
        assert_eq!(failures.wait(guesser, at(10)), Some(at(50)));
        let neighbour = "2001:db8::ffff".parse().unwrap();
        assert!(failures.wait(neighbour, at(10)).is_some(), "the same /64");
        assert_eq!(failures.wait(other, at(10)), None);
        assert_eq!(failures.wait(guesser, at(60)), None);
    }

    #[test]
    fn the_table_is_bounded() {
        let failures = Failures::new(1);
        for n in 0..100_000_u32 {
            failures.note(IpAddr::V4(n.into()), Duration::ZERO);
        }
        assert!(failures.seen.lock().unwrap().len() <= ADDRESSES_MAX);
    }
}
