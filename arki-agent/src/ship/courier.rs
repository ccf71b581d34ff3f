//! Decides what is sent next and what an answer means. No I/O of its own but the spool's, so that a day of an absent
//! hub is a loop in a test.
//!
//! Events go before summaries. One batch is in flight; it is sent again, unchanged in its records, until the hub has
//! answered. What each refusal means is in [`arki_model::wire::problem`].

use super::{Answer, epoch};
use crate::outbox::{Outbox, OutboxError};
use arki_model::clock::UnixSeconds;
use arki_model::signature::PrivateKey;
use arki_model::wire::{
    About, Acknowledgement, AgentId, Batch, Epoch, Header, Kind, Problem, RECORDS_MAX, problem,
    seal, strip_names,
};
use std::collections::HashSet;
use std::time::Duration;

/// The first pause after a failure; doubled each time, up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(2);
/// Five minutes: a hub that comes back after a day has all its agents' news within the next bucket.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// The longest that a hub may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// 64 KiB of records a batch: zstd's tables for that take 300 KB for a moment, and a day of one event a second is
/// gone after 1,400 batches.
const BATCH_BYTES: usize = 64 * 1024;

/// The most digests of names that are remembered as known to the hub; an agent has one, and another when a disk is
/// mounted.
const KNOWN_MAX: usize = 32;

/// Who sends.
#[derive(Debug)]
pub struct Sender {
    /// The agent's id.
    pub agent: AgentId,
    /// Its key.
    pub key: PrivateKey,
    /// What it says about itself; the counts are filled in.
    pub about: About,
}

/// What to do after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send the next batch.
    Now,
    /// Pause that long; the text says why.
    Wait(Duration, String),
    /// Send no more until an operator has helped.
    Stop(String),
}

/// What an answer brought for the desk ([`crate::request::Desk`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    #[default]
    None,
    /// Events were stored: a person may soon want something.
    Events,
    /// The hub asks something of this agent.
    Requests,
}

#[derive(Debug)]
struct InFlight {
    kind: Kind,
    pending: crate::outbox::Pending,
    digests: Vec<[u8; 16]>,
    /// Names were left out because the hub is said to have them.
    leans_on_known: bool,
}

/// Sends what waits, in order.
#[derive(Debug)]
pub struct Courier {
    sender: Sender,
    known: HashSet<[u8; 16]>,
    failures: u32,
    records_max: usize,
    in_flight: Option<InFlight>,
    stopped: Option<String>,
    notes: Vec<String>,
    news: News,
    jitter: u64,
}

impl Courier {
    /// `seed` makes the pauses of this agent differ from others'.
    pub fn new(sender: Sender, seed: u64) -> Self {
        Self {
            sender,
            known: HashSet::new(),
            failures: 0,
            records_max: RECORDS_MAX,
            in_flight: None,
            stopped: None,
            notes: Vec::new(),
            news: News::None,
            jitter: seed,
        }
    }

    /// Why nothing is sent any more.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// What a person should know; each is said once.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// What the last answer brought; said once.
    pub fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// The next body to send, if any. Summaries only when they are due.
    pub fn next(
        &mut self,
        outbox: &mut Outbox,
        now_s: UnixSeconds,
        summaries_due: bool,
    ) -> Result<Option<Vec<u8>>, OutboxError> {
        if self.stopped.is_some() {
            return Ok(None);
        }
        for kind in [Kind::Events, Kind::Summaries] {
            if kind == Kind::Summaries && !summaries_due {
                continue;
            }
            loop {
                let (pending, notes) = outbox.pending(kind, self.records_max, BATCH_BYTES)?;
                self.notes.extend(notes);
                let Some(pending) = pending else { break };
                let figures = outbox.figures();
                self.sender.about.summaries_dropped = figures.summaries_dropped;
                self.sender.about.records_set_aside = figures.records_set_aside;
                match self.encode(kind, pending, now_s) {
                    Ok(body) => return Ok(Some(body)),
                    // It can never be sent; a batch of several is tried one by one.
                    Err((pending, why)) if pending.payloads.len() == 1 => {
                        let file = outbox.set_aside(kind, &pending)?;
                        self.notes
                            .push(format!("a record cannot be sent ({why}): kept as {file}"));
                    }
                    Err(_) => self.records_max = 1,
                }
            }
        }
        Ok(None)
    }

    fn encode(
        &mut self,
        kind: Kind,
        pending: crate::outbox::Pending,
        now_s: UnixSeconds,
    ) -> Result<Vec<u8>, (crate::outbox::Pending, String)> {
        let header = Header {
            agent: self.sender.agent,
            epoch: pending.epoch,
            sequence: pending.first,
            sent_at_s: now_s,
        };
        let (mut digests, mut leans_on_known) = (Vec::new(), false);
        let sealed = match kind {
            Kind::Events => Batch::encode(kind, &self.sender.about, &pending.payloads),
            Kind::Summaries => self
                .without_known_names(&pending.payloads, &mut digests, &mut leans_on_known)
                .and_then(|records| Batch::encode(kind, &self.sender.about, &records)),
        }
        .and_then(|batch| seal(&self.sender.key, &header, &batch));
        match sealed {
            Ok(body) => {
                self.in_flight = Some(InFlight {
                    kind,
                    pending,
                    digests,
                    leans_on_known,
                });
                Ok(body)
            }
            Err(error) => Err((pending, error.to_string())),
        }
    }

    /// Names travel once a batch, and not at all once the hub has them.
    fn without_known_names(
        &self,
        payloads: &[Vec<u8>],
        digests: &mut Vec<[u8; 16]>,
        leans_on_known: &mut bool,
    ) -> Result<Vec<Vec<u8>>, arki_model::wire::WireError> {
        payloads
            .iter()
            .map(|payload| {
                let (digest, stripped) = strip_names(payload)?;
                let is_known = self.known.contains(&digest);
                *leans_on_known |= is_known;
                if is_known || digests.contains(&digest) {
                    return Ok(stripped);
                }
                digests.push(digest);
                Ok(payload.clone())
            })
            .collect()
    }

    /// Takes the answer to the batch that was sent last; `Err` says why there was none.
    pub fn answered(
        &mut self,
        outbox: &mut Outbox,
        answer: Result<Answer, String>,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Next, OutboxError> {
        let Some(sent) = self.in_flight.take() else {
            return Ok(Next::Now);
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return Ok(self.pause(None, why)),
        };
        if answer.status == 200 {
            let Ok(acknowledged) = serde_json::from_slice::<Acknowledgement>(&answer.body) else {
                let why =
                    "the hub's answer is no acknowledgement; is something else listening there?";
                return Ok(self.pause(None, why.to_owned()));
            };
            return self.acknowledged(outbox, sent, acknowledged, random);
        }
        let said = serde_json::from_slice::<Problem>(&answer.body).unwrap_or_else(|_| {
            Problem::new("about:blank", answer.status, "no problem document", "")
        });
        self.refused(outbox, &sent, &answer, &said, random)
    }

    fn acknowledged(
        &mut self,
        outbox: &mut Outbox,
        sent: InFlight,
        acknowledged: Acknowledgement,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Next, OutboxError> {
        if acknowledged.epoch != sent.pending.epoch || acknowledged.sequence < sent.pending.last() {
            let why = "the hub acknowledged less than it was sent";
            return Ok(self.pause(None, why.to_owned()));
        }
        if acknowledged.sequence > outbox.last_number(sent.kind) {
            return self.begin_again(outbox, sent.kind, random);
        }
        // The names are counted as known before the disk is asked: the hub has them either way.
        if self.known.len() + sent.digests.len() > KNOWN_MAX {
            self.known.clear();
        }
        self.known.extend(sent.digests);
        self.failures = 0;
        self.records_max = RECORDS_MAX;
        self.news = match sent.kind {
            _ if acknowledged.requests_waiting => News::Requests,
            Kind::Events => News::Events,
            Kind::Summaries => News::None,
        };
        outbox.acknowledge(sent.kind, sent.pending.epoch, sent.pending.last())?;
        Ok(Next::Now)
    }

    fn refused(
        &mut self,
        outbox: &mut Outbox,
        sent: &InFlight,
        answer: &Answer,
        said: &Problem,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Next, OutboxError> {
        let text = text(answer.status, said);
        match said.kind.as_str() {
            problem::AGENT_UNKNOWN | problem::AGENT_REVOKED | problem::SIGNATURE => {
                let why = format!(
                    "the hub refuses this agent: {text}: enrol it again (arki-agent enroll --new-key)"
                );
                self.stopped = Some(why.clone());
                Ok(Next::Stop(why))
            }
            // The hub lost names; with all of them in the batch it is no use to send it at once again.
            problem::SERIES_UNKNOWN if sent.leans_on_known => {
                self.known.clear();
                Ok(Next::Wait(Duration::ZERO, text))
            }
            problem::SEQUENCE_REUSED => self.begin_again(outbox, sent.kind, random),
            problem::MALFORMED | problem::TOO_LARGE if sent.pending.payloads.len() > 1 => {
                self.records_max = 1;
                Ok(Next::Wait(Duration::ZERO, text))
            }
            problem::MALFORMED | problem::TOO_LARGE => {
                let file = outbox.set_aside(sent.kind, &sent.pending)?;
                self.notes.push(format!(
                    "the hub does not take a record ({text}): kept as {file}"
                ));
                Ok(Next::Wait(Duration::ZERO, text))
            }
            // A proxy or an older hub may answer these without a document of ours.
            _ if matches!(answer.status, 401 | 403) && said.kind.starts_with(problem::PREFIX) => {
                self.stopped = Some(text.clone());
                Ok(Next::Stop(text))
            }
            _ => Ok(self.pause(answer.retry_after, text)),
        }
    }

    /// The numbers of this lane were used by somebody with another state of this directory.
    fn begin_again(
        &mut self,
        outbox: &mut Outbox,
        kind: Kind,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Next, OutboxError> {
        let epoch: Epoch = epoch(random);
        outbox.renew_epoch(kind, epoch)?;
        let why = format!(
            "the hub knows other records under these numbers: the state directory was copied or restored; epoch {epoch} begins"
        );
        self.notes.push(why.clone());
        // Not at once: two agents on copies of one directory would otherwise chase each other.
        Ok(self.pause(None, why))
    }

    /// The pause before the next attempt: doubled each time, half of it by chance, so that a fleet comes back spread
    /// over it; or what the hub asked for, and up to a tenth more.
    fn pause(&mut self, asked: Option<Duration>, why: String) -> Next {
        // A linear congruential generator (Knuth's MMIX constants) is chance enough for that.
        self.jitter = self
            .jitter
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let chance = (self.jitter >> 33) as f64 / f64::from(1_u32 << 31);
        let doubled = PAUSE_MIN.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let wait = match asked {
            Some(asked) => asked
                .min(RETRY_AFTER_MAX)
                .max(PAUSE_MIN / 2)
                .mul_f64(1.0 + chance / 10.0),
            None => doubled.min(PAUSE_MAX).mul_f64(0.5 + chance / 2.0),
        };
        Next::Wait(wait, why)
    }
}

/// What the hub said, for a person: one line, without what could upset a terminal.
fn text(status: u16, said: &Problem) -> String {
    let detail = if said.detail.is_empty() {
        &said.title
    } else {
        &said.detail
    };
    let text: String = detail
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    format!("{text} ({status})")
}
