//! The trend voter's forecast: when will this series cross its bound?
//!
//! Many hypotheses about the growth (shape and onset) are fitted to one [`Sight`] and weighed by how well they
//! explain it; each gives a log-normal crossing time, and the mixture's quantiles are the answer. Nothing
//! is picked: where hypotheses disagree, the interval is wide.
//!
//! The likelihood is tempered: residuals of a host's series are correlated in time, so `n` points count as
//! `n (1 - rho) / (1 + rho)` (Bartlett's effective sample size for a first-order process).

mod candidate;
mod curve;
mod fit;
mod mixture;

use candidate::{Candidate, Shape};
use mixture::Part;

/// What the voter looks at: evenly spaced values up to now, turned so that the bound lies above.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Seconds between points.
    pub step_s: f64,
    /// Seconds from the newest point to now.
    pub lag_s: f64,
    /// The values, oldest first; NaN is a gap.
    pub values: Vec<f64>,
    /// What the growth may go with.
    pub drives: Drives,
}

/// What growth may go with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// The load of the host, relative to its mean.
    Load,
    /// The hour of the day: how fast the series rises at this hour on other days, relative to its mean.
    Day,
}

/// All of them.
pub const DRIVES: [Drive; 2] = [Drive::Load, Drive::Day];

/// The running sums of the drives at the points of a sight; empty where a drive is not known.
#[derive(Debug, Clone, Default)]
pub struct Drives([Vec<f64>; DRIVES.len()]);

impl Drives {
    /// The sums of one drive.
    pub fn of(&self, drive: Drive) -> &[f64] {
        &self.0[drive as usize]
    }

    /// Forgets all points.
    pub fn clear(&mut self) {
        self.0.iter_mut().for_each(Vec::clear);
    }

    /// Adds a point during which a drive had this rate.
    pub fn push(&mut self, drive: Drive, rate: f64) {
        let sums = &mut self.0[drive as usize];
        sums.push(sums.last().copied().unwrap_or(0.0) + rate);
    }
}

/// What the hypotheses come to for one sight.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The share of the hypotheses that cross at all.
    pub crossing: f64,
    /// p10, p50 and p90 of the time left in seconds, of those that cross.
    pub left_s: [f64; 3],
    /// For how long the growth has been going on, in seconds.
    pub age_s: f64,
    /// How far it has climbed since, in the units of the series.
    pub rise: f64,
    /// Standard deviation of what is not explained.
    pub noise: f64,
    /// The share of the variance that the best hypothesis explains.
    pub explained: f64,
    /// What the best hypothesis is called.
    pub shape: &'static str,
}

/// Hypotheses this many nats behind the best are left out: together they weigh less than the interval's ends.
const NATS_BEHIND_MAX: f64 = 6.0;
/// The interval is made of this many hypotheses at most, the best ones: it is no longer moved by the rest.
const PARTS_MAX: usize = 40;
/// A crossing further away than this many times the growth's age is none: nothing stays the same that long.
const REACH_MAX: f64 = 30.0;
/// Rates drift: by some 7 % over the time seen, and as much again for each such time ahead.
const DRIFT: f64 = 0.075;

/// Weighs all hypotheses for `sight` against `bound`; `ahead` tells in how many steps a given sum of
/// a drive will have come together. `None` where there are too few points.
pub fn forecast(
    sight: &Sight,
    bound: f64,
    ahead: &dyn Fn(Drive, f64) -> f64,
    scratch: &mut Scratch,
) -> Option<Forecast> {
    let n = sight.values.len();
    let Scratch {
        candidates,
        weighed,
    } = scratch;
    fit::candidates(&sight.values, &sight.drives, candidates);
    let points = sight.values.iter().filter(|v| v.is_finite()).count() as f64;
    let flat_rss = candidates.first()?.rss;
    // No series is smoother than a thousandth of its own movement: rounding, if nothing else.
    let floor = 1e-6 * flat_rss + 1e-12;
    weighed.clear();
    weighed.extend(candidates.iter().map(|c| Weighed {
        log_rss: (c.rss + floor).ln(),
        log_prior: prior(c),
        parameters: c.parameters,
    }));
    let best = best_of(weighed, points / 3.0)?;
    let best = candidates[best.0];
    let residuals = Residuals::of(&best, sight);
    let effective = (points * (1.0 - residuals.rho) / (1.0 + residuals.rho)).max(4.0);
    let (_, best_score) = best_of(weighed, effective)?;
    let log_effective = effective.ln();
    let mut total = 0.0;
    let mut parts = Vec::with_capacity(32);
    let (mut age, mut rise, mut climbing, mut crossing) = (0.0, 0.0, 0.0, 0.0);
    for (candidate, weighed) in candidates.iter().zip(weighed.iter()) {
        let behind = weighed.score(effective, log_effective) - best_score;
        if behind < -NATS_BEHIND_MAX {
            continue;
        }
        let weight = behind.exp();
        total += weight;
        let seen = Seen {
            sight,
            points,
            effective,
            upper: residuals.upper,
            bound,
        };
        if candidate.shape != Shape::Flat {
            let start = candidate.start();
            let value = |i| candidate.value(i, n, &sight.drives);
            climbing += weight;
            age += weight * (n - 1 - start) as f64 * sight.step_s;
            rise += weight * (value(n - 1) - value(start));
        }
        let Some((log_s, sd)) = seen.crossing(candidate, ahead) else {
            continue;
        };
        crossing += weight;
        parts.push(Part { weight, log_s, sd });
    }
    if parts.len() > PARTS_MAX {
        parts.select_nth_unstable_by(PARTS_MAX, |a, b| b.weight.total_cmp(&a.weight));
        parts.truncate(PARTS_MAX);
    }
    let quantile = |share| mixture::quantile(&parts, share).map(|s| (s - sight.lag_s).max(0.0));
    let left_s = [quantile(0.1), quantile(0.5), quantile(0.9)].map(|s| s.unwrap_or(f64::INFINITY));
    Some(Forecast {
        crossing: crossing / total,
        left_s,
        age_s: age / climbing.max(1e-9) + sight.lag_s,
        rise: rise / climbing.max(1e-9),
        noise: (best.rss / points).sqrt(),
        explained: 1.0 - best.rss / flat_rss.max(1e-12),
        shape: name(best.shape),
    })
}

/// Memory that is used again by the next forecast.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    candidates: Vec<Candidate>,
    weighed: Vec<Weighed>,
}

/// What a hypothesis' score is made of: the logarithms are taken once, not once a comparison.
#[derive(Debug, Clone, Copy)]
struct Weighed {
    log_rss: f64,
    log_prior: f64,
    parameters: f64,
}

impl Weighed {
    /// Logarithm of the posterior weight if the points tell as much as `points` independent ones (Schwarz, 1978).
    fn score(&self, points: f64, log_points: f64) -> f64 {
        -0.5 * points * self.log_rss - 0.5 * self.parameters * log_points + self.log_prior
    }
}

/// The best hypothesis' place and score.
fn best_of(weighed: &[Weighed], points: f64) -> Option<(usize, f64)> {
    let log_points = points.ln();
    let scores = weighed.iter().map(|w| w.score(points, log_points));
    scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Before anything is seen: the families by how common they are, spread over the members of each.
fn prior(candidate: &Candidate) -> f64 {
    // 20 onsets a family; 190 pairs for the broken line.
    match candidate.shape {
        Shape::Flat => 1.0_f64,
        Shape::Step => 0.5 / 20.0,
        Shape::Line => 1.0 / 20.0,
        Shape::Broken { .. } => 1.0 / 190.0,
        Shape::Power(_) | Shape::Driven(Drive::Day) => 0.4 / 20.0,
        Shape::Growth(_) => 0.1 / 20.0,
        Shape::Saturating(_) => 0.075 / 20.0,
        Shape::Driven(Drive::Load) => 0.6 / 20.0,
    }
    .ln()
}

fn name(shape: Shape) -> &'static str {
    match shape {
        Shape::Flat => "flat",
        Shape::Step => "one step",
        Shape::Line => "steady",
        Shape::Broken { .. } => "steady since its rate changed",
        Shape::Power(power) if power > 1.0 => "speeding up",
        Shape::Growth(_) => "speeding up",
        Shape::Power(_) | Shape::Saturating(_) => "slowing down",
        Shape::Driven(Drive::Load) => "in step with the load",
        Shape::Driven(Drive::Day) => "at its hours of the day",
    }
}

/// What the best hypothesis leaves unexplained.
struct Residuals {
    /// Correlation of neighbours.
    rho: f64,
    /// Teeth reach the bound before their mean does: the residual that one point in twenty exceeds.
    upper: f64,
}

impl Residuals {
    fn of(best: &Candidate, sight: &Sight) -> Self {
        let n = sight.values.len();
        let residual = |i: usize| sight.values[i] - best.value(i, n, &sight.drives);
        let (mut square, mut product, mut pairs, mut count) = (0.0, 0.0, 0.0, 0.0);
        let mut last = f64::NAN;
        let mut late = Vec::with_capacity(n);
        for i in 0..n {
            let r = residual(i);
            if r.is_finite() {
                square += r * r;
                count += 1.0;
                if last.is_finite() {
                    product += r * last;
                    pairs += 1.0;
                }
                if i >= best.start() {
                    late.push(r);
                }
            }
            last = r;
        }
        let rho = (product / f64::max(pairs, 1.0)) / (square / f64::max(count, 1.0)).max(1e-18);
        late.sort_unstable_by(f64::total_cmp);
        let upper = late.get(late.len() * 19 / 20).copied().unwrap_or(0.0);
        Self {
            rho: rho.clamp(0.0, 0.95),
            upper: upper.max(0.0),
        }
    }
}

struct Seen<'a> {
    sight: &'a Sight,
    points: f64,
    effective: f64,
    upper: f64,
    bound: f64,
}

impl Seen<'_> {
    /// Logarithm of the median time to the bound and its standard deviation; `None` if it never gets there.
    fn crossing(
        &self,
        candidate: &Candidate,
        ahead: &dyn Fn(Drive, f64) -> f64,
    ) -> Option<(f64, f64)> {
        let sight = self.sight;
        let n = sight.values.len();
        let value = |i| candidate.value(i, n, &sight.drives);
        let recent = (n - 3..n)
            .map(|i| sight.values[i] - value(i))
            .filter(|r| r.is_finite());
        let (sum, count) = recent.fold((0.0, 0.0), |(s, c), r| (s + r, c + 1.0));
        let above = sum / f64::max(count, 1.0);
        let level = self.bound - self.upper.max(above);
        let now = value(n - 1);
        let steps = candidate.steps_to(level, n, &sight.drives, ahead)?;
        let age = (n - 1 - candidate.start()) as f64;
        if steps > REACH_MAX * age {
            return None;
        }
        let variance = candidate.rss / self.points;
        let rate = if matches!(candidate.shape, Shape::Broken { .. }) {
            candidate.late_slope
        } else {
            candidate.slope
        };
        let of_rate = variance * candidate.slope_var * self.points / self.effective / (rate * rate);
        let of_level = variance / (level - now).max(variance.sqrt()).powi(2);
        let drift = DRIFT * (1.0 + steps / age.max(1.0));
        let sd = (of_rate + of_level.min(1.0) + drift * drift)
            .sqrt()
            .min(1.5);
        let left_s = (steps * sight.step_s).max(sight.step_s / 4.0);
        Some((left_s.ln(), sd))
    }
}
