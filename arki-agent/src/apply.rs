//! Applies on this host what was tried on a copy, if this host's own configuration lists it. Off by default.
//!
//! Nothing is run unless all of this holds, checked in this order ([`Applier::check`]):
//!
//! 1. `[apply] enabled = true`;
//! 2. the receipt is signed by the hub that this agent enrolled with, for this agent, of a trial that succeeded, and has
//!    not ended;
//! 3. its run was never applied here, or begun ([`journal`]; kept over restarts, and written before anything runs);
//! 4. the very command is listed for this service and action;
//! 5. the service's configuration is what the trial was made with, secrets included ([`arki_model::snapshot`]).
//!
//! Then it runs without a shell, with limits ([`execute`]); every step is in the audit file ([`audit`]). A command that
//! was begun when the agent ended is never run again: its end is reported as not known.

pub mod audit;
pub mod execute;
pub mod journal;

use crate::config::{ActionSettings, ApplySettings};
use crate::snapshot::{self, Wanted};
use arki_model::clock::{Clock, UnixSeconds};
use arki_model::hex;
use arki_model::receipt::{Receipt, ReceiptError};
use arki_model::request::RequestId;
use arki_model::signature::PublicKey;
use arki_model::snapshot::Fingerprints;
use arki_model::wire::AgentId;
use journal::{Entry, Journal, JournalError};
use std::rc::Rc;

/// Why a receipt is not applied.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The configuration says no.
    #[error("this agent applies nothing: `[apply] enabled` is not true in its configuration")]
    Off,
    /// The receipt.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// Used before, or not to be remembered.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Not listed.
    #[error("{service} {action}: {argv:?} is not listed under [[apply.action]] of this agent")]
    NotListed {
        /// The service.
        service: String,
        /// The action.
        action: String,
        /// The command.
        argv: Vec<String>,
    },
    /// The service's configuration is not allowed to be read.
    #[error("the configuration of {0} cannot be compared: give its [[service]] a `snapshot`")]
    NoSnapshot(String),
    /// It cannot be read.
    #[error("the configuration cannot be compared: {0}")]
    Snapshot(#[from] snapshot::SnapshotError),
    /// It is another one.
    #[error("the configuration of {0} has changed since the trial: try the action again")]
    Changed(String),
}

/// What was checked and may run.
#[derive(Debug)]
pub struct Permit {
    /// The receipt.
    pub receipt: Receipt,
    /// What it allows, as this host lists it.
    pub action: ActionSettings,
}

/// Applies receipts.
#[derive(Debug)]
pub struct Applier {
    /// Who this is.
    pub agent: AgentId,
    /// The hub's key, as it was pinned.
    pub hub: PublicKey,
    /// What is allowed.
    pub settings: ApplySettings,
    /// What was applied.
    pub journal: Rc<Journal>,
}

impl Applier {
    /// Everything that can be checked without reading the service's configuration.
    pub fn check(&self, receipt: &str, now_s: UnixSeconds) -> Result<Permit, Refusal> {
        if !self.settings.enabled {
            return Err(Refusal::Off);
        }
        let receipt = Receipt::open(receipt, &self.hub)?;
        receipt.permits(self.agent, now_s)?;
        self.journal.check(&receipt, now_s)?;
        let listed = self.settings.action.iter().find(|action| {
            action.service == receipt.service
                && action.name == receipt.action
                && action.argv == receipt.argv
        });
        let Some(action) = listed.cloned() else {
            return Err(Refusal::NotListed {
                service: receipt.service,
                action: receipt.action,
                argv: receipt.argv,
            });
        };
        Ok(Permit { receipt, action })
    }

    /// Whether the configuration that was tried is the live one, which has the hash `live`.
    pub fn compare(permit: &Permit, live: &[u8; 32]) -> Result<(), Refusal> {
        if permit.receipt.configuration == hex::encode(live) {
            return Ok(());
        }
        Err(Refusal::Changed(permit.receipt.service.clone()))
    }

    /// Remembers that the command is begun, and runs it to its end.
    pub async fn run(
        &self,
        permit: Permit,
        request: RequestId,
        series: String,
        clock: &dyn Clock,
    ) -> Result<Entry, Refusal> {
        let now_s = clock.now_s();
        // Once more: time has passed with the configuration's comparison.
        permit.receipt.permits(self.agent, now_s)?;
        self.journal
            .begin(&permit.receipt, request, series, now_s)?;
        let ran = execute::run(&permit.action.argv, permit.action.sudo, clock).await;
        Ok(self.journal.end(&permit.receipt.run, &ran, clock.now_s()))
    }
}

/// The hash of what is at the allowed paths now.
pub fn live_configuration(
    wanted: &Wanted,
    fingerprints: &Fingerprints,
    now_s: UnixSeconds,
    stop: &std::sync::atomic::AtomicBool,
) -> Result<[u8; 32], snapshot::SnapshotError> {
    Ok(snapshot::take(wanted, fingerprints, now_s, stop)?.configuration)
}

#[cfg(test)]
mod tests;
