//! `sandbox services|images|run`: what can be tried, the images for it, and a trial at the terminal.

use super::{now_s, safe, say, servant};
use crate::config::Config;
use crate::hub::Hub;
use crate::sandbox::configuration::Configuration;
use crate::sandbox::engine::Engine;
use crate::sandbox::images::{self, Workshop};
use crate::sandbox::profiles::Profiles;
use crate::sandbox::result::{Copy, Figure, Measured, Outcome, Phase, TrialResult};
use crate::sandbox::runner;
use crate::sandbox::trial::Trial;
use anyhow::{Context, bail, ensure};
use arki_model::clock::SystemClock;
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The engine that is asked where the configuration names none.
const SOCKET_DEFAULT: &str = "unix:///run/docker.sock";
/// Until the copies are gone: the engine needs half a second for one.
const REMOVAL_TIME: Duration = Duration::from_secs(15);
/// Lines of a step's output that are shown.
const LINES_MAX: usize = 12;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what can be tried
    Services,
    /// Make or list the images that copies run in
    #[command(subcommand)]
    Images(Images),
    /// Try an action on a copy, here and now, and say what it proves
    Run(Run),
    /// Tell what the database knows to the part that works with the engine
    #[command(hide = true)]
    Known,
    /// Put an image on the list
    #[command(hide = true)]
    Allow {
        /// The service
        service: String,
        /// The image's ID
        image: String,
    },
}

impl Command {
    /// True for what works with the engine, and may need root for it.
    pub(super) fn is_of_this_host(&self) -> bool {
        matches!(self, Self::Images(Images::Build(_)) | Self::Run(_))
    }
}

/// What a trial at the terminal needs of the database.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    /// What tells this installation's containers from others'.
    installation: String,
    /// By service: the images that are on the list.
    images: BTreeMap<String, Vec<String>>,
}

/// A command that works with the engine, as whoever started it.
struct Here<'a> {
    config: &'a Config,
    path: Option<PathBuf>,
    profiles: Profiles,
    known: Known,
}

/// Does what works with the engine. Only the servant opens the database.
pub(super) async fn run_here(
    config: &Config,
    path: Option<PathBuf>,
    command: Command,
) -> anyhow::Result<()> {
    let known = servant::ask(path.as_ref(), &["sandbox", "known"]).await?;
    let here = Here {
        config,
        path,
        profiles: Profiles::load(&config.sandbox.profiles)?,
        known: serde_json::from_slice(&known).context("understand the database's part")?,
    };
    match command {
        Command::Images(Images::Build(args)) => build(&here, &args).await,
        Command::Run(args) => trial(&here, &args).await,
        _ => bail!("this is no command for the engine"),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Images {
    /// Make images from Debian's packages
    Build(Build),
    /// List which image may be used for which service
    List,
}

/// What an image is made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    /// A system that debootstrap unpacks: needs root, and no registry
    Packages,
    /// Debian's image of a registry: needs no root, and a socket of the engine
    Registry,
}

impl Source {
    /// What works here.
    fn of_this_host() -> Self {
        let is_there = |folder: &str| Path::new(folder).join("debootstrap").exists();
        let has_debootstrap = ["/usr/sbin", "/usr/bin"].into_iter().any(is_there);
        if has_debootstrap && nix::unistd::geteuid().is_root() {
            Self::Packages
        } else {
            Self::Registry
        }
    }
}

/// It becomes a line of a Dockerfile and a word of a command.
fn suite(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if text.is_empty() || text.starts_with('-') || !text.chars().all(fits) {
        return Err("a release's name, such as bookworm".into());
    }
    Ok(text.to_owned())
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// Only for this service [default: all]
    #[arg(long)]
    service: Vec<String>,
    /// What they are made over [default: packages as root where debootstrap is installed, else registry]
    #[arg(long)]
    from: Option<Source>,
    /// Debian's release
    #[arg(long, default_value = "bookworm", value_parser = suite)]
    suite: String,
    /// Where its packages come from (with a registry: where its image says)
    #[arg(long, default_value = "http://deb.debian.org/debian")]
    mirror: String,
    /// Where they are made; needs 1 GB for a while
    #[arg(long, default_value = "/var/tmp")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The service, as `sandbox services` lists it
    service: String,
    /// The action
    action: String,
    /// A folder of this host as the copies' configuration, in the place of the profile's first one
    #[arg(long, value_name = "FOLDER")]
    configuration: Option<PathBuf>,
    /// The whole result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: Config, command: Command) -> anyhow::Result<()> {
    let store = super::open(&config).await?;
    let hub = Hub::new(config, store, Arc::new(SystemClock::new())).await?;
    match command {
        Command::Services => services(&hub),
        Command::Images(Images::List) => list(&hub).await,
        Command::Known => known(&hub).await,
        Command::Allow { service, image } => {
            Ok(images::allow(&*hub.store, &service, &image).await?)
        }
        Command::Images(Images::Build(_)) | Command::Run(_) => {
            bail!("this is no command for the database")
        }
    }
}

async fn known(hub: &Hub) -> anyhow::Result<()> {
    let mut known = Known {
        installation: runner::installation(hub),
        images: BTreeMap::new(),
    };
    for profile in hub.profiles.iter() {
        let named = images::named(&hub.config.sandbox, &*hub.store, &profile.name).await?;
        known.images.insert(profile.name.clone(), named);
    }
    say(&serde_json::to_string(&known)?)
}

fn services(hub: &Hub) -> anyhow::Result<()> {
    for profile in hub.profiles.iter() {
        say(&safe(&format!("{}  {}", profile.name, profile.title)))?;
        for action in &profile.actions {
            say(&safe(&format!("    {:24} {}", action.name, action.title)))?;
            say(&safe(&format!("    {:24} $ {}", "", action.argv.join(" "))))?;
        }
    }
    Ok(())
}

async fn list(hub: &Hub) -> anyhow::Result<()> {
    for profile in hub.profiles.iter() {
        let mut all = images::named(&hub.config.sandbox, &*hub.store, &profile.name).await?;
        if all.is_empty() {
            all.push("-".to_owned());
        }
        for image in all {
            say(&safe(&format!("{:12} {image}", profile.name)))?;
        }
    }
    Ok(())
}

async fn engine(here: &Here<'_>) -> anyhow::Result<Engine> {
    let config = &here.config.sandbox;
    let socket = if config.docker.is_empty() {
        SOCKET_DEFAULT
    } else {
        &config.docker
    };
    Ok(Engine::connect(socket, config, &here.known.installation).await?)
}

async fn build(here: &Here<'_>, args: &Build) -> anyhow::Result<()> {
    for name in &args.service {
        ensure!(
            here.profiles.get(name).is_some(),
            "there is no profile {name:?} (`arki-hub sandbox services`)"
        );
    }
    let wanted = |name: &String| args.service.is_empty() || args.service.contains(name);
    let profiles: Vec<_> = here
        .profiles
        .iter()
        .filter(|profile| wanted(&profile.name))
        .collect();
    let engine = engine(here).await?;
    let mut workshop = None;
    let from = args.from.unwrap_or_else(Source::of_this_host);
    if from == Source::Packages {
        let folder = format!("arki-images-{}", std::process::id());
        say(&format!("unpacking a minimal {} ...", args.suite))?;
        let folder = args.folder.join(folder);
        workshop = Some(Workshop::open(&folder, &args.suite, &args.mirror).await?);
    }
    for profile in profiles {
        say(&format!(
            "{}: {} ...",
            profile.name,
            safe(&profile.image.packages.join(" "))
        ))?;
        let id = match &workshop {
            Some(workshop) => workshop.build(&engine, profile).await?,
            None => images::registry::build(&engine, profile, &args.suite).await?,
        };
        let allow = ["sandbox", "allow", &profile.name, &id];
        servant::ask(here.path.as_ref(), &allow).await?;
        say(&format!("{}: {id}", profile.name))?;
    }
    Ok(())
}

async fn trial(here: &Here<'_>, args: &Run) -> anyhow::Result<()> {
    let profile = here.profiles.get(&args.service).with_context(|| {
        format!(
            "there is no profile {:?} (`arki-hub sandbox services`)",
            args.service
        )
    })?;
    let action = profile.action(&args.action).with_context(|| {
        format!(
            "{} has no action {:?} (`arki-hub sandbox services`)",
            profile.name, args.action
        )
    })?;
    let configuration = match &args.configuration {
        None => Configuration::of_the_image(),
        Some(folder) => {
            let root = profile.configuration.first();
            let root = root.with_context(|| {
                format!("the profile {} names no `configuration`", profile.name)
            })?;
            Configuration::from_folder(folder, root)
                .with_context(|| format!("read {}", folder.display()))?
        }
    };
    let engine = engine(here).await?;
    let named = here.known.images.get(&profile.name);
    let named = named.map_or(&[][..], Vec::as_slice);
    let image = images::resolved(&engine, &profile.name, named).await?;
    let run: [u8; 16] = crate::random::bytes();
    let trial = Trial {
        profile,
        action,
        image: &image,
        configuration: &configuration,
        run: &arki_model::hex::encode(&run),
        attempt: 1,
        time: here.config.sandbox.run_time.duration(),
        now_s: now_s(),
    };
    let found = tokio::select! {
        found = trial.carry_out(&engine) => found?,
        _ = tokio::signal::ctrl_c() => {
            // what was dropped just now is removed by a task of its own
            bail!("stopped; {}", gone(&engine).await);
        }
    };
    let gone = gone(&engine).await;
    if args.json {
        say(&serde_json::to_string_pretty(&found.result)?)?;
    } else {
        tell(&profile.title, &action.title, &found.result)?;
        say(&format!("  took {} ms; {gone}", found.result.duration_ms))?;
    }
    ensure!(
        found.result.outcome == Outcome::Succeeded,
        "the action failed on the copy"
    );
    Ok(())
}

fn tell(service: &str, action: &str, result: &TrialResult) -> anyhow::Result<()> {
    let line = |text: String| say(&safe(&text));
    line(format!("{service}: {action}"))?;
    line(format!(
        "image {}, configuration: {} ({} files)",
        result.image, result.configuration.source, result.configuration.files
    ))?;
    for left_out in &result.configuration.left_out {
        line(format!("  left out: {left_out}"))?;
    }
    for step in &result.tried.steps {
        let code = step
            .exit_code
            .map_or("-".to_owned(), |code| code.to_string());
        let mark = if step.phase == Phase::Action {
            ">"
        } else {
            " "
        };
        line(format!(
            "{mark} {:>5} ms  exit {code:>3}  $ {}",
            step.duration_ms,
            step.argv.join(" ")
        ))?;
        let lines: Vec<&str> = step.output.lines().collect();
        for text in lines.iter().take(LINES_MAX) {
            line(format!("             {text}"))?;
        }
        if lines.len() > LINES_MAX || step.truncated {
            line("             ...".into())?;
        }
    }
    if !result.tried.measures.is_empty() {
        line(format!(
            "  {:34} {:>22} {:>22}",
            "", "tried", "control copy"
        ))?;
    }
    for (tried, control) in result.tried.measures.iter().zip(&result.control.measures) {
        line(format!(
            "  {:34} {:>22} {:>22}",
            tried.title,
            change(tried),
            change(control)
        ))?;
    }
    let memory = |copy: &Copy| {
        copy.memory_bytes_after
            .map_or("-".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6))
    };
    if result.tried.memory_bytes_after.is_some() {
        line(format!(
            "  {:34} {:>22} {:>22}",
            "Memory afterwards",
            memory(&result.tried),
            memory(&result.control)
        ))?;
    }
    line(format!("= {} ({})", result.summary, result.fidelity.name()))?;
    for text in &result.proves {
        line(format!("  proves:         {text}"))?;
    }
    for text in &result.does_not_prove {
        line(format!("  does not prove: {text}"))?;
    }
    line(format!("  undo:           {}", result.undo))
}

/// Waits for the copies' removal, and says how it went.
async fn gone(engine: &Engine) -> String {
    if engine.cleared(REMOVAL_TIME).await {
        return "every copy is gone".to_owned();
    }
    format!(
        "a copy is not gone yet: it ends by itself, or by `docker rm -f $(docker ps -aq --filter label=io.arki.sandbox={})`",
        engine.installation()
    )
}

fn change(measured: &Measured) -> String {
    let shown = |figure: &Option<Figure>| match figure {
        None => "-".to_owned(),
        Some(Figure::Number(number)) => number.to_string(),
        Some(Figure::Text(text)) => text.clone(),
    };
    format!("{} -> {}", shown(&measured.before), shown(&measured.after))
}
