//! The configuration: one struct, TOML file and environment, unknown keys and bad values refused.
//!
//! Order, the later wins: built-in defaults, the file, the environment (`ARKI_` and the path of the key in
//! capitals: `ARKI_STATE_DIR`, `ARKI_HUB_URL`). Without a file, and without being root, the agent lives under the
//! user's own state directory, so that trying it needs no installation.

mod apply;
mod error;
mod hub;
mod interval;
mod load;
mod roots;
mod series;

pub use apply::{ActionSettings, ApplySettings};
pub use error::ConfigError;
pub use hub::HubSettings;
pub use interval::{Interval, parse_duration};
pub use roots::RootsSettings;
pub use series::SeriesSettings;

use crate::collect::log::{LOGS_MAX, LogSettings};
use crate::collect::service::ServiceSettings;
use crate::context::ContextSettings;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where the configuration is, unless `--config` names another.
pub const FILE: &str = "/etc/arki/agent.toml";

/// The most series that `series_max` may allow: at 7 KB a series some 30 MB, which is for large hosts that
/// have it.
pub const SERIES_MAX_LIMIT: usize = 4096;

/// The longest path that a Unix socket can have (`sun_path` of unix(7), less its end).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The longest host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// Everything that can be configured. `packaging/config/agent.toml` states every key with its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Time between two passes, 1 s to 1 h.
    #[serde(default)]
    pub interval: Interval,
    /// The directory of everything that survives a restart.
    pub state_dir: PathBuf,
    /// The socket on which the daemon answers.
    #[serde(default)]
    pub socket: PathBuf,
    /// The most series that are watched.
    #[serde(default = "series_max")]
    pub series_max: usize,
    /// The name of this host in events; the host name where it is empty.
    #[serde(default)]
    pub host: String,
    /// Bounds and directions, first match wins.
    #[serde(default)]
    pub series: Vec<SeriesSettings>,
    /// Services that are watched beside those that run.
    #[serde(default)]
    pub service: Vec<ServiceSettings>,
    /// Logs that are followed.
    #[serde(default)]
    pub log: Vec<LogSettings>,
    /// Known contexts that come back, by day and time.
    #[serde(default)]
    pub context: Vec<ContextSettings>,
    /// The way to the hub.
    #[serde(default)]
    pub hub: HubSettings,
    /// What the hub may have applied here.
    #[serde(default)]
    pub apply: ApplySettings,
    /// Where the host is seen from.
    #[serde(default)]
    pub roots: RootsSettings,
}

/// 600: three times what a host with 200 series needs, at 7 KB each.
fn series_max() -> usize {
    600
}

impl Config {
    /// Reads the configuration from `file`, or from [`FILE`] where that exists, and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        load::load(file, &load::Surroundings::of_this_process())
    }

    /// Checks what no type can; `origin` says where the values come from.
    fn check(&self, origin: &str) -> Result<(), ConfigError> {
        let refuse = |key: String, found: String, allowed: String| ConfigError::Value {
            origin: origin.to_owned(),
            key,
            found,
            allowed,
        };
        let quoted = |text: &str| format!("{text:?}");
        if !(1..=SERIES_MAX_LIMIT).contains(&self.series_max) {
            let allowed = format!("a number from 1 to {SERIES_MAX_LIMIT}");
            return Err(refuse(
                "series_max".to_owned(),
                self.series_max.to_string(),
                allowed,
            ));
        }
        for (key, path) in self.paths() {
            if !path.is_absolute() {
                let found = quoted(&path.display().to_string());
                return Err(refuse(key.to_owned(), found, "an absolute path".to_owned()));
            }
        }
        if self.socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            let found = quoted(&self.socket.display().to_string());
            let allowed = format!("a path of at most {SOCKET_PATH_BYTES_MAX} bytes");
            return Err(refuse("socket".to_owned(), found, allowed));
        }
        if self.host.chars().any(char::is_control) || self.host.len() > HOST_BYTES_MAX {
            let allowed =
                format!("a name of at most {HOST_BYTES_MAX} bytes without control characters");
            return Err(refuse("host".to_owned(), quoted(&self.host), allowed));
        }
        self.hub
            .check()
            .map_err(|(key, found, allowed)| refuse(key, found, allowed))?;
        self.apply
            .check()
            .map_err(|(key, found, allowed)| refuse(key, found, allowed))?;
        self.check_lists()
            .map_err(|(key, found, allowed)| refuse(key, found, allowed))
    }

    /// The key, what is there and what is allowed of the first bad entry.
    fn check_lists(&self) -> Result<(), (String, String, String)> {
        for (index, series) in self.series.iter().enumerate() {
            series.rule().map_err(|(key, found, allowed)| {
                (format!("series[{index}].{key}"), found, allowed)
            })?;
        }
        for (index, service) in self.service.iter().enumerate() {
            service.check().map_err(|(key, found, allowed)| {
                (format!("service[{index}].{key}"), found, allowed)
            })?;
        }
        for (index, log) in self.log.iter().enumerate() {
            log.check().map_err(|(key, allowed)| {
                let found = match key {
                    "name" => Some(&log.name),
                    "path" => log.path.as_ref(),
                    "journal" => log.journal.as_ref(),
                    _ => log.errors.as_ref(),
                };
                let found = found.map_or("not there".to_owned(), |text| format!("{text:?}"));
                (format!("log[{index}].{key}"), found, allowed)
            })?;
        }
        for (index, log) in self.log.iter().enumerate() {
            if self.log.iter().take(index).any(|one| one.name == log.name) {
                return Err((
                    format!("log[{index}].name"),
                    format!("{:?} once more", log.name),
                    "a name of its own for each log (several files may share one `path` with *)"
                        .to_owned(),
                ));
            }
        }
        for (index, context) in self.context.iter().enumerate() {
            context.check().map_err(|(key, allowed)| {
                let found = match key {
                    "name" => format!("{:?}", context.name),
                    "days" => format!("{:?}", context.days),
                    "series" => format!("{:?}", context.series),
                    "from" => format!("{:?}", context.from.as_deref().unwrap_or("")),
                    _ => format!("{:?}", context.to.as_deref().unwrap_or("")),
                };
                (format!("context[{index}].{key}"), found, allowed)
            })?;
        }
        if self.log.len() > LOGS_MAX {
            let found = format!("a list of {}", self.log.len());
            return Err((
                "log".to_owned(),
                found,
                format!("at most {LOGS_MAX} entries"),
            ));
        }
        Ok(())
    }

    /// Every path, with its key.
    fn paths(&self) -> [(&'static str, &Path); 5] {
        [
            ("state_dir", &self.state_dir),
            ("socket", &self.socket),
            ("roots.proc", &self.roots.proc),
            ("roots.sys", &self.roots.sys),
            ("roots.root", &self.roots.root),
        ]
    }
}

#[cfg(test)]
mod tests;
