//! `export`: what the agent has in its windows, as a trace; every sample from now on; or its signed events.

use super::{NOT_RUNNING, OK, Outcome};
use crate::cli::Global;
use crate::config::parse_duration;
use crate::export::csv::TraceWriter;
use crate::export::{Detail, Page};
use crate::socket::client::{AskError, ask};
use crate::socket::message::{Request, Response};
use crate::terminal::{self, span};
use anyhow::Context;
use arki_model::clock::{Clock, SystemClock, UnixSeconds};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Write what the agent has in its windows, as a trace that replay reads
///
/// A CSV file: a header timestamp,SERIES,..., then a line for each time in Unix seconds; an empty cell is
/// a missing value. A mean stands at the time its step began.
///
/// By default half hours of a week, then five minutes of a day, then minutes, then the last 120 samples.
/// Replay takes one interval for a whole trace, the usual one of its first hundred lines: with
/// --ring raw it replays every sample as it was. --record writes every sample from the last 120 on, for as long
/// as is wanted.
///
/// With --events: the signed events instead, one DSSE envelope a line, as arki-agent verify and arki-hub
/// verify check them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the trace goes: a file, compressed if it is called .gz, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Only so much before the newest sample: 30m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    since: Option<Duration>,
    /// How fine
    #[arg(long, value_enum, default_value = "auto")]
    ring: Detail,
    /// Go on for so long and write every sample: 40m, 12h; the file is there when the time is over
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with_all = ["ring", "since"])]
    record: Option<Duration>,
    /// The signed events, not the samples
    #[arg(long, conflicts_with_all = ["ring", "since", "record"])]
    events: bool,
}

/// A recording asks again after so many intervals: half of what the finest ring holds.
const RECORD_EVERY: i64 = 60;

/// Asks the daemon page by page and writes what it has.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let socket = super::load(global)?.socket;
    let done = if args.events {
        events(&socket, &args.output)
    } else {
        samples(&socket, args)
    };
    match done {
        Ok(written) => {
            if args.output.as_os_str() != "-" {
                let name = terminal::safe(&args.output.display().to_string());
                writeln!(io::stderr(), "arki-agent: {written} in {name}")?;
            }
            Ok(OK)
        }
        Err(error) => match error.downcast_ref() {
            Some(AskError::NotRunning { .. }) => {
                writeln!(io::stderr(), "arki-agent: {error}")?;
                Ok(NOT_RUNNING)
            }
            _ => Err(error),
        },
    }
}

/// Writes a trace; returns what is in it.
fn samples(socket: &Path, args: &Args) -> anyhow::Result<String> {
    let fetch = |from_s| {
        page_of(
            socket,
            &Request::Export {
                detail: args.record.map_or(args.ring, |_| Detail::Raw),
                from_s,
                since_s: args.since.map(|since| since.as_secs()),
            },
        )
    };
    // Asked before a file is touched.
    let first = fetch(i64::MIN)?;
    anyhow::ensure!(
        !first.rows.is_empty(),
        "the agent has no samples yet: it takes the first after one interval"
    );
    let recording = args.record.map(|time| Recording::new(socket, time));
    let recording = recording.transpose()?;
    let (series, rows) = write_to(&args.output, |out| match &recording {
        None => write_pages(out, first, fetch),
        Some(recording) => recording.write(out, first, fetch),
    })?;
    Ok(format!(
        "{} of {series} series",
        terminal::count(rows, "row")
    ))
}

/// Writes all signed events that the daemon still has; returns how many.
fn events(socket: &Path, output: &Path) -> anyhow::Result<String> {
    let fetch = |from| match ask(socket, &Request::Events { from })? {
        Response::Events { lines, next } => Ok((lines, next)),
        _ => Err(unexpected("events")),
    };
    let first = fetch(0)?;
    anyhow::ensure!(!first.0.is_empty(), "the agent has signed no events yet");
    let count = write_to(output, |out| {
        let ((mut lines, mut next), mut count) = (first, 0);
        loop {
            for line in &lines {
                writeln!(out, "{line}")?;
                count += 1;
            }
            let Some(from) = next else { return Ok(count) };
            let page = fetch(from)?;
            lines = page.0;
            // An answer that does not lead on ends it.
            next = page.1.filter(|&next| next > from);
        }
    })?;
    Ok(terminal::count(count, "event"))
}

fn page_of(socket: &Path, request: &Request) -> Result<Page, AskError> {
    match ask(socket, request)? {
        Response::Rows(page) => Ok(page),
        _ => Err(unexpected("rows")),
    }
}

fn unexpected(what: &str) -> AskError {
    AskError::Refused(format!("the agent answered something else than {what}"))
}

/// Writes the first page and all that follow it; ends, because each must begin later than the one before.
fn write_pages(
    out: &mut dyn Write,
    first: Page,
    fetch: impl Fn(i64) -> Result<Page, AskError>,
) -> anyhow::Result<(usize, u64)> {
    let mut trace = TraceWriter::new(out);
    let mut next_s = trace.page(first)?;
    while let Some(from_s) = next_s {
        next_s = trace.page(fetch(from_s)?)?.filter(|&next| next > from_s);
    }
    let (_, series, rows) = trace.finish();
    Ok((series, rows))
}

/// A trace that goes on while it is written.
struct Recording {
    time: Duration,
    pause: Duration,
}

impl Recording {
    fn new(socket: &Path, time: Duration) -> Result<Self, AskError> {
        match ask(socket, &Request::Status)? {
            Response::Status(status) => Ok(Self {
                time,
                pause: Duration::from_secs(
                    (status.collect.interval_s * RECORD_EVERY).unsigned_abs(),
                ),
            }),
            _ => Err(unexpected("a status")),
        }
    }

    fn write(
        &self,
        out: &mut dyn Write,
        first: Page,
        fetch: impl Fn(i64) -> Result<Page, AskError>,
    ) -> anyhow::Result<(usize, u64)> {
        let clock = SystemClock::new();
        let begun = clock.monotonic();
        let mut trace = TraceWriter::endless(out);
        let mut page = first;
        loop {
            let mut newest_s: Option<UnixSeconds> = page.newest_s;
            while let Some(from_s) = trace.page(page)? {
                page = fetch(from_s)?;
                newest_s = page.newest_s;
            }
            let passed = clock.monotonic().saturating_sub(begun);
            let left = self.time.saturating_sub(passed);
            if left.is_zero() {
                let (_, series, rows) = trace.finish();
                return Ok((series, rows));
            }
            tracing::debug!("records for another {}", span(left.as_secs_f64()));
            std::thread::sleep(left.min(self.pause));
            page = fetch(newest_s.map_or(i64::MIN, |newest_s| newest_s + 1))?;
        }
    }
}

/// Writes to standard output, or beside the file and renames over it, so that nobody sees half of it. What is no
/// regular file (a pipe, a device) is written as it is.
fn write_to<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if path.as_os_str() == "-" {
        let mut out = BufWriter::new(io::stdout().lock());
        let done = write(&mut out)?;
        out.flush()?;
        return Ok(done);
    }
    let name = terminal::safe(&path.display().to_string());
    to_file(path, write).with_context(|| format!("cannot export to {name}"))
}

fn to_file<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let gzip = path.extension().is_some_and(|end| end == "gz");
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let file = File::options().write(true).open(path)?;
        return through(file, gzip, write).map(|(_, done)| done);
    }
    // A link goes on pointing to where it did.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut partial = path.clone().into_os_string();
    partial.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(partial);
    let done = File::create_new(&partial)
        .map_err(anyhow::Error::from)
        .and_then(|file| {
            let (file, done) = through(file, gzip, write)?;
            file.sync_data()?;
            fs::rename(&partial, &path)?;
            Ok(done)
        });
    if done.is_err()
        && let Err(error) = fs::remove_file(&partial)
    {
        tracing::debug!(%error, "no partial file to remove");
    }
    done
}

fn through<T>(
    file: File,
    gzip: bool,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<(File, T)> {
    let mut out = BufWriter::new(file);
    let done = if gzip {
        let mut encoder = GzEncoder::new(&mut out, Compression::default());
        let done = write(&mut encoder)?;
        encoder.finish()?;
        done
    } else {
        write(&mut out)?
    };
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((file, done))
}
