//! The life of one incident: it begins, is told once, and ends when the host has been calm for a while.

use super::evidence::Evidence;
use crate::clock::UnixSeconds;
use crate::quiet::{COOL_DOWN_S, HOLD_S};
use crate::registry::SeriesId;
use serde::{Deserialize, Serialize};

/// An incident is over when the voters have not agreed for this long; what comes then is another one. Two hours,
/// because the way back is as odd as the way out, and is no news.
const CALM_S: i64 = 7_200;
/// Agreement that pauses longer than this before it is told begins anew.
const PAUSE_S: i64 = 180;

/// After this an incident has been told, or was quieted for a reason: it must not come back when the cool-down of
/// its leading series ends.
const OPEN_S: i64 = COOL_DOWN_S * 2 / 3;

/// The incident that is going on, if one is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    incident: Option<Incident>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Incident {
    /// Named from its beginning to its end, so that one incident is one alert.
    lead: SeriesId,
    since: UnixSeconds,
    agreed_at: UnixSeconds,
    /// The voters agree in the newest step.
    agrees: bool,
    /// It may still be told.
    open: bool,
}

impl Running {
    /// Takes in the evidence of the step that began at `at`; `lead` names the leading series where one is needed.
    pub(super) fn step(
        &mut self,
        at: UnixSeconds,
        evidence: &Evidence,
        lead: impl Fn() -> Option<SeriesId>,
    ) {
        let agrees = evidence.agrees();
        if let Some(incident) = &mut self.incident {
            let pause = at - incident.agreed_at;
            let told = incident.agreed_at - incident.since >= HOLD_S;
            if pause > if told { CALM_S } else { PAUSE_S } {
                self.incident = None;
            } else {
                incident.agrees = agrees;
                if agrees {
                    incident.agreed_at = at;
                }
                incident.open = at - incident.since < OPEN_S;
            }
        }
        if agrees && self.incident.is_none() {
            self.incident = lead().map(|lead| Incident {
                lead,
                since: at,
                agreed_at: at,
                agrees,
                open: true,
            });
        }
    }

    /// The leading series, while the voters agree on an incident that may be told.
    pub(super) fn telling(&self) -> Option<SeriesId> {
        self.incident
            .as_ref()
            .filter(|incident| incident.agrees && incident.open)
            .map(|incident| incident.lead)
    }

    /// Moves the remembered times by `delta_s`.
    pub(super) fn shift(&mut self, delta_s: i64) {
        if let Some(incident) = &mut self.incident {
            incident.since += delta_s;
            incident.agreed_at += delta_s;
        }
    }

    /// Ends an incident whose leading series is gone.
    pub(super) fn forget(&mut self, id: SeriesId) {
        if self.incident.as_ref().is_some_and(|i| i.lead == id) {
            self.incident = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(sum: f32) -> Evidence {
        Evidence {
            sums: [sum; 4],
            rarity: 0.0,
            pattern_abstains: false,
        }
    }

    #[test]
    fn one_incident_keeps_its_name_and_ends_after_calm() {
        let mut running = Running::default();
        let mut names = (1..).map(SeriesId);
        let mut told = Vec::new();
        for minute in 0..360 {
            // odd for two hours with a pause, calm for three, odd again
            let odd = (10..60).contains(&minute) || (75..130).contains(&minute) || minute >= 300;
            let name = names.next().unwrap();
            let sum = if odd { 9.0 } else { 0.0 };
            running.step(minute * 60, &evidence(sum), || Some(name));
            told.push(running.telling());
        }
        assert_eq!(told[9], None);
        assert!(told[10..25].iter().all(|&t| t == Some(SeriesId(11))));
        assert!(told[40..300].iter().all(Option::is_none));
        assert_eq!(told[300], Some(SeriesId(301)));
    }

    #[test]
    fn what_pauses_before_it_is_told_begins_anew() {
        let mut running = Running::default();
        running.step(0, &evidence(9.0), || Some(SeriesId(1)));
        for minute in 1..6 {
            running.step(minute * 60, &evidence(0.0), || None);
        }
        running.step(360, &evidence(9.0), || Some(SeriesId(2)));
        assert_eq!(running.telling(), Some(SeriesId(2)));
    }
}
