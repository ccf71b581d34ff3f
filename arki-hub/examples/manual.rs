//! Writes the manual pages and completions: `cargo run -p arki-hub --example manual -- DIRECTORY`.

use clap::CommandFactory;

#[path = "../../packaging/manual.rs"]
mod manual;

fn main() -> std::io::Result<()> {
    manual::write(arki_hub::cli::Cli::command())
}
