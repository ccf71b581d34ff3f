//! History through the pipeline: what would have been predicted, and when.
//!
//! ```text
//! file -> source (gzip) -> lines -> trace (rows) -> host (engine, the same calls as live) -> line (JSON)
//! ```
//!
//! Files are replayed at the same time, one a core; `ordered` puts what they yield into the order of the files.
//! Memory does not grow with the length of a trace. A broken trace yields what was predicted up to the
//! flaw, as a host would have that dies there, and the others are replayed all the same.

pub mod calendar;
pub mod error;
pub mod host;
pub mod line;
pub mod lines;
pub mod number;
pub mod ordered;
pub mod source;
pub mod trace;

use arki_model::kind::Kinds;
use calendar::Calendar;
use error::TraceError;
use host::{Listener, Pass, Stop};
use ordered::Ordered;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

/// What is to be replayed.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// The traces.
    pub traces: Vec<PathBuf>,
    /// Bounds by name.
    pub kinds: Kinds,
    /// Declared contexts.
    pub calendar: Calendar,
    /// How many traces at the same time.
    pub workers: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Summary {
    /// The traces that are broken, in order.
    pub errors: Vec<TraceError>,
}

/// Replays the traces of `job` and writes the predictions to `out`, a line each; the bytes that are read are
/// added to `read_bytes` as it goes. Fails only if `out` does.
pub fn run<W: Write + Send>(job: &Job, out: W, read_bytes: &AtomicU64) -> io::Result<Summary> {
    let workers = job.workers.clamp(1, job.traces.len().max(1));
    let ordered = Ordered::new(out, job.traces.len(), workers);
    let work = || {
        let _guard = Guard(&ordered);
        let mut errors = Vec::new();
        while let Some(file) = ordered.take() {
            match replay_file(job, file, &ordered, read_bytes) {
                Ok(()) => {}
                Err(Stop::Flaw(flaw)) => {
                    errors.push((file, TraceError::new(&job.traces[file], flaw)));
                }
                Err(Stop::Listener(error)) => ordered.fail(error),
            }
        }
        errors
    };
    let mut errors = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            match thread.join() {
                Ok(found) => errors.extend::<Vec<_>>(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    ordered.close()?;
    errors.sort_by_key(|&(file, _)| file);
    Ok(Summary {
        errors: errors.into_iter().map(|(_, error)| error).collect(),
    })
}

fn replay_file<W: Write>(
    job: &Job,
    file: usize,
    ordered: &Ordered<W>,
    read_bytes: &AtomicU64,
) -> Result<(), Stop> {
    let path = &job.traces[file];
    let mut sink = Sink {
        host: source::host_of(path),
        held: Vec::new(),
        file,
        ordered,
    };
    let replayed = source::open(path, read_bytes)
        .map_err(Stop::Flaw)
        .and_then(|reader| host::replay(reader, &job.kinds, &job.calendar, &mut sink));
    ordered.finish(file, sink.held).map_err(Stop::Listener)?;
    replayed
}

/// Writes what one host is told.
struct Sink<'a, W> {
    host: String,
    held: Vec<u8>,
    file: usize,
    ordered: &'a Ordered<W>,
}

impl<W: Write> Listener for Sink<'_, W> {
    fn pass(&mut self, pass: &Pass<'_>) -> io::Result<()> {
        if pass.told.is_empty() {
            return Ok(());
        }
        for prediction in pass.told {
            line::write(&mut self.held, &self.host, prediction)?;
        }
        self.ordered.offer(self.file, &mut self.held)
    }
}

/// Lets nobody wait for a worker that panicked.
struct Guard<'a, W: Write>(&'a Ordered<W>);

impl<W: Write> Drop for Guard<'_, W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(io::Error::other("a worker panicked"));
        }
    }
}
