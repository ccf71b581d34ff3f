//! What trend's newest look at a series came to. One byte a series: the words are made when somebody asks.

use crate::vote::{Verdict, Vote, Voter};

/// How far a look got. The longest span that is looked at does not decide but the one that got furthest, so the
/// order is that of the questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// Too few points for any look.
    #[default]
    Pending,
    /// It has not climbed by a good part of what is left.
    Level,
    /// It climbs, and no growth model fits.
    Unfit,
    /// It has climbed, and stands.
    Stopped,
    /// It climbs, and will not get there.
    Settles,
    /// It may get there: climbs like this one have stopped by themselves before.
    Usual,
    /// It may get there, and nobody can say when.
    Vague,
    /// It may get there, and most of the way is still ahead.
    Early,
    /// Trend says yes: its vote is kept, whatever the others say.
    Yes,
    /// It is at its bound: there is nothing left to predict.
    AtBound,
}

/// Every look, in order.
pub(super) const LOOKS: [Look; 10] = [
    Look::Pending,
    Look::Level,
    Look::Unfit,
    Look::Stopped,
    Look::Settles,
    Look::Usual,
    Look::Vague,
    Look::Early,
    Look::Yes,
    Look::AtBound,
];

impl Look {
    /// Trend's answer where it has nothing to tell.
    pub(super) fn vote(self) -> Vote {
        let (verdict, reason) = match self {
            Self::Pending => (Verdict::Abstain, "too few samples yet"),
            Self::Level => (
                Verdict::No,
                "it has not climbed by a good part of what is left",
            ),
            Self::Unfit => (Verdict::Abstain, "it climbs, but no growth model fits"),
            Self::Stopped => (Verdict::No, "it has climbed and has stopped"),
            Self::Settles => (Verdict::No, "it climbs, but will not get there"),
            Self::Usual => (
                Verdict::No,
                "it climbs, as it did before without getting there",
            ),
            Self::Vague => (
                Verdict::Abstain,
                "it climbs, but how long it will take is too uncertain",
            ),
            Self::Early => (
                Verdict::Abstain,
                "it climbs, but most of the way is still ahead",
            ),
            Self::Yes => (
                Verdict::Yes,
                "it climbs to its bound; no other voter agrees",
            ),
            Self::AtBound => (Verdict::No, "it is at its bound already"),
        };
        Vote::new(Voter::Trend, verdict, reason)
    }

    /// What is said of so many series in the status.
    pub(super) fn summary(self) -> &'static str {
        match self {
            Self::Pending => "not looked at yet",
            Self::Level => "level",
            Self::Unfit => "fit no growth",
            Self::Stopped => "stopped climbing",
            Self::Settles | Self::Usual => "will not get there",
            Self::Vague => "too uncertain",
            Self::Early => "too early to tell",
            Self::Yes => "running out",
            Self::AtBound => "at the bound",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_ordered_and_all_are_listed() {
        assert!(LOOKS.is_sorted());
        for (place, look) in LOOKS.into_iter().enumerate() {
            assert_eq!(look as usize, place);
            assert!(look.vote().reason.len() <= 60, "a line of a terminal");
        }
    }
}
