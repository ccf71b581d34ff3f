//! The hub's configuration: one struct, defaults, validation.
//!
//! Read from one TOML file, then from the environment (`ARKI_HUB_` + path: `ARKI_HUB_DATABASE_URL`). A key that
//! is not known is refused, with the place and the keys that are; a bad value is fatal at start, never a
//! warning later. Secrets are read from files named by `…_file` keys, so that neither the configuration
//! nor a process list holds them.

use crate::notify::address::Network;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub mod environment;
pub mod notify;
pub mod sandbox;
pub mod span;

pub use notify::Notify;
pub use sandbox::Sandbox;
pub use span::Span;

/// Where the configuration is looked for when no `--config` is given.
pub const PATH_DEFAULT: &str = "/etc/arki/hub.toml";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// What people and agents reach the hub by, for links in notifications: `https://arki.example.org`.
    pub public_url: String,
    /// Reverse proxies and load balancers whose `X-Forwarded-For` is believed, in CIDR notation; those on this host are.
    pub trusted_proxies: Vec<Network>,
    /// TLS by the hub itself; without it, a reverse proxy does it or the hub listens on loopback only.
    pub tls: Tls,
    /// Where everything is stored.
    pub database: Database,
    /// How long it is kept.
    pub retention: Retention,
    /// What one hub takes at most.
    pub limits: Limits,
    /// What the hub itself notices about the fleet.
    pub fleet: Fleet,
    /// Who is told, and how.
    pub notify: Notify,
    /// Trials in throw-away containers.
    pub sandbox: Sandbox,
}

/// TLS by the hub itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, PEM; empty means plain HTTP.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
}

/// Where everything is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite:///path` or `postgres://user@host/database`.
    pub url: String,
    /// A file that holds the password for `postgres://`, so that the URL need not.
    pub password_file: PathBuf,
    /// Connections to PostgreSQL at most.
    pub connections: u16,
}

/// How long it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Five-minute summaries.
    pub samples: Span,
    /// The same, folded into hours.
    pub hours: Span,
    /// Events, predictions and alerts.
    pub events: Span,
}

/// What one hub takes at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open connections.
    pub connections: u32,
    /// Bytes of request bodies that are held at one time, all connections together.
    pub body_bytes_in_flight: u32,
    /// Batches that wait for the database at one time; past it the answer is 503 with Retry-After.
    pub batches_waiting: u32,
    /// Wrong keys from one address in a minute before it has to wait.
    pub sign_in_failures_per_minute: u32,
}

/// What the hub itself notices about the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fleet {
    /// An agent that has shipped nothing for this long is silent.
    pub silent_after: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            tls: Tls::default(),
            database: Database::default(),
            retention: Retention::default(),
            limits: Limits::default(),
            fleet: Fleet::default(),
            notify: Notify::default(),
            sandbox: Sandbox::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite:///var/lib/arki-hub/hub.db".into(),
            password_file: PathBuf::new(),
            connections: 8,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            samples: Span::days(90),
            hours: Span::days(730),
            events: Span::days(730),
        }
    }
}

impl Default for Limits {
    /// Sized so that none of them alone takes the hub beyond 100 MB: 32 MiB of bodies (a usual batch has 2 KiB),
    /// 4,096 batches decoded at about 4 KiB each, 4,500 connections at about 20 KB each while they wait (hyper's
    /// buffer is 8 KiB of it). 100,000 agents have some 3,500 open.
    fn default() -> Self {
        Self {
            connections: 4_500,
            body_bytes_in_flight: 32 << 20,
            batches_waiting: 4_096,
            sign_in_failures_per_minute: 10,
        }
    }
}

impl Default for Fleet {
    /// Three batches missed.
    fn default() -> Self {
        Self {
            silent_after: Span::minutes(15),
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("url", &redacted(&self.url))
            .field("password_file", &self.password_file)
            .field("connections", &self.connections)
            .finish()
    }
}

/// Why the configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not understood.
    #[error("{place}: {reason}")]
    Syntax {
        /// File or environment variable.
        place: String,
        /// What is wrong, with the keys that are allowed.
        reason: String,
    },
    /// It is understood, but makes no sense.
    #[error("{key}: {reason}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
}

impl Config {
    /// Reads `path` and then the environment given as pairs. A missing file is an error only where it was
    /// asked for (`path` is `Some`); the default place may be empty.
    pub fn load(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let place = path.unwrap_or(Path::new(PATH_DEFAULT));
        let text = match std::fs::read_to_string(place) {
            Ok(text) => text,
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                String::new()
            }
            Err(source) => {
                let path = place.to_owned();
                return Err(ConfigError::Read { path, source });
            }
        };
        Self::parse(&text, &place.display().to_string(), environment)
    }

    /// The same for a text that is at hand; `place` is named in errors.
    pub fn parse(
        text: &str,
        place: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        // Alone first: only the TOML reader knows the line.
        let _: Self = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            place: place.to_owned(),
            reason: error.to_string(),
        })?;
        let config = environment::layered(text, environment)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, reason: &str| {
            let reason = reason.to_owned();
            Err(ConfigError::Value { key, reason })
        };
        let url = &self.database.url;
        if !["sqlite:///", "postgres://", "postgresql://"]
            .iter()
            .any(|s| url.starts_with(s))
        {
            return wrong(
                "database.url",
                "give sqlite:///absolute/path or postgres://user@host/database",
            );
        }
        if !(2..=200).contains(&self.database.connections) {
            return wrong("database.connections", "give 2 to 200");
        }
        if self.tls.certificate_file.as_os_str().is_empty()
            != self.tls.key_file.as_os_str().is_empty()
        {
            return wrong("tls", "give both certificate_file and key_file, or neither");
        }
        let public = &self.public_url;
        if !public.is_empty() && !public.starts_with("http://") && !public.starts_with("https://") {
            return wrong(
                "public_url",
                "give an address that begins with https:// or http://",
            );
        }
        let limits = &self.limits;
        if limits.connections == 0
            || limits.batches_waiting == 0
            || limits.sign_in_failures_per_minute == 0
        {
            return wrong("limits", "every limit is at least 1");
        }
        if !((2 << 20)..=(1 << 30)).contains(&limits.body_bytes_in_flight) {
            return wrong(
                "limits.body_bytes_in_flight",
                "give 2 MiB to 1 GiB, in bytes",
            );
        }
        if self.fleet.silent_after < Span::minutes(6) {
            return wrong(
                "fleet.silent_after",
                "give at least 6m: agents ship every five minutes",
            );
        }
        self.sandbox.check()?;
        self.notify.check()
    }
}

/// `url` without a password.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let shown = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}/{path}")
        }
        None => url.to_owned(),
    };
    // libpq also takes the password as a parameter
    match shown.split_once("password=") {
        Some((before, after)) => {
            let rest = after.split_once('&').map_or("", |(_, rest)| rest);
            format!("{before}password=…&{rest}")
        }
        None => shown,
    }
}

#[cfg(test)]
mod tests;
