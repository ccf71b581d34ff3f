//! What an agent has to do with its hub: it hands over what it measured and signed, and tells how that goes.

use super::{Agent, host_name};
use crate::outbox::Figures;
use crate::ship::{self, Enrollment, ShipSettings, Shipper};
use crate::status::{Hub, Spool};
use crate::terminal::{count, span};
use arki_model::chain;
use arki_model::clock::UnixSeconds;
use arki_model::signature::PrivateKey;
use std::rc::Rc;
use std::time::Duration;

/// Events that are read from the log at once, at most 16 KiB each.
const EVENTS_AT_ONCE: usize = 16;

impl Agent {
    /// Takes up the enrolment, or goes on without. What is wrong is a problem, never the end.
    pub(super) fn open_hub(&mut self) {
        // The old one first: two must not write to one spool.
        self.shipper = None;
        let settings = ShipSettings {
            state_dir: self.config.state_dir.clone(),
            url: self.config.hub.url.clone(),
            outbox_bytes_max: self.config.hub.outbox_bytes_max,
            ca_file: self.config.hub.ca_file(),
            host: host_name(&self.config),
            interval_s: self.config.interval.seconds() as u32,
        };
        let key = PrivateKey::from_seed(&self.key.seed());
        let desk = |enrollment: &Enrollment| self.desk(enrollment);
        match ship::open(&settings, key, Rc::clone(&self.clock), desk) {
            Ok((shipper, note)) => {
                self.problems.note("hub", note);
                // A chain that began again is behind what was recorded of the one before.
                self.shipped = shipper.as_ref().map_or(0, |shipper| {
                    shipper.last_event().min(self.log.head().sequence)
                });
                self.shipper = shipper.map(Rc::new);
                self.due.ship = self.shipper.is_some();
                self.open_reports();
            }
            Err(error) => self.problems.set("hub", error.to_string()),
        }
    }

    /// The way to the hub, to be run beside this agent.
    pub fn shipper(&self) -> Option<Rc<Shipper>> {
        self.shipper.clone()
    }

    /// Hands over one pass.
    pub(super) fn observe(&mut self, at: UnixSeconds) {
        let Some(shipper) = &self.shipper else { return };
        let notes = shipper.take_notes();
        if !notes.is_empty() {
            self.problems.set("outbox", notes.join("; "));
        }
        if let Err(error) = shipper.observe(at, self.pipeline.iter_readings()) {
            tracing::warn!(%error, "a summary was not recorded for the hub");
        }
    }

    /// Records the events of the log that the spool does not have yet. What fails stays due.
    pub(super) fn ship_events(&mut self) {
        let Some(shipper) = self.shipper.clone() else {
            self.due.ship = false;
            return;
        };
        loop {
            let events = self.log.read_from(self.shipped + 1, EVENTS_AT_ONCE);
            if events.is_empty() {
                break;
            }
            for signed in events {
                if let Err(error) = shipper.record_event(&signed) {
                    self.problems.set("outbox", error.to_string());
                    return;
                }
                let number = chain::decode(&signed.payload).map_or(0, |event| event.sequence);
                let missing = number.saturating_sub(self.shipped + 1);
                if missing > 0 && self.shipped > 0 {
                    let text = format!(
                        "{} left the log before there was room for the hub",
                        count(missing, "event")
                    );
                    tracing::error!("{text}");
                    self.problems.set("outbox", text);
                }
                self.shipped = self.shipped.max(number).max(self.shipped + 1);
            }
        }
        self.due.ship = false;
    }

    /// Whether the hub has the event with this number; `None` without a hub.
    pub(super) fn is_acknowledged(&self, sequence: u64) -> Option<bool> {
        let figures = self.shipper.as_ref()?.status().figures;
        Some(figures.events_waiting == 0 && sequence <= self.shipped)
    }

    /// The hub, for `status`.
    pub(super) fn hub_status(&self) -> Hub {
        let Some(shipper) = &self.shipper else {
            let text = if self.config.hub.url.is_empty() {
                "none configured; this agent is complete on its own".to_owned()
            } else {
                format!(
                    "{}: not enrolled; run `arki-agent enroll`",
                    self.config.hub.url
                )
            };
            return Hub {
                configured: !self.config.hub.url.is_empty(),
                text,
                spool: None,
            };
        };
        let status = shipper.status();
        let ago = status
            .acknowledged_at_s
            .map(|at| Duration::from_secs((self.clock.now_s() - at).max(0).unsigned_abs()));
        let state = match (&status.trouble, ago) {
            (Some(trouble), _) => trouble.clone(),
            (None, Some(ago)) => format!("answered {} ago", span(ago.as_secs_f64())),
            (None, None) => "nothing sent yet".to_owned(),
        };
        Hub {
            configured: true,
            text: format!("{}: {state}; {}", status.url, waiting(&status.figures)),
            spool: Some(Spool::from(status.figures)),
        }
    }

    /// What keeps the hub from hearing of this agent.
    pub(super) fn hub_trouble(&self) -> Option<String> {
        let status = self.shipper.as_ref()?.status();
        status
            .trouble
            .map(|trouble| format!("{}: {trouble}", status.url))
    }
}

fn waiting(figures: &Figures) -> String {
    let mut text = format!(
        "{} and {} wait in {} KiB",
        count(figures.events_waiting, "event"),
        if figures.summaries_waiting == 1 {
            "1 summary".to_owned()
        } else {
            format!("{} summaries", figures.summaries_waiting)
        },
        figures.bytes.div_ceil(1024)
    );
    if figures.summaries_dropped > 0 {
        text.push_str("; ");
        text.push_str(&figures.summaries_dropped.to_string());
        text.push_str(" summaries dropped for want of room");
    }
    if figures.records_set_aside > 0 {
        text.push_str("; ");
        text.push_str(&count(figures.records_set_aside, "record"));
        text.push_str(" damaged and set aside");
    }
    text
}
