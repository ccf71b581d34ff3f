//! `verify`: checks a file of exported events without asking anybody.

use super::{safe, say};
use anyhow::Context;
use arki_model::dsse;
use arki_model::signature::PublicKey;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// What `verify` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Events as JSON lines, each in a DSSE envelope
    file: PathBuf,
    /// The agent's public key: 64 hexadecimal digits, or a file that holds them
    #[arg(long)]
    key: String,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let key = PublicKey::from_hex(&args.key).or_else(|_| key_file(Path::new(&args.key)))?;
    let name = safe(&args.file.display().to_string());
    let file = File::open(&args.file).with_context(|| format!("open {name}"))?;
    let summary = dsse::verify(BufReader::new(file), &key)
        .map_err(|(line, error)| anyhow::anyhow!("{name}:{line}: {error}"))?;
    let Some((first, last)) = summary.sequences else {
        anyhow::bail!("{name}: holds no events");
    };
    let (events, host) = (summary.events, safe(&summary.host));
    say(&format!(
        "{name}: {events} events of {host}, numbers {first} to {last}, signed by {key}: unbroken"
    ))
}

fn key_file(path: &Path) -> anyhow::Result<PublicKey> {
    let shown = safe(&path.display().to_string());
    let mut text = String::new();
    File::open(path)
        .with_context(|| format!("open key file {shown}"))?
        .take(1_024)
        .read_to_string(&mut text)
        .with_context(|| format!("read key file {shown}"))?;
    PublicKey::from_hex(text.trim())
        .with_context(|| format!("{shown}: 64 hexadecimal digits expected"))
}
