//! One container of the sandbox: made with every limit, spoken to by exec, removed by its id from outside.
//!
//! What keeps it in (the flags that were measured): read-only root, tmpfs without set-id, devices and execution, no
//! network, no capability, no new privileges, our own seccomp profile, a user of its own that is not root, limits on
//! memory (without swap), processes, CPU, descriptors and time, an IPC namespace of its own. Its first process is only
//! a clock: the container ends by itself when the time of a run is over, whoever died meanwhile, and the engine then
//! removes it.

use super::engine::{Alive, Engine, EngineError};
use super::profile::{Profile, Tmpfs};
use super::seccomp;
use super::usage::{self, Usage};
use bollard::errors::Error::DockerResponseServerError;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, ResourcesUlimits};
use bollard::query_parameters::{
    InspectContainerOptions, RemoveContainerOptionsBuilder, StartContainerOptions,
    StatsOptionsBuilder,
};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::oneshot;

/// The label by which the sandbox finds its containers; its value is the installation's.
pub(super) const LABEL: &str = "io.arki.sandbox";
/// Which run, which claim of it, and when the container ends by itself (Unix seconds).
pub(super) const LABEL_RUN: &str = "io.arki.sandbox.run";
pub(super) const LABEL_ATTEMPT: &str = "io.arki.sandbox.attempt";
pub(super) const LABEL_ENDS: &str = "io.arki.sandbox.ends";
/// Every service may write here.
const SCRATCH_MIB: u32 = 16;
/// Shared memory, in bytes.
const SHARED_BYTES: i64 = 16 << 20;
/// Open files of one process.
const FILES_MAX: i64 = 1_024;
/// Processes of the copy's user on the whole host. Podman would raise it to four million, which not every host permits; the
/// copy's own are bounded by its control group.
const USER_PROCESSES_MAX: i64 = 16_384;
/// Past the run's own time, the container's clock leaves room for the runner to look at what is there.
pub(super) const GRACE_S: i64 = 20;

/// What a container is for.
#[derive(Debug, Clone)]
pub(super) struct Purpose<'a> {
    /// The service.
    pub(super) profile: &'a Profile,
    /// The image, by ID.
    pub(super) image: &'a str,
    /// More places to write, for a configuration.
    pub(super) places: &'a [Tmpfs],
    /// Host names of upstreams, which resolve to the container itself.
    pub(super) hosts: &'a [String],
    /// The run, in hexadecimal digits, and its claim.
    pub(super) run: &'a str,
    /// The number of the claim.
    pub(super) attempt: i64,
    /// `tried` or `control`.
    pub(super) role: &'a str,
    /// When it is made, in Unix seconds.
    pub(super) now_s: i64,
    /// How long it may live.
    pub(super) time: Duration,
}

/// A removal is tried again after this, and so often while the engine says that it is at it: ten seconds in all.
const REMOVAL_PAUSE: Duration = Duration::from_millis(200);
const REMOVALS_MAX: u32 = 50;
/// Other errors of the engine than that.
const FAILURES_MAX: u32 = 3;

/// A running container.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) engine: Engine,
    pub(super) id: String,
}

/// A container that is killed and removed, with all that is in it, when this is dropped: by a task of its own that
/// nobody can stop; who wants to know waits with [`Engine::cleared`]. What cannot be removed now is said, and left to the
/// next reaping.
#[derive(Debug)]
pub(super) struct Held(Container, Option<Alive>);

impl std::ops::Deref for Held {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Container { engine, id } = self.0.clone();
        let alive = self.1.take();
        // a program that is ending has no runtime any more: the container's own clock ends it
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if !engine.remove(&id).await {
                    engine.leave();
                }
                drop(alive);
            });
        }
    }
}

impl Container {
    /// Makes and starts one. It goes on in a task of its own: whoever no longer waits for it (a run that was cancelled
    /// just now) leaves nothing behind either.
    pub(super) async fn start(engine: &Engine, purpose: &Purpose<'_>) -> Result<Held, EngineError> {
        let (body, engine) = (body(engine, purpose), engine.clone());
        let (give, taken) = oneshot::channel();
        let alive = engine.alive();
        tokio::spawn(async move {
            // what nobody takes is dropped, and removed by that
            drop(give.send(Self::make(&engine, body, alive).await));
        });
        let ended = |_| EngineError::Refused {
            what: "make a container".into(),
            reason: "the runner ends".into(),
        };
        taken.await.map_err(ended)?
    }

    async fn make(
        engine: &Engine,
        body: ContainerCreateBody,
        alive: Alive,
    ) -> Result<Held, EngineError> {
        let tmpfs = body.host_config.as_ref().and_then(|of| of.tmpfs.as_ref());
        let places: Vec<String> = tmpfs
            .into_iter()
            .flatten()
            .map(|(path, _)| path.clone())
            .collect();
        let made = engine.docker().create_container(None, body).await;
        let id = made
            .map_err(|error| engine.failed("make a container", &error))?
            .id;
        let engine = engine.clone();
        let held = Held(Self { engine, id }, Some(alive));
        let started = held
            .engine
            .docker()
            .start_container(&held.id, None::<StartContainerOptions>)
            .await;
        started.map_err(|error| held.engine.failed("start a container", &error))?;
        if held.engine.seccomp_file().is_some() {
            held.open_to_all(places).await?;
        }
        Ok(held)
    }

    /// Lets everybody in the container write to its places, where a tmpfs has no owner, and takes on the permissions of the
    /// directory that it covers (runc 1.1). Root in there has no capability, but the tmpfs is its own.
    async fn open_to_all(&self, places: Vec<String>) -> Result<(), EngineError> {
        let docker = self.engine.docker();
        let failed = |error| self.engine.failed("open a tmpfs to the service", &error);
        let options = CreateExecOptions {
            user: Some("0:0".to_owned()),
            cmd: Some(
                ["chmod", "1777"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(places)
                    .collect(),
            ),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let id = docker
            .create_exec(&self.id, options)
            .await
            .map_err(failed)?
            .id;
        let started = docker.start_exec(&id, None::<StartExecOptions>).await;
        let mut said = String::new();
        if let StartExecResults::Attached { mut output, .. } = started.map_err(failed)? {
            while let Some(Ok(part)) = output.next().await {
                said.push_str(&part.to_string());
            }
        }
        let ended = docker.inspect_exec(&id).await.map_err(failed)?;
        if ended.exit_code == Some(0) {
            return Ok(());
        }
        Err(EngineError::Refused {
            what: "open a tmpfs to the service".into(),
            reason: said.trim().to_owned(),
        })
    }

    /// What it uses, as the engine says it. That takes a second or two.
    pub(super) async fn statistics(&self) -> Option<Usage> {
        let once = StatsOptionsBuilder::new()
            .stream(false)
            .one_shot(true)
            .build();
        let mut stats = Box::pin(self.engine.docker().stats(&self.id, Some(once)));
        usage::of_statistics(stats.next().await?.ok()?)
    }

    /// Whether it runs, and whether the kernel killed something in it because its memory was used up.
    pub(super) async fn state(&self) -> (bool, bool) {
        let seen = self
            .engine
            .docker()
            .inspect_container(&self.id, None::<InspectContainerOptions>)
            .await;
        let state = seen.ok().and_then(|seen| seen.state);
        state.map_or((false, false), |state| {
            (
                state.running.unwrap_or(false),
                state.oom_killed.unwrap_or(false),
            )
        })
    }
}

impl Engine {
    /// Removes the container `id` by force; true once it is gone.
    pub(super) async fn remove(&self, id: &str) -> bool {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let mut failures = 0;
        for _ in 0..REMOVALS_MAX {
            match self
                .docker()
                .remove_container(id, Some(options.clone()))
                .await
            {
                Ok(())
                | Err(DockerResponseServerError {
                    status_code: 404, ..
                }) => return true,
                // being removed by the engine itself: it has gone a moment later
                Err(DockerResponseServerError {
                    status_code: 409, ..
                }) => {}
                Err(error) => {
                    tracing::warn!(container = id, %error, "a container of the sandbox could not be removed");
                    failures += 1;
                    if failures == FAILURES_MAX {
                        return false;
                    }
                }
            }
            tokio::time::sleep(REMOVAL_PAUSE).await;
        }
        false
    }
}

fn body(engine: &Engine, purpose: &Purpose<'_>) -> ContainerCreateBody {
    let seconds = purpose.time.as_secs() as i64 + GRACE_S;
    let labels = [
        (LABEL, engine.installation().to_owned()),
        (LABEL_RUN, purpose.run.to_owned()),
        (LABEL_ATTEMPT, purpose.attempt.to_string()),
        (LABEL_ENDS, (purpose.now_s + seconds).to_string()),
        ("io.arki.sandbox.role", purpose.role.to_owned()),
    ];
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    ContainerCreateBody {
        image: Some(purpose.image.to_owned()),
        hostname: Some("localhost".into()),
        user: Some(purpose.profile.user.clone()),
        // nothing of the hub's own environment
        env: Some(words(&[
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "HOME=/tmp",
        ])),
        entrypoint: Some(words(&["sleep"])),
        cmd: Some(vec![seconds.to_string()]),
        working_dir: Some("/tmp".into()),
        labels: Some(labels.map(|(name, value)| (name.to_owned(), value)).into()),
        host_config: Some(host_config(engine, purpose)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(engine: &Engine, purpose: &Purpose<'_>) -> HostConfig {
    let limits = purpose.profile.limits;
    let memory_bytes = i64::from(limits.memory_mebibytes) << 20;
    let limit = |name: &str, value: i64| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(value),
        hard: Some(value),
    };
    let mut ulimits = vec![limit("nofile", FILES_MAX), limit("core", 0)];
    let (mut seccomp, mut sysctls) = (format!("seccomp={}", seccomp::PROFILE), None);
    if let Some(file) = engine.seccomp_file() {
        seccomp = format!("seccomp={}", file.display());
        ulimits.push(limit("nproc", USER_PROCESSES_MAX));
        // as Docker has it: a service binds port 80 in a network of its own without being root
        let port = "net.ipv4.ip_unprivileged_port_start".to_owned();
        sysctls = Some(HashMap::from([(port, "0".to_owned())]));
    }
    HostConfig {
        readonly_rootfs: Some(true),
        network_mode: Some("none".into()),
        cap_drop: Some(vec!["ALL".into()]),
        security_opt: Some(vec!["no-new-privileges".into(), seccomp]),
        memory: Some(memory_bytes),
        memory_swap: Some(memory_bytes),
        nano_cpus: Some((limits.cpus * 1e9) as i64),
        pids_limit: Some(i64::from(limits.processes)),
        ulimits: Some(ulimits),
        sysctls,
        ipc_mode: Some("private".into()),
        shm_size: Some(SHARED_BYTES),
        tmpfs: Some(places(purpose, engine.seccomp_file().is_none())),
        extra_hosts: Some(
            purpose
                .hosts
                .iter()
                .map(|host| format!("{host}:127.0.0.1"))
                .collect(),
        ),
        init: Some(true),
        auto_remove: Some(true),
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".into()),
            config: None,
        }),
        runtime: Some(engine.runtime().to_owned()).filter(|name| !name.is_empty()),
        ..HostConfig::default()
    }
}

/// Where the copy may write. Where the engine gives a tmpfs no owner (Podman), everybody in the container may: that is
/// the service and its probes.
fn places(purpose: &Purpose<'_>, has_owner: bool) -> HashMap<String, String> {
    let (user, group) = purpose.profile.ids().unwrap_or((65_534, 65_534));
    let scratch = Tmpfs {
        path: "/tmp".into(),
        mebibytes: SCRATCH_MIB,
        mode: "0700".into(),
    };
    let all = purpose
        .profile
        .tmpfs
        .iter()
        .chain(purpose.places)
        .chain([&scratch]);
    all.map(|place| {
        let Tmpfs {
            path,
            mebibytes,
            mode,
        } = place;
        let who = if has_owner {
            format!("mode={mode},uid={user},gid={group}")
        } else {
            "mode=1777,notmpcopyup".to_owned()
        };
        let options = format!("rw,nosuid,nodev,noexec,size={mebibytes}m,{who}");
        (path.clone(), options)
    })
    .collect()
}
