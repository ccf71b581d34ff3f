//! History through the pipeline: what would have been predicted, and when.
//!
//! ```text
//! file -> source (gzip) -> lines -> trace (rows) -> host (engine, the same calls as live) -> sink
//! sink: line (JSON) | story -> report | score (by labels) | chart -> svg
//! ```
//!
//! Files are replayed at the same time, one a core; `ordered` puts what they yield into the order of the files.
//! Memory does not grow with the length of a trace. A broken trace yields what was predicted up to the
//! flaw, as a host would have that dies there, and the others are replayed all the same.

pub mod chart;
pub mod error;
pub mod host;
pub mod labels;
pub mod line;
pub mod lines;
pub mod metrics;
pub mod number;
pub mod ordered;
pub mod progress;
pub mod report;
pub mod score;
pub mod sink;
pub mod source;
pub mod story;
pub mod svg;
pub mod trace;

use crate::context::Calendar;
use arki_model::kind::Kinds;
use error::TraceError;
use host::Stop;
use labels::Labels;
use ordered::{Ordered, Outputs};
use report::{Style, Totals};
use sink::{Done, Sink};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

/// What is to be replayed, and what is asked about it.
#[derive(Debug)]
pub struct Job {
    /// The traces.
    pub traces: Vec<PathBuf>,
    /// Bounds by name.
    pub kinds: Kinds,
    /// Declared contexts.
    pub calendar: Calendar,
    /// How many traces at the same time.
    pub workers: usize,
    /// How the report and the pictures are written.
    pub style: Style,
    /// True if a report is wanted.
    pub report: bool,
    /// What really happened.
    pub labels: Option<Labels>,
    /// Where the pictures go.
    pub svg: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Summary {
    /// The traces that are broken, in order.
    pub errors: Vec<TraceError>,
    /// The sums of the report.
    pub totals: Totals,
    /// How many pictures were drawn.
    pub pictures: u64,
}

/// Replays the traces of `job` and writes to `out`; the bytes that are read are added to `read_bytes` as it
/// goes. Fails only if the output does.
pub fn run(job: &Job, out: Outputs<'_>, read_bytes: &AtomicU64) -> io::Result<Summary> {
    let workers = job.workers.clamp(1, job.traces.len().max(1));
    let ordered = Ordered::new(out, job.traces.len(), workers);
    let work = || {
        let _guard = Guard(&ordered);
        let mut done = Vec::new();
        while let Some(file) = ordered.take() {
            match replay_file(job, file, &ordered, read_bytes) {
                Ok(found) => done.push((file, found)),
                Err(error) => ordered.fail(error),
            }
        }
        done
    };
    let mut done = Vec::with_capacity(job.traces.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            match thread.join() {
                Ok(found) => done.extend::<Vec<_>>(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    ordered.close()?;
    done.sort_by_key(|&(file, _)| file);
    let mut summary = Summary::default();
    for (_, done) in done {
        summary.errors.extend(done.error);
        summary.totals.merge(&done.totals);
        summary.pictures += done.pictures;
    }
    Ok(summary)
}

fn replay_file(
    job: &Job,
    file: usize,
    ordered: &Ordered<'_>,
    read_bytes: &AtomicU64,
) -> io::Result<Done> {
    let path = &job.traces[file];
    let mut sink = Sink::new(job, file, ordered);
    let replayed = source::open(path, read_bytes)
        .map_err(Stop::Flaw)
        .and_then(|reader| host::replay(reader, &job.kinds, &job.calendar, &mut sink));
    let error = match replayed {
        Ok(()) => None,
        Err(Stop::Flaw(flaw)) => Some(TraceError::new(path, flaw)),
        Err(Stop::Listener(error)) => return Err(error),
    };
    sink.finish(error)
}

/// Lets nobody wait for a worker that panicked.
struct Guard<'a, 'out>(&'a Ordered<'out>);

impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(io::Error::other("a worker panicked"));
        }
    }
}

#[cfg(test)]
mod tests;
