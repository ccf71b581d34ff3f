//! `export`: what the agent has in its windows, as a trace.

use super::{NOT_RUNNING, OK, Outcome};
use crate::cli::Global;
use crate::config::parse_duration;
use crate::export::csv::TraceWriter;
use crate::export::{Detail, Page};
use crate::socket::client::{AskError, ask};
use crate::socket::message::{Request, Response};
use crate::terminal;
use anyhow::Context;
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
/// --ring raw it replays every sample as it was.
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
}

/// Asks the daemon page by page and writes the trace.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let socket = super::load(global)?.socket;
    let request = |from_s| Request::Export {
        detail: args.ring,
        from_s,
        since_s: args.since.map(|since| since.as_secs()),
    };
    // Asked before a file is touched.
    let first = match page_of(&socket, &request(i64::MIN)) {
        Ok(page) => page,
        Err(error @ AskError::NotRunning { .. }) => {
            writeln!(io::stderr(), "arki-agent: {error}")?;
            return Ok(NOT_RUNNING);
        }
        Err(error) => return Err(error.into()),
    };
    anyhow::ensure!(
        !first.rows.is_empty(),
        "the agent has no samples yet: it takes the first after one interval"
    );
    let fetch = |from_s| page_of(&socket, &request(from_s));
    if args.output.as_os_str() == "-" {
        write_pages(BufWriter::new(io::stdout().lock()), first, fetch)?;
        return Ok(OK);
    }
    let name = terminal::safe(&args.output.display().to_string());
    let written =
        to_file(&args.output, first, fetch).with_context(|| format!("cannot export to {name}"))?;
    let rows = terminal::count(written.rows, "row");
    let series = written.series;
    writeln!(
        io::stderr(),
        "arki-agent: {rows} of {series} series in {name}"
    )?;
    Ok(OK)
}

/// What was written.
struct Written {
    rows: u64,
    series: usize,
}

fn page_of(socket: &Path, request: &Request) -> Result<Page, AskError> {
    match ask(socket, request)? {
        Response::Rows(page) => Ok(page),
        _ => Err(AskError::Refused(
            "the agent answered something else than rows".to_owned(),
        )),
    }
}

/// Writes the first page and all that follow it; ends, because each must begin later than the one before.
fn write_pages<W: Write>(
    out: W,
    first: Page,
    fetch: impl Fn(i64) -> Result<Page, AskError>,
) -> anyhow::Result<(W, Written)> {
    let mut trace = TraceWriter::new(out);
    let mut next_s = trace.page(first)?;
    while let Some(from_s) = next_s {
        next_s = trace.page(fetch(from_s)?)?.filter(|&next| next > from_s);
    }
    let (mut out, series, rows) = trace.finish();
    out.flush()?;
    Ok((out, Written { rows, series }))
}

/// Writes beside the file and renames over it, so that nobody sees half a trace. What is no regular file (a pipe, a
/// device) is written as it is.
fn to_file(
    path: &Path,
    first: Page,
    fetch: impl Fn(i64) -> Result<Page, AskError>,
) -> anyhow::Result<Written> {
    let gzip = path.extension().is_some_and(|end| end == "gz");
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return to_writer(File::options().write(true).open(path)?, gzip, first, fetch)
            .map(|(_, written)| written);
    }
    // A link goes on pointing to where it did.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut partial = path.clone().into_os_string();
    partial.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(partial);
    let done = File::create_new(&partial)
        .map_err(anyhow::Error::from)
        .and_then(|file| {
            let (file, written) = to_writer(file, gzip, first, fetch)?;
            file.sync_data()?;
            fs::rename(&partial, &path)?;
            Ok(written)
        });
    if done.is_err()
        && let Err(error) = fs::remove_file(&partial)
    {
        tracing::debug!(%error, "no partial file to remove");
    }
    done
}

fn to_writer(
    file: File,
    gzip: bool,
    first: Page,
    fetch: impl Fn(i64) -> Result<Page, AskError>,
) -> anyhow::Result<(File, Written)> {
    let out = BufWriter::new(file);
    let (out, written) = if gzip {
        let encoder = GzEncoder::new(out, Compression::default());
        let (encoder, written) = write_pages(encoder, first, fetch)?;
        (encoder.finish()?, written)
    } else {
        write_pages(out, first, fetch)?
    };
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((file, written))
}
