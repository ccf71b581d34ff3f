//! A bounded ring of means over equal steps of time; a step without a sample is a gap (NaN).

use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

/// The means of the last `capacity` steps of one series. Steps are aligned to the epoch, so that the
/// rings of all series share their time axis.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ring {
    step_s: i64,
    /// Number of the newest step: `at / step_s`. Meaningless while `len` is 0.
    newest: i64,
    len: usize,
    cells: Box<[f32]>,
    /// What has arrived in the newest step.
    sum: f64,
    count: u32,
}

impl Ring {
    /// An empty ring.
    pub fn new(step_s: i64, capacity: usize) -> Self {
        assert!(step_s > 0 && capacity > 0, "a ring has steps");
        Self {
            step_s,
            newest: 0,
            len: 0,
            cells: vec![f32::NAN; capacity].into(),
            sum: 0.0,
            count: 0,
        }
    }

    /// Seconds a step.
    pub fn step_s(&self) -> i64 {
        self.step_s
    }

    /// How many steps there are, gaps included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True before the first sample.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When the newest step began.
    pub fn newest_at(&self) -> UnixSeconds {
        self.newest * self.step_s
    }

    /// Adds a sample. One that is older than the newest step is left out: time went back.
    pub fn push(&mut self, at: UnixSeconds, value: f64) {
        let step = at.div_euclid(self.step_s);
        if self.len == 0 {
            self.newest = step;
            self.len = 1;
        } else if step > self.newest {
            let skipped = (step - self.newest).min(self.cells.len() as i64);
            for i in 0..skipped {
                let slot = self.slot(step - i);
                self.cells[slot] = f32::NAN;
            }
            self.len = (self.len + skipped as usize).min(self.cells.len());
            self.newest = step;
            self.sum = 0.0;
            self.count = 0;
        } else if step < self.newest {
            return;
        }
        self.sum += value;
        self.count += 1;
        let slot = self.slot(step);
        self.cells[slot] = (self.sum / f64::from(self.count)) as f32;
    }

    /// The mean of the step that is `age` steps before the newest; NaN for a gap or beyond the ring.
    pub fn back(&self, age: usize) -> f32 {
        if age >= self.len {
            f32::NAN
        } else {
            self.cells[self.slot(self.newest - age as i64)]
        }
    }

    /// Every step, newest first; NaN for a gap. What [`Self::back`] tells of one age, for all of them at once.
    pub fn backwards(&self) -> impl Iterator<Item = f32> + '_ {
        let split = if self.is_empty() {
            0
        } else {
            self.slot(self.newest) + 1
        };
        let (newer, older) = self.cells.split_at(split);
        let cells = newer.iter().rev().chain(older.iter().rev());
        cells.copied().take(self.len)
    }

    /// Oldest first: when each step began, and its mean (NaN for a gap).
    pub fn iter(&self) -> impl Iterator<Item = (UnixSeconds, f32)> + '_ {
        (0..self.len)
            .rev()
            .map(|age| ((self.newest - age as i64) * self.step_s, self.back(age)))
    }

    /// Moves the ring by as many steps as `last_at` moves when it becomes `last_at + delta_s`, so that the rings of
    /// all series still share their axis and the next sample follows the last.
    pub(super) fn shift(&mut self, last_at: UnixSeconds, delta_s: i64) {
        let moved = last_at.saturating_add(delta_s).div_euclid(self.step_s)
            - last_at.div_euclid(self.step_s);
        self.newest += moved;
        // A cell's place follows from its step's number.
        let capacity = self.cells.len() as i64;
        self.cells.rotate_right(moved.rem_euclid(capacity) as usize);
    }

    fn slot(&self, step: i64) -> usize {
        step.rem_euclid(self.cells.len() as i64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(ring: &Ring) -> Vec<f32> {
        ring.iter().map(|(_, v)| v).collect()
    }

    #[test]
    fn means_by_step_and_the_oldest_falls_out() {
        let mut ring = Ring::new(60, 3);
        for (at, v) in [(0, 1.0), (30, 3.0), (60, 4.0), (120, 5.0), (180, 6.0)] {
            ring.push(at, v);
        }
        assert_eq!(values(&ring), [4.0, 5.0, 6.0]);
        assert_eq!(ring.backwards().collect::<Vec<_>>(), [6.0, 5.0, 4.0]);
        assert_eq!(ring.newest_at(), 180);
        assert!((ring.back(0) - 6.0).abs() < f32::EPSILON);
        assert!(ring.back(3).is_nan());
    }

    #[test]
    fn a_gap_is_a_gap_and_time_going_back_changes_nothing() {
        let mut ring = Ring::new(10, 4);
        ring.push(0, 1.0);
        ring.push(30, 2.0);
        ring.push(5, 99.0);
        let seen = values(&ring);
        assert_eq!([seen[0], seen[3]], [1.0, 2.0]);
        assert!(seen[1].is_nan() && seen[2].is_nan());
        ring.push(10_000_000_000, 3.0);
        assert!(values(&ring)[..3].iter().all(|v| v.is_nan()));
    }

    #[test]
    fn a_clock_that_is_set_moves_the_ring_and_loses_nothing() {
        for delta_s in [-100_000_000, -61, -7, 0, 7, 65, 3_600, 300_000_000] {
            let mut ring = Ring::new(10, 4);
            for (at, value) in [(0, 1.0), (10, 2.0), (20, 3.0), (38, 4.0)] {
                ring.push(at, value);
            }
            ring.shift(38, delta_s);
            assert_eq!(values(&ring), [1.0, 2.0, 3.0, 4.0], "{delta_s}");
            ring.push(38 + delta_s + 10, 5.0);
            assert_eq!(values(&ring), [2.0, 3.0, 4.0, 5.0], "{delta_s}");
        }
    }

    #[test]
    fn a_ring_survives_being_saved() {
        let mut ring = Ring::new(10, 2);
        ring.push(0, 1.0);
        ring.push(12, 2.0);
        let saved: Ring = rmp_serde::from_slice(&rmp_serde::to_vec(&ring).unwrap()).unwrap();
        assert_eq!(values(&saved), values(&ring));
    }
}
