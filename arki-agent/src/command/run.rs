//! `run`: the daemon, in the foreground; systemd or a terminal keeps it.

use super::Outcome;
use crate::cli::Global;
use crate::daemon::{self, Stage};
use std::io::IsTerminal;
use std::path::PathBuf;
use tracing::Level;

/// What `run` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say more
    #[arg(long, short)]
    verbose: bool,
    /// Watch a recorded host instead of this one (a trace as `replay` reads it)
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// How many times as fast time runs with --trace
    #[arg(long, value_name = "N", default_value_t = 1, requires = "trace",
          value_parser = clap::value_parser!(u32).range(1..=3600))]
    speed: u32,
}

/// Runs until SIGTERM or SIGINT.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let config = super::load(global)?;
    log_to_stderr(if args.verbose {
        Level::DEBUG
    } else {
        Level::INFO
    });
    let stage = match &args.trace {
        None => Stage::live(),
        Some(trace) => Stage::recorded(trace, args.speed)?,
    };
    daemon::run(config, stage, &|| super::load(global))?;
    Ok(super::OK)
}

fn log_to_stderr(level: Level) {
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    // The journal stamps every line itself.
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        log.without_time().init();
    } else {
        log.init();
    }
}
