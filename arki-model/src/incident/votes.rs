//! What the voters say about an incident, in words and figures.

use super::evidence::{LEVEL, MOVEMENT, NEW_STATE, RELATION, RESTLESS};
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
    let surprises = |look: usize| state.weights[look] >= 0.5;
    let vote = |voter, odd: Option<String>, usual: &str| match odd {
        Some(odd) => Vote::new(voter, Verdict::Yes, odd),
        None => Vote::new(voter, Verdict::No, usual),
    };
    let left = surprises(LEVEL).then(|| {
        let swing = times(state.change.times);
        format!("left its level by {swing} its usual swing")
    });
    let restless = surprises(RESTLESS).then(|| {
        let word = if state.restless.times < 0.0 {
            "calmer"
        } else {
            "more restless"
        };
        format!(
            "became {word} by {} what is usual",
            times(state.restless.times)
        )
    });
    let usual = "it keeps the level of the last hours";
    let trend = vote(Voter::Trend, left.or(restless), usual);
    let correlation = if state.relation.is_known() {
        let off = surprises(RELATION).then(|| {
            let off = times(state.relation.times);
            format!("off its companions by {off} what is usual")
        });
        let usual = "it moves with its companions as usual";
        let vote = vote(Voter::Correlation, off, usual);
        let vote = vote.with("explained_share", f64::from(state.relation.explained()));
        let peers = state.relation.peers();
        peers.fold(vote, |vote, peer| vote.naming(view.registry.name(peer)))
    } else {
        let reason = "no other series of this host goes with it";
        Vote::new(Voter::Correlation, Verdict::Abstain, reason)
    };
    let pattern = if incidents.evidence.pattern_abstains {
        let days = incidents.pattern_days(view.at);
        let reason = format!("learning {days}/{PATTERN_DAYS} d");
        Vote::new(Voter::Pattern, Verdict::Abstain, reason)
    } else {
        let moved = surprises(MOVEMENT).then(|| {
            let moved = times(state.movement.times_at_hour);
            format!("moves {moved} what is usual at this hour")
        });
        let usual = "it moves as it usually does at this hour";
        vote(Voter::Pattern, moved, usual)
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
        let left = self.surprised(LEVEL);
        let mut reasons = Vec::new();
        if let Some((name, times)) = self.worst(&left, |state| state.change.times.abs()) {
            reasons.push(format!(
                "{} left the level of the last hours, {name} by {times:.0} times its usual swing",
                series(left.len())
            ));
        }
        let restless = self.surprised(RESTLESS);
        if let Some((name, times)) = self.worst(&restless, |state| state.restless.times.abs()) {
            reasons.push(format!(
                "{} became more restless or calmer, {name} by {times:.0} times what is usual",
                series(restless.len())
            ));
        }
        if reasons.is_empty() {
            reasons.push("no series has left its level of the last hours".to_owned());
        }
        let mut odd = left;
        for id in restless {
            if !odd.contains(&id) {
                odd.push(id);
            }
        }
        self.vote(Voter::Trend, reasons.join("; "), &odd)
    }

    fn correlation(&self) -> Vote {
        let odd = self.surprised(RELATION);
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
        let mut vote = self.vote(Voter::Correlation, reason, &odd);
        vote.related.truncate(RELATED_MAX / 2);
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
        let odd = self.surprised(MOVEMENT);
        let mut reason = match self.worst(&odd, |state| state.movement.times_at_hour) {
            Some((name, times)) => format!(
                "{} move as they did not in the last days, {name} {times:.1} times what is usual at this hour",
                series(odd.len())
            ),
            None => "all moves as it usually does at this hour".to_owned(),
        };
        let rarity = self.incidents.evidence.rarity;
        if rarity >= NEW_STATE {
            reason.push_str("; the host was in no such state in the last two weeks");
        }
        self.vote(Voter::Pattern, reason, &odd)
            .with("state_rarity_decades", f64::from(rarity))
    }

    fn vote(&self, voter: Voter, reason: String, odd: &[SeriesId]) -> Vote {
        let evidence = &self.incidents.evidence;
        let verdict = if evidence.says_yes(voter) {
            Verdict::Yes
        } else {
            Verdict::No
        };
        let mut vote = Vote::new(voter, verdict, reason)
            .with("evidence_series", f64::from(evidence.of_voter(voter)))
            .with("surprised_series", odd.len() as f64);
        for &id in odd {
            vote = vote.naming(self.view.registry.name(id));
        }
        vote
    }

    fn state(&self, id: SeriesId) -> Option<&State> {
        self.incidents.series.get(id.index())?.as_deref()
    }

    /// The series that surprise in one look, the most surprising of all first.
    fn surprised(&self, look: usize) -> Vec<SeriesId> {
        let surprises = |id: SeriesId| {
            self.state(id)
                .is_some_and(|state| state.weights[look] >= 0.5)
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
