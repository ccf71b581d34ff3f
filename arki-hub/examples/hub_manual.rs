//! Writes the manual pages and completions of the hub: `cargo run -p arki-hub --example hub_manual -- DIRECTORY`.

use clap::CommandFactory;

#[path = "../../packaging/manual.rs"]
mod manual;

fn main() -> std::io::Result<()> {
    manual::write(arki_hub::cli::Cli::command())
}
