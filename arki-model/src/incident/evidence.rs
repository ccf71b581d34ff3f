//! From the surprise of each series to the evidence of each voter about the host. Pure.
//!
//! Many series that are a little odd at once are an incident, one that is very odd is not: the surprise of a series counts
//! in full up to a knee and little above it, and only the eight most surprising series count. Evidence so is about
//! "how many series", whatever the host has.

use crate::vote::Voter;
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
/// Rarity (decades, 0 = once a day) of the host's state with which pattern says yes.
pub(super) const NEW_STATE: f32 = 0.5;
/// The budget: mean evidence of the looks that speak and the rarity of the state, a decade as one series. Chosen on
/// recorded hosts for one false alarm a host-week; half a series more or less moves that by a third.
pub(super) const BUDGET: f32 = 4.0;
/// The budget while pattern does not know the states of the host: what a rare state usually adds is missing.
const BUDGET_WITHOUT_PATTERN: f32 = 5.75;
/// Decades of rarity of the state that count.
const RARITY_MAX: f32 = 2.0;

/// How a series is looked at: its level and its restlessness (trend), its relations (correlation), its movement at this
/// hour (pattern).
pub(super) const LOOKS: usize = 4;
pub(super) const LEVEL: usize = 0;
pub(super) const RESTLESS: usize = 1;
pub(super) const RELATION: usize = 2;
pub(super) const MOVEMENT: usize = 3;

/// What a series' surprise weighs, in series: 0 to 1.6.
pub(super) fn weight(surprise: f32) -> f32 {
    let above = surprise - FROM;
    (above / KNEE).clamp(0.0, 1.0) + SLOPE * (above - KNEE).clamp(0.0, DECADES_MAX)
}

/// The evidence of the three voters in one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// By look, in series.
    pub(super) sums: [f32; LOOKS],
    /// How rare the state of the host as a whole is ([`crate::voter::novelty`]).
    pub(super) rarity: f32,
    /// Pattern has not learned long enough to speak.
    pub(super) pattern_abstains: bool,
}

impl Evidence {
    /// Sums the eight highest weights of each look.
    pub(super) fn of(
        weights: impl Iterator<Item = [f32; LOOKS]>,
        rarity: f32,
        pattern_days: i64,
    ) -> Self {
        let mut highest = [[0.0_f32; SERIES_MAX]; LOOKS];
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
            rarity,
            pattern_abstains: pattern_days < super::PATTERN_DAYS,
        }
    }

    /// All evidence together, as a part of the budget.
    fn spent(&self) -> f32 {
        let [level, restless, relation, movement] = self.sums;
        if self.pattern_abstains {
            (level + restless + relation) / 3.0 / BUDGET_WITHOUT_PATTERN
        } else {
            let mean = (level + restless + relation + movement) / LOOKS as f32;
            (mean + self.rarity.min(RARITY_MAX)) / BUDGET
        }
    }

    /// The evidence of a voter, in series: its better look.
    pub(super) fn of_voter(&self, voter: Voter) -> f32 {
        match voter {
            Voter::Trend => self.sums[LEVEL].max(self.sums[RESTLESS]),
            Voter::Correlation => self.sums[RELATION],
            Voter::Pattern => self.sums[MOVEMENT],
        }
    }

    /// True where a voter says yes.
    pub(super) fn says_yes(&self, voter: Voter) -> bool {
        let many = self.of_voter(voter) >= YES;
        match voter {
            Voter::Trend | Voter::Correlation => many,
            Voter::Pattern => !self.pattern_abstains && (many || self.rarity >= NEW_STATE),
        }
    }

    /// Two agree, and all together reach the budget.
    pub(super) fn agrees(&self) -> bool {
        let yes = Voter::ALL.into_iter().filter(|&v| self.says_yes(v)).count();
        yes >= crate::consensus::YES_MIN && self.spent() >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voter::surprise::COMMON;

    #[test]
    fn many_a_little_odd_count_more_than_one_very_odd() {
        let one = Evidence::of([[weight(9.0); LOOKS]].into_iter(), 9.0, 14);
        let many = Evidence::of([[weight(0.2); LOOKS]; 9].into_iter(), 0.0, 14);
        assert!(!one.agrees(), "{one:?}");
        assert!(many.agrees(), "{many:?}");
        assert_eq!(weight(COMMON), 0.0);
    }

    #[test]
    fn only_eight_count_and_the_highest_do() {
        let weights = (0..50).map(|n| [if n % 5 == 0 { 1.0 } else { 0.1 }; LOOKS]);
        assert_eq!(Evidence::of(weights, 0.0, 14).sums, [8.0; LOOKS]);
    }

    #[test]
    fn a_state_that_is_daily_bread_needs_more_evidence() {
        let evidence = |rarity| Evidence {
            sums: [4.5; LOOKS],
            rarity,
            pattern_abstains: false,
        };
        assert!(evidence(0.0).agrees() && !evidence(COMMON).agrees());
    }

    #[test]
    fn without_pattern_the_two_others_must_both_agree() {
        let mut evidence = Evidence {
            sums: [8.0, 8.0, 2.0, 9.0],
            rarity: 1.0,
            pattern_abstains: true,
        };
        assert!(!evidence.agrees());
        evidence.pattern_abstains = false;
        assert!(evidence.agrees());
    }
}
