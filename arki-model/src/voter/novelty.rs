//! Pattern's second look at an incident: has this host ever been in such a state?
//!
//! The state is the vector of all series, each as its three-minute mean relative to its mean of three days in units of
//! its usual distance from it, in eight bits on a logarithmic scale (`asinh`). Every two hours the state is kept; 168
//! of them are two weeks. How novel a state is: its distance (sum of absolute differences) from the nearest kept
//! one. That distance is rated like every other score ([`super::surprise`]), so what a novelty is worth is learned on
//! the host. A single odd series adds little to the distance, and relations that break without any series leaving its
//! own range add as much as a level that was never seen: it knows the joint state, which no look at one
//! series does.
//!
//! The nearest of a fixed sample is the plain form of the nearest-neighbour outlier score (Ramaswamy, Rastogi and
//! Shim 2000). Each series keeps its own column of the 168 states, so series come and go without a trace in the
//! others. Bounded: 168 bytes a series.

use super::smooth::{Mean, Scale, floor_of};
use super::surprise::{COMMON, Surprise};
use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

/// A state is kept every two hours.
const EVERY_S: i64 = 7_200;
/// Two weeks of states.
const KEPT: usize = 168;
/// States before anything is new: two days.
const KEPT_MIN: u16 = 24;
/// What a series is measured by.
const USUAL_S: f32 = 3.0 * 86_400.0;
/// Steps of the code for each unit of `asinh`: 127 steps reach 1400 times the usual distance.
const FINENESS: f32 = 16.0;
/// The code of a series at its mean; 1 to 255 are codes, 0 is unknown.
const MIDDLE: f32 = 128.0;
/// States that share less than this part of the series with now say nothing: 1 / 2.
const SHARED_MIN: u32 = 2;

/// One series' part of the states.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    mean: Mean,
    usual: Scale,
    /// Its code in each kept state; empty before the first.
    column: Vec<u8>,
    /// Its code in the state that is kept next: a state that is going on knows itself.
    next: u8,
}

/// What is known of the states of a host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Novelty {
    /// Two hours that the newest state was taken in.
    block: Option<i64>,
    /// States kept so far, up to [`KEPT`], and the place of the next one.
    kept: u16,
    place: u16,
    /// True while the step that is being rated is the first of its two hours.
    keeping: bool,
    surprise: Surprise,
    /// How rare the newest state was.
    pub rarity: f32,
    /// The distance of this step from each kept state, summed over the series so far.
    #[serde(skip)]
    away: Vec<u32>,
    /// Series known both now and in each kept state.
    #[serde(skip)]
    shared: Vec<u32>,
    #[serde(skip)]
    present: u32,
}

impl Novelty {
    /// Begins the step at `at`.
    pub fn begin(&mut self, at: UnixSeconds) {
        let block = at.div_euclid(EVERY_S);
        if self.keeping {
            self.place = (self.place + 1) % KEPT as u16;
            self.kept = (self.kept + 1).min(KEPT as u16);
        }
        self.keeping = self.block.replace(block) != Some(block);
        for sums in [&mut self.away, &mut self.shared] {
            sums.clear();
            sums.resize(usize::from(self.kept), 0);
        }
        self.present = 0;
    }

    /// Takes in one series of this step by its code ([`Part::code`]); `None` if it is missing or not known well yet.
    pub fn take(&mut self, part: &mut Part, code: Option<u8>) {
        let code = code.unwrap_or(0);
        if code != 0 {
            self.present += 1;
            let code = u32::from(code);
            let sums = self.away.iter_mut().zip(&mut self.shared);
            for ((away, shared), &kept) in sums.zip(&part.column) {
                let known = u32::from(kept != 0);
                *away += known * code.abs_diff(u32::from(kept));
                *shared += known;
            }
        }
        if self.keeping {
            part.column.resize(KEPT, 0);
            part.column[usize::from(self.place)] = std::mem::replace(&mut part.next, code);
        }
    }

    /// Ends the step: how rare its state is.
    pub fn end(&mut self, at: UnixSeconds) -> f32 {
        let present = self.present;
        let nearest = self
            .away
            .iter()
            .zip(&self.shared)
            .filter(|&(_, &shared)| shared > 0 && shared * SHARED_MIN >= present)
            .map(|(&away, &shared)| away as f32 * present as f32 / shared as f32)
            .fold(f32::INFINITY, f32::min);
        self.rarity = if self.kept >= KEPT_MIN && nearest.is_finite() {
            self.surprise.rate(at, nearest)
        } else {
            COMMON
        };
        self.rarity
    }

    /// Moves the remembered times by `delta_s`.
    pub fn shift(&mut self, delta_s: i64) {
        if let Some(block) = &mut self.block {
            *block += delta_s.div_euclid(EVERY_S);
        }
        self.surprise.shift(delta_s);
    }
}

impl Part {
    /// The code of the short mean of a step of `step_s` seconds, `elapsed` steps after the one before: 1 to 255.
    pub fn code(&mut self, mean: f32, step_s: f32, elapsed: f32) -> u8 {
        let tau = USUAL_S / step_s;
        self.mean.push(mean, tau, elapsed);
        let distance = mean - self.mean.value;
        let times = self.usual.rate(distance, floor_of(mean), tau, elapsed);
        let code = FINENESS * times.copysign(distance).asinh() + MIDDLE;
        code.round().clamp(1.0, 255.0) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two series that move against each other through the day, one that does not move.
    fn state(minute: i64) -> [f32; 3] {
        let wave = (minute as f32 * std::f32::consts::TAU / 1_440.0).sin();
        let little = ((minute * 37) % 11) as f32 / 110.0;
        [10.0 + wave + little, 50.0 - 5.0 * wave, 3.0]
    }

    struct Host {
        novelty: Novelty,
        parts: [Part; 3],
    }

    impl Host {
        fn rate(&mut self, minute: i64, state: [Option<f32>; 3]) -> f32 {
            self.novelty.begin(minute * 60);
            for (part, mean) in self.parts.iter_mut().zip(state) {
                let code = mean.map(|mean| part.code(mean, 60.0, 1.0));
                self.novelty.take(part, code);
            }
            self.novelty.end(minute * 60)
        }
    }

    fn learned(days: i64) -> (Host, i64) {
        let mut host = Host {
            novelty: Novelty::default(),
            parts: Default::default(),
        };
        for minute in 0..days * 1_440 {
            host.rate(minute, state(minute).map(Some));
        }
        (host, days * 1_440)
    }

    #[test]
    fn values_that_are_usual_alone_are_new_together() {
        let (mut host, now) = learned(8);
        let noon = state(now + 360);
        let night = state(now + 1_080);
        assert!(host.rate(now, state(now).map(Some)) < 0.5);
        // each value was seen every day, the pair never
        let rarity = host.rate(now + 1, [noon[0], night[1], 3.0].map(Some));
        assert!(rarity > 1.0, "{rarity}");
    }

    #[test]
    fn what_is_missing_is_not_new_and_a_new_series_is_no_novelty() {
        let (mut host, now) = learned(8);
        let [first, second, _] = state(now).map(Some);
        assert!(host.rate(now, [first, second, None]) < 0.5);
        let (mut host, now) = learned(8);
        host.parts[2] = Part::default();
        assert!(host.rate(now, state(now).map(Some)) < 0.5);
    }

    #[test]
    fn nothing_is_new_while_little_is_known_and_memory_is_bounded() {
        let (mut host, now) = learned(1);
        assert_eq!(host.rate(now, [Some(1e6); 3]), COMMON);
        let (host, _) = learned(30);
        assert!(host.parts.iter().all(|part| part.column.len() == KEPT));
        assert_eq!(usize::from(host.novelty.kept), KEPT);
    }
}
