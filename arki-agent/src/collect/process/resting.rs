//! Who needs no look in every pass.
//!
//! Threads of the kernel are half of the processes of a small host and most of those of a host with many cores. They
//! hold no memory and no descriptors: what a pass wants of them is whether they are blocked. Of the programs most sleep
//! for hours, and one that used no time since it was last read has not grown either. So who does nothing is read in
//! every [`EVERY_MAX`]th pass at most, in turns; who works, is blocked or ended, in each.
//!
//! Invariant: at most [`RESTING_MAX`] numbers, sorted; who is not among them is read.

use std::time::Duration;

/// Who stays blocked is counted, and who begins to grow is followed, after this long at the latest: what is shorter is no
/// prediction (the design's spike).
const LOOKED_AT_S: f64 = 120.0;
/// A pass begins some milliseconds late, and four of them are two minutes all the same.
const LATE: f64 = 1.01;
/// So at 30 s a pass, and at shorter ones: to know who grew matters most where somebody looks every second.
const EVERY_MAX: u32 = 4;

/// 16 KB: the threads of a host with some 200 cores.
const RESTING_MAX: usize = 4096;

/// Which processes rest.
#[derive(Debug, Default)]
pub(super) struct Resting {
    /// Those that did nothing when they were last read.
    pids: Vec<u32>,
    /// The same for the next pass.
    next: Vec<u32>,
    turn: u32,
    /// In how many passes everybody is read.
    every: u32,
    /// The time between two passes that this is right for.
    interval_s: f64,
    /// When the last pass began.
    began: Option<Duration>,
}

impl Resting {
    /// Begins a pass at `at` of the clock that never goes back.
    pub(super) fn begin(&mut self, at: Duration) {
        std::mem::swap(&mut self.pids, &mut self.next);
        self.next.clear();
        // The kernel lists processes by number; a fixture does not.
        self.pids.sort_unstable();
        let passed_s = self
            .began
            .map_or(0.0, |began| at.saturating_sub(began).as_secs_f64());
        // A little more or less changes no turns: whose turn it was would be passed over again and again.
        if self.every == 0 || (passed_s - self.interval_s).abs() > 0.1 * self.interval_s {
            let fits = LATE * LOOKED_AT_S / passed_s.max(1.0);
            self.every = fits.clamp(1.0, EVERY_MAX.into()) as u32;
            self.interval_s = passed_s;
        }
        self.began = Some(at);
        self.turn = (self.turn + 1) % self.every;
    }

    /// True if `pid` need not be read in this pass.
    pub(super) fn passes_over(&mut self, pid: u32) -> bool {
        let rests = pid % self.every != self.turn && self.pids.binary_search(&pid).is_ok();
        if rests {
            self.add(pid);
        }
        rests
    }

    /// Notes that `pid` does nothing.
    pub(super) fn add(&mut self, pid: u32) {
        if self.next.len() < RESTING_MAX {
            self.next.push(pid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_read_in_every_fourth_pass_and_who_is_not_known_in_each() {
        let mut resting = Resting::default();
        let mut read = [0; 12];
        for pass in 0..41 {
            resting.begin(Duration::from_secs(30 * pass));
            for pid in (0..12).rev() {
                if !resting.passes_over(pid) {
                    read[pid as usize] += 1;
                    if pid != 5 {
                        resting.add(pid);
                    }
                }
            }
        }
        for (pid, times) in read.into_iter().enumerate() {
            assert!(
                times == if pid == 5 { 41 } else { times.clamp(10, 11) },
                "{pid}: {times}"
            );
        }
    }

    #[test]
    fn nobody_rests_for_longer_than_two_minutes_whatever_the_interval() {
        for (interval_s, passes) in [
            (1, 4),
            (30, 4),
            (41, 2),
            (45, 2),
            (60, 2),
            (90, 1),
            (3_600, 1),
        ] {
            let mut resting = Resting::default();
            let mut read = 0;
            for pass in 0..100 {
                // a clock that is read a little sooner, a little later
                let jitter = Duration::from_millis(if pass % 2 == 0 { 0 } else { 7 });
                resting.begin(Duration::from_secs(interval_s * pass) + jitter);
                if !resting.passes_over(7) {
                    read += 1;
                    resting.add(7);
                }
            }
            let least = 100 / passes;
            assert!((least..=least + 2).contains(&read), "{interval_s}: {read}");
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut resting = Resting::default();
        for _ in 0..2 {
            resting.begin(Duration::ZERO);
            (0..100_000).for_each(|pid| resting.add(pid));
        }
        resting.begin(Duration::ZERO);
        assert_eq!(resting.pids.len(), RESTING_MAX);
    }
}
