//! Pattern's side of an incident: does this series move as it has not moved in the last days, and more than it does
//! at this hour?
//!
//! The shape of the last nine minutes (six differences of three-minute means) against the shapes of the last 36
//! hours: every two hours one model of two cluster centres (k-means) is learned from the shapes of these two hours, and 18
//! models are kept. A shape is as odd as its distance from the nearest centre of the model that knows it best, in units of that
//! model's own reach. This is Netdata's anomaly detection (<https://learn.netdata.cloud/docs/machine-learning-and-assisted-troubleshooting>) with other numbers. Differences
//! make it blind to levels, so it is nearly independent of the voters that look at levels.
//!
//! The two clusters are found here and not by `linfa-clustering`, whose k-means hands every pass over the data to a pool
//! of threads: the agent has one thread, and 110 rows are done before a second one wakes up.

use super::profile::Profile;
use super::smooth::floor_of;
use super::surprise::Surprise;
use crate::clock::UnixSeconds;
use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};

const LAGS: usize = 6;
/// Values that one shape spans: a mean of three, a difference, six of them.
const SPAN: usize = LAGS + 3;
/// Steps from which a model is learned: two hours of minutes.
const HISTORY: usize = 120;
/// 36 hours of models: a day and a night, and the same hours of the next day.
const MODELS: usize = 18;
/// Rounds of Lloyd's algorithm; two clusters of 110 rows settle in five to eight.
const ROUNDS: usize = 8;

/// The square of a distance that is no news to anybody: half the reach. The other models need not be asked.
const NEAR: f32 = 0.25;

type Shape = [f32; LAGS];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Model {
    centres: [Shape; 2],
    /// The square of the distance that 99 of 100 of its own shapes stay within.
    reach: f32,
}

/// What is known of how one series moves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// The newest steps, oldest first.
    history: ArrayVec<f32, { HISTORY + SPAN }>,
    /// Steps since the last model.
    fresh: u16,
    models: ArrayVec<Model, MODELS>,
    oldest: u8,
    profile: Profile,
    surprise: Surprise,
    /// How many times the usual reach the newest shape was away.
    pub times: f32,
    /// The same as a multiple of what is usual at this hour.
    pub times_at_hour: f32,
}

impl Movement {
    /// Takes in the mean of a step and says how rare its movement is, measured by what is usual at this hour.
    /// `broken` says that steps are missing before it.
    pub fn rate(&mut self, at: UnixSeconds, value: f32, broken: bool) -> f32 {
        if broken {
            self.history.clear();
            self.fresh = 0;
        }
        if self.history.is_full() {
            self.history.remove(0);
        }
        self.history.push(value);
        self.fresh = self.fresh.saturating_add(1);
        let Some(shape) = shape_at(&self.history, self.history.len()) else {
            return super::surprise::COMMON;
        };
        let times = self.distance(&shape, floor_of(value));
        let usual = self.profile.usual_at(at, times);
        self.times = times;
        self.times_at_hour = times / (usual + 1.0);
        let rarity = self.surprise.rate(at, self.times_at_hour);
        // what moves no more than it usually does at this hour is known, however rare such an hour is
        if self.times_at_hour > 1.0 {
            rarity
        } else {
            super::surprise::COMMON
        }
    }

    /// True if enough has come in since the last model, and this step is the one for this series (`phase`
    /// spreads the series over the two hours).
    pub fn wants_model(&self, step: i64, phase: usize) -> bool {
        self.history.is_full()
            && usize::from(self.fresh) >= HISTORY / 2
            && (step + phase as i64).rem_euclid(HISTORY as i64) == 0
    }

    /// Learns a model from the last two hours.
    pub fn learn(&mut self) {
        let shapes: Vec<Shape> = (SPAN + 1..=self.history.len())
            .filter_map(|end| shape_at(&self.history, end))
            .collect();
        let Some(model) = Model::of(&shapes) else {
            return;
        };
        self.fresh = 0;
        if self.models.is_full() {
            self.models[usize::from(self.oldest)] = model;
            self.oldest = ((usize::from(self.oldest) + 1) % MODELS) as u8;
        } else {
            self.models.push(model);
        }
    }

    /// Moves the remembered times by `delta_s`.
    pub fn shift(&mut self, delta_s: i64) {
        self.profile.shift(delta_s);
        self.surprise.shift(delta_s);
    }

    /// How far the shape is from what the models know, in units of their reach. A model of two hours in which
    /// nothing moved knows nothing; if all are such, every movement is far.
    fn distance(&self, shape: &Shape, floor: f32) -> f32 {
        let floor = floor * floor;
        let mut nearest = f32::INFINITY;
        for model in &self.models {
            let [first, second] = &model.centres;
            let away = square(shape, first).min(square(shape, second));
            nearest = nearest.min(away / model.reach.max(floor));
            if nearest < NEAR {
                break;
            }
        }
        if nearest.is_finite() {
            nearest.sqrt()
        } else {
            0.0
        }
    }
}

/// The shape of the `SPAN + 1` values before `end`, newest difference first.
fn shape_at(values: &[f32], end: usize) -> Option<Shape> {
    let values = values.get(end.checked_sub(SPAN)?..end)?;
    // the difference of two neighbouring means of three is a third of what came in minus what fell out
    let mut shape = [0.0; LAGS];
    for (lag, difference) in shape.iter_mut().enumerate() {
        let newest = SPAN - 1 - lag;
        *difference = (values[newest] - values[newest - 3]) / 3.0;
    }
    Some(shape)
}

fn square(a: &Shape, b: &Shape) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

impl Model {
    /// Lloyd's algorithm from the first shape and the one farthest from it.
    fn of(shapes: &[Shape]) -> Option<Self> {
        let first = *shapes.first()?;
        let farthest = *shapes
            .iter()
            .max_by(|a, b| square(a, &first).total_cmp(&square(b, &first)))?;
        let mut centres = [first, farthest];
        for _ in 0..ROUNDS {
            let (mut sums, mut counts) = ([[0.0_f32; LAGS]; 2], [0.0_f32; 2]);
            for shape in shapes {
                let nearest = nearest(shape, &centres);
                counts[nearest] += 1.0;
                for (sum, value) in sums[nearest].iter_mut().zip(shape) {
                    *sum += value;
                }
            }
            let before = centres;
            for ((centre, sum), count) in centres.iter_mut().zip(sums).zip(counts) {
                if count > 0.0 {
                    *centre = sum.map(|sum| sum / count);
                }
            }
            if centres == before {
                break;
            }
        }
        let mut away: Vec<f32> = shapes
            .iter()
            .map(|shape| square(shape, &centres[nearest(shape, &centres)]))
            .collect();
        let place = (away.len() * 99 / 100).min(away.len() - 1);
        let (_, reach, _) = away.select_nth_unstable_by(place, f32::total_cmp);
        Some(Self {
            centres,
            reach: *reach,
        })
    }
}

fn nearest(shape: &Shape, centres: &[Shape; 2]) -> usize {
    usize::from(square(shape, &centres[1]) < square(shape, &centres[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(value: impl Fn(i64) -> f32) -> Movement {
        let mut movement = Movement::default();
        for step in 0..3 * 1_440 {
            movement.rate(1_000_000 + step * 60, value(step), false);
            if movement.wants_model(step, 5) {
                movement.learn();
            }
        }
        movement
    }

    #[test]
    fn a_known_shape_is_near_and_a_new_one_is_far() {
        let wave = |step: i64| ((step % 40) as f32 - 20.0).abs();
        let mut movement = learned(wave);
        let at = 1_000_000 + 3 * 86_400;
        movement.rate(at, wave(0), false);
        assert!(movement.times < 1.5, "{}", movement.times);
        for step in 1..4 {
            movement.rate(at + step * 60, 200.0, false);
        }
        assert!(movement.times > 10.0, "{}", movement.times);
    }

    #[test]
    fn a_gap_is_no_movement() {
        let mut movement = learned(|step| (step % 7) as f32);
        let far = movement.rate(1_000_000 + 5 * 86_400, 500.0, true);
        assert_eq!(far, super::super::surprise::COMMON);
    }
}
