//! Writes the manual pages and shell completions of a command line into a directory: what `make packages` ships.

use std::path::PathBuf;
use std::{fs, io};

/// One manual page per command (`man1/NAME.1`, `man1/NAME-COMMAND.1`), one completion per shell, into the directory that
/// the first argument names.
pub(crate) fn write(mut command: clap::Command) -> io::Result<()> {
    let into = std::env::args_os().nth(1).map(PathBuf::from);
    let into = into.ok_or_else(|| io::Error::other("usage: manual DIRECTORY"))?;
    let pages = into.join("man1");
    fs::create_dir_all(&pages)?;
    clap_mangen::generate_to(command.clone().disable_help_subcommand(true), &pages)?;
    let name = command.get_name().to_owned();
    for shell in [
        clap_complete::Shell::Bash,
        clap_complete::Shell::Zsh,
        clap_complete::Shell::Fish,
    ] {
        clap_complete::generate_to(shell, &mut command, &name, &into)?;
    }
    Ok(())
}
