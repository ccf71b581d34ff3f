//! Puts the output of files that are replayed at the same time into the order of the files.
//!
//! Invariants: what is written is the same however many workers there are; the first file that is not
//! finished writes straight through, the others hold at most [`HELD_BYTES_MAX`] each and then wait; at most
//! [`AHEAD_PER_WORKER`] finished files a worker are held. Files are taken in order, so that the one that
//! everybody waits for is always being worked on.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What one file may hold back: some 700 predictions.
pub const HELD_BYTES_MAX: usize = 1 << 20;

/// How many finished files may wait for a slow one, for each worker.
pub const AHEAD_PER_WORKER: usize = 16;

/// Hands out the numbers of files and takes in their output.
#[derive(Debug)]
pub struct Ordered<W> {
    state: Mutex<State<W>>,
    changed: Condvar,
    files: usize,
    ahead_max: usize,
}

#[derive(Debug)]
struct State<W> {
    out: W,
    /// The next file that nobody works on.
    next: usize,
    /// The file that writes straight through.
    turn: usize,
    /// From `turn` on: what finished files wrote.
    finished: VecDeque<Option<Vec<u8>>>,
    /// Why the output ended.
    failure: Option<io::Error>,
}

impl<W: Write> Ordered<W> {
    /// For `files` files and `workers` workers.
    pub fn new(out: W, files: usize, workers: usize) -> Self {
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
    pub fn offer(&self, file: usize, held: &mut Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        while state.turn != file && held.len() >= HELD_BYTES_MAX && state.failure.is_none() {
            state = self.wait(state);
        }
        if state.failure.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if state.turn == file {
            let written = state.out.write_all(held);
            held.clear();
            return self.checked(&mut state, written);
        }
        Ok(())
    }

    /// Takes the last of `file`.
    pub fn finish(&self, file: usize, held: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        let place = file - state.turn;
        if state.finished.len() <= place {
            state.finished.resize_with(place + 1, || None);
        }
        state.finished[place] = Some(held);
        while let Some(Some(_)) = state.finished.front() {
            let done = state.finished.pop_front().flatten().unwrap_or_default();
            state.turn += 1;
            let written = state.out.write_all(&done);
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
            None => state.out.flush(),
        }
    }

    fn checked(&self, state: &mut State<W>, written: io::Result<()>) -> io::Result<()> {
        written.map_err(|error| {
            state.failure.get_or_insert(error);
            self.changed.notify_all();
            io::ErrorKind::BrokenPipe.into()
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        // a worker that panicked ends the program through the scope that joins it
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<W>>) -> MutexGuard<'a, State<W>> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}
