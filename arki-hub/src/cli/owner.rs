//! Root at the command line acts as the owner of the embedded database.
//!
//! SQLite makes files beside the database (`-wal`, `-shm`). Made by root, they would keep the hub, which runs as its
//! own user, out of its own database. So a command started by root gives up root for the owner of the directory
//! before it opens anything; PostgreSQL does not care who connects. The group that may use the container engine's socket
//! stays: a runner that root starts beside an embedded database could do nothing without it.

use crate::config::{Config, Database};
use anyhow::Context;
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Becomes the owner of the database's directory, where this process is root and the owner is not.
pub(super) fn become_owner(config: &Config) -> anyhow::Result<()> {
    let Some((directory, owner)) = other_owner(&config.database) else {
        return Ok(());
    };
    let gid = Gid::from_raw(owner.gid());
    let mut groups = vec![gid];
    groups.extend(group_of_the_engine(&config.sandbox.docker));
    setgroups(&groups)
        .and_then(|()| setgid(gid))
        .and_then(|()| setuid(Uid::from_raw(owner.uid())))
        .with_context(|| format!("become the owner of {}", directory.display()))
}

/// The group that may write to the socket, unless that is root's own.
fn group_of_the_engine(socket: &str) -> Option<Gid> {
    const GROUP_WRITES: u32 = 0o020;
    let found = fs::metadata(socket.strip_prefix("unix://")?).ok()?;
    let is_for_a_group = found.gid() != 0 && found.mode() & GROUP_WRITES != 0;
    is_for_a_group.then(|| Gid::from_raw(found.gid()))
}

/// True if opening the database would make it, and make it root's: the hub could not open it any more.
pub(super) fn would_take(database: &Database) -> bool {
    let file = database.url.strip_prefix("sqlite://").map(Path::new);
    other_owner(database).is_some() && file.is_some_and(|file| !file.exists())
}

/// The directory of the embedded database and what is known of it, where this is root and it is somebody else's. One that
/// is not there yet is nobody's: opening it says what is wrong.
fn other_owner(database: &Database) -> Option<(&Path, fs::Metadata)> {
    let directory = Path::new(database.url.strip_prefix("sqlite://")?).parent()?;
    let owner = fs::metadata(directory).ok()?;
    (Uid::effective().is_root() && owner.uid() != 0).then_some((directory, owner))
}
