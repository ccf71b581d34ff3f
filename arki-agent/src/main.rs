//! `arki-agent`: a light daemon that predicts trouble on its own host.

use std::process::ExitCode;

fn main() -> ExitCode {
    arki_names::look_up_without_plugins();
    arki_agent::command::main()
}
