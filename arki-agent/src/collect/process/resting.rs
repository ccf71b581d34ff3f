//! Who needs no look in every pass.
//!
//! Threads of the kernel are half of the processes of a small host and most of those of a host with many cores. They
//! hold no memory and no descriptors: what a pass wants of them is whether they are blocked. Of the programs most sleep
//! for hours, and one that used no time since it was last read has not grown either. So who does nothing is read in
//! every [`EVERY`]th pass, in turns; who works, is blocked or ended, in each.
//!
//! Invariant: at most [`RESTING_MAX`] numbers, sorted; who is not among them is read.

/// Who stays blocked is counted, and who begins to grow is followed, after two minutes at the latest, at 30 s a pass:
/// what is shorter is no prediction (the design's spike).
const EVERY: u32 = 4;

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
}

impl Resting {
    /// Begins a pass.
    pub(super) fn begin(&mut self) {
        std::mem::swap(&mut self.pids, &mut self.next);
        self.next.clear();
        // The kernel lists processes by number; a fixture does not.
        self.pids.sort_unstable();
        self.turn = (self.turn + 1) % EVERY;
    }

    /// True if `pid` need not be read in this pass.
    pub(super) fn passes_over(&mut self, pid: u32) -> bool {
        let rests = pid % EVERY != self.turn && self.pids.binary_search(&pid).is_ok();
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
        for _ in 0..41 {
            resting.begin();
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
    fn the_memory_is_bounded() {
        let mut resting = Resting::default();
        for _ in 0..2 {
            resting.begin();
            (0..100_000).for_each(|pid| resting.add(pid));
        }
        resting.begin();
        assert_eq!(resting.pids.len(), RESTING_MAX);
    }
}
