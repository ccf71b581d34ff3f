//! Tells systemd how the daemon is (`sd_notify(3)`): a datagram to the socket that `$NOTIFY_SOCKET` names.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The way to the service manager; silent where there is none.
#[derive(Debug)]
pub struct Notifier {
    manager: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As the environment says.
    pub fn from_environment() -> Self {
        let watchdog_us = std::env::var("WATCHDOG_USEC")
            .ok()
            .and_then(|text| text.parse().ok());
        Self::new(
            std::env::var("NOTIFY_SOCKET").ok().as_deref(),
            watchdog_us.map(Duration::from_micros),
        )
    }

    fn new(socket: Option<&str>, watchdog: Option<Duration>) -> Self {
        let address = socket.and_then(|name| match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name).ok(),
            None => SocketAddr::from_pathname(name).ok(),
        });
        let manager = address.and_then(|address| Some((UnixDatagram::unbound().ok()?, address)));
        Self { manager, watchdog }
    }

    /// Up and running.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// About to read the configuration again.
    pub fn reloading(&self, monotonic: Duration) {
        self.send(&format!(
            "RELOADING=1\nMONOTONIC_USEC={}",
            monotonic.as_micros()
        ));
    }

    /// About to end.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Still alive; `text` is shown by `systemctl status`.
    pub fn alive(&self, text: &str) {
        self.send(&format!("WATCHDOG=1\nSTATUS={}", text.replace('\n', " ")));
    }

    /// How often [`Self::alive`] must be called: half of what the manager waits for.
    pub fn every(&self) -> Option<Duration> {
        self.watchdog.map(|watchdog| watchdog / 2)
    }

    fn send(&self, message: &str) {
        if let Some((socket, address)) = &self.manager
            && let Err(error) = socket.send_to_addr(message.as_bytes(), address)
        {
            tracing::debug!(%error, "cannot tell the service manager");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_reads_what_the_protocol_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::new(path.to_str(), Some(Duration::from_secs(30)));
        let read = || {
            let mut buffer = [0; 256];
            let bytes = manager.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..bytes].to_vec()).unwrap()
        };
        notifier.ready();
        assert_eq!(read(), "READY=1");
        notifier.alive("2 predictions\nx");
        assert_eq!(read(), "WATCHDOG=1\nSTATUS=2 predictions x");
        assert_eq!(notifier.every(), Some(Duration::from_secs(15)));
        Notifier::new(None, None).ready();
    }
}
