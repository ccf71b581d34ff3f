//! `verify`: checks a file of exported events without asking anybody.

use super::Outcome;
use crate::cli::Global;
use crate::terminal;
use anyhow::Context;
use arki_model::dsse;
use arki_model::signature::PublicKey;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// What `verify` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Events as JSON lines, each in a DSSE envelope
    file: PathBuf,
    /// The agent's public key: 64 hexadecimal digits, or a file that holds them; once for each key that it had
    /// [default: this agent's own]
    #[arg(long)]
    key: Vec<String>,
}

/// Checks, and says what was found.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let mut keys = args
        .key
        .iter()
        .map(|key| named_key(key))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if keys.is_empty() {
        let state_dir = super::load(global)?.state_dir;
        let own = named_key_file(&state_dir.join(crate::identity::PUBLIC_FILE))
            .context("read this agent's own public key (name another with --key)")?;
        keys.push(own);
    }
    let signers: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let name = terminal::safe(&args.file.display().to_string());
    let file = File::open(&args.file).with_context(|| format!("open {name}"))?;
    let summary = dsse::verify(BufReader::new(file), keys)
        .map_err(|(line, error)| anyhow::anyhow!("{name}:{line}: {error}"))?;
    let mut out = std::io::stdout().lock();
    match summary.sequences {
        None => anyhow::bail!("{name}: holds no events"),
        Some((first, last)) => writeln!(
            out,
            "{name}: {} of {}, numbers {first} to {last}, signed by {}: unbroken",
            terminal::count(summary.events, "event"),
            terminal::safe(&summary.host),
            signers.join(", "),
        )?,
    }
    Ok(super::OK)
}

fn named_key(text: &str) -> anyhow::Result<PublicKey> {
    PublicKey::from_hex(text).or_else(|_| named_key_file(Path::new(text)))
}

fn named_key_file(path: &Path) -> anyhow::Result<PublicKey> {
    let shown = terminal::safe(&path.display().to_string());
    let mut text = String::new();
    File::open(path)
        .with_context(|| format!("open key file {shown}"))?
        .take(1024)
        .read_to_string(&mut text)
        .with_context(|| format!("read key file {shown}"))?;
    PublicKey::from_hex(text.trim())
        .with_context(|| format!("{shown}: 64 hexadecimal digits expected"))
}
