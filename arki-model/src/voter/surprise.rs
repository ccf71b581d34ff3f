//! How rarely a score gets as high as now: a budget of false alarms instead of a number of sigmas.
//!
//! Input: one score (higher is odder) per series, step by step. Only the highest of every two hours counts (what lasts is
//! one event), and the twenty highest of this week and of the week before are kept. Above the level that both
//! lists cover completely the excesses are taken as exponential (peaks over threshold, Pickands 1975; the
//! exponential tail is its common case), which gives the expected number a day of peaks at least this high. A
//! series that alarms often so raises its own threshold, whatever its distribution is. Bounded: 168 bytes of peaks.

use crate::clock::UnixSeconds;
use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};

/// Only the highest score of this long counts, in seconds.
const BLOCK_S: i64 = 7_200;
/// Peaks kept a week: about three a day, so that the tail starts where something happens daily.
const PEAKS: usize = 20;
/// A list of peaks is closed after a week, so every day of the week is in it.
const WEEK_S: i64 = 7 * 86_400;
/// Blocks before anything is surprising: two days of samples.
const BLOCKS_MIN: u32 = 24;
/// What a score below the tail is worth: more than once a day.
pub const COMMON: f32 = -1.0;

/// The peaks of a week, highest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Peaks {
    highest: ArrayVec<f32, PEAKS>,
    blocks: u32,
}

impl Peaks {
    fn add(&mut self, peak: f32) {
        self.blocks = self.blocks.saturating_add(1);
        let place = self.highest.partition_point(|&kept| kept >= peak);
        if place < PEAKS {
            if self.highest.len() == PEAKS {
                self.highest.pop();
            }
            self.highest.insert(place, peak);
        }
    }

    /// Peaks at least as high as `score`.
    fn reaching(&self, score: f32) -> usize {
        self.highest.partition_point(|&kept| kept >= score)
    }

    /// The level above which every peak of the week is in the list.
    fn complete_above(&self) -> f32 {
        if self.highest.len() < PEAKS {
            f32::NEG_INFINITY
        } else {
            self.highest.last().copied().unwrap_or(f32::NEG_INFINITY)
        }
    }
}

/// What is known of how high a score gets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Surprise {
    block: i64,
    peak: f32,
    this_week: Peaks,
    last_week: Peaks,
    week_began: UnixSeconds,
    tail: Option<Tail>,
}

/// The tail: `per_day * exp(-(score - above) / excess)` peaks a day reach a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Tail {
    above: f32,
    excess: f32,
    log_per_day: f32,
    /// Days that were watched.
    days: f32,
}

impl Surprise {
    /// Takes in a score and says how rare it is: 0 for once a day, 1 for once in ten days, [`COMMON`] for what is
    /// daily bread or not known yet.
    pub fn rate(&mut self, at: UnixSeconds, score: f32) -> f32 {
        let block = at.div_euclid(BLOCK_S);
        if self.week_began == 0 {
            self.week_began = at;
            self.block = block;
            self.peak = score;
        } else if block == self.block {
            self.peak = self.peak.max(score);
        } else {
            self.close(at);
            self.block = block;
            self.peak = score;
        }
        let Some(tail) = self.tail.filter(|tail| score >= tail.above) else {
            return COMMON;
        };
        // What was seen three times in these weeks is as common as it was, whatever the tail says.
        let seen = self.this_week.reaching(score) + self.last_week.reaching(score);
        if seen >= 3 {
            tail.rarity(score).min((tail.days / seen as f32).log10())
        } else {
            tail.rarity(score)
        }
    }

    /// Moves the remembered times by `delta_s`.
    pub fn shift(&mut self, delta_s: i64) {
        self.week_began += delta_s;
        self.block += delta_s.div_euclid(BLOCK_S);
    }

    fn close(&mut self, at: UnixSeconds) {
        self.this_week.add(self.peak);
        if at - self.week_began >= WEEK_S {
            self.last_week = std::mem::take(&mut self.this_week);
            self.week_began = at;
        }
        self.tail = self.fit();
    }

    fn fit(&self) -> Option<Tail> {
        let blocks = self.this_week.blocks + self.last_week.blocks;
        if blocks < BLOCKS_MIN {
            return None;
        }
        let mut peaks: Vec<f32> = [&self.this_week, &self.last_week]
            .iter()
            .flat_map(|week| week.highest.iter().copied())
            .collect();
        peaks.sort_unstable_by(|a, b| b.total_cmp(a));
        let complete = self
            .this_week
            .complete_above()
            .max(self.last_week.complete_above());
        // Early on the lists hold every peak: their upper half is the tail.
        let half = peaks[(peaks.len() / 2).saturating_sub(1)];
        let above = if complete > f32::NEG_INFINITY {
            complete
        } else {
            half
        };
        let count = peaks.iter().take_while(|&&peak| peak >= above).count();
        let excess = peaks[..count].iter().map(|peak| peak - above).sum::<f32>() / count as f32;
        // Time that was watched: blocks without a sample do not count as quiet.
        let days = blocks as f32 * BLOCK_S as f32 / 86_400.0;
        Some(Tail {
            above,
            excess: excess.max(0.05 * above.abs()).max(1e-6),
            log_per_day: (count as f32 / days).log10(),
            days,
        })
    }
}

impl Tail {
    fn rarity(self, score: f32) -> f32 {
        (score - self.above) / self.excess * std::f32::consts::LOG10_E - self.log_per_day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value a quarter of an hour, from a fixed linear congruential generator, exponential with mean 1.
    fn exponential(state: &mut u64) -> f32 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        -(((*state >> 40) as f32 + 1.0) / 16_777_217.0).ln()
    }

    #[test]
    fn rarity_means_what_it_says() {
        let (mut surprise, mut state) = (Surprise::default(), 7);
        let mut once_in_ten_days = 0;
        let days = 400;
        let mut block_over = i64::MIN;
        for step in 0..days * 96_i64 {
            let at = 1_000_000 + step * 900;
            if surprise.rate(at, exponential(&mut state)) >= 1.0 && at / BLOCK_S != block_over {
                once_in_ten_days += 1;
                block_over = at / BLOCK_S;
            }
        }
        // 40 are expected
        assert!((20..=80).contains(&once_in_ten_days), "{once_in_ten_days}");
    }

    #[test]
    fn nothing_surprises_before_two_days_and_what_recurs_becomes_common() {
        let mut surprise = Surprise::default();
        assert_eq!(surprise.rate(1_000, 99.0), COMMON);
        let mut state = 3;
        let mut seen = Vec::new();
        for step in 0..19 * 1_440_i64 {
            let daily_job = step % 1_440 == 700 && step > 5 * 1_440;
            let score = if daily_job {
                50.0
            } else {
                exponential(&mut state)
            };
            let rarity = surprise.rate(1_000_000 + step * 60, score);
            if daily_job {
                seen.push(rarity);
            }
        }
        assert!(seen[0] > 1.0, "news at first: {seen:?}");
        let later = seen[7..].iter().sum::<f32>() / seen[7..].len() as f32;
        assert!(later < 0.5, "known after a week: {seen:?}");
    }

    #[test]
    fn a_series_that_never_moved_surprises_when_it_does() {
        let mut surprise = Surprise::default();
        for step in 0..4 * 1_440_i64 {
            surprise.rate(1_000_000 + step * 60, 0.0);
        }
        assert!(surprise.rate(1_400_000, 5.0) > 3.0);
    }
}
