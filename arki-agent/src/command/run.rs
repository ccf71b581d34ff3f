//! `run`: the daemon, in the foreground; systemd or a terminal keeps it.

use super::Outcome;
use crate::cli::Global;
use crate::daemon;
use std::io::IsTerminal;
use tracing::Level;

/// What `run` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say more
    #[arg(long, short)]
    verbose: bool,
}

/// Runs until SIGTERM or SIGINT.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let config = super::load(global)?;
    log_to_stderr(if args.verbose {
        Level::DEBUG
    } else {
        Level::INFO
    });
    daemon::run(config, &|| super::load(global))?;
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
