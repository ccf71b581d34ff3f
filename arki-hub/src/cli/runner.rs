//! `runner`: carries out trials on a host of its own. It needs the database and the engine's socket; nothing listens.

use crate::config::Config;
use crate::hub::Hub;
use crate::sandbox::runner;
use anyhow::bail;
use arki_model::clock::SystemClock;
use std::sync::Arc;
use tokio::sync::watch;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    super::serve::log();
    if config.sandbox.docker.is_empty() {
        bail!(
            "sandbox.docker is not set: give the socket of the container engine, such as unix:///run/docker.sock"
        );
    }
    let store = super::open(&config).await?;
    let hub = Hub::new(config, store, Arc::new(SystemClock::new())).await?;
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(runner::serve(hub, name(), stopped));
    super::serve::asked_to_end().await?;
    stop.send_replace(true);
    Ok(running.await?)
}

/// What this runner is called in the store: the host and the process.
pub(super) fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}/{}", host.trim(), std::process::id())
}
