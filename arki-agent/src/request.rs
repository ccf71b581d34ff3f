//! What the hub asks of this agent: fetched, believed or refused, done beside the passes, and answered.
//!
//! ```text
//! acknowledgement says "requests waiting" -> Shipper asks -> Desk::heard (signature, agent, time) -> queue
//!   Desk::work: snapshot on a thread of its own | apply (see `apply`) -> reply -> Shipper sends it, until it is heard
//! ```
//!
//! **When.** The hub never calls; an agent sends a batch every five minutes, and so a request waits five minutes at the
//! most. Where a request is likely (an event was just sent, or a request was just done) an agent that allows snapshots or
//! applies anything asks every [`ASK_EVERY`] for [`ASK_FOR`]: then it waits 20 s.
//!
//! Invariants: one request is done at a time; queues are bounded; what is not signed by the pinned key, or is for
//! another agent, or has ended, is refused, counted, and in the audit file; an answer that got lost costs a repetition
//! of the answer, never of the command.

use crate::apply::journal::{Entry, Journal};
use crate::apply::{Applier, Refusal, live_configuration};
use crate::config::ApplySettings;
use crate::snapshot::redact::redact_text;
use crate::snapshot::{self, SnapshotError, Wanted};
use arki_model::clock::{Clock, UnixSeconds};
use arki_model::request::{Answer, Heard, Order, Outcome, Reply, Report, Request, RequestId};
use arki_model::signature::{PrivateKey, PublicKey};
use arki_model::snapshot::Fingerprints;
use arki_model::wire::{AgentId, WireError};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// How often an agent asks while a request is likely.
pub const ASK_EVERY: Duration = Duration::from_secs(20);
/// How long a request is likely after an event or a request.
pub const ASK_FOR: Duration = Duration::from_secs(600);
/// Requests that wait here at the most; more wait at the hub.
const QUEUE_MAX: usize = 8;
/// The first pause after a failure; doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Reading and redacting files takes little of it.
const STACK_BYTES: usize = 512 * 1024;

/// What a desk needs to know.
#[derive(Debug)]
pub struct DeskSettings {
    /// What the hub calls this agent.
    pub agent: AgentId,
    /// The hub's key, as the enrolment pinned it: 64 hexadecimal digits.
    pub hub_key: String,
    /// This agent's key.
    pub key: PrivateKey,
    /// What may be copied.
    pub services: Vec<Wanted>,
    /// What may be applied.
    pub apply: ApplySettings,
    /// What was applied.
    pub journal: Rc<Journal>,
}

/// Takes requests and has them done.
pub struct Desk {
    key: PrivateKey,
    agent: AgentId,
    hub: Option<PublicKey>,
    services: Vec<Wanted>,
    applier: Option<Rc<Applier>>,
    journal: Rc<Journal>,
    clock: Rc<dyn Clock>,
    queue: RefCell<VecDeque<Request>>,
    /// What is being done.
    current: Cell<Option<RequestId>>,
    replies: RefCell<VecDeque<Reply>>,
    /// The reply that is on its way; a question may be on its way while a reply becomes ready.
    sending: Cell<Option<RequestId>>,
    refused: Cell<u64>,
    /// When to ask next, and until when to ask again and again, in monotonic time.
    ask_at: Cell<Option<Duration>>,
    ask_until: Cell<Duration>,
    /// Nothing is sent before, after a failure.
    pause_until: Cell<Duration>,
    failures: Cell<u32>,
    work_due: Notify,
    reply_due: Notify,
    /// True while a thread is reading files.
    is_reading: Arc<AtomicBool>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("queue", &self.queue)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk with nothing on it.
    pub fn new(settings: DeskSettings, clock: Rc<dyn Clock>) -> Self {
        let hub = PublicKey::from_hex(&settings.hub_key).ok();
        let applier = hub.map(|hub| {
            Rc::new(Applier {
                agent: settings.agent,
                hub,
                settings: settings.apply,
                journal: Rc::clone(&settings.journal),
            })
        });
        Self {
            key: settings.key,
            agent: settings.agent,
            hub,
            services: settings.services,
            applier,
            journal: settings.journal,
            clock,
            queue: RefCell::default(),
            current: Cell::new(None),
            replies: RefCell::default(),
            sending: Cell::new(None),
            refused: Cell::new(0),
            ask_at: Cell::new(None),
            ask_until: Cell::new(Duration::ZERO),
            pause_until: Cell::new(Duration::ZERO),
            failures: Cell::new(0),
            work_due: Notify::new(),
            reply_due: Notify::new(),
            is_reading: Arc::default(),
        }
    }

    /// Requests that were refused since the start.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// The hub has something: ask now.
    pub fn requests_wait(&self) {
        self.ask_at.set(Some(self.clock.monotonic()));
    }

    /// Something happened after which a person may want something of this agent: ask again for a while.
    pub fn expect_requests(&self) {
        let allows = !self.services.is_empty()
            || self
                .applier
                .as_ref()
                .is_some_and(|applier| applier.settings.enabled);
        if allows {
            let now = self.clock.monotonic();
            self.ask_until.set(now + ASK_FOR);
            let next = now + ASK_EVERY;
            self.ask_at
                .set(Some(self.ask_at.get().map_or(next, |at| at.min(next))));
        }
    }

    /// When there is something to send, in monotonic time; `None` if there is not.
    pub fn due(&self) -> Option<Duration> {
        let at = if self.replies.borrow().is_empty() {
            self.ask_at.get()?
        } else {
            Duration::ZERO
        };
        Some(at.max(self.pause_until.get()))
    }

    /// Waits until a reply is ready.
    pub async fn reply_ready(&self) {
        self.reply_due.notified().await;
    }

    /// The body to send now, if any. [`Self::heard`] or [`Self::failed`] says what became of it.
    pub fn next_body(&self) -> Option<Vec<u8>> {
        if self.due()? > self.clock.monotonic() {
            return None;
        }
        let reply = self.replies.borrow().front().cloned();
        self.sending.set(reply.as_ref().map(|reply| reply.request));
        match self.body(reply) {
            Ok(body) => Some(body),
            Err(error) => {
                tracing::error!(%error, "an answer to the hub cannot be made");
                self.done_sending();
                self.ask_at.set(None);
                None
            }
        }
    }

    fn body(&self, reply: Option<Reply>) -> Result<Vec<u8>, WireError> {
        let answer = Answer {
            agent: self.agent,
            sent_at_s: self.clock.now_s(),
            reply,
        };
        answer.seal(&self.key)
    }

    /// The hub has answered what [`Self::next_body`] gave.
    pub fn heard(&self, body: &[u8]) {
        let Ok(heard) = serde_json::from_slice::<Heard>(body) else {
            self.failed(None);
            return;
        };
        self.failures.set(0);
        self.pause_until.set(Duration::ZERO);
        self.done_sending();
        let now = self.clock.monotonic();
        let again = (now < self.ask_until.get()).then_some(now + ASK_EVERY);
        self.ask_at.set(again);
        for line in &heard.requests {
            self.take(line);
        }
    }

    /// It was not heard. With the status of a refusal that no repetition changes, the reply goes.
    pub fn failed(&self, status: Option<u16>) {
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let pause = PAUSE_MIN
            .saturating_mul(1 << failures.min(10))
            .min(PAUSE_MAX);
        self.pause_until.set(self.clock.monotonic() + pause);
        if let Some(status @ (400 | 404 | 405 | 410 | 413 | 415)) = status {
            tracing::warn!(status, "the hub does not take an answer");
            self.done_sending();
            self.ask_at.set(None);
        }
    }

    /// What was on its way is not to be sent again.
    fn done_sending(&self) {
        if let Some(id) = self.sending.take() {
            self.replies
                .borrow_mut()
                .retain(|reply| reply.request != id);
        }
    }

    /// One line from the hub.
    fn take(&self, line: &str) {
        let now_s = self.clock.now_s();
        let opened = match &self.hub {
            Some(hub) => {
                Request::open(line, hub, self.agent, now_s).map_err(|error| error.to_string())
            }
            None => Err("this agent pinned no key of its hub: enrol it again".to_owned()),
        };
        match opened {
            Err(reason) => self.refuse(&json!({"reason": reason}), now_s),
            Ok(request) if self.is_known(request.id) => {}
            Ok(request) => {
                let mut queue = self.queue.borrow_mut();
                if queue.len() < QUEUE_MAX {
                    queue.push_back(request);
                    self.work_due.notify_one();
                }
                drop(queue);
                self.expect_requests();
            }
        }
    }

    fn refuse(&self, about: &serde_json::Value, now_s: UnixSeconds) {
        self.refused.set(self.refused.get().saturating_add(1));
        self.journal.audit().write("refused", about, now_s);
    }

    fn is_known(&self, id: RequestId) -> bool {
        self.current.get() == Some(id)
            || self.queue.borrow().iter().any(|request| request.id == id)
            || self
                .replies
                .borrow()
                .iter()
                .any(|reply| reply.request == id)
    }

    /// Does what is asked, one after the other, for ever. Dropping this future loses no command: one that runs goes on
    /// to its end, and the journal keeps how that was.
    pub async fn work(&self) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some(request) = next else {
                self.work_due.notified().await;
                continue;
            };
            self.current.set(Some(request.id));
            let reply = self.carry_out(request).await;
            self.current.set(None);
            if let Some(reply) = reply {
                self.replies.borrow_mut().push_back(reply);
                self.reply_due.notify_one();
            }
        }
    }

    /// `None`: to be answered later, when the hub asks again.
    async fn carry_out(&self, request: Request) -> Option<Reply> {
        let (id, now_s) = (request.id, self.clock.now_s());
        match request.order {
            Order::Snapshot { service } => Some(self.snapshot(id, &service).await),
            Order::Apply { receipt, series } => match self.journal.by_request(id) {
                Some(entry) if entry.ran.is_none() && self.journal.is_running() => None,
                Some(entry) => Some(reply_of(id, &entry)),
                None => Some(match self.apply(id, &receipt, series).await {
                    Ok(entry) => reply_of(id, &entry),
                    Err(refusal) => {
                        let reason = refusal.to_string();
                        self.refuse(
                            &json!({"request": id, "order": "apply", "reason": reason}),
                            now_s,
                        );
                        plain(id, Outcome::Refused, reason)
                    }
                }),
            },
        }
    }

    fn wanted(&self, service: &str) -> Option<Wanted> {
        let name = |text: &str| text.trim_end_matches(".service").to_owned();
        self.services
            .iter()
            .find(|wanted| name(&wanted.service) == name(service))
            .cloned()
    }

    async fn snapshot(&self, id: RequestId, service: &str) -> Reply {
        let now_s = self.clock.now_s();
        let Some(wanted) = self.wanted(service) else {
            let reason = format!(
                "this agent copies no configuration of {service}: give its [[service]] a `snapshot` in the agent's configuration"
            );
            self.refuse(
                &json!({"request": id, "order": "snapshot", "reason": reason}),
                now_s,
            );
            return plain(id, Outcome::Refused, reason);
        };
        let prints = Fingerprints::new(&self.key.seed());
        let taken = self
            .aside(move |stop| snapshot::take(&wanted, &prints, now_s, stop))
            .await;
        match taken {
            Ok(encoded) => {
                let about = json!({
                    "request": id, "service": service, "bytes": encoded.bytes,
                    "configuration": arki_model::hex::encode(&encoded.configuration),
                });
                self.journal.audit().write("snapshot", &about, now_s);
                Reply {
                    request: id,
                    outcome: Outcome::Done,
                    text: String::new(),
                    content: encoded.compressed,
                }
            }
            Err(error) => {
                let reason = error.to_string();
                let about = json!({"request": id, "service": service, "reason": reason});
                self.journal.audit().write("snapshot failed", &about, now_s);
                plain(id, Outcome::Failed, reason)
            }
        }
    }

    async fn apply(&self, id: RequestId, receipt: &str, series: String) -> Result<Entry, Refusal> {
        let applier = self.applier.clone().ok_or(Refusal::Off)?;
        let now_s = self.clock.now_s();
        let permit = applier.check(receipt, now_s)?;
        let service = &permit.receipt.service;
        let wanted = self
            .wanted(service)
            .ok_or_else(|| Refusal::NoSnapshot(service.clone()))?;
        let prints = Fingerprints::new(&self.key.seed());
        let live = self
            .aside(move |stop| live_configuration(&wanted, &prints, now_s, stop))
            .await?;
        Applier::compare(&permit, &live)?;
        let clock = Rc::clone(&self.clock);
        // A task of its own: a reload of the configuration ends this one, and must not lose how the command ended.
        let run =
            tokio::task::spawn_local(async move { applier.run(permit, id, series, &*clock).await });
        run.await.unwrap_or(Err(Refusal::Off))
    }

    /// Runs `work` on a thread of its own, with a deadline. One at a time: a thread that hangs in a dead mount is not
    /// joined by a second.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AtomicBool) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, SnapshotError> {
        if self.is_reading.swap(true, Ordering::SeqCst) {
            return Err(SnapshotError::Late);
        }
        let (send, receive) = oneshot::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, reading) = (Arc::clone(&stop), Arc::clone(&self.is_reading));
        let thread = move || {
            let result = work(&stopped);
            reading.store(false, Ordering::SeqCst);
            // Whoever asked may have given up.
            drop(send.send(result));
        };
        let spawned = std::thread::Builder::new()
            .name("arki-snapshot".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(thread);
        if let Err(error) = spawned {
            self.is_reading.store(false, Ordering::SeqCst);
            return Err(SnapshotError::Path(thread_failed(&error)));
        }
        let result = tokio::time::timeout(snapshot::TIME_MAX, receive).await;
        stop.store(true, Ordering::Relaxed);
        result
            .ok()
            .and_then(Result::ok)
            .unwrap_or(Err(SnapshotError::Late))
    }
}

fn thread_failed(error: &io::Error) -> String {
    format!("the files: no thread could be started ({error})")
}

fn plain(request: RequestId, outcome: Outcome, text: String) -> Reply {
    Reply {
        request,
        outcome,
        text,
        content: Vec::new(),
    }
}

/// What the journal knows of a command, for the hub.
fn reply_of(request: RequestId, entry: &Entry) -> Reply {
    let mut report = entry.ran.clone().unwrap_or_default();
    for output in [&mut report.stdout, &mut report.stderr] {
        *output = redact_text(output);
    }
    let outcome = if report.succeeded() {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    Reply {
        request,
        outcome,
        text: report.text(),
        content: Report::encode(&report).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
