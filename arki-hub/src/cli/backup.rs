//! `backup`: a copy of the embedded database in one file, while the hub runs.
//!
//! ```text
//! whoever calls: FILE (new, 0600) <- standard output <- the database's owner: VACUUM INTO beside the database
//! ```
//!
//! So the copy may lie where the hub's own user may not write, and root opens no database.

use super::{owner, safe, say, servant};
use crate::config::Config;
use crate::store::sqlite;
use anyhow::{Context, bail};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the copy goes: a file that is not there yet
    #[arg(required_unless_present = "send")]
    file: Option<PathBuf>,
    /// Write it to standard output, as the database's owner
    #[arg(long, hide = true, conflicts_with = "file")]
    send: bool,
}

pub(super) async fn run(config: &Config, path: Option<PathBuf>, args: &Args) -> anyhow::Result<()> {
    let Some(database) = config.database.url.strip_prefix("sqlite://") else {
        bail!(
            "this hub keeps everything in PostgreSQL: use `pg_dump --format=custom`, as for any database"
        );
    };
    let Some(file) = &args.file else {
        owner::become_owner(config)?;
        let database = PathBuf::from(database);
        return tokio::task::spawn_blocking(move || send(&database)).await?;
    };
    let copy = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("make {}", file.display()))?;
    let written = write(path.as_ref(), copy, file).await;
    let bytes = match written {
        Ok(bytes) => bytes,
        Err(error) => {
            fs::remove_file(file).with_context(|| format!("remove {}", file.display()))?;
            return Err(error);
        }
    };
    say(&safe(&format!(
        "{}: {bytes} bytes, everything that {database} held; the hub's signing key is in it: keep it like a key",
        file.display()
    )))
}

/// Has the copy written and put on the disk; its length in bytes.
async fn write(config: Option<&PathBuf>, copy: File, file: &Path) -> anyhow::Result<u64> {
    let kept = copy.try_clone().context("keep the file open")?;
    servant::write(config, &["backup", "--send"], copy).await?;
    let synced = kept.sync_all().and_then(|()| {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    });
    synced.with_context(|| format!("write {}", file.display()))?;
    Ok(kept.metadata().context("look at the copy")?.len())
}

/// Copies the database beside itself, and that to standard output.
fn send(database: &Path) -> anyhow::Result<()> {
    let mut name = database.as_os_str().to_owned();
    name.push(format!(".backup-{}", std::process::id()));
    let beside = PathBuf::from(name);
    // made here, because SQLite would let others read it
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .with_context(|| format!("make {}", beside.display()))?;
    let copied = sqlite::copy(database, &beside).context("copy the database");
    let opened = File::open(&beside).with_context(|| format!("read {}", beside.display()));
    // gone from here on, whatever happens: it lives as long as it is open
    fs::remove_file(&beside).with_context(|| format!("remove {}", beside.display()))?;
    copied?;
    io::copy(&mut opened?, &mut io::stdout().lock()).context("write the copy")?;
    Ok(())
}
