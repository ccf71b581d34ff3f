//! Three votes to one decision. Pure.
//!
//! At least two must say yes; where there is a bound, trend must be one of them (it alone knows the time
//! left), and pattern may veto: what is known here at this hour is no failure.

use crate::vote::{Verdict, Vote, Voter};

/// What three votes come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consensus {
    /// At least two agree, and nothing stands against it.
    Agreed,
    /// They would agree, but pattern knows this and vetoes.
    Vetoed,
    /// Too few agree.
    Open,
}

/// How many voters must say yes.
pub const YES_MIN: usize = 2;

/// Counts the votes about one series or incident; `bounded` says whether there is a bound to run into.
pub fn consensus(votes: &[Vote], bounded: bool) -> Consensus {
    let said = |voter, verdict| {
        votes
            .iter()
            .any(|v| v.voter == voter && v.verdict == verdict)
    };
    let yes = Voter::ALL
        .into_iter()
        .filter(|&voter| said(voter, Verdict::Yes))
        .count();
    let vetoed = said(Voter::Pattern, Verdict::Veto);
    let needed = if vetoed { YES_MIN - 1 } else { YES_MIN };
    if yes < needed || (bounded && !said(Voter::Trend, Verdict::Yes)) {
        Consensus::Open
    } else if vetoed {
        Consensus::Vetoed
    } else {
        Consensus::Agreed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Abstain, No, Veto, Yes};

    fn decide(trend: Verdict, correlation: Verdict, pattern: Verdict, bounded: bool) -> Consensus {
        let votes = [
            Vote::new(Voter::Trend, trend, ""),
            Vote::new(Voter::Correlation, correlation, ""),
            Vote::new(Voter::Pattern, pattern, ""),
        ];
        consensus(&votes, bounded)
    }

    #[test]
    fn two_agree_or_nothing_is_said() {
        assert_eq!(decide(Yes, Yes, Abstain, false), Consensus::Agreed);
        assert_eq!(decide(No, Yes, Yes, false), Consensus::Agreed);
        assert_eq!(decide(Yes, No, Abstain, false), Consensus::Open);
    }

    #[test]
    fn with_a_bound_trend_must_agree_and_pattern_may_veto() {
        assert_eq!(decide(No, Yes, Yes, true), Consensus::Open);
        assert_eq!(decide(Yes, Abstain, Yes, true), Consensus::Agreed);
        assert_eq!(decide(Yes, Yes, Veto, true), Consensus::Vetoed);
        assert_eq!(decide(No, Yes, Veto, true), Consensus::Open);
    }
}
