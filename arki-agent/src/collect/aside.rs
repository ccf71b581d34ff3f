//! Asking file systems that may never answer, without waiting for them.
//!
//! ```text
//! pass n:   ask --- queue ---> worker: statvfs --- answers ---+
//! pass n+1: take <--------------------------------------------+     (a value is one pass old)
//! ```
//!
//! One worker at a time. A call that takes longer than the patience is stalled: its worker is left behind with it, a
//! new one goes on with the others, and the mount is not asked again until that call has come back. A worker that was
//! left behind sends back what it has not begun. Invariants: no
//! method blocks; at most [`STALLED_MAX`] workers are left behind, and then nothing is asked until one comes back;
//! queues are bounded; a mount is asked at most once at a time.

use super::mounts::FILE_SYSTEMS_MAX;
use super::statvfs::{Space, Statvfs};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// The most workers that are left behind, each with its own mount. A dead server often takes several mounts along.
pub(super) const STALLED_MAX: usize = 4;

/// Enough for `statvfs`; the default of 2 MiB would be reserved for nothing.
const STACK_BYTES: usize = 64 * 1024;

/// What a mount answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) point: PathBuf,
    pub(super) space: io::Result<Space>,
}

#[derive(Debug)]
struct Request {
    number: u64,
    point: PathBuf,
}

#[derive(Debug)]
struct Reply {
    number: u64,
    /// `None` if it was sent back without having been asked.
    answer: Option<Answer>,
}

#[derive(Debug)]
struct Asked {
    number: u64,
    point: PathBuf,
    at: Duration,
}

#[derive(Debug)]
struct Worker {
    requests: SyncSender<Request>,
    /// Set when the worker is left behind: it ends after the call that it is in.
    is_left: Arc<AtomicBool>,
}

/// Asks aside. One for all mounts that may block.
pub(super) struct Aside {
    statvfs: Arc<Statvfs>,
    patience: Duration,
    worker: Option<Worker>,
    replies: Receiver<Reply>,
    reply: SyncSender<Reply>,
    /// How many were asked so far: the number of the next request.
    requests: u64,
    /// In the order in which the worker does them.
    asked: Vec<Asked>,
    /// Mounts whose call has not come back; each has a worker of its own.
    stalled: Vec<Asked>,
}

impl std::fmt::Debug for Aside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aside")
            .field("asked", &self.asked)
            .field("stalled", &self.stalled)
            .finish_non_exhaustive()
    }
}

impl Aside {
    pub(super) fn new(statvfs: Arc<Statvfs>, patience: Duration) -> Self {
        let (reply, replies) = sync_channel(FILE_SYSTEMS_MAX + STALLED_MAX);
        Self {
            statvfs,
            patience,
            worker: None,
            replies,
            reply,
            requests: 0,
            asked: Vec::new(),
            stalled: Vec::new(),
        }
    }

    /// The answers that have come since the last call. Finds out what is stalled at `now`.
    pub(super) fn take(&mut self, now: Duration) -> Vec<Answer> {
        let mut answers = Vec::new();
        for Reply { number, answer } in self.replies.try_iter() {
            self.asked.retain(|asked| asked.number != number);
            self.stalled.retain(|asked| asked.number != number);
            answers.extend(answer);
        }
        // The worker is in the first call of its queue; the others only wait behind it.
        let is_late = |asked: &Asked| now.saturating_sub(asked.at) > self.patience;
        if self.asked.first().is_some_and(is_late) {
            self.stalled.push(self.asked.remove(0));
            self.asked.clear();
            if let Some(worker) = self.worker.take() {
                worker.is_left.store(true, Ordering::Relaxed);
            }
        }
        answers
    }

    /// Asks the mount at `point`, unless it is being asked. False if nothing can be asked now.
    pub(super) fn ask(&mut self, point: &Path, now: Duration) -> io::Result<bool> {
        let is_asked = self.asked.iter().any(|asked| asked.point == point);
        if is_asked || self.is_stalled(point) {
            return Ok(true);
        }
        if self.worker.is_none() {
            if self.stalled.len() >= STALLED_MAX {
                return Ok(false);
            }
            self.worker = Some(self.hire()?);
        }
        let Some(worker) = &self.worker else {
            return Ok(false);
        };
        let (number, point) = (self.requests, point.to_owned());
        self.requests += 1;
        let request = Request {
            number,
            point: point.clone(),
        };
        match worker.requests.try_send(request) {
            Ok(()) => {
                self.asked.push(Asked {
                    number,
                    point,
                    at: now,
                });
                Ok(true)
            }
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => {
                self.worker = None;
                self.asked.clear();
                Err(io::Error::other(
                    "the thread that asks file systems has ended",
                ))
            }
        }
    }

    /// True while the mount at `point` has not come back from a call.
    pub(super) fn is_stalled(&self, point: &Path) -> bool {
        self.stalled.iter().any(|asked| asked.point == point)
    }

    fn hire(&self) -> io::Result<Worker> {
        let (requests, queue) = sync_channel::<Request>(FILE_SYSTEMS_MAX);
        let is_left = Arc::new(AtomicBool::new(false));
        let (statvfs, reply) = (Arc::clone(&self.statvfs), self.reply.clone());
        let left = Arc::clone(&is_left);
        let work = move || {
            for Request { number, point } in queue {
                let answer = (!left.load(Ordering::Relaxed)).then(|| Answer {
                    space: statvfs(&point),
                    point,
                });
                if reply.send(Reply { number, answer }).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("arki-statvfs".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(work)?;
        Ok(Worker { requests, is_left })
    }
}
