//! The command line. Each command keeps its own arguments in its file under [`crate::command`].

use crate::command;
use std::path::PathBuf;

/// Predicts trouble on this host, before it happens.
#[derive(Debug, clap::Parser)]
#[command(name = "arki-agent", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Global {
    /// The configuration [default: /etc/arki/agent.toml, where it exists]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// The commands, in the order in which a person meets them.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Watch this host and predict, in the foreground
    Run(command::run::Args),
    /// Show how the agent is and what it predicts
    Status(command::status::Args),
    /// Tell everything about an event, or about a series
    Explain(command::explain::Args),
    /// Announce what is going on, so that nobody is told of what it does
    #[command(subcommand)]
    Context(command::context::Args),
    /// Check configuration, permissions and kernel, and say what to do
    Doctor(command::doctor::Args),
    /// Introduce this agent to a hub
    Enroll(command::enroll::Args),
    /// Replay history and print what would have been predicted
    Replay(command::replay::Args),
    /// Write what the agent has in its windows, as a trace that replay reads
    Export(command::export::Args),
    /// Check a file of exported events: every signature, and that none is missing or replaced
    Verify(command::verify::Args),
}

const EXIT_CODES: &str = "\
Exit codes: 0 healthy or done, 1 degraded or failed, 2 a prediction is active (status
--fail-on-prediction), 3 the agent is not running, 4 a broken trace (replay), 64 wrong usage, 78 wrong configuration.";
