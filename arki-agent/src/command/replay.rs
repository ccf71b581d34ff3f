//! `arki-agent replay`: what Arki would have told about history.

use crate::config::SeriesSettings;
use crate::replay::calendar::Calendar;
use crate::replay::{self, Job, Summary};
use anyhow::{Context, anyhow};
use arki_model::kind::Kinds;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

/// Some of the traces are broken; the rest were replayed.
pub const BROKEN_TRACE: u8 = 4;

/// Replay history and print what would have been predicted, one JSON object a line
///
/// TRACE is a CSV file of one host, plain or gzip: a header timestamp,<series>,..., then a line for each
/// time in Unix seconds; an empty cell is a missing value. The host is the file's name without extensions.
///
/// A broken trace is named on standard error with its line. What was predicted up to there is printed, the
/// other traces are replayed all the same, and the exit code is 4.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The traces
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// Bounds and calendars (TOML: [[series]], [[context]]) for names that are not Arki's
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Where the predictions go; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

/// Replays.
pub fn run(args: &Args) -> super::Outcome {
    let job = Job {
        traces: args.traces.clone(),
        kinds: args
            .metrics
            .as_deref()
            .map_or_else(|| Ok(Kinds::default()), kinds)?,
        calendar: Calendar::default(),
        workers: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let read_bytes = AtomicU64::new(0);
    let summary = if args.output.as_os_str() == "-" {
        replay::run(&job, BufWriter::new(io::stdout()), &read_bytes)?
    } else {
        let file = File::create(&args.output)
            .with_context(|| format!("cannot write {}", args.output.display()))?;
        replay::run(&job, BufWriter::new(file), &read_bytes)
            .with_context(|| format!("cannot write {}", args.output.display()))?
    };
    complain(&summary, job.traces.len())
}

fn complain(summary: &Summary, traces: usize) -> anyhow::Result<u8> {
    if summary.errors.is_empty() {
        return Ok(0);
    }
    let mut err = io::stderr().lock();
    for error in &summary.errors {
        writeln!(err, "arki-agent: {error}")?;
    }
    let broken = summary.errors.len();
    writeln!(err, "arki-agent: {broken} of {traces} traces broken")?;
    Ok(BROKEN_TRACE)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Metrics {
    #[serde(default)]
    series: Vec<SeriesSettings>,
}

fn kinds(file: &Path) -> anyhow::Result<Kinds> {
    let context = || file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(context)?;
    let metrics: Metrics = toml::from_str(&text).with_context(context)?;
    let rule = |series: &SeriesSettings| {
        let rule = series.rule();
        rule.map_err(|allowed| anyhow!("match = {:?} must be {allowed}", series.pattern))
    };
    let rules = metrics.series.iter().map(rule).collect::<Result<_, _>>();
    Ok(Kinds::new(rules.with_context(context)?))
}
