//! The commands, one file each, and what they share: how they start and how they end.

pub mod context;
pub mod doctor;
pub mod enroll;
pub mod explain;
pub mod export;
pub mod replay;
pub mod run;
pub mod status;
pub mod verify;

use crate::cli::{Cli, Command, Global};
use crate::config::{Config, ConfigError};
use crate::socket::client::AskError;
use crate::terminal;
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

/// Done, healthy.
pub const OK: u8 = 0;
/// Failed, or degraded: still predicting, but something is wrong.
pub const DEGRADED: u8 = 1;
/// `status --fail-on-prediction` and there is one.
pub const PREDICTED: u8 = 2;
/// No daemon answers: there is none, or it hangs.
pub const NOT_RUNNING: u8 = 3;
/// Wrong usage (`EX_USAGE` of sysexits.h), because clap's own 2 would read as a prediction.
pub const USAGE: u8 = 64;
/// Wrong configuration (`EX_CONFIG` of sysexits.h).
pub const CONFIG: u8 = 78;

/// How a command ends: its exit code, or why it failed.
pub type Outcome = anyhow::Result<u8>;

fn dispatch(global: &Global, command: Command) -> Outcome {
    match command {
        Command::Run(args) => run::run(global, &args),
        Command::Status(args) => status::run(global, &args),
        Command::Explain(args) => explain::run(global, &args),
        Command::Context(args) => context::run(global, &args),
        Command::Doctor(args) => doctor::run(global, &args),
        Command::Enroll(args) => enroll::run(global, &args),
        Command::Replay(args) => replay::run(&args),
        Command::Export(args) => export::run(global, &args),
        Command::Verify(args) => verify::run(global, &args),
    }
}

/// Reads the command line, does what it says and turns the outcome into an exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; where nobody reads there is nobody to tell.
            let shown = error.print().is_ok();
            let code = if error.use_stderr() || !shown {
                USAGE
            } else {
                OK
            };
            return ExitCode::from(code);
        }
    };
    match dispatch(&cli.global, cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => ExitCode::from(complain(&error)),
    }
}

/// The configuration that the command line names.
pub fn load(global: &Global) -> Result<Config, ConfigError> {
    Config::load(global.config.as_deref())
}

/// Tells a person what went wrong and returns the exit code for it.
fn complain(error: &anyhow::Error) -> u8 {
    if let Some(io) = error.downcast_ref::<std::io::Error>()
        && io.kind() == std::io::ErrorKind::BrokenPipe
    {
        return OK; // `arki-agent status | head -1` is no failure
    }
    // The text may quote a file or an argument; its own line breaks stand.
    let text: Vec<String> = format!("arki-agent: {error:#}")
        .lines()
        .map(terminal::safe)
        .collect();
    let text = format!("{}\n", text.join("\n"));
    let told = std::io::stderr().write_all(text.as_bytes());
    let is_dead = matches!(
        error.downcast_ref::<AskError>(),
        Some(AskError::NotRunning { .. } | AskError::Silent { .. })
    );
    match told {
        Ok(()) if error.is::<ConfigError>() => CONFIG,
        // A daemon that hangs predicts no more than one that is gone.
        Ok(()) if is_dead => NOT_RUNNING,
        _ => DEGRADED,
    }
}
