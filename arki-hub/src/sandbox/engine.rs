//! The container engine: Docker. The socket is as good as root on its host: only a runner opens it, and asks for nothing
//! but the containers described in `container`. Podman's compatible socket does as well, with two differences: it reads the
//! seccomp profile from a file on its own host instead of taking its content, and gives a tmpfs no owner.

use super::container::LABEL;
use super::seccomp;
use crate::config::Sandbox;
use bollard::Docker;
use bollard::errors::Error::{DockerResponseServerError, JsonDataError};
use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptionsBuilder;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// For one request to the engine, in seconds.
const REQUEST_S: u64 = 60;

/// A list that is not understood is asked for again: three seconds in all.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// An engine that answers.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    docker: Docker,
    socket: String,
    runtime: String,
    /// What Podman reads the seccomp profile from; nothing where the engine takes it as it is.
    seccomp_file: Option<PathBuf>,
    installation: String,
    about: String,
    /// Containers that were made here and are not known to be gone.
    alive: watch::Sender<usize>,
    /// True once one of them could not be removed.
    has_left: AtomicBool,
}

/// One container of [`Inner::alive`]: it counts until this is dropped.
#[derive(Debug)]
pub(super) struct Alive(Engine);

impl Drop for Alive {
    fn drop(&mut self) {
        let alive = &self.0.0.alive;
        alive.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Why the engine did not do it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It does not answer.
    #[error(
        "no container engine answers at {socket}: {reason}; is it running, and may this user open the socket?"
    )]
    Absent {
        /// Where.
        socket: String,
        /// Why.
        reason: String,
    },
    /// It refused.
    #[error("the container engine could not {what}: {reason}")]
    Refused {
        /// What it was asked for.
        what: String,
        /// Why.
        reason: String,
    },
    /// The image is not on the list.
    #[error(
        "there is no image for {service}: `arki-hub sandbox images build --service {service}` makes one, or name one by digest in [sandbox.images]"
    )]
    NoImage {
        /// The service.
        service: String,
    },
}

impl Engine {
    /// Connects to the engine at `socket` (`unix:///…`), as `settings` say. `installation` tells the containers of this hub
    /// from others.
    pub async fn connect(
        socket: &str,
        settings: &Sandbox,
        installation: &str,
    ) -> Result<Self, EngineError> {
        let absent = |error: bollard::errors::Error| EngineError::Absent {
            socket: socket.to_owned(),
            reason: error.to_string(),
        };
        let docker = Docker::connect_with_unix(socket, REQUEST_S, bollard::API_DEFAULT_VERSION)
            .map_err(absent)?;
        let docker = docker.negotiate_version().await.map_err(absent)?;
        let version = docker.version().await.map_err(absent)?;
        let parts = version.components.unwrap_or_default();
        let is_podman = parts.iter().any(|part| part.name.contains("Podman"));
        let name = if is_podman { "Podman" } else { "Docker" };
        let seccomp_file = if is_podman {
            Some(seccomp::file(&settings.seccomp_file)?)
        } else {
            None
        };
        Ok(Self(Arc::new(Inner {
            docker,
            socket: socket.to_owned(),
            runtime: settings.runtime.clone(),
            seccomp_file,
            installation: installation.to_owned(),
            about: format!("{name} {}", version.version.unwrap_or_default()),
            alive: watch::Sender::new(0),
            has_left: AtomicBool::new(false),
        })))
    }

    /// Counts a container that is about to be made.
    pub(super) fn alive(&self) -> Alive {
        self.0.alive.send_modify(|count| *count += 1);
        Alive(self.clone())
    }

    /// One could not be removed.
    pub(super) fn leave(&self) {
        self.0.has_left.store(true, Ordering::Relaxed);
    }

    /// What was left is gone.
    pub(super) fn reaped(&self) {
        self.0.has_left.store(false, Ordering::Relaxed);
    }

    /// Waits until every container that was made here is gone; false if one could not be removed, or that takes longer
    /// than `patience`.
    pub async fn cleared(&self, patience: Duration) -> bool {
        let mut alive = self.0.alive.subscribe();
        let gone = alive.wait_for(|count| *count == 0);
        let all = matches!(timeout(patience, gone).await, Ok(Ok(_)));
        all && !self.0.has_left.load(Ordering::Relaxed)
    }

    pub(super) fn docker(&self) -> &Docker {
        &self.0.docker
    }

    /// Name and version, for a person.
    pub fn about(&self) -> &str {
        &self.0.about
    }

    pub(super) fn runtime(&self) -> &str {
        &self.0.runtime
    }

    /// Where it reads the seccomp profile, if it wants a file.
    pub(super) fn seccomp_file(&self) -> Option<&Path> {
        self.0.seccomp_file.as_deref()
    }

    /// What tells the containers of this installation from those of others: the value of their label.
    pub fn installation(&self) -> &str {
        &self.0.installation
    }

    pub(super) fn failed(&self, what: &str, error: &bollard::errors::Error) -> EngineError {
        let reason = match error {
            DockerResponseServerError { message, .. } => message.clone(),
            other => other.to_string(),
        };
        if matches!(
            error,
            bollard::errors::Error::HyperLegacyError { .. }
                | bollard::errors::Error::IOError { .. }
        ) {
            return EngineError::Absent {
                socket: self.0.socket.clone(),
                reason,
            };
        }
        EngineError::Refused {
            what: what.to_owned(),
            reason,
        }
    }

    /// The ID of the image that `reference` (an ID or a name with a digest) names.
    pub async fn image_id(&self, service: &str, reference: &str) -> Result<String, EngineError> {
        let missing = || EngineError::NoImage {
            service: service.to_owned(),
        };
        match self.docker().inspect_image(reference).await {
            Ok(image) => image.id.ok_or_else(missing),
            Err(DockerResponseServerError {
                status_code: 404, ..
            }) => Err(missing()),
            Err(error) => Err(self.failed("look at an image", &error)),
        }
    }

    /// All containers of this installation's sandbox, running or not.
    pub(super) async fn containers(&self) -> Result<Vec<ContainerSummary>, EngineError> {
        let label = format!("{LABEL}={}", self.installation());
        let filters = HashMap::from([("label", vec![label.as_str()])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let mut tries = 1;
        loop {
            match self.docker().list_containers(Some(options.clone())).await {
                // a container that ends is "stopped" for a moment in Podman, and that is no state of Docker's
                Err(JsonDataError { .. }) if self.seccomp_file().is_some() && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                listed => return listed.map_err(|error| self.failed("list containers", &error)),
            }
        }
    }
}
