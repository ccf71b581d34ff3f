//! Images: which may be used, and how they are made from Debian's packages without a registry.
//!
//! ```text
//! debootstrap (minimal system, once) -> copy -> apt-get install -> the profile's setup -> tar -> engine: import
//! ```
//!
//! What may be used is a list of IDs: those that were made are remembered in the store, the newest first (each host with an
//! engine makes its own), and one that is named by ID or digest in `[sandbox.images]` stands for all of them. A tag
//! decides nothing: anybody who may push can move it.

use super::engine::{Engine, EngineError};
use super::profile::{Argv, Profile};
use crate::config::Sandbox;
use crate::store::{Store, StoreError, settings};
use bollard::query_parameters::CreateImageOptionsBuilder;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::runner::RunnerError;

pub mod registry;

/// Images of one service on the list: a fleet's engines, and what they had before the last upgrade.
const ALLOWED_MAX: usize = 16;
/// A list is written again if another host's command wrote it at the same time.
const WRITES_MAX: u32 = 5;

/// What is read of the archive at a time.
const PART_BYTES: usize = 256 * 1024;
/// Of a command that failed, the end of what it wrote.
const SAID_CHARS: usize = 600;

/// Why an image was not made.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It takes root: a system is unpacked with its own owners, and entered by chroot.
    #[error("this has to be root: a system is unpacked and entered by chroot")]
    NotRoot,
    /// A file could not be written, or a command not started.
    #[error("{what}: {reason}")]
    Io {
        /// What was to be done.
        what: String,
        /// Why not.
        reason: String,
    },
    /// A command failed.
    #[error("{command} ended with {status}: {said}")]
    Failed {
        /// Which.
        command: String,
        /// Its status.
        status: String,
        /// The end of what it wrote.
        said: String,
    },
    /// The engine did not take it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The image that may be used for `service`, by ID.
pub async fn allowed(
    settings: &Sandbox,
    store: &dyn Store,
    engine: &Engine,
    service: &str,
) -> Result<String, RunnerError> {
    let references = named(settings, store, service).await?;
    Ok(resolved(engine, service, &references).await?)
}

/// What the configuration names for `service`, or else what was made for it.
pub async fn named(
    settings: &Sandbox,
    store: &dyn Store,
    service: &str,
) -> Result<Vec<String>, StoreError> {
    match settings.images.get(service) {
        Some(named) => Ok(vec![named.clone()]),
        None => made(store, service).await,
    }
}

/// The ID of the first image of `references` that this engine has for `service`.
pub async fn resolved(
    engine: &Engine,
    service: &str,
    references: &[String],
) -> Result<String, EngineError> {
    for reference in references {
        match engine.image_id(service, reference).await {
            Err(EngineError::NoImage { .. }) => {}
            found => return found,
        }
    }
    Err(EngineError::NoImage {
        service: service.to_owned(),
    })
}

/// The images that were made for `service`, the newest first.
async fn made(store: &dyn Store, service: &str) -> Result<Vec<String>, StoreError> {
    let ids = settings::get(store, &setting(service)).await?;
    Ok(list(ids.as_deref()))
}

fn list(ids: Option<&[u8]>) -> Vec<String> {
    let ids = String::from_utf8_lossy(ids.unwrap_or_default());
    ids.lines().map(str::to_owned).collect()
}

/// Puts the image `id` on the list for `service`; the oldest is forgotten where there are too many.
pub async fn allow(store: &dyn Store, service: &str, id: &str) -> Result<(), StoreError> {
    let name = setting(service);
    for _ in 0..WRITES_MAX {
        let old = settings::get(store, &name).await?;
        let mut ids = list(old.as_deref());
        if ids.first().is_some_and(|first| first == id) {
            return Ok(());
        }
        ids.retain(|other| other != id);
        ids.insert(0, id.to_owned());
        ids.truncate(ALLOWED_MAX);
        let new = ids.join("\n");
        if settings::replace(store, &name, old.as_deref(), new.as_bytes()).await? {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable(
        "the list of images is written all the time: try it again".into(),
    ))
}

fn setting(service: &str) -> String {
    format!("sandbox_image:{service}")
}

/// A place where images are made; it is removed at the end.
#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    /// Unpacks a minimal system of `suite` from `mirror` under `folder`, which must not exist.
    pub async fn open(folder: &Path, suite: &str, mirror: &str) -> Result<Self, ImageError> {
        use std::os::unix::fs::MetadataExt;
        let io = |what: &str, error: &std::io::Error| ImageError::Io {
            what: what.to_owned(),
            reason: error.to_string(),
        };
        std::fs::create_dir(folder)
            .map_err(|error| io(&format!("make {}", folder.display()), &error))?;
        let workshop = Self {
            folder: folder.to_owned(),
        };
        let owner = std::fs::metadata(folder)
            .map_err(|error| io("look at it", &error))?
            .uid();
        if owner != 0 {
            return Err(ImageError::NotRoot);
        }
        let mut debootstrap = Command::new("debootstrap");
        debootstrap
            .args(["--variant=minbase", suite])
            .arg(workshop.base())
            .arg(mirror);
        finish(debootstrap, "debootstrap").await?;
        let base = workshop.base();
        // no service is started while its package is installed
        let policy = base.join("usr/sbin/policy-rc.d");
        std::fs::write(&policy, "#!/bin/sh\nexit 101\n")
            .map_err(|error| io("write policy-rc.d", &error))?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&policy, mode).map_err(|error| io("write policy-rc.d", &error))?;
        // debootstrap may have left none, and apt needs names
        std::fs::copy("/etc/resolv.conf", base.join("etc/resolv.conf"))
            .map_err(|error| io("copy resolv.conf", &error))?;
        Ok(workshop)
    }

    fn base(&self) -> PathBuf {
        self.folder.join("base")
    }

    /// Makes the image of `profile` and gives it to the engine; returns its ID.
    pub async fn build(&self, engine: &Engine, profile: &Profile) -> Result<String, ImageError> {
        let root = self.folder.join(&profile.name);
        let mut copy = Command::new("cp");
        copy.args(["-a", "--reflink=auto"])
            .arg(self.base())
            .arg(&root);
        finish(copy, "cp").await?;
        let mut install: Argv = [
            "apt-get",
            "-y",
            "-qq",
            "-o",
            "Dpkg::Options::=--force-unsafe-io",
            "--no-install-recommends",
            "install",
        ]
        .map(Into::into)
        .into();
        install.extend(profile.image.packages.iter().cloned());
        if !profile.image.packages.is_empty() {
            finish(inside(&root, &install), "apt-get").await?;
        }
        for argv in &profile.image.setup {
            finish(inside(&root, argv), argv.first().map_or("", String::as_str)).await?;
        }
        let mut clean = Command::new("rm");
        clean.arg("-rf").args(
            [
                "var/lib/apt/lists",
                "var/cache/apt",
                "usr/share/doc",
                "usr/share/locale",
                "usr/share/man",
            ]
            .map(|part| root.join(part)),
        );
        finish(clean, "rm").await?;
        let id = import(engine, &root, &format!("arki-sandbox/{}", profile.name)).await?;
        let mut remove = Command::new("rm");
        remove.arg("-rf").arg(&root);
        finish(remove, "rm").await?;
        Ok(id)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "could not be removed");
        }
    }
}

/// `argv` in the system under `root`, with no more of this one's environment than a proxy.
fn inside(root: &Path, argv: &Argv) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).args(argv).env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LANG", "C.UTF-8");
    for name in ["http_proxy", "https_proxy", "no_proxy"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

async fn finish(mut command: Command, name: &str) -> Result<(), ImageError> {
    let io = |error: &std::io::Error| ImageError::Io {
        what: format!("start {name}"),
        reason: match error.kind() {
            std::io::ErrorKind::NotFound => format!("{error}: install the package {name}"),
            _ => error.to_string(),
        },
    };
    command.stdin(Stdio::null()).kill_on_drop(true);
    let done = command.output().await.map_err(|error| io(&error))?;
    if done.status.success() {
        return Ok(());
    }
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let skipped = said.chars().count().saturating_sub(SAID_CHARS);
    Err(ImageError::Failed {
        command: name.to_owned(),
        status: done.status.to_string(),
        said: said.chars().skip(skipped).collect(),
    })
}

/// Streams the system under `root` to the engine as an image called `name`; returns its ID.
async fn import(engine: &Engine, root: &Path, name: &str) -> Result<String, ImageError> {
    let io = |error: &std::io::Error| ImageError::Io {
        what: "start tar".into(),
        reason: error.to_string(),
    };
    let mut tar = Command::new("tar");
    tar.arg("-C")
        .arg(root)
        .args(["--numeric-owner", "--one-file-system", "-c", "."]);
    let mut tar = tar
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io(&error))?;
    let output = tar
        .stdout
        .take()
        .ok_or_else(|| io(&std::io::Error::other("no pipe")))?;
    let parts = stream::unfold(output, |mut output| async move {
        let mut part = vec![0; PART_BYTES];
        match output.read(&mut part).await {
            Ok(0) => None,
            Ok(length) => {
                part.truncate(length);
                Some((Ok(Bytes::from(part)), output))
            }
            Err(error) => Some((Err(error), output)),
        }
    });
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(name)
        .tag("latest")
        .build();
    let body = bollard::body_try_stream(parts);
    let mut said = Box::pin(
        engine
            .docker()
            .create_image(Some(options), Some(body), None),
    );
    while let Some(line) = said.next().await {
        line.map_err(|error| engine.failed("import an image", &error))?;
    }
    let status = tar.wait().await.map_err(|error| io(&error))?;
    if !status.success() {
        return Err(ImageError::Failed {
            command: "tar".into(),
            status: status.to_string(),
            said: "the image is not whole".into(),
        });
    }
    Ok(engine.image_id(name, name).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[tokio::test]
    async fn images_of_several_hosts_are_on_the_list_and_the_oldest_go() {
        let hub = start("").await;
        let store = &*hub.hub.store;
        // as it was kept while there was one
        settings::set(store, &setting("nginx"), b"sha256:0")
            .await
            .unwrap();
        for n in [1, 2, 1] {
            allow(store, "nginx", &format!("sha256:{n}")).await.unwrap();
        }
        let config = &hub.hub.config.sandbox;
        let named = async || named(config, store, "nginx").await.unwrap();
        assert_eq!(named().await, ["sha256:1", "sha256:2", "sha256:0"]);
        for n in 10..40 {
            allow(store, "nginx", &format!("sha256:{n}")).await.unwrap();
        }
        // two hosts at one time
        let (one, other) = (allow(store, "apache", "a"), allow(store, "apache", "b"));
        let (one, other) = tokio::join!(one, other);
        one.and(other).unwrap();
        let mut both = made(store, "apache").await.unwrap();
        both.sort();
        assert_eq!(both, ["a", "b"]);
        let kept = named().await;
        assert_eq!((kept.len(), kept[0].as_str()), (ALLOWED_MAX, "sha256:39"));
    }
}
