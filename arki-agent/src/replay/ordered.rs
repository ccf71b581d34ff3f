//! Puts the output of files that are replayed at the same time into the order of the files.
//!
//! Invariants: what is written is the same however many workers there are; the first file that is not
//! finished writes straight through, the others hold at most [`HELD_BYTES_MAX`] each and then wait; at most
//! [`AHEAD_PER_WORKER`] finished files a worker are held. Files are taken in order, so that the one that
//! everybody waits for is always being worked on.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What one file may hold back: some 700 predictions.
pub const HELD_BYTES_MAX: usize = 1 << 20;

/// How many finished files may wait for a slow one, for each worker.
pub const AHEAD_PER_WORKER: usize = 16;

/// Where the two kinds of output go.
pub struct Outputs<'a> {
    /// The predictions, a line of JSON each.
    pub events: Box<dyn Write + Send + 'a>,
    /// The report.
    pub report: Box<dyn Write + Send + 'a>,
}

impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs").finish_non_exhaustive()
    }
}

impl Outputs<'_> {
    fn write(&mut self, held: &mut Held) -> io::Result<()> {
        self.events.write_all(&held.events)?;
        self.report.write_all(&held.report)?;
        held.events.clear();
        held.report.clear();
        Ok(())
    }
}

/// What a file has yielded and nobody has taken yet.
#[derive(Debug, Default)]
pub struct Held {
    /// Predictions.
    pub events: Vec<u8>,
    /// Report.
    pub report: Vec<u8>,
}

impl Held {
    fn len(&self) -> usize {
        self.events.len() + self.report.len()
    }
}

/// Hands out the numbers of files and takes in their output.
#[derive(Debug)]
pub struct Ordered<'a> {
    state: Mutex<State<'a>>,
    changed: Condvar,
    files: usize,
    ahead_max: usize,
}

#[derive(Debug)]
struct State<'a> {
    out: Outputs<'a>,
    /// The next file that nobody works on.
    next: usize,
    /// The file that writes straight through.
    turn: usize,
    /// From `turn` on: what finished files wrote.
    finished: VecDeque<Option<Held>>,
    /// Why the output ended.
    failure: Option<io::Error>,
}

impl<'a> Ordered<'a> {
    /// For `files` files and `workers` workers.
    pub fn new(out: Outputs<'a>, files: usize, workers: usize) -> Self {
        Self {
            state: Mutex::new(State {
                out,
                next: 0,
                turn: 0,
                finished: VecDeque::new(),
                failure: None,
            }),
            changed: Condvar::new(),
            files,
            ahead_max: workers * AHEAD_PER_WORKER,
        }
    }

    /// The number of the next file to work on; `None` when there is none, or nobody takes the output any more.
    pub fn take(&self) -> Option<usize> {
        let mut state = self.lock();
        while state.failure.is_none()
            && state.next < self.files
            && state.next >= state.turn + self.ahead_max
        {
            state = self.wait(state);
        }
        let file = state.next;
        if state.failure.is_some() || file == self.files {
            return None;
        }
        state.next += 1;
        Some(file)
    }

    /// Takes what is in `held` of `file` if it is that file's turn, or if it is too much to be held.
    pub fn offer(&self, file: usize, held: &mut Held) -> io::Result<()> {
        let mut state = self.lock();
        while state.turn != file && held.len() >= HELD_BYTES_MAX && state.failure.is_none() {
            state = self.wait(state);
        }
        if state.failure.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if state.turn == file {
            let written = state.out.write(held);
            return self.checked(&mut state, written);
        }
        Ok(())
    }

    /// Takes the last of `file`.
    pub fn finish(&self, file: usize, held: Held) -> io::Result<()> {
        let mut state = self.lock();
        let place = file - state.turn;
        if state.finished.len() <= place {
            state.finished.resize_with(place + 1, || None);
        }
        state.finished[place] = Some(held);
        while let Some(Some(_)) = state.finished.front() {
            let mut done = state.finished.pop_front().flatten().unwrap_or_default();
            state.turn += 1;
            let written = state.out.write(&mut done);
            self.checked(&mut state, written)?;
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Stops everybody: what is found cannot be passed on. The first reason stands.
    pub fn fail(&self, error: io::Error) {
        self.lock().failure.get_or_insert(error);
        self.changed.notify_all();
    }

    /// Writes out what is buffered; the first error of all, if there was one.
    pub fn close(&self) -> io::Result<()> {
        let mut state = self.lock();
        match state.failure.take() {
            Some(error) => Err(error),
            None => state
                .out
                .events
                .flush()
                .and_then(|()| state.out.report.flush()),
        }
    }

    fn checked(&self, state: &mut State<'_>, written: io::Result<()>) -> io::Result<()> {
        written.map_err(|error| {
            state.failure.get_or_insert(error);
            self.changed.notify_all();
            io::ErrorKind::BrokenPipe.into()
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        // a worker that panicked ends the program through the scope that joins it
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'b>(&self, state: MutexGuard<'b, State<'a>>) -> MutexGuard<'b, State<'a>> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}
