//! The sums of the curved shapes: for each onset that of the shape, of its square, and of its product with the values.
//!
//! A power of the steps since the onset is the same for every onset but for its scale: one table a sight. An exponential is
//! a geometric series, of which the first two sums have closed forms and the third is Horner's scheme. So a point costs an onset
//! a multiplication and an addition a shape, and neither a root nor a power.

use super::candidate::Shape;
use super::fit::Tail;

const POWERS: [f64; 5] = [0.5, 0.75, 1.5, 2.0, 3.0];
/// An e-folding of two and of four times over the time seen; and, as negative rates, from barely bent to flat for the last
/// two thirds. Close together, since where such growth ends depends on how far it is bent: a plateau of 5 %, 16 %,
/// 45 % and 90 % more than what was seen differs by one step here.
const RATES: [f64; 10] = [2.0, 4.0, -0.5, -0.9, -1.3, -1.7, -2.2, -2.9, -4.0, -6.0];

type Powers = [f64; POWERS.len()];

/// What the sums of one sight are made of.
#[derive(Debug)]
pub(super) struct Curves {
    /// The values; a gap is 0.
    values: Vec<f64>,
    /// Where the gaps are.
    gaps: Vec<usize>,
    /// The powers of 0, 1, 2, …
    powers: Vec<Powers>,
    /// The sums of the powers up to each, and of their squares.
    sums: Vec<[Powers; 2]>,
}

impl Curves {
    /// Of `values` (NaN: gap).
    pub(super) fn new(values: &[f64]) -> Self {
        let filled = |y: &f64| if y.is_finite() { *y } else { 0.0 };
        let gap = |(i, y): (usize, &f64)| (!y.is_finite()).then_some(i);
        let powers: Vec<Powers> = (0..values.len()).map(|k| powers(k as f64)).collect();
        let mut sum = [[0.0; POWERS.len()]; 2];
        let sums = powers.iter().map(|powers| {
            for (place, power) in powers.iter().enumerate() {
                sum[0][place] += power;
                sum[1][place] += power * power;
            }
            sum
        });
        Self {
            values: values.iter().map(filled).collect(),
            gaps: values.iter().enumerate().filter_map(gap).collect(),
            sums: sums.collect(),
            powers,
        }
    }

    /// Every shape that sets in at `onset` with its three sums; `after` are the sums of the points after it.
    pub(super) fn sums(
        &self,
        onset: usize,
        after: &Tail,
    ) -> impl Iterator<Item = (Shape, [f64; 3])> + use<> {
        let reach = self.values.len() - 1 - onset;
        let reach_steps = reach as f64;
        let factors = RATES.map(|rate| (rate / reach_steps).exp());
        let mut by_power = [0.0; POWERS.len()];
        let mut by_rate = [0.0; RATES.len()];
        let since = self.values[onset + 1..].iter().zip(&self.powers[1..]);
        for (y, powers) in since.rev() {
            for (product, power) in by_power.iter_mut().zip(powers) {
                *product += power * y;
            }
            for (product, factor) in by_rate.iter_mut().zip(factors) {
                *product = (*product + y) * factor;
            }
        }
        let [mut sums, mut squares] = self.sums[reach];
        let mut geometric = RATES.map(|rate| geometric(rate, reach_steps));
        for gap in self.gaps.iter().filter(|gap| **gap > onset) {
            let since = gap - onset;
            for (place, power) in self.powers[since].iter().enumerate() {
                sums[place] -= power;
                squares[place] -= power * power;
            }
            for (sums, rate) in geometric.iter_mut().zip(RATES) {
                let value = (rate * since as f64 / reach_steps).exp();
                sums[0] -= value;
                sums[1] -= value * value;
            }
        }
        let scales = powers(reach_steps);
        let (count, y) = (after.n, after.y);
        let powers = (0..POWERS.len()).map(move |place| {
            let scale = scales[place];
            let sums = [
                sums[place] / scale,
                squares[place] / (scale * scale),
                by_power[place] / scale,
            ];
            (Shape::Power(POWERS[place]), sums)
        });
        let exponentials = (0..RATES.len()).map(move |place| {
            let (rate, [sum, square]) = (RATES[place], geometric[place]);
            // e^(rate x) - 1, and 1 - e^(-rate x) where it saturates
            let sign = rate.signum();
            let sums = [
                sign * (sum - count),
                square - 2.0 * sum + count,
                sign * (by_rate[place] - y),
            ];
            let shape = if rate > 0.0 {
                Shape::Growth(rate)
            } else {
                Shape::Saturating(-rate)
            };
            (shape, sums)
        });
        powers.chain(exponentials)
    }
}

/// `k` to each of [`POWERS`].
fn powers(k: f64) -> Powers {
    let root = k.sqrt();
    [root, root * root.sqrt(), k * root, k * k, k * k * k]
}

/// The sum of `e^(rate k / reach)` for k from 1 to `reach`, and of its square.
fn geometric(rate: f64, reach: f64) -> [f64; 2] {
    [rate, 2.0 * rate].map(|rate| {
        let step = rate / reach;
        step.exp() * rate.exp_m1() / step.exp_m1()
    })
}
