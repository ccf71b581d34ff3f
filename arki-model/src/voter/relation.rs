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

    /// Takes up what a search has found, in place of what it followed before.
    pub fn learn(&mut self, search: &Search) {
        let before = self.fitted.take();
        self.fitted = search.fit();
        if before.is_none() {
            self.drift = Mean::default();
        }
    }

    /// Follows nobody any more.
    pub fn forget_all(&mut self) {
        self.fitted = None;
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

/// The search for whom one series follows. It goes through the host's series in slices: all 200 in one pass take
/// longer than everything else that the voters do in it. Holds five columns of a week at most, 7 KB.
#[derive(Debug, Clone)]
pub struct Search {
    id: SeriesId,
    /// Rows are counted back from here, in every slice alike.
    newest_at: UnixSeconds,
    target: Column,
    /// The most related so far, the strongest first.
    peers: Vec<(SeriesId, f32, Column)>,
    /// The series before this one were compared.
    next: usize,
}

impl Search {
    /// Begins the search for whom `id` follows; `None` if it does not move or is not known for long enough.
    pub fn begin(id: SeriesId, windows: &Windows) -> Option<Self> {
        let ring = &windows.get(id)?.half_hour;
        let newest_at = ring.newest_at();
        let mut target = Column::default();
        target.read(ring, newest_at).then(|| Self {
            id,
            newest_at,
            target,
            peers: Vec::with_capacity(PEERS_MAX + 1),
            next: 0,
        })
    }

    /// Whose peers are searched.
    pub fn id(&self) -> SeriesId {
        self.id
    }

    /// Compares it with the next `count` of the host's series `others` (ascending); returns with how many, fewer only
    /// once it has been through them all.
    pub fn compare(&mut self, others: &[SeriesId], windows: &Windows, count: usize) -> usize {
        let begin = others.partition_point(|other| other.index() < self.next);
        let slice = &others[begin..others.len().min(begin.saturating_add(count))];
        let mut column = Column::default();
        for &other in slice {
            self.next = other.index() + 1;
            let window = windows.get(other).filter(|_| other != self.id);
            if !window.is_some_and(|window| column.read(&window.half_hour, self.newest_at)) {
                continue;
            }
            let strength = self.target.correlation(&column).abs();
            if strength < CORRELATION_MIN {
                continue;
            }
            let stronger = |peer: &(SeriesId, f32, Column)| peer.1 >= strength;
            let place = self.peers.partition_point(stronger);
            if place < PEERS_MAX {
                self.peers.insert(place, (other, strength, column.clone()));
                self.peers.truncate(PEERS_MAX);
            }
        }
        slice.len()
    }

    /// Forgets a series that is gone.
    pub fn forget(&mut self, id: SeriesId) {
        self.peers.retain(|&(peer, ..)| peer != id);
    }

    fn fit(&self) -> Option<Fitted> {
        if self.peers.is_empty() {
            return None;
        }
        ridge(&self.target, &self.peers)
    }
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

    /// Through all four series in slices of `count`.
    fn search(id: SeriesId, count: usize) -> Option<Search> {
        let (windows, all) = (windows(), [0, 1, 2, 3].map(SeriesId));
        let mut search = Search::begin(id, &windows)?;
        while search.compare(&all, &windows, count) == count {}
        Some(search)
    }

    #[test]
    fn the_related_series_is_found_and_predicts() {
        let mut relation = Relation::default();
        relation.learn(&search(SeriesId(0), 2).expect("it moves"));
        assert_eq!(relation.peers().next(), Some(SeriesId(1)));
        assert!(relation.explained() > 0.9, "{}", relation.explained());
        let fitted = relation.fitted.as_ref().unwrap();
        let predicted = fitted.intercept + fitted.peers[0].1 * 420.0;
        assert!((predicted - 14.0).abs() < 0.4, "{predicted}");
    }

    #[test]
    fn what_never_moves_follows_nobody_and_a_lost_peer_is_dropped() {
        assert!(search(SeriesId(3), 4).is_none());
        let mut relation = Relation::default();
        relation.learn(&search(SeriesId(0), 4).expect("it moves"));
        assert!(relation.is_known());
        relation.forget(SeriesId(1));
        assert!(!relation.is_known());
    }

    #[test]
    fn slices_find_what_one_go_finds_and_forget_who_is_gone() {
        let mut relations = [1, 3, 4].map(|count| {
            let mut relation = Relation::default();
            relation.learn(&search(SeriesId(0), count).expect("it moves"));
            relation
        });
        assert_eq!(relations[0], relations[2]);
        assert_eq!(relations[1], relations[2]);
        let mut gone = search(SeriesId(0), 4).expect("it moves");
        gone.forget(SeriesId(1));
        relations[0].learn(&gone);
        assert!(relations[0].peers().all(|peer| peer != SeriesId(1)));
    }

    #[test]
    fn a_silent_peer_is_no_residual() {
        let mut relation = Relation::default();
        relation.learn(&search(SeriesId(0), 4).expect("it moves"));
        assert_eq!(relation.rate(0, 10.0, |_| None, 60.0, 1.0), None);
    }
}
