//! A part of a command that another process of this program does.
//!
//! Some commands need root (the container engine's socket, a chroot, a folder of root's) and the embedded database,
//! which root must not open (see [`super::owner`]). They stay root and have the database's part done by this program
//! once more: it gives up root before it opens anything, and what it knows comes over its standard output.

use anyhow::{Context, ensure};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// Does the hidden command `args` with the same configuration and environment; what it wrote goes to `output`.
async fn start(
    config: Option<&PathBuf>,
    args: &[&str],
    output: Stdio,
) -> anyhow::Result<std::process::Output> {
    // not by its name: that may be another version's by now
    let mut command = Command::new("/proc/self/exe");
    command.args(args);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let done = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .context("start this program for the database's part")?
        .wait_with_output()
        .await
        .context("wait for the database's part")?;
    ensure!(
        done.status.success(),
        "the database's part was not done (see above)"
    );
    Ok(done)
}

/// What the hidden command `args` said.
pub(super) async fn ask(config: Option<&PathBuf>, args: &[&str]) -> anyhow::Result<Vec<u8>> {
    Ok(start(config, args, Stdio::piped()).await?.stdout)
}

/// Has the hidden command `args` write into `file`.
pub(super) async fn write(
    config: Option<&PathBuf>,
    args: &[&str],
    file: std::fs::File,
) -> anyhow::Result<()> {
    start(config, args, file.into()).await.map(drop)
}
