//! `serve`: everything at one time, until SIGTERM or SIGINT.

use crate::config::{Config, redacted};
use crate::hub::Hub;
use crate::ingest::Intake;
use crate::sandbox::{automatic, runner};
use crate::server::{self, route};
use crate::store::hours;
use crate::{fleet, notify, supervised, tls};
use anyhow::Context;
use arki_model::clock::SystemClock;
use std::io::IsTerminal;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    log();
    let acceptor = tls::server(&config.tls).map_err(anyhow::Error::msg)?;
    let store = super::open(&config).await?;
    let hub = Hub::new(config, store, Arc::new(SystemClock::new())).await?;
    let listen = hub.config.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("listen on {listen}"))?;
    let address = listener.local_addr().context("ask for the address")?;
    if acceptor.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "listening without TLS beyond this host: set [tls], or put a proxy with TLS in front");
    }
    let database = redacted(&hub.config.database.url);
    tracing::info!(%address, %database, edition = %hub.store.edition(), version = env!("CARGO_PKG_VERSION"), "serving");

    let (stop, stopped) = watch::channel(false);
    let watching = tokio::spawn(fleet::watch(Arc::clone(&hub), stopped.clone()));
    let folding = tokio::spawn(hours::watch(Arc::clone(&hub), stopped.clone()));
    let telling = tokio::spawn(notify::run(Arc::clone(&hub), stopped.clone()));
    let trying = trials(&hub, &stopped);
    let offering = hub
        .config
        .sandbox
        .automatic
        .then(|| tokio::spawn(automatic::watch(Arc::clone(&hub), stopped.clone())));
    let alive = tokio::spawn(supervised::alive(stopped.clone()));
    let router = route::router(&hub, Intake::start(&hub));
    let acceptor = acceptor.map(|config| TlsAcceptor::from(Arc::new(config)));
    let serving = tokio::spawn(server::serve(
        Arc::clone(&hub),
        router,
        listener,
        acceptor,
        stopped,
    ));
    supervised::ready();
    asked_to_end().await?;
    supervised::stopping();
    tracing::info!("ending: what is under way is finished first");
    stop.send_replace(true);
    for task in [serving, watching, folding, telling, alive]
        .into_iter()
        .chain(trying)
        .chain(offering)
    {
        task.await.context("end a task")?;
    }
    Ok(())
}

/// The runner inside the hub, where a socket is configured.
fn trials(hub: &Arc<Hub>, stopped: &watch::Receiver<bool>) -> Option<tokio::task::JoinHandle<()>> {
    let has_engine = !hub.config.sandbox.docker.is_empty();
    has_engine.then(|| {
        let name = super::runner::name();
        tokio::spawn(runner::serve(Arc::clone(hub), name, stopped.clone()))
    })
}

/// Logs to standard error.
pub(super) fn log() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(tracing::Level::INFO)
        .init();
}

pub(super) async fn asked_to_end() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
