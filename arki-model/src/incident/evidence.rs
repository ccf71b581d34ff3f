//! From the surprise of each series to the evidence of each voter about the host. Pure.
//!
//! Many series that are a little odd at once are an incident, one that is very odd is not: the surprise of a series counts
//! in full up to a knee and little above it, and only the eight most surprising series count. Evidence so is about
//! "how many series", whatever the host has.

use serde::{Deserialize, Serialize};

/// Series that count. More would make hosts with many series louder than those with few.
const SERIES_MAX: usize = 8;
/// Surprise (decades of rarity, 0 = once a day) at which a series begins to count: three times a day.
const FROM: f32 = -0.5;
/// Surprise over which a series counts as one: half a decade.
const KNEE: f32 = 0.5;
/// What a decade above the knee still adds, in series, and for how many decades at most.
const SLOPE: f32 = 0.25;
const DECADES_MAX: f32 = 2.5;
/// Summed weights from which a series is named as involved: more than one voter is surprised by it.
pub(super) const INVOLVED_MIN: f32 = 1.0;
/// Evidence with which a voter says yes, in series.
pub(super) const YES: f32 = 3.5;
/// The budget: mean evidence of the voters that speak.
pub(super) const BUDGET: f32 = 5.75;

/// What a series' surprise weighs, in series: 0 to 1.6.
pub(super) fn weight(surprise: f32) -> f32 {
    let above = surprise - FROM;
    (above / KNEE).clamp(0.0, 1.0) + SLOPE * (above - KNEE).clamp(0.0, DECADES_MAX)
}

/// The evidence of the three voters in one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// Trend, correlation, pattern; in series.
    pub(super) sums: [f32; 3],
    /// Pattern has not learned long enough to speak.
    pub(super) pattern_abstains: bool,
}

impl Evidence {
    /// Sums the eight highest weights of each voter.
    pub(super) fn of(weights: impl Iterator<Item = [f32; 3]>, pattern_days: i64) -> Self {
        let mut highest = [[0.0_f32; SERIES_MAX]; 3];
        for weights in weights {
            for (highest, weight) in highest.iter_mut().zip(weights) {
                // highest first; the last falls out
                if weight > highest[SERIES_MAX - 1] {
                    let place = highest.partition_point(|&kept| kept >= weight);
                    highest.copy_within(place..SERIES_MAX - 1, place + 1);
                    highest[place] = weight;
                }
            }
        }
        Self {
            sums: highest.map(|highest| highest.iter().sum()),
            pattern_abstains: pattern_days < super::PATTERN_DAYS,
        }
    }

    /// The mean evidence of the voters that speak.
    pub(super) fn mean(&self) -> f32 {
        let [trend, correlation, pattern] = self.sums;
        if self.pattern_abstains {
            f32::midpoint(trend, correlation)
        } else {
            (trend + correlation + pattern) / 3.0
        }
    }

    /// True where a voter says yes.
    pub(super) fn yes(&self) -> [bool; 3] {
        let [trend, correlation, pattern] = self.sums.map(|sum| sum >= YES);
        [trend, correlation, pattern && !self.pattern_abstains]
    }

    /// Two agree, and all together reach the budget.
    pub(super) fn agrees(&self) -> bool {
        let yes = self.yes().into_iter().filter(|&yes| yes).count();
        yes >= crate::consensus::YES_MIN && self.mean() >= BUDGET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_a_little_odd_count_more_than_one_very_odd() {
        let one = Evidence::of([[weight(9.0); 3]].into_iter(), 14);
        let many = Evidence::of([[weight(0.2); 3]; 9].into_iter(), 14);
        assert!(one.mean() < 2.0 && !one.agrees());
        assert!(many.agrees(), "{many:?}");
        assert_eq!(weight(crate::voter::surprise::COMMON), 0.0);
    }

    #[test]
    fn only_eight_count_and_the_highest_do() {
        let weights = (0..50).map(|n| [if n % 5 == 0 { 1.0 } else { 0.1 }; 3]);
        assert_eq!(Evidence::of(weights, 14).sums, [8.0; 3]);
    }

    #[test]
    fn without_pattern_the_two_others_must_both_agree() {
        let mut evidence = Evidence {
            sums: [8.0, 2.0, 9.0],
            pattern_abstains: true,
        };
        assert!(!evidence.agrees());
        evidence.pattern_abstains = false;
        assert!(evidence.agrees());
    }
}
