//! `[[service]]` of the configuration.

use crate::collect::unit_name;
use arki_model::snapshot::{ROOTS_MAX, is_plain};
use serde::Deserialize;
use std::path::PathBuf;

/// One service, or several by a wildcard.
///
/// ```toml
/// [[service]]
/// name = "nginx"        # reported whether it runs or not
/// snapshot = ["/etc/nginx"]   # what of its configuration the hub may ask a redacted copy of
///
/// [[service]]
/// name = "php*-fpm"     # `*` and `?`: what runs under such a name
///
/// [[service]]
/// name = "cups"
/// watch = false         # not reported although it runs
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// The unit, with or without `.service`; `*` and `?` as in a shell.
    pub name: String,
    /// False leaves it out. The first entry that matches a service wins.
    #[serde(default = "yes")]
    pub watch: bool,
    /// Files and directories of its configuration of which the hub may ask a redacted copy; none where it is missing.
    #[serde(default)]
    pub snapshot: Vec<PathBuf>,
}

fn yes() -> bool {
    true
}

impl ServiceSettings {
    /// Checks what no type can; the error has the key, what is there, and what is allowed.
    pub fn check(&self) -> Result<(), (&'static str, String, String)> {
        unit_name::check(&self.name)
            .map_err(|allowed| ("name", format!("{:?}", self.name), allowed))?;
        if !self.snapshot.is_empty() && self.name.contains(['*', '?']) {
            let allowed = "in an entry whose name has no wildcard".to_owned();
            return Err(("snapshot", format!("{:?}", self.name), allowed));
        }
        let bad = self
            .snapshot
            .iter()
            .find(|path| !path.to_str().is_some_and(is_plain));
        let found = match bad {
            Some(path) => format!("{:?}", path.display().to_string()),
            None if self.snapshot.len() > ROOTS_MAX => format!("a list of {}", self.snapshot.len()),
            None => return Ok(()),
        };
        let allowed = format!(
            "a list of at most {ROOTS_MAX} absolute paths below / without `..`, a slash at the end or control characters"
        );
        Err(("snapshot", found, allowed))
    }
}
