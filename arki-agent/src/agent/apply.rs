//! What the hub may have done on this host, and what became of it.

use super::Agent;
use crate::apply::journal::Entry;
use crate::explain::Fate;
use crate::request::DeskSettings;
use crate::ship::Enrollment;
use crate::snapshot::Wanted;
use crate::status::{Applied, Apply};
use arki_model::ledger::Outcome;
use arki_model::signature::PrivateKey;
use std::rc::Rc;

impl Agent {
    /// The desk for an enrolment, as the configuration has it.
    pub(super) fn desk(&self, enrollment: &Enrollment) -> DeskSettings {
        let services = self
            .config
            .service
            .iter()
            .filter(|service| !service.snapshot.is_empty());
        DeskSettings {
            agent: enrollment.agent_id,
            hub_key: enrollment.hub_key.clone(),
            key: PrivateKey::from_seed(&self.key.seed()),
            services: services
                .map(|service| Wanted {
                    service: service.name.clone(),
                    paths: service.snapshot.clone(),
                })
                .collect(),
            apply: self.config.apply.clone(),
            journal: Rc::clone(&self.journal),
        }
    }

    /// Remembers what became of the predictions that commands were to avert.
    pub(super) fn watch_applied(&self) {
        self.journal.watch(self.clock.now_s(), |series, at| {
            match self.fate(series, at) {
                Fate::Ended { outcome, .. } => Some(outcome),
                Fate::Active | Fate::Unknown => None,
            }
        });
    }

    /// For `status`; `None` where there is nothing to say.
    pub(super) fn apply_status(&self) -> Option<Apply> {
        let settings = &self.config.apply;
        let snapshots = self
            .config
            .service
            .iter()
            .filter(|service| !service.snapshot.is_empty());
        let shipper = self.shipper();
        let desk = shipper.as_ref().and_then(|shipper| shipper.desk());
        let status = Apply {
            enabled: settings.enabled,
            allowed: settings
                .action
                .iter()
                .filter(|_| settings.enabled)
                .map(|action| what(&action.service, &action.name, &action.argv))
                .collect(),
            snapshots: snapshots.map(|service| service.name.clone()).collect(),
            refused: desk.map_or(0, |desk| desk.refused()),
            last: self.journal.last().map(applied),
        };
        (status != Apply::default()).then_some(status)
    }
}

fn what(service: &str, action: &str, argv: &[String]) -> String {
    format!("{service} {action} ({})", argv.join(" "))
}

fn applied(entry: Entry) -> Applied {
    let prediction = match entry.outcome {
        _ if entry.series.is_empty() => String::new(),
        None => format!("; {} is watched", entry.series),
        Some(Outcome::Averted) => format!("; {} was averted", entry.series),
        Some(Outcome::Happened | Outcome::Missed) => {
            format!("; {} happened all the same", entry.series)
        }
        Some(Outcome::Expired) => format!("; {} expired", entry.series),
    };
    Applied {
        what: what(&entry.service, &entry.action, &entry.argv),
        begun_at: entry.begun_at,
        ended: entry
            .ran
            .map_or("its end is not known".to_owned(), |ran| ran.text()),
        decided_by: entry.decided_by,
        prediction,
    }
}
