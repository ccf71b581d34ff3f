//! The accept loop: limits, TLS, and an end that loses nothing.
//!
//! Every connection costs one permit; where there is none left it is closed at once, so that memory stays bounded.
//! A client has ten seconds for its head, half a minute for its body, and as long to take a part of the answer; whoever is
//! slower is cut off (slowloris).

use crate::hub::Hub;
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

pub mod auth;
pub mod body;
mod pace;
pub mod problem;
pub mod route;

/// For the head of a request; also how long an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// For the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// For what is under way when the hub is told to end.
const DRAIN_TIME: Duration = Duration::from_secs(20);
/// A head has a few hundred bytes; hyper's own minimum is 8 KiB.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// After an error of `accept` (no file descriptors left) the loop waits instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where a connection comes from; every request carries it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Serves until `stop` turns true; then lets what is under way come to its end.
pub async fn serve(
    hub: Arc<Hub>,
    router: Router,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) {
    let permits = hub.config.limits.connections as usize;
    let open = Arc::new(Semaphore::new(permits));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told_to_end(&mut stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&open).try_acquire_owned() else {
            hub.counters.connections_refused_total.add(1);
            continue;
        };
        hub.counters.connections_total.add(1);
        let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
        tokio::spawn(async move {
            connection(stream, peer, router, tls, stop).await;
            drop(permit);
        });
    }
    drop(listener);
    let all = u32::try_from(permits).unwrap_or(u32::MAX);
    if tokio::time::timeout(DRAIN_TIME, open.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("some connections were cut off at the end");
    }
}

async fn told_to_end(stop: &mut watch::Receiver<bool>) {
    // an error says that nobody is left to tell: an end as well
    drop(stop.wait_for(|stop| *stop).await);
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    stop: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone at once");
        return;
    }
    match tls {
        // boxed: a connection takes the memory of its own way, not that of the greater one
        None => Box::pin(http(stream, peer, router, stop)).await,
        Some(acceptor) => {
            let handshake = Box::pin(acceptor.accept(stream));
            match tokio::time::timeout(HANDSHAKE_TIME, handshake).await {
                Ok(Ok(stream)) => Box::pin(http(stream, peer, router, stop)).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            }
        }
    }
}

async fn http<S>(stream: S, peer: SocketAddr, router: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // A layer would wrap every route anew for each connection.
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        service.call(request.map(pace::Paced::new))
    });
    // pinned where it is made, so that it is there once
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(pace::Taken::new(stream)), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to_end(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;
