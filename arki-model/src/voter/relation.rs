//! Correlation's side of an incident: does this series still follow the series it usually follows?
//!
//! Every few hours a ridge regression (`linfa-elasticnet`) of the series on the four that it correlates with most is
//! fitted over the half-hour means of the last week. In between, its residual is followed (three minutes smooth) in
//! units of its own usual size. A slow drift of the residual is taken out: relations age. A second, slower look
//! (fifteen minutes) found no more incidents and told them later.

use super::smooth::{Mean, Scale, floor_of};
use super::surprise::Surprise;
use crate::clock::UnixSeconds;
use crate::registry::SeriesId;
use crate::window::{Ring, Windows};
use linfa::Dataset;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use ndarray::{Array1, Array2, ShapeBuilder};
use serde::{Deserialize, Serialize};

/// Series that one is explained by. More explain noise: a week has 336 half hours, most of them alike.
pub const PEERS_MAX: usize = 4;
/// Half hours before a relation is believed: a day.
const ROWS_MIN: usize = 48;
/// A correlation that a week of half hours gives by chance is below this (0.2 is 3.6 standard errors).
const CORRELATION_MIN: f32 = 0.2;
/// The ridge penalty per row, on standardised values: enough to share the weight between twins.
const PENALTY: f32 = 0.05;
/// Rounds of coordinate descent; four columns settle in ten to thirty.
const ROUNDS_MAX: u32 = 60;
const FAST_S: f32 = 180.0;
const DRIFT_S: f32 = 86_400.0;
const USUAL_S: f32 = 3.0 * 86_400.0;

/// One series as explained by others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Fitted {
    peers: Vec<(SeriesId, f32)>,
    intercept: f32,
    /// The share of its variance that the peers explain, 0 to 1.
    explained: f32,
}

/// What is known of the relations of one series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    fitted: Option<Fitted>,
    drift: Mean,
    fast: Mean,
    usual: Scale,
    surprise: Surprise,
    /// How many times its usual size the newest residual was, negative if the series is below what its peers say.
    pub times: f32,
}

impl Relation {
    /// True once it follows somebody.
    pub fn is_known(&self) -> bool {
        self.fitted.is_some()
    }

    /// Whom it follows, the most related first.
    pub fn peers(&self) -> impl Iterator<Item = SeriesId> + '_ {
        self.fitted
            .iter()
            .flat_map(|fitted| fitted.peers.iter().map(|&(id, _)| id))
    }

    /// The share of its variance that its peers explain, 0 to 1.
    pub fn explained(&self) -> f32 {
        self.fitted.as_ref().map_or(0.0, |fitted| fitted.explained)
    }

    /// Takes in the short mean of this series and, through `mean_of`, those of its peers; says how rare the
    /// residual is. `None` without a relation or while a peer is silent.
    pub fn rate(
        &mut self,
        at: UnixSeconds,
        mean: f32,
        mean_of: impl Fn(SeriesId) -> Option<f32>,
        step_s: f32,
        elapsed: f32,
    ) -> Option<f32> {
        let fitted = self.fitted.as_ref()?;
        let mut residual = mean - fitted.intercept;
        for &(peer, weight) in &fitted.peers {
            residual -= weight * mean_of(peer)?;
        }
        self.drift.push(residual, DRIFT_S / step_s, elapsed);
        residual -= self.drift.value;
        self.fast.push(residual, FAST_S / step_s, elapsed);
        let floor = floor_of(mean);
        let times = self
            .usual
            .rate(self.fast.value, floor, USUAL_S / step_s, elapsed);
        self.times = times.copysign(residual);
        Some(self.surprise.rate(at, times))
    }

    /// Fits the relation of `id` anew from the windows of the host's series `others`.
    pub fn fit(&mut self, id: SeriesId, others: &[SeriesId], windows: &Windows) {
        let before = self.fitted.take();
        self.fitted = fit(id, others, windows);
        if before.is_none() {
            self.drift = Mean::default();
        }
    }

    /// Forgets a peer that is gone; the next fit finds another.
    pub fn forget(&mut self, id: SeriesId) {
        if self.peers().any(|peer| peer == id) {
            self.fitted = None;
        }
    }

    /// Moves the remembered times by `delta_s`.
    pub fn shift(&mut self, delta_s: i64) {
        self.surprise.shift(delta_s);
    }
}

/// The complete half hours of one series, standardised and clipped.
#[derive(Debug, Clone, Default)]
struct Column {
    values: Vec<f32>,
    mean: f32,
    deviation: f32,
}

/// How far a standardised value may reach: an incident must not make the relation.
const CLIP: f32 = 4.0;

impl Column {
    /// Takes the half hours before `newest_at`, newest first, in place of what it held; gaps are NaN. False if the
    /// series did not move or is mostly gaps.
    fn read(&mut self, ring: &Ring, newest_at: UnixSeconds) -> bool {
        let rows = ring.len().saturating_sub(1);
        let late = (newest_at - ring.newest_at()) / ring.step_s();
        // the newest half hour is not complete
        let missing = usize::try_from(late - 1).unwrap_or(0).min(rows);
        let skipped = usize::try_from(1 - late).unwrap_or(0);
        self.values.clear();
        self.values.resize(missing, f32::NAN);
        let known = ring.backwards().skip(skipped).take(rows - missing);
        self.values.extend(known);
        self.values.resize(rows, f32::NAN);
        let (mut count, mut sum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
        for value in self.values.iter().filter(|value| value.is_finite()) {
            let value = f64::from(*value);
            count += 1.0;
            sum += value;
            squares += value * value;
        }
        if count < ROWS_MIN as f64 {
            return false;
        }
        let mean = sum / count;
        self.deviation = (squares / count - mean * mean).max(0.0).sqrt() as f32;
        self.mean = mean as f32;
        for value in &mut self.values {
            *value = ((*value - self.mean) / self.deviation).clamp(-CLIP, CLIP);
        }
        self.deviation > floor_of(self.mean)
    }

    fn correlation(&self, other: &Self) -> f32 {
        let (mut sum, mut count) = (0.0_f32, 0.0_f32);
        for (a, b) in self.values.iter().zip(&other.values) {
            let product = a * b;
            if product.is_finite() {
                sum += product;
                count += 1.0;
            }
        }
        if count < ROWS_MIN as f32 {
            0.0
        } else {
            sum / count
        }
    }
}

fn fit(id: SeriesId, others: &[SeriesId], windows: &Windows) -> Option<Fitted> {
    let ring = &windows.get(id)?.half_hour;
    let newest_at = ring.newest_at();
    let (mut target, mut column) = (Column::default(), Column::default());
    if !target.read(ring, newest_at) {
        return None;
    }
    let mut peers: Vec<(SeriesId, f32, Column)> = Vec::with_capacity(PEERS_MAX + 1);
    for &other in others.iter().filter(|&&other| other != id) {
        let window = windows.get(other);
        if !window.is_some_and(|window| column.read(&window.half_hour, newest_at)) {
            continue;
        }
        let strength = target.correlation(&column).abs();
        if strength < CORRELATION_MIN {
            continue;
        }
        let place = peers.partition_point(|(_, stronger, _)| *stronger >= strength);
        if place < PEERS_MAX {
            peers.insert(place, (other, strength, column.clone()));
            peers.truncate(PEERS_MAX);
        }
    }
    if peers.is_empty() {
        return None;
    }
    ridge(&target, &peers)
}

fn ridge(target: &Column, peers: &[(SeriesId, f32, Column)]) -> Option<Fitted> {
    let rows: Vec<usize> = (0..target.values.len())
        .filter(|&row| {
            let known = |column: &Column| column.values.get(row).is_some_and(|v| v.is_finite());
            known(target) && peers.iter().all(|(_, _, column)| known(column))
        })
        .collect();
    if rows.len() < ROWS_MIN {
        return None;
    }
    // by columns: coordinate descent walks along them
    let shape = (rows.len(), peers.len()).f();
    let x = Array2::from_shape_fn(shape, |(row, peer)| peers[peer].2.values[rows[row]]);
    let y = Array1::from_iter(rows.iter().map(|&row| target.values[row]));
    let model = ElasticNet::<f32>::ridge()
        .penalty(PENALTY)
        .with_intercept(false)
        .max_iterations(ROUNDS_MAX)
        .tolerance(1e-3)
        .fit(&Dataset::new(x.clone(), y.clone()))
        .ok()?;
    let weights = model.hyperplane();
    let (mut missed, mut all) = (0.0, 0.0);
    for (row, value) in x.rows().into_iter().zip(&y) {
        let error = value - row.dot(weights);
        missed += error * error;
        all += value * value;
    }
    // back from standardised values
    let peers: Vec<(SeriesId, f32, f32)> = peers
        .iter()
        .zip(weights)
        .map(|((id, _, column), weight)| {
            let weight = weight * target.deviation / column.deviation;
            (*id, weight, weight * column.mean)
        })
        .filter(|(_, weight, _)| weight.is_finite())
        .collect();
    Some(Fitted {
        intercept: target.mean - peers.iter().map(|(_, _, part)| part).sum::<f32>(),
        peers: peers.iter().map(|&(id, weight, _)| (id, weight)).collect(),
        explained: (1.0 - missed / f32::max(all, 1e-6)).clamp(0.0, 1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two series that move together, one that does not, a constant one; half-hourly for four days.
    fn windows() -> Windows {
        let mut windows = Windows::new(1_800);
        for step in 0..192_i64 {
            let wave = (step as f64 / 7.0).sin();
            let other = (step as f64 / 3.1).cos();
            let at = 1_000_800 + step * 1_800;
            windows.push(SeriesId(0), at, 10.0 + 4.0 * wave);
            windows.push(SeriesId(1), at, 500.0 - 80.0 * wave + other);
            windows.push(SeriesId(2), at, other);
            windows.push(SeriesId(3), at, 7.0);
        }
        windows
    }

    fn all() -> Vec<SeriesId> {
        (0..4).map(SeriesId).collect()
    }

    #[test]
    fn the_related_series_is_found_and_predicts() {
        let mut relation = Relation::default();
        relation.fit(SeriesId(0), &all(), &windows());
        assert_eq!(relation.peers().next(), Some(SeriesId(1)));
        assert!(relation.explained() > 0.9, "{}", relation.explained());
        let fitted = relation.fitted.as_ref().unwrap();
        let predicted = fitted.intercept + fitted.peers[0].1 * 420.0;
        assert!((predicted - 14.0).abs() < 0.4, "{predicted}");
    }

    #[test]
    fn what_never_moves_follows_nobody_and_a_lost_peer_is_dropped() {
        let mut relation = Relation::default();
        relation.fit(SeriesId(3), &all(), &windows());
        assert!(!relation.is_known());
        relation.fit(SeriesId(0), &all(), &windows());
        relation.forget(SeriesId(1));
        assert!(!relation.is_known());
    }

    #[test]
    fn a_silent_peer_is_no_residual() {
        let mut relation = Relation::default();
        relation.fit(SeriesId(0), &all(), &windows());
        assert_eq!(relation.rate(0, 10.0, |_| None, 60.0, 1.0), None);
    }
}
