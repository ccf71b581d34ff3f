//! Root at the command line acts as the owner of the embedded database.
//!
//! SQLite makes files beside the database (`-wal`, `-shm`). Made by root, they would keep the hub, which runs as its
//! own user, out of its own database. So a command started by root gives up root for the owner of the directory
//! before it opens anything; PostgreSQL does not care who connects.

use crate::config::Database;
use anyhow::Context;
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Becomes the owner of the database's directory, where this process is root and the owner is not.
pub(super) fn become_owner(database: &Database) -> anyhow::Result<()> {
    let Some((directory, owner)) = other_owner(database) else {
        return Ok(());
    };
    let gid = Gid::from_raw(owner.gid());
    setgroups(&[gid])
        .and_then(|()| setgid(gid))
        .and_then(|()| setuid(Uid::from_raw(owner.uid())))
        .with_context(|| format!("become the owner of {}", directory.display()))
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
