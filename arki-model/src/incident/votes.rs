//! What the voters say about an incident, in words and figures.

use super::evidence::YES;
use super::{Incidents, LEARNING_S, PATTERN_DAYS, State};
use crate::engine::View;
use crate::registry::SeriesId;
use crate::vote::{RELATED_MAX, Verdict, Vote, Voter};

/// The three votes on the incident that `lead` leads; `ranked` holds the series involved, the most surprising first.
pub(super) fn of(
    incidents: &Incidents,
    view: &View<'_>,
    lead: SeriesId,
    ranked: &[(SeriesId, f32)],
) -> Vec<Vote> {
    let words = Words {
        incidents,
        view,
        lead,
        ranked,
    };
    vec![words.trend(), words.correlation(), words.pattern()]
}

/// The three votes about one series by itself, as they stood in the newest step; `None` if it is not known.
pub(super) fn standing(incidents: &Incidents, view: &View<'_>, id: SeriesId) -> Option<Vec<Vote>> {
    let state = incidents.series.get(id.index())?.as_deref()?;
    let learned_s = view.at - state.began_at;
    if learned_s < LEARNING_S {
        let reason = format!("learning {}/24 h of this series", learned_s / 3_600);
        let votes = Voter::ALL.map(|voter| Vote::new(voter, Verdict::Abstain, reason.clone()));
        return Some(votes.to_vec());
    }
    let times = |figure: f32| format!("{:.1} times", figure.abs().min(999.0));
    let vote = |place: usize, odd: String, usual: &str| {
        let is_odd = state.weights[place] >= 0.5;
        let verdict = if is_odd { Verdict::Yes } else { Verdict::No };
        let reason = if is_odd { odd } else { usual.to_owned() };
        Vote::new(Voter::ALL[place], verdict, reason)
    };
    let left = format!(
        "left its level by {} its usual swing",
        times(state.change.times)
    );
    let trend = vote(0, left, "it keeps the level of the last hours");
    let correlation = if state.relation.is_known() {
        let off = format!(
            "off its companions by {} what is usual",
            times(state.relation.times)
        );
        let vote = vote(1, off, "it moves with its companions as usual");
        let vote = vote.with("explained_share", f64::from(state.relation.explained()));
        let peers = state.relation.peers();
        peers.fold(vote, |vote, peer| vote.naming(view.registry.name(peer)))
    } else {
        let reason = "no other series of this host goes with it";
        Vote::new(Voter::Correlation, Verdict::Abstain, reason)
    };
    let moved = format!(
        "moves {} what is usual at this hour",
        times(state.movement.times_at_hour)
    );
    let pattern = if incidents.evidence.pattern_abstains {
        let days = incidents.pattern_days(view.at);
        let reason = format!("learning {days}/{PATTERN_DAYS} d");
        Vote::new(Voter::Pattern, Verdict::Abstain, reason)
    } else {
        vote(2, moved, "it moves as it usually does at this hour")
    };
    Some(vec![trend, correlation, pattern])
}

struct Words<'a> {
    incidents: &'a Incidents,
    view: &'a View<'a>,
    lead: SeriesId,
    ranked: &'a [(SeriesId, f32)],
}

impl Words<'_> {
    fn trend(&self) -> Vote {
        let odd = self.surprised(0);
        let reason = match self.worst(&odd, |state| state.change.times.abs()) {
            Some((name, times)) => format!(
                "{} left the level of the last hours, {name} by {times:.0} times its usual swing",
                series(odd.len())
            ),
            None => "no series has left its level of the last hours".to_owned(),
        };
        self.vote(0, Voter::Trend, reason, &odd)
    }

    fn correlation(&self) -> Vote {
        let odd = self.surprised(1);
        let known = self.incidents.series.iter().flatten();
        if !known.into_iter().any(|state| state.relation.is_known()) {
            return Vote::new(
                Voter::Correlation,
                Verdict::Abstain,
                "no series of this host follows another yet",
            );
        }
        let reason = match self.worst(&odd, |state| state.relation.times.abs()) {
            Some((name, times)) => format!(
                "{} no longer follow their usual companions, {name} is off by {times:.0} times what is usual",
                series(odd.len())
            ),
            None => "the series still move together as usual".to_owned(),
        };
        let mut vote = self.vote(1, Voter::Correlation, reason, &[]);
        for &id in &odd {
            if vote.related.len() < RELATED_MAX / 2 {
                vote = vote.naming(self.view.registry.name(id));
            }
        }
        // whom the leading series usually follows
        if let Some(state) = self.state(self.lead) {
            for peer in state.relation.peers() {
                let name = self.view.registry.name(peer);
                if !vote.related.iter().any(|named| named == name) {
                    vote = vote.naming(name);
                }
            }
            vote = vote.with("explained_share", f64::from(state.relation.explained()));
        }
        vote
    }

    fn pattern(&self) -> Vote {
        let days = self.incidents.pattern_days(self.view.at);
        if self.incidents.evidence.pattern_abstains {
            let reason = format!("learning {days}/{PATTERN_DAYS} d");
            return Vote::new(Voter::Pattern, Verdict::Abstain, reason);
        }
        let odd = self.surprised(2);
        let reason = match self.worst(&odd, |state| state.movement.times_at_hour) {
            Some((name, times)) => format!(
                "{} move as they did not in the last days, {name} {times:.1} times what is usual at this hour",
                series(odd.len())
            ),
            None => "all moves as it usually does at this hour".to_owned(),
        };
        self.vote(2, Voter::Pattern, reason, &odd)
    }

    fn vote(&self, place: usize, voter: Voter, reason: String, odd: &[SeriesId]) -> Vote {
        let evidence = self.incidents.evidence.sums[place];
        let verdict = if evidence >= YES {
            Verdict::Yes
        } else {
            Verdict::No
        };
        let mut vote = Vote::new(voter, verdict, reason)
            .with("evidence_series", f64::from(evidence))
            .with("surprised_series", self.surprised(place).len() as f64);
        for &id in odd {
            vote = vote.naming(self.view.registry.name(id));
        }
        vote
    }

    fn state(&self, id: SeriesId) -> Option<&State> {
        self.incidents.series.get(id.index())?.as_deref()
    }

    /// The series that surprise one voter, the most surprising of all first.
    fn surprised(&self, place: usize) -> Vec<SeriesId> {
        let surprises = |id: SeriesId| {
            self.state(id)
                .is_some_and(|state| state.weights[place] >= 0.5)
        };
        let ids = self.ranked.iter().map(|&(id, _)| id);
        ids.filter(|&id| surprises(id)).collect()
    }

    /// The name of the series for which a figure is highest, and that figure.
    fn worst(&self, odd: &[SeriesId], figure: impl Fn(&State) -> f32) -> Option<(&str, f32)> {
        odd.iter()
            .filter_map(|&id| Some((id, figure(self.state(id)?))))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(id, figure)| (self.view.registry.name(id), figure.min(999.0)))
    }
}

fn series(count: usize) -> String {
    format!("{count} series")
}
