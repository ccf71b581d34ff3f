//! `[[service]]` of the configuration.

use crate::collect::unit_name;
use serde::Deserialize;

/// One service, or several by a wildcard.
///
/// ```toml
/// [[service]]
/// name = "nginx"        # reported whether it runs or not
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
}

fn yes() -> bool {
    true
}

impl ServiceSettings {
    /// Checks what no type can; the error says what is allowed.
    pub fn check(&self) -> Result<(), String> {
        unit_name::check(&self.name)
    }
}
