//! Wires the command line to the commands.

use clap::Parser;

fn main() -> std::process::ExitCode {
    arki_names::look_up_without_plugins();
    arki_hub::cli::run(arki_hub::cli::Cli::parse())
}
