//! Fits every hypothesis to one sight by least squares.
//!
//! All families are linear in their parameters once the onset is given, so each fit is a handful of sums;
//! lines and broken lines take theirs from suffix sums in constant time, curved shapes share one walk over
//! the points per onset ([`super::curve`]).

use super::candidate::{Candidate, Shape};
use super::curve::Curves;
use super::{DRIVES, Drives};

/// Onsets are tried at this many places of a sight: finer ones differ by less than the noise.
const ONSETS: usize = 20;
/// A shape needs this many points after its onset.
pub(super) const POINTS_AFTER: usize = 4;

/// Sums over the points from an index to the newest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tail {
    pub(super) n: f64,
    i: f64,
    ii: f64,
    pub(super) y: f64,
    iy: f64,
}

/// The sums of one sight.
#[derive(Debug)]
struct Sums<'a> {
    values: &'a [f64],
    tails: Vec<Tail>,
    curves: Curves,
    /// Sum of squares about the mean.
    yy: f64,
}

/// Fits all hypotheses to `values` (NaN: gap).
pub(super) fn candidates(values: &[f64], drives: &Drives, out: &mut Vec<Candidate>) {
    out.clear();
    let sums = Sums::new(values);
    let all = sums.tails[0];
    if all.n < POINTS_AFTER as f64 + 2.0 {
        return;
    }
    out.push(Candidate {
        shape: Shape::Flat,
        onset: 0,
        base: all.y / all.n,
        slope: 0.0,
        late_slope: 0.0,
        rss: sums.yy,
        slope_var: 0.0,
        parameters: 1.0,
    });
    let stride = (values.len() / ONSETS).max(1);
    let last = values.len() - 1 - POINTS_AFTER;
    for onset in (0..=last).step_by(stride) {
        out.extend(sums.line(onset));
        sums.curved(onset, drives, out);
        for second in ((onset + stride)..=last).step_by(stride) {
            out.extend(sums.broken(onset, second));
        }
    }
}

impl<'a> Sums<'a> {
    fn new(values: &'a [f64]) -> Self {
        let mut tails = vec![Tail::default(); values.len() + 1];
        for (i, &y) in values.iter().enumerate().rev() {
            let mut tail = tails[i + 1];
            if y.is_finite() {
                let at = i as f64;
                tail.n += 1.0;
                tail.i += at;
                tail.ii += at * at;
                tail.y += y;
                tail.iy += at * y;
            }
            tails[i] = tail;
        }
        let mean = tails[0].y / tails[0].n.max(1.0);
        let yy = values
            .iter()
            .filter(|y| y.is_finite())
            .map(|y| (y - mean) * (y - mean))
            .sum();
        Self {
            values,
            tails,
            curves: Curves::new(values),
            yy,
        }
    }

    /// Sums of the hinge `max(0, i - at)`: itself, and its product with the values.
    fn hinge(&self, at: usize) -> (f64, f64) {
        let tail = self.tails[at];
        let from = at as f64;
        (tail.i - from * tail.n, tail.iy - from * tail.y)
    }

    /// Sum of the product of two hinges, `second >= first`.
    fn hinges(&self, first: usize, second: usize) -> f64 {
        let tail = self.tails[second];
        let (first, second) = (first as f64, second as f64);
        tail.ii - (first + second) * tail.i + first * second * tail.n
    }

    /// The fit of `base + slope * shape` from the sums of the shape.
    fn simple(&self, shape: Shape, onset: usize, sums: [f64; 3]) -> Option<Candidate> {
        let all = self.tails[0];
        let [p, pp, py] = sums;
        let pp_about = pp - p * p / all.n;
        let py_about = py - p * all.y / all.n;
        if pp_about <= 1e-12 * pp.max(1e-30) {
            return None;
        }
        let slope = py_about / pp_about;
        Some(Candidate {
            shape,
            onset,
            base: (all.y - slope * p) / all.n,
            slope,
            late_slope: slope,
            rss: (self.yy - slope * py_about).max(0.0),
            slope_var: 1.0 / pp_about,
            parameters: 2.0,
        })
    }

    fn line(&self, onset: usize) -> Option<Candidate> {
        let (p, py) = self.hinge(onset);
        self.simple(Shape::Line, onset, [p, self.hinges(onset, onset), py])
    }

    fn broken(&self, onset: usize, second: usize) -> Option<Candidate> {
        let all = self.tails[0];
        let (p, py) = self.hinge(onset);
        let (q, qy) = self.hinge(second);
        let about = |ab: f64, a: f64, b: f64| ab - a * b / all.n;
        let pp = about(self.hinges(onset, onset), p, p);
        let qq = about(self.hinges(second, second), q, q);
        let pq = about(self.hinges(onset, second), p, q);
        let (py, qy) = (about(py, p, all.y), about(qy, q, all.y));
        let det = pp * qq - pq * pq;
        if det <= 1e-9 * pp * qq {
            return None;
        }
        let slope = (qq * py - pq * qy) / det;
        let bend = (pp * qy - pq * py) / det;
        Some(Candidate {
            shape: Shape::Broken { second },
            onset,
            base: (all.y - slope * p - bend * q) / all.n,
            slope,
            late_slope: slope + bend,
            rss: (self.yy - slope * py - bend * qy).max(0.0),
            slope_var: (pp + qq - 2.0 * pq) / det,
            parameters: 3.0,
        })
    }

    /// The curved shapes from one onset.
    fn curved(&self, onset: usize, drives: &Drives, out: &mut Vec<Candidate>) {
        let after = self.tails[onset + 1];
        let step = [after.n, after.n, after.y];
        out.extend(self.simple(Shape::Step, onset, step));
        for (shape, sums) in self.curves.sums(onset, &after) {
            out.extend(self.simple(shape, onset, sums));
        }
        for drive in DRIVES {
            let sums = drives.of(drive);
            if sums.is_empty() {
                continue;
            }
            let (mut p, mut pp, mut py) = (0.0, 0.0, 0.0);
            for (y, sum) in self.values.iter().zip(sums).skip(onset + 1) {
                if y.is_finite() {
                    let shape = sum - sums[onset];
                    p += shape;
                    pp += shape * shape;
                    py += shape * y;
                }
            }
            out.extend(self.simple(Shape::Driven(drive), onset, [p, pp, py]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Drive;
    use super::*;

    fn best(values: &[f64], drives: &Drives) -> Candidate {
        let mut all = Vec::new();
        candidates(values, drives, &mut all);
        let score = |c: &Candidate| c.rss * (1.0 + 0.05 * c.parameters) + 1e-9 * c.parameters;
        *all.iter()
            .min_by(|a, b| score(a).total_cmp(&score(b)))
            .expect("there are points")
    }

    fn series(f: impl Fn(f64) -> f64) -> Vec<f64> {
        (0..60).map(|i| f(f64::from(i))).collect()
    }

    #[test]
    fn a_line_is_found_with_its_onset_and_its_crossing() {
        let values = series(|i| 10.0 + 0.5 * (i - 21.0).max(0.0));
        let line = best(&values, &Drives::default());
        assert_eq!((line.shape, line.onset), (Shape::Line, 21));
        assert!((line.slope - 0.5).abs() < 1e-6 && line.rss < 1e-6);
        let steps = line.steps_to(39.0, 60, &Drives::default(), &|_, _| f64::NAN);
        assert!((steps.unwrap() - 20.0).abs() < 1e-6, "{steps:?}");
    }

    /// The sums behind every hypothesis against those of its fitted curve, point by point.
    #[test]
    fn every_hypothesis_leaves_what_its_sums_say() {
        let mut values = series(|i| 30.0 + 0.4 * i + 3.0 * (i * 1.7).sin());
        let mut drives = Drives::default();
        for i in 0..60 {
            drives.push(Drive::Load, [1.0, 0.2, 1.9][i % 3]);
        }
        for gaps in [&[][..], &[0, 7, 31, 58, 59][..]] {
            for &gap in gaps {
                values[gap] = f64::NAN;
            }
            let mut all = Vec::new();
            candidates(&values, &drives, &mut all);
            let shapes: std::collections::HashSet<String> = all
                .iter()
                .map(|c| {
                    format!("{:?}", c.shape)
                        .split(' ')
                        .next()
                        .unwrap()
                        .to_owned()
                })
                .collect();
            assert!(shapes.len() > 17, "{shapes:?}");
            for candidate in &all {
                let left = |(i, y): (usize, &f64)| y - candidate.value(i, 60, &drives);
                let left = values.iter().enumerate().map(left);
                let left = left.filter(|left| left.is_finite());
                let (sum, rss) = left.fold((0.0, 0.0), |(s, q), r| (s + r, q + r * r));
                assert!(
                    (rss - candidate.rss).abs() < 1e-7 * rss && sum.abs() < 1e-7,
                    "{candidate:?}: {rss}, {sum}"
                );
            }
        }
    }

    #[test]
    fn gaps_do_not_move_a_line() {
        let mut values = series(|i| 10.0 + 0.5 * (i - 21.0).max(0.0));
        for i in (3..60).step_by(4) {
            values[i] = f64::NAN;
        }
        let line = best(&values, &Drives::default());
        assert_eq!((line.shape, line.onset), (Shape::Line, 21));
        let mut none = Vec::new();
        candidates(&[f64::NAN; 60], &Drives::default(), &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn a_rate_that_changed_and_growth_that_levels_off_are_told_apart() {
        let broken = series(|i| (i - 12.0).max(0.0) - 0.7 * (i - 36.0).max(0.0));
        let found = best(&broken, &Drives::default());
        assert_eq!(found.shape, Shape::Broken { second: 36 });
        assert!((found.late_slope - 0.3).abs() < 1e-6);
        // levels off at 50: it never gets to 60
        let cache = series(|i| 50.0 * (1.0 - (-(i - 12.0).max(0.0) / 16.0).exp()));
        let found = best(&cache, &Drives::default());
        assert!(matches!(found.shape, Shape::Saturating(_)), "{found:?}");
        assert_eq!(
            found.steps_to(60.0, 60, &Drives::default(), &|_, _| 0.0),
            None
        );
    }

    #[test]
    fn growth_that_goes_with_something_else_is_seen() {
        let rates = [2.0, 2.0, 1.4, 0.3, 0.0, 0.6, 1.2];
        for drive in DRIVES {
            let mut drives = Drives::default();
            for i in 0..60 {
                drives.push(drive, rates[i / 3 % 7]);
            }
            let values: Vec<f64> = drives.of(drive).iter().map(|sum| 5.0 + 0.3 * sum).collect();
            let found = best(&values, &drives);
            assert_eq!(found.shape, Shape::Driven(drive));
            let asked = std::cell::Cell::new((None, 0.0));
            let steps = found.steps_to(values[59] + 3.0, 60, &drives, &|drive, sum| {
                asked.set((Some(drive), sum));
                7.0
            });
            assert_eq!((steps, asked.get().0), (Some(7.0), Some(drive)));
            assert!((asked.get().1 - 10.0).abs() < 1e-6, "{asked:?}");
        }
    }
}
