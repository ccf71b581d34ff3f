//! The command line.

use crate::config::{Config, ConfigError};
use crate::store::Store;
use anyhow::Context;
use arki_model::clock::{Clock, SystemClock};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

mod agent;
mod backup;
mod doctor;
mod key;
mod notify;
mod owner;
mod runner;
mod sandbox;
mod servant;
mod serve;
mod verify;

/// Collects, verifies and stores what the agents predict; tells people; shows the fleet.
#[derive(Debug, Parser)]
#[command(name = "arki-hub", version, max_term_width = 100)]
pub struct Cli {
    /// The configuration [default: /etc/arki/hub.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve agents and people
    Serve,
    /// Enrol, list, revoke agents
    #[command(subcommand)]
    Agent(agent::Command),
    /// Make, list, revoke API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Try the notifications
    #[command(subcommand)]
    Notify(notify::Command),
    /// Try fixes on copies of services in throw-away containers
    #[command(subcommand)]
    Sandbox(sandbox::Command),
    /// Carry out trials that the hub queued, on a host with a container engine
    Runner,
    /// Copy the embedded database to a file, while the hub runs
    Backup(backup::Args),
    /// Check a file of exported events offline
    Verify(verify::Args),
    /// Check the configuration, the database and the channels
    Doctor,
}

/// Wrong configuration (`EX_CONFIG` of sysexits.h): the service manager does not try again.
const CONFIG: u8 = 78;

/// Runs the command and tells how it ended: 0 done, 1 not done, 78 wrong configuration.
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Verify(args) => verify::run(&args),
        command => runtime().and_then(|runtime| runtime.block_on(online(cli.config, command))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            if error.is::<ConfigError>() {
                ExitCode::from(CONFIG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

async fn online(path: Option<PathBuf>, command: Command) -> anyhow::Result<()> {
    if let Command::Doctor = command {
        return doctor::run(path.as_deref()).await;
    }
    let config = Config::load(path.as_deref(), environment())?;
    match command {
        // These stay who they are: only what they ask of the database is done by its owner.
        Command::Sandbox(command) if command.is_of_this_host() => {
            return sandbox::run_here(&config, path, command).await;
        }
        Command::Backup(args) => return backup::run(&config, path, &args).await,
        _ => owner::become_owner(&config)?,
    }
    match command {
        Command::Serve => serve::run(config).await,
        Command::Agent(command) => agent::run(&open(&config).await?, command).await,
        Command::Key(command) => key::run(&open(&config).await?, command).await,
        Command::Notify(command) => notify::run(config, command).await,
        Command::Sandbox(command) => sandbox::run(config, command).await,
        Command::Runner => runner::run(config).await,
        Command::Backup(_) | Command::Verify(_) | Command::Doctor => Ok(()),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")
}

fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

async fn open(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let url = crate::config::redacted(&config.database.url);
    crate::store::open(&config.database, now_s())
        .await
        .with_context(|| format!("open {url}"))
}

fn now_s() -> i64 {
    SystemClock::new().now_s()
}

/// One line on standard output.
fn say(line: &str) -> anyhow::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout().lock(), "{line}").context("write to standard output")
}

#[expect(
    clippy::print_stderr,
    reason = "the one place that tells a person why a command failed"
)]
fn complain(text: &str) {
    eprintln!("arki-hub: {}", safe(text));
}

/// Text from outside for a terminal: nothing in it acts on the terminal.
fn safe(text: &str) -> String {
    let harmful = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if harmful(c) { '?' } else { c })
        .collect()
}

/// A time as people and programs read it.
fn shown(at: Option<i64>) -> String {
    let zulu = |at: i64| {
        jiff::Timestamp::from_second(at)
            .map(|at| at.to_string())
            .ok()
    };
    at.and_then(zulu).unwrap_or_else(|| "-".into())
}
