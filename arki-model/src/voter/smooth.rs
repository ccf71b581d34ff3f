//! Exponential means that weigh by elapsed time, so that gaps and every interval are one case.

use serde::{Deserialize, Serialize};

/// An exponential mean. While it has seen less than its time constant it is the plain mean of what it saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean; 0 before the first value.
    pub value: f32,
    /// Steps seen so far, up to the largest time constant it was pushed with.
    seen: f32,
}

impl Mean {
    /// Takes in `value`, `elapsed` steps after the one before, with a time constant of `tau` steps.
    pub fn push(&mut self, value: f32, tau: f32, elapsed: f32) {
        self.seen = (self.seen + elapsed).min(tau.max(1.0));
        let weight = (elapsed / self.seen).min(1.0);
        self.value += weight * (value - self.value);
    }

    /// False before the first value.
    pub fn is_known(&self) -> bool {
        self.seen > 0.0
    }
}

/// How many times its usual size a deviation may count when the usual size is learned: an incident must
/// not make the next one look small.
const CLIP: f32 = 10.0;
/// Steps before deviations are clipped.
const CLIP_AFTER: f32 = 60.0;

/// The usual size of a deviation: a clipped exponential mean of its absolute value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Scale(Mean);

impl Scale {
    /// How many times its usual size `deviation` is (0 or more), and learns it. `floor` is the size below
    /// which a deviation is rounding.
    pub fn rate(&mut self, deviation: f32, floor: f32, tau: f32, elapsed: f32) -> f32 {
        let usual = self.0.value.max(floor);
        let size = deviation.abs();
        let learned = if self.0.seen >= CLIP_AFTER.min(tau) {
            size.min(CLIP * usual)
        } else {
            size
        };
        self.0.push(learned, tau, elapsed);
        size / usual
    }
}

/// The size below which a change of a series at `level` is rounding: a ten-thousandth of the level.
pub fn floor_of(level: f32) -> f32 {
    (1e-4 * level.abs()).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_plain_first_and_exponential_later() {
        let mut mean = Mean::default();
        assert!(!mean.is_known());
        for value in [1.0, 2.0, 3.0] {
            mean.push(value, 100.0, 1.0);
        }
        assert!((mean.value - 2.0).abs() < 1e-6);
        // a gap as long as the time constant: only the newest counts
        mean.push(9.0, 10.0, 50.0);
        assert_eq!(mean.value, 9.0);
    }

    #[test]
    fn one_outlier_does_not_become_usual() {
        let mut scale = Scale::default();
        for _ in 0..1_000 {
            scale.rate(1.0, 1e-6, 500.0, 1.0);
        }
        assert!(scale.rate(1_000.0, 1e-6, 500.0, 1.0) > 900.0);
        assert!(scale.rate(1.0, 1e-6, 500.0, 1.0) > 0.9);
    }
}
