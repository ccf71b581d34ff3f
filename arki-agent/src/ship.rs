//! The way to the hub: what is recorded goes into the outbox at once, and leaves it when the hub has stored it.
//!
//! ```text
//! pass -> observe (summaries), record_event (events) -> outbox -> courier (what is sent next) -> client (TLS) -> hub
//!                                                         ^------- acknowledged, refused -------'
//! ```
//!
//! Without an enrolment there is no [`Shipper`] and nothing of this runs. With one: events are sent at once, summaries
//! some minutes after their bucket has closed (each agent at its own moment, so that a fleet does not call all at
//! once), one batch at a time, over a connection that is closed when nothing is left to send. Failures are retried with
//! back-off; a refusal of this agent (revoked, unknown, wrong key) stops the shipping, and `status` says so. Nothing
//! here waits for the network but [`Shipper::run`], which is a task of its own.

mod client;
mod courier;
mod endpoint;
mod enrollment;
mod proxy;
mod roots;

pub use client::{Answer, Client, ClientError};
pub use courier::{Courier, News, Next, Sender};
pub use endpoint::{Endpoint, EndpointError};
pub use enrollment::{ENROLLMENT_FILE, Enrollment};

use crate::health::unmap;
use crate::outbox::{self, Figures, Outbox, OutboxError};
use crate::request::{Desk, DeskSettings};
use arki_model::chain;
use arki_model::clock::{Clock, UnixSeconds};
use arki_model::request::{ANSWER_TYPE, ANSWERS_PATH};
use arki_model::signature::{PrivateKey, Signed};
use arki_model::summary::{BUCKET_S, Summariser};
use arki_model::wire::{About, Epoch, INGEST_PATH, Kind, WireError, encode_event};
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// The part of a bucket over which a fleet spreads its summaries; what is left is for a retry before the next.
const SPREAD_S: u64 = 4 * BUCKET_S as u64 / 5;

/// Why something was not recorded for the hub.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    /// The spool.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// It cannot be encoded.
    #[error("cannot encode what goes to the hub: {0}")]
    Wire(#[from] WireError),
}

/// How the shipping does, for `status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShipStatus {
    /// Where it goes.
    pub url: String,
    /// What keeps it from working now, if anything.
    pub trouble: Option<String>,
    /// True if only an operator can help.
    pub stopped: bool,
    /// When the hub last acknowledged something.
    pub acknowledged_at_s: Option<UnixSeconds>,
    /// What the spool holds.
    pub figures: Figures,
}

/// What a shipper needs to know.
#[derive(Debug, Clone)]
pub struct ShipSettings {
    /// The hub's address, if not the one of the enrolment.
    pub url: String,
    /// Where the spool is.
    pub state_dir: std::path::PathBuf,
    /// The most bytes of the spool.
    pub outbox_bytes_max: u64,
    /// Certificates to believe instead of the system's, as a PEM file.
    pub ca_file: Option<std::path::PathBuf>,
    /// The name of this host in events.
    pub host: String,
    /// Time between two passes.
    pub interval_s: u32,
}

/// Records for the hub, and sends in the background. One thread owns it.
pub struct Shipper {
    outbox: RefCell<Outbox>,
    summariser: RefCell<Summariser>,
    courier: RefCell<Courier>,
    client: RefCell<Option<Client>>,
    clock: Rc<dyn Clock>,
    wake: Notify,
    /// What the hub asks of this agent.
    desk: Option<Rc<Desk>>,
    /// Summaries wait until then, in monotonic time.
    summaries_due: Cell<Duration>,
    spread: Duration,
    url: String,
    trouble: RefCell<Option<String>>,
    notes: RefCell<Vec<String>>,
    acknowledged_at_s: Cell<Option<UnixSeconds>>,
}

impl std::fmt::Debug for Shipper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shipper({})", self.url)
    }
}

impl Shipper {
    /// Opens the spool for an agent that is enrolled.
    pub fn open(
        enrollment: &Enrollment,
        key: PrivateKey,
        settings: &ShipSettings,
        clock: Rc<dyn Clock>,
    ) -> Result<Self, ShipError> {
        let directory = settings.state_dir.join(outbox::DIRECTORY);
        let (outbox, notes) = Outbox::open(&directory, settings.outbox_bytes_max, &mut random)?;
        let about = About {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            host: settings.host.clone(),
            interval_s: settings.interval_s,
            ..About::default()
        };
        let sender = Sender {
            agent: enrollment.agent_id,
            key,
            about,
        };
        let client = Client::new(&enrollment.url, settings.ca_file.clone());
        let trouble = client.as_ref().err().map(ToString::to_string);
        let [first, ..] = enrollment.agent_id.0;
        Ok(Self {
            outbox: RefCell::new(outbox),
            summariser: RefCell::default(),
            courier: RefCell::new(Courier::new(sender, random())),
            client: RefCell::new(client.ok()),
            clock,
            wake: Notify::new(),
            desk: None,
            summaries_due: Cell::new(Duration::ZERO),
            spread: Duration::from_secs(u64::from(first) * SPREAD_S / 256),
            url: enrollment.url.clone(),
            trouble: RefCell::new(trouble),
            notes: RefCell::new(notes),
            acknowledged_at_s: Cell::new(None),
        })
    }

    /// The number in the chain of the last event that was recorded here: what the log of events has beyond it was
    /// signed just before a crash, and is to be recorded now.
    pub fn last_event(&self) -> u64 {
        self.outbox.borrow().last_tag(Kind::Events)
    }

    /// Records a signed event durably and has it sent at once.
    pub fn record_event(&self, signed: &Signed) -> Result<(), ShipError> {
        let number = chain::decode(&signed.payload).map_or(0, |event| event.sequence);
        let record = encode_event(signed)?;
        self.outbox
            .borrow_mut()
            .append(Kind::Events, number, &record)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Records a signed report durably, after the events that it is about.
    pub fn record_report(&self, signed: &Signed) -> Result<(), ShipError> {
        let record = encode_event(signed)?;
        let mut outbox = self.outbox.borrow_mut();
        // The tag stays the last event's: a report is no link of the chain.
        let number = outbox.last_tag(Kind::Events);
        outbox.append(Kind::Events, number, &record)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Takes one pass; every five minutes a summary is recorded.
    pub fn observe<'a>(
        &self,
        now_s: UnixSeconds,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<(), ShipError> {
        if let Some(record) = self.summariser.borrow_mut().observe(now_s, values)? {
            let tag = now_s.unsigned_abs();
            let mut outbox = self.outbox.borrow_mut();
            // One moment for all that waits: a later bucket does not put off an earlier one.
            if !outbox.is_waiting(Kind::Summaries) {
                self.summaries_due.set(self.clock.monotonic() + self.spread);
            }
            outbox.append(Kind::Summaries, tag, &record)?;
            drop(outbox);
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Has the hub's requests done at `desk`. After a start some are likely: the agent may have been away.
    #[must_use]
    pub fn with_desk(mut self, desk: Rc<Desk>) -> Self {
        desk.expect_requests();
        self.desk = Some(desk);
        self
    }

    /// Where the hub's requests are done.
    pub fn desk(&self) -> Option<&Rc<Desk>> {
        self.desk.as_ref()
    }

    /// How it does.
    pub fn status(&self) -> ShipStatus {
        let stopped = self.courier.borrow().stopped().map(str::to_owned);
        ShipStatus {
            url: self.url.clone(),
            stopped: stopped.is_some(),
            trouble: stopped.or_else(|| self.trouble.borrow().clone()),
            acknowledged_at_s: self.acknowledged_at_s.get(),
            figures: self.outbox.borrow().figures(),
        }
    }

    /// What a person should know about damage to the spool; each is said once.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.borrow_mut())
    }

    /// Sends what waits, for ever. Dropping this future stops it at any point without loss.
    pub async fn run(&self) {
        loop {
            self.talk().await;
            let wait = self.step().await;
            if wait == Some(Duration::ZERO) {
                continue;
            }
            // What came up meanwhile is not kept waiting by a pause of the summaries.
            let wait = wait.map(|wait| self.due_at_desk().map_or(wait, |due| due.min(wait)));
            // Nothing is kept open, or mapped, while there is nothing to say.
            if let Some(client) = self.client.borrow_mut().as_mut() {
                client.close();
            }
            unmap();
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => self.idle().await,
            }
            // TLS comes in place of what a pass needs, not on top of it.
            unmap();
        }
    }

    /// Sends one batch. Returns how long to wait before the next, or `None` if there is none.
    async fn step(&self) -> Option<Duration> {
        let summaries_due = self.clock.monotonic() >= self.summaries_due.get();
        let next = self.courier.borrow_mut().next(
            &mut self.outbox.borrow_mut(),
            self.clock.now_s(),
            summaries_due,
        );
        let body = match next {
            Ok(body) => body?,
            Err(error) => {
                self.note(Some(error.to_string()));
                return Some(RETRY_DISK);
            }
        };
        // Taken out while it is used: nobody else asks for it, and a status in between finds nothing borrowed.
        let mut client = self.client.borrow_mut().take()?;
        let answer = client
            .post(INGEST_PATH, arki_model::wire::BATCH_TYPE, body)
            .await;
        self.client.borrow_mut().replace(client);
        let answer = answer.map_err(|error| error.to_string());
        let mut courier = self.courier.borrow_mut();
        let result = courier.answered(&mut self.outbox.borrow_mut(), answer, &mut random);
        self.notes.borrow_mut().extend(courier.take_notes());
        if let Some(desk) = &self.desk {
            match courier.take_news() {
                News::Requests => desk.requests_wait(),
                News::Events => desk.expect_requests(),
                News::None => {}
            }
        }
        match result {
            Ok(Next::Now) => {
                self.acknowledged_at_s.set(Some(self.clock.now_s()));
                self.note(None);
                Some(Duration::ZERO)
            }
            Ok(Next::Wait(wait, why)) => {
                self.note(Some(why));
                Some(wait)
            }
            Ok(Next::Stop(why)) => {
                tracing::error!(hub = %self.url, "{why}");
                self.note(Some(why));
                None
            }
            Err(error) => {
                self.note(Some(error.to_string()));
                Some(RETRY_DISK)
            }
        }
    }

    /// Sends what the desk has for the hub, and brings what the hub asks.
    async fn talk(&self) {
        let Some(desk) = &self.desk else { return };
        while self.courier.borrow().stopped().is_none()
            && let Some(body) = desk.next_body()
        {
            let Some(mut client) = self.client.borrow_mut().take() else {
                return;
            };
            let answer = client.post(ANSWERS_PATH, ANSWER_TYPE, body).await;
            self.client.borrow_mut().replace(client);
            match answer {
                Ok(answer) if answer.status == 200 => desk.heard(&answer.body),
                Ok(answer) => desk.failed(Some(answer.status)),
                Err(_) => desk.failed(None),
            }
        }
    }

    /// How long until the desk has something to send; `None` if nothing is to come by itself.
    fn due_at_desk(&self) -> Option<Duration> {
        if self.courier.borrow().stopped().is_some() {
            return None;
        }
        let due = self.desk.as_ref()?.due()?;
        Some(due.saturating_sub(self.clock.monotonic()).max(MOMENT))
    }

    /// Until something is recorded, summaries that wait for their moment have reached it, or the desk has something.
    async fn idle(&self) {
        let waiting = self.outbox.borrow().is_waiting(Kind::Summaries);
        let now = self.clock.monotonic();
        let due = self.summaries_due.get().saturating_sub(now);
        let is_stopped = self.courier.borrow().stopped().is_some();
        let summaries = (waiting && !due.is_zero() && !is_stopped).then_some(due);
        let wait = summaries.into_iter().chain(self.due_at_desk()).min();
        let reply_ready = async {
            match &self.desk {
                Some(desk) => desk.reply_ready().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.wake.notified() => {}
            () = reply_ready => {}
            () = tokio::time::sleep(wait.unwrap_or(LONG)) => {}
        }
    }

    /// Logged when it changes, so that a hub that is away for a day does not fill the log.
    fn note(&self, trouble: Option<String>) {
        let mut known = self.trouble.borrow_mut();
        match (&*known, &trouble) {
            (None, Some(why)) => tracing::warn!(hub = %self.url, "not shipping: {why}"),
            (Some(_), None) => tracing::info!(hub = %self.url, "shipping again"),
            _ => {}
        }
        *known = trouble;
    }
}

/// A pause that is none, but lets others go first.
const MOMENT: Duration = Duration::from_millis(1);
/// Where nothing comes by itself, this is as good as never.
const LONG: Duration = Duration::from_secs(3600);
/// A disk that does not take the spool's state is tried again this often.
const RETRY_DISK: Duration = Duration::from_secs(5);

/// 64 random bits of the kernel; without them, what the address space's layout and the time give.
fn random() -> u64 {
    let mut bytes = [0; 8];
    if getrandom::fill(&mut bytes).is_ok() {
        u64::from_le_bytes(bytes)
    } else {
        RandomState::new().hash_one(std::process::id())
    }
}

/// An epoch for a lane that begins anew.
fn epoch(random: &mut dyn FnMut() -> u64) -> Epoch {
    Epoch(random())
}

/// Opens the shipper of an agent that is enrolled; `None` for one that is not. `desk` makes the place where the hub's
/// requests are done, for who it is and whom it believes.
pub fn open(
    settings: &ShipSettings,
    key: PrivateKey,
    clock: Rc<dyn Clock>,
    desk: impl FnOnce(&Enrollment) -> DeskSettings,
) -> Result<(Option<Shipper>, Option<String>), ShipError> {
    let (enrollment, note) = Enrollment::load(Path::new(&settings.state_dir));
    match enrollment {
        Some(mut enrollment) => {
            if !settings.url.is_empty() {
                enrollment.url.clone_from(&settings.url);
            }
            let shipper = Shipper::open(&enrollment, key, settings, Rc::clone(&clock))?;
            let desk = Desk::new(desk(&enrollment), clock);
            Ok((Some(shipper.with_desk(Rc::new(desk))), note))
        }
        None => Ok((None, note)),
    }
}

#[cfg(test)]
mod tests;
