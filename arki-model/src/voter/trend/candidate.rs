//! One hypothesis about how a series got where it is: a shape of growth that set in at some onset.
//!
//! Time is counted in steps of the sight; `reach` is the number of steps from the onset to the newest point,
//! and a curved shape is scaled so that `x` = (steps since the onset) / `reach` is 1 now.

use super::{Drive, Drives};

/// The families of growth. Linear and per-load growth are what leaks and logs do; the powers and
/// exponentials catch growth that speeds up; the root and the saturating ones growth that slows down; the
/// broken line a rate that changed (to nothing: growth that stopped).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Nothing happened.
    Flat,
    /// One jump, then nothing.
    Step,
    /// Straight growth.
    Line,
    /// Straight growth whose rate changed at a second point.
    Broken {
        /// The point at which it changed.
        second: usize,
    },
    /// `x^power`.
    Power(f64),
    /// `e^(rate x) - 1`.
    Growth(f64),
    /// `1 - e^(-rate x)`.
    Saturating(f64),
    /// Growth per unit of something that goes on on the host.
    Driven(Drive),
}

/// A fitted hypothesis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) shape: Shape,
    /// The point after which it grows.
    pub(super) onset: usize,
    /// Level before the onset.
    pub(super) base: f64,
    /// Rise per unit of the shape.
    pub(super) slope: f64,
    /// Rise per step after the second point of a broken line.
    pub(super) late_slope: f64,
    /// Residual sum of squares.
    pub(super) rss: f64,
    /// Variance of the slope that matters for the future, per unit of residual variance.
    pub(super) slope_var: f64,
    /// Free parameters, the onset not counted.
    pub(super) parameters: f64,
}

impl Candidate {
    /// The fitted value at point `i` of `n`; `drives` are the running sums at the same points.
    pub(super) fn value(&self, i: usize, n: usize, drives: &Drives) -> f64 {
        if i <= self.onset && !matches!(self.shape, Shape::Flat) {
            return self.base;
        }
        let since = (i - self.onset) as f64;
        let x = since / (n - 1 - self.onset) as f64;
        self.base
            + match self.shape {
                Shape::Flat => 0.0,
                Shape::Step => self.slope,
                Shape::Line => self.slope * since,
                Shape::Broken { second } => {
                    let first = since.min((second - self.onset) as f64);
                    self.slope * first + self.late_slope * i.saturating_sub(second) as f64
                }
                Shape::Power(power) => self.slope * x.powf(power),
                Shape::Growth(rate) => self.slope * ((rate * x).exp() - 1.0),
                Shape::Saturating(rate) => self.slope * (1.0 - (-rate * x).exp()),
                Shape::Driven(drive) => {
                    let sums = drives.of(drive);
                    self.slope * (sums[i] - sums[self.onset])
                }
            }
    }

    /// Steps from the newest point until the shape reaches `level`; `None` if it never does.
    /// `ahead` tells how many steps a given sum of a drive will take.
    pub(super) fn steps_to(
        &self,
        level: f64,
        n: usize,
        drives: &Drives,
        ahead: &dyn Fn(Drive, f64) -> f64,
    ) -> Option<f64> {
        let reach = (n - 1 - self.onset) as f64;
        let rise = (level - self.base) / self.slope;
        let late = |rate: f64| {
            (rate > 0.0).then(|| ((level - self.value(n - 1, n, drives)) / rate).max(0.0))
        };
        let steps = match self.shape {
            Shape::Line => late(self.slope)?,
            Shape::Broken { .. } => late(self.late_slope)?,
            Shape::Power(power) => reach * (rise.powf(1.0 / power) - 1.0),
            Shape::Growth(rate) => reach * (rise.ln_1p() / rate - 1.0),
            Shape::Saturating(rate) if rise < 1.0 => reach * (-(-rise).ln_1p() / rate - 1.0),
            Shape::Flat | Shape::Step | Shape::Saturating(_) => return None,
            Shape::Driven(drive) => {
                let sums = drives.of(drive);
                ahead(drive, (rise - (sums[n - 1] - sums[self.onset])).max(0.0))
            }
        };
        (self.slope > 0.0 || matches!(self.shape, Shape::Broken { .. }))
            .then_some(steps.max(0.0))
            .filter(|steps| steps.is_finite())
    }

    /// The point at which the growth that is going on set in.
    pub(super) fn start(&self) -> usize {
        match self.shape {
            Shape::Broken { second } if self.slope < 0.2 * self.late_slope => second,
            _ => self.onset,
        }
    }
}
