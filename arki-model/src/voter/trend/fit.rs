//! Fits every hypothesis to one sight by least squares.
//!
//! All families are linear in their parameters once the onset is given, so each fit is a handful of sums;
//! lines and broken lines take theirs from suffix sums in constant time, curved shapes share one walk over
//! the points per onset (powers by square roots, exponentials by recurrence: no `powf` inside the loop).

use super::candidate::{Candidate, Shape};

/// Onsets are tried at this many places of a sight: finer ones differ by less than the noise.
const ONSETS: usize = 20;
/// A shape needs this many points after its onset.
pub(super) const POINTS_AFTER: usize = 4;

const POWERS: [f64; 4] = [0.5, 1.5, 2.0, 3.0];
/// An e-folding of two and of four times over the time seen.
const GROWTHS: [f64; 2] = [2.0, 4.0];
/// From barely bent to flat for the last two thirds.
const SATURATIONS: [f64; 3] = [0.8, 2.0, 5.0];
const CURVED: usize = POWERS.len() + GROWTHS.len() + SATURATIONS.len() + 2;

/// Sums over the points from an index to the newest.
#[derive(Debug, Clone, Copy, Default)]
struct Tail {
    n: f64,
    i: f64,
    ii: f64,
    y: f64,
    iy: f64,
}

/// The sums of one sight.
#[derive(Debug)]
struct Sums<'a> {
    values: &'a [f64],
    tails: Vec<Tail>,
    /// Sum of squares about the mean.
    yy: f64,
}

/// Fits all hypotheses to `values` (NaN: gap); `load` is the running sum of the load, or empty.
pub(super) fn candidates(values: &[f64], load: &[f64], out: &mut Vec<Candidate>) {
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
        sums.curved(onset, load, out);
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
        Self { values, tails, yy }
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

    fn curved(&self, onset: usize, load: &[f64], out: &mut Vec<Candidate>) {
        let n = self.values.len();
        let reach = (n - 1 - onset) as f64;
        let factors = [
            (GROWTHS[0] / reach).exp(),
            (GROWTHS[1] / reach).exp(),
            (-SATURATIONS[0] / reach).exp(),
            (-SATURATIONS[1] / reach).exp(),
            (-SATURATIONS[2] / reach).exp(),
        ];
        let mut powers = [1.0; 5];
        let mut sums = [[0.0; 3]; CURVED];
        for i in onset + 1..n {
            for (power, factor) in powers.iter_mut().zip(factors) {
                *power *= factor;
            }
            let y = self.values[i];
            if !y.is_finite() {
                continue;
            }
            let x = (i - onset) as f64 / reach;
            let root = x.sqrt();
            let [slow, fast, bent, more, most] = powers;
            let loaded = load.get(i).map_or(0.0, |sum| sum - load[onset]);
            let shapes = [
                root,
                x * root,
                x * x,
                x * x * x,
                slow - 1.0,
                fast - 1.0,
                1.0 - bent,
                1.0 - more,
                1.0 - most,
                1.0,
                loaded,
            ];
            for (sum, p) in sums.iter_mut().zip(shapes) {
                sum[0] += p;
                sum[1] += p * p;
                sum[2] += p * y;
            }
        }
        let shapes = [
            Shape::Power(POWERS[0]),
            Shape::Power(POWERS[1]),
            Shape::Power(POWERS[2]),
            Shape::Power(POWERS[3]),
            Shape::Growth(GROWTHS[0]),
            Shape::Growth(GROWTHS[1]),
            Shape::Saturating(SATURATIONS[0]),
            Shape::Saturating(SATURATIONS[1]),
            Shape::Saturating(SATURATIONS[2]),
            Shape::Step,
            Shape::Load,
        ];
        for (shape, sums) in shapes.into_iter().zip(sums) {
            if shape != Shape::Load || !load.is_empty() {
                out.extend(self.simple(shape, onset, sums));
            }
        }
    }
}
