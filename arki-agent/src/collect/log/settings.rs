//! `[[log]]` of the configuration.

use super::pattern::Pattern;
use crate::collect::unit_name;
use serde::Deserialize;

/// The most logs: each gives two series.
pub const LOGS_MAX: usize = 64;

/// The longest name; it is repeated in the names of series.
const NAME_BYTES_MAX: usize = 64;

/// One log: a file, several files by wildcards, or a unit in the journal of systemd.
///
/// ```toml
/// [[log]]
/// name = "nginx"                      # log.lines_per_minute{nginx}, log.errors_per_minute{nginx}
/// path = "/var/log/nginx/*error.log"  # `*` and `?` in any part of the path
/// errors = "(?i)\\b(error|crit)\\b"   # optional: which lines are errors
///
/// [[log]]
/// name = "ssh"
/// journal = "ssh"                     # a unit, with `*` and `?`; "*" alone is all of the journal
/// ```
///
/// In the journal, errors are the entries of priority `err` and worse.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// What the series are called after.
    pub name: String,
    /// An absolute path, with wildcards.
    pub path: Option<String>,
    /// A unit of the journal, with wildcards. Either this or `path`.
    pub journal: Option<String>,
    /// A regular expression: a line that has a match is an error.
    pub errors: Option<String>,
}

impl LogSettings {
    /// Checks what no type can; the error is the key and what is allowed there.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let is_name = !self.name.is_empty()
            && self.name.len() <= NAME_BYTES_MAX
            && !self
                .name
                .chars()
                .any(|c| c.is_control() || "{}".contains(c));
        if !is_name {
            let allowed = format!(
                "a name of 1 to {NAME_BYTES_MAX} bytes without control characters and braces"
            );
            return Err(("name", allowed));
        }
        match (&self.path, &self.journal) {
            (Some(path), None) => {
                if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
                    return Err(("path", "an absolute path without `..`".to_owned()));
                }
            }
            (None, Some(unit)) => {
                unit_name::check(unit).map_err(|allowed| ("journal", allowed))?;
                if self.errors.is_some() {
                    let allowed = "only for files: entries of the journal have priorities, and those of `err` and worse are errors";
                    return Err(("errors", allowed.to_owned()));
                }
            }
            _ => return Err(("path", "either `path` or `journal`, not both".to_owned())),
        }
        if let Some(pattern) = &self.errors {
            Pattern::new(pattern).map_err(|allowed| ("errors", allowed))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let settings: LogSettings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings
            .check()
            .map_err(|(key, allowed)| format!("{key}: {allowed}"))
    }

    #[test]
    fn a_log_is_a_file_or_a_unit() {
        assert_eq!(check("name = 'a'\npath = '/var/log/*.log'"), Ok(()));
        assert_eq!(check("name = 'a'\njournal = '*'"), Ok(()));
        for (text, complaint) in [
            ("name = 'a'", "either `path` or `journal`"),
            ("name = 'a'\npath = '/a'\njournal = 'b'", "not both"),
            ("name = 'a'\npath = 'a.log'", "absolute"),
            ("name = 'a'\npath = '/a/../b'", "absolute"),
            ("name = ''\npath = '/a'", "name: a name"),
            ("name = 'a'\npath = '/a'\nerrors = '('", "unclosed group"),
            ("name = 'a'\njournal = 'b'\nerrors = 'x'", "only for files"),
            (
                "name = 'a'\njournal = 'docker.socket'",
                "service of systemd",
            ),
            ("name = 'a'\npath = '/a'\nfile = 1", "unknown field"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }
}
