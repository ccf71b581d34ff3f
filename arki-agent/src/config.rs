//! The configuration: one struct, TOML file and environment, unknown keys and bad values refused.
//!
//! Order, the later wins: built-in defaults, the file, the environment (`ARKI_` and the path of the key in
//! capitals: `ARKI_STATE_DIR`, `ARKI_HUB_URL`). Without a file, and without being root, the agent lives under the
//! user's own state directory, so that trying it needs no installation.

mod error;
mod interval;
mod load;
mod roots;
mod series;

pub use error::ConfigError;
pub use interval::{Interval, parse_duration};
pub use roots::RootsSettings;
pub use series::SeriesSettings;

use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where the configuration is, unless `--config` names another.
pub const FILE: &str = "/etc/arki/agent.toml";

/// The most series that `series_max` may allow: at 7 KB a series some 30 MB, which is for large hosts that
/// have it.
pub const SERIES_MAX_LIMIT: usize = 4096;

/// The longest path that a Unix socket can have (`sun_path` of unix(7), less its end).
const SOCKET_PATH_BYTES_MAX: usize = 107;

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
        let refuse = |key: &str, found: String, allowed: String| {
            Err(ConfigError::Value {
                origin: origin.to_owned(),
                key: key.to_owned(),
                found,
                allowed,
            })
        };
        if !(1..=SERIES_MAX_LIMIT).contains(&self.series_max) {
            let allowed = format!("a number from 1 to {SERIES_MAX_LIMIT}");
            return refuse("series_max", self.series_max.to_string(), allowed);
        }
        for (key, path) in [
            ("state_dir", &self.state_dir),
            ("socket", &self.socket),
            ("roots.proc", &self.roots.proc),
            ("roots.sys", &self.roots.sys),
            ("roots.root", &self.roots.root),
        ] {
            if !path.is_absolute() {
                let allowed = "an absolute path".to_owned();
                return refuse(key, format!("{:?}", path.display().to_string()), allowed);
            }
        }
        if self.socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            let found = format!("{:?}", self.socket.display().to_string());
            let allowed = format!("a path of at most {SOCKET_PATH_BYTES_MAX} bytes");
            return refuse("socket", found, allowed);
        }
        if self.host.chars().any(char::is_control) || self.host.len() > 253 {
            let allowed = "a name of at most 253 bytes without control characters".to_owned();
            return refuse("host", format!("{:?}", self.host), allowed);
        }
        for (index, series) in self.series.iter().enumerate() {
            if let Err(reason) = series.rule() {
                let key = format!("series[{index}].match");
                return refuse(&key, format!("{:?}", series.pattern), reason);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
