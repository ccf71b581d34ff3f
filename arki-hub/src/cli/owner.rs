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
    let Some(path) = database.url.strip_prefix("sqlite://") else {
        return Ok(());
    };
    let Some(directory) = Path::new(path).parent() else {
        return Ok(());
    };
    let Ok(owner) = fs::metadata(directory) else {
        return Ok(()); // not there yet: opening it says what is wrong
    };
    if !Uid::effective().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let gid = Gid::from_raw(owner.gid());
    setgroups(&[gid])
        .and_then(|()| setgid(gid))
        .and_then(|()| setuid(Uid::from_raw(owner.uid())))
        .with_context(|| format!("become the owner of {}", directory.display()))
}
