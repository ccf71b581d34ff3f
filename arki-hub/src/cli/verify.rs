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
    /// The agent's public key: 64 hexadecimal digits, or a file that holds them; once for each key that it had
    #[arg(long, required = true)]
    key: Vec<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let named = |key: &String| PublicKey::from_hex(key).or_else(|_| key_file(Path::new(key)));
    let keys = args
        .key
        .iter()
        .map(named)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let signers: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let name = safe(&args.file.display().to_string());
    let file = File::open(&args.file).with_context(|| format!("open {name}"))?;
    let summary = dsse::verify(BufReader::new(file), keys)
        .map_err(|(line, error)| anyhow::anyhow!("{name}:{line}: {error}"))?;
    let Some((first, last)) = summary.sequences else {
        anyhow::bail!("{name}: holds no events");
    };
    let (events, host) = (summary.events, safe(&summary.host));
    let noun = if events == 1 { "event" } else { "events" };
    say(&format!(
        "{name}: {events} {noun} of {host}, numbers {first} to {last}, signed by {}: unbroken",
        signers.join(", ")
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
