//! Wires the command line to the commands.

use clap::Parser;

fn main() -> std::process::ExitCode {
    arki_hub::cli::run(arki_hub::cli::Cli::parse())
}
