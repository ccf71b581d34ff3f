//! `arki-agent replay`: what Arki would have told about history.

use crate::context::Calendar;
use crate::replay::labels::Labels;
use crate::replay::ordered::Outputs;
use crate::replay::progress;
use crate::replay::report::{self, Style};
use crate::replay::{self, Job, Summary};
use crate::terminal::Paint;
use anyhow::Context;
use arki_model::kind::Kinds;
use jiff::tz::TimeZone;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

/// Some of the traces are broken; the rest were replayed.
pub const BROKEN_TRACE: u8 = 4;

/// Replay history and print what would have been predicted, one JSON object a line
///
/// TRACE is a CSV file of one host, plain or gzip: a header timestamp,SERIES,..., then a line for each
/// time in Unix seconds; an empty cell is a missing value. The host is the file's name without extensions.
/// The interval is the usual one between the first lines, from 1 s to 1 h.
///
/// A broken trace is named on standard error with its line. What was predicted up to there stands, the
/// other traces are replayed all the same, and the exit code is 4.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The traces
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// Bounds and calendars (TOML: series and context tables, as in the agent's configuration) for names that are not Arki's
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Where the predictions go; - is standard output [default: -, nowhere with --report]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print a report for a person: what would have been told, what was quieted and why, what was missed
    #[arg(long)]
    report: bool,
    /// Add the score to the report, by a CSV of what really happened: host,start,end or
    /// host,series,onset,fail
    #[arg(long, value_name = "FILE", requires = "report")]
    labels: Option<PathBuf>,
    /// Draw each prediction: the series, the forecast, the bound, the votes
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
}

/// Replays.
pub fn run(args: &Args) -> super::Outcome {
    let style = Style {
        zone: TimeZone::system(),
        paint: Paint::for_stdout(),
    };
    let (kinds, calendar) = match &args.metrics {
        Some(file) => replay::metrics::load(file, &style.zone)?,
        None => (Kinds::default(), Calendar::default()),
    };
    if let Some(folder) = &args.svg {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let job = Job {
        traces: args.traces.clone(),
        kinds,
        calendar,
        workers: std::thread::available_parallelism().map_or(1, usize::from),
        style,
        report: args.report,
        labels: args.labels.as_deref().map(Labels::load).transpose()?,
        svg: args.svg.clone(),
    };
    let read_bytes = AtomicU64::new(0);
    let out = outputs(args)?;
    let summary = progress::shown(&job.traces, &read_bytes, || {
        replay::run(&job, out, &read_bytes)
    })
    .context("cannot go on")?;
    finish(&job, &summary)
}

fn outputs(args: &Args) -> anyhow::Result<Outputs<'static>> {
    let stdout = || Box::new(BufWriter::new(io::stdout()));
    let mut out = Outputs {
        events: Box::new(io::sink()),
        report: Box::new(io::sink()),
    };
    match &args.output {
        Some(file) if file.as_os_str() != "-" => {
            let opened = File::create(file);
            let opened = opened.with_context(|| format!("cannot write {}", file.display()))?;
            out.events = Box::new(BufWriter::new(opened));
        }
        Some(_) if args.report => {
            anyhow::bail!(
                "--report and --output - would both write to standard output: name a file"
            );
        }
        None if args.report => {}
        _ => out.events = stdout(),
    }
    if args.report {
        out.report = stdout();
    }
    Ok(out)
}

fn finish(job: &Job, summary: &Summary) -> super::Outcome {
    if job.report {
        let mut text = String::new();
        report::totals(&mut text, &summary.totals, &job.style)?;
        io::stdout().write_all(text.as_bytes())?;
    }
    let mut err = io::stderr().lock();
    if let Some(labels) = &job.labels {
        let replayed: Vec<String> = job
            .traces
            .iter()
            .map(|t| replay::source::host_of(t))
            .collect();
        let absent = labels
            .hosts()
            .filter(|host| !replayed.iter().any(|name| name == host));
        let absent = absent.count();
        if absent > 0 {
            writeln!(
                err,
                "arki-agent: {absent} of the labelled hosts were not replayed"
            )?;
        }
    }
    if let Some(folder) = job.svg.as_deref().map(Path::display) {
        writeln!(err, "arki-agent: {} pictures in {folder}", summary.pictures)?;
    }
    if summary.errors.is_empty() {
        return Ok(super::OK);
    }
    for error in &summary.errors {
        writeln!(err, "arki-agent: {error}")?;
    }
    let (broken, traces) = (summary.errors.len(), job.traces.len());
    writeln!(
        err,
        "arki-agent: {broken} of {traces} traces broken; what was predicted before the flaw stands"
    )?;
    Ok(BROKEN_TRACE)
}
