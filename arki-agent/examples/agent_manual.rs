//! Writes the manual pages and completions of the agent: `cargo run -p arki-agent --example agent_manual -- DIRECTORY`.

use clap::CommandFactory;

#[path = "../../packaging/manual.rs"]
mod manual;

fn main() -> std::io::Result<()> {
    manual::write(arki_agent::cli::Cli::command())
}
