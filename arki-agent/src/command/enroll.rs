//! `enroll`: introduces this agent's key to a hub, with a token that works once.
//!
//! The token comes from a file or from standard input, never from the command line, where every user of the machine
//! could read it. With `--new-key` a new key takes the place of the old one, once the hub has taken it; who asks again
//! after a lost answer asks with the same one. The private key never leaves the state directory; the hub gets the public key and a signature that
//! proves that this agent holds the other half ([`arki_model::wire::enroll`]).

use super::Outcome;
use crate::cli::Global;
use crate::identity::{self, PRIVATE_FILE, PUBLIC_FILE};
use crate::ship::{Answer, Client, ENROLLMENT_FILE, Enrollment};
use crate::terminal;
use anyhow::{Context, bail};
use arki_model::clock::{Clock, SystemClock};
use arki_model::signature::PublicKey;
use arki_model::wire::enroll::{
    ENROLLMENT_TYPE, Enrolled, Enrollment as Statement, TOKEN_BYTES_MAX,
};
use arki_model::wire::{ENROLL_PATH, Problem};
use std::fs::{DirBuilder, File};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

/// What `enroll` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The hub's address, such as `https://hub.example.org:8420` [default: `[hub] url` of the configuration]
    #[arg(long)]
    hub: Option<String>,
    /// The file that holds the one-time token (`arki-hub agent token`) [default: standard input]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Make a new key and leave the old one, with a token of `arki-hub agent rotate` (or of `agent token`, after this
    /// agent was revoked)
    #[arg(long)]
    new_key: bool,
}

/// Enrols, and says what to do next.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let config = super::load(global)?;
    let url = args.hub.clone().unwrap_or_else(|| config.hub.url.clone());
    if url.is_empty() {
        bail!("which hub? name it with --hub https://… or as `[hub] url` in the configuration");
    }
    let mut client = Client::new(&url, config.hub.ca_file())?;
    let token = token(args.token_file.as_deref())?;
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(&config.state_dir)
        .with_context(|| format!("make {}", config.state_dir.display()))?;
    let key = if args.new_key {
        identity::load_or_create_next(&config.state_dir)?
    } else {
        identity::load_or_create(&config.state_dir)?
    };
    let statement = Statement {
        token,
        public_key: key.public(),
        host: crate::agent::host_name(&config),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at_s: SystemClock::new().now_s(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let post = client.post(ENROLL_PATH, ENROLLMENT_TYPE, statement.seal(&key));
    let enrolled = understand(&runtime.block_on(post)?)?;
    let enrollment = Enrollment {
        url,
        agent_id: enrolled.agent_id,
        hub_key: enrolled.hub_key,
    };
    enrollment
        .save(&config.state_dir)
        .with_context(|| format!("write the enrolment into {}", config.state_dir.display()))?;
    if args.new_key {
        identity::adopt(&config.state_dir, &key)?;
    }
    give_to_owner(&config.state_dir)?;
    writeln!(
        std::io::stdout(),
        "enrolled at {} as agent {}, key {}\nA running agent takes it up with `systemctl reload arki-agent` (SIGHUP).",
        terminal::safe(&enrollment.url),
        enrollment.agent_id,
        key.public()
    )?;
    Ok(super::OK)
}

fn token(file: Option<&Path>) -> anyhow::Result<String> {
    let mut text = String::new();
    let limit = TOKEN_BYTES_MAX as u64 + 2;
    if let Some(file) = file {
        File::open(file)
            .and_then(|file| file.take(limit).read_to_string(&mut text))
            .with_context(|| format!("read the token from {}", file.display()))?;
    } else {
        if std::io::stdin().is_terminal() {
            writeln!(std::io::stderr(), "The token, then Enter and Ctrl-D:")?;
        }
        std::io::stdin()
            .take(limit)
            .read_to_string(&mut text)
            .context("read the token from standard input")?;
    }
    let token = text.trim();
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        bail!(
            "no token: 1 to {TOKEN_BYTES_MAX} bytes are expected, as `arki-hub agent token` prints it"
        );
    }
    Ok(token.to_owned())
}

fn understand(answer: &Answer) -> anyhow::Result<Enrolled> {
    if answer.status == 200 {
        let enrolled: Enrolled = serde_json::from_slice(&answer.body)
            .context("the hub's answer is no enrolment; is something else listening there?")?;
        PublicKey::from_hex(&enrolled.hub_key).context("the hub's own key")?;
        return Ok(enrolled);
    }
    let Ok(problem) = serde_json::from_slice::<Problem>(&answer.body) else {
        bail!(
            "no hub answers there, only something that says {} (HTTP): check the address",
            answer.status
        );
    };
    let said = format!("{}: {}", problem.title, problem.detail);
    bail!(
        "the hub refuses: {} ({})",
        terminal::safe(&said),
        answer.status
    )
}

/// What root made in a directory of the agent's own user is that user's.
fn give_to_owner(state_dir: &Path) -> anyhow::Result<()> {
    let directory = std::fs::metadata(state_dir)?;
    if !nix::unistd::geteuid().is_root() || directory.uid() == 0 {
        return Ok(());
    }
    for name in [ENROLLMENT_FILE, PRIVATE_FILE, PUBLIC_FILE] {
        let path = state_dir.join(name);
        chown(&path, Some(directory.uid()), Some(directory.gid()))
            .with_context(|| format!("give {} to its user", path.display()))?;
    }
    Ok(())
}
