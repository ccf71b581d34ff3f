//! `[apply]`: which commands the hub may have applied here. None, unless somebody says so on this very host.

use arki_model::receipt::{ARGV_BYTES_MAX, ARGV_WORDS_MAX, is_command};
use serde::Deserialize;

/// The most commands that may be listed.
const ACTIONS_MAX: usize = 64;
/// The longest name of a service or an action, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// What may be applied.
///
/// ```toml
/// [apply]
/// enabled = true
///
/// [[apply.action]]
/// service = "nginx"
/// name = "reload"
/// argv = ["nginx", "-s", "reload"]
/// sudo = true
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApplySettings {
    /// Off by default.
    pub enabled: bool,
    /// The only commands that are ever run.
    pub action: Vec<ActionSettings>,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionSettings {
    /// The service, as its profile on the hub is called.
    pub service: String,
    /// The action, as the profile has it.
    pub name: String,
    /// The program and its arguments, word by word: no shell sees them. The program is an absolute path, or a name that is
    /// looked for in `/usr/sbin`, `/usr/bin`, `/sbin` and `/bin`.
    pub argv: Vec<String>,
    /// Runs it as root through `sudo -n`, which must permit exactly this command to the agent's user.
    #[serde(default)]
    pub sudo: bool,
}

impl ApplySettings {
    /// The key, what is there and what is allowed of the first bad value.
    pub(super) fn check(&self) -> Result<(), (String, String, String)> {
        if self.action.len() > ACTIONS_MAX {
            let found = format!("a list of {}", self.action.len());
            let allowed = format!("at most {ACTIONS_MAX} entries");
            return Err(("apply.action".to_owned(), found, allowed));
        }
        for (index, action) in self.action.iter().enumerate() {
            for (key, text) in [("service", &action.service), ("name", &action.name)] {
                if text.is_empty()
                    || text.len() > NAME_BYTES_MAX
                    || text.chars().any(char::is_control)
                {
                    let allowed =
                        format!("a name of 1 to {NAME_BYTES_MAX} bytes without control characters");
                    return Err((
                        format!("apply.action[{index}].{key}"),
                        format!("{text:?}"),
                        allowed,
                    ));
                }
            }
            let program = action.argv.first().map_or("", String::as_str);
            if !is_command(&action.argv) || (program.contains('/') && !program.starts_with('/')) {
                let allowed = format!(
                    "a list of 1 to {ARGV_WORDS_MAX} words with {ARGV_BYTES_MAX} bytes in all, that begins with a \
                     program's name or absolute path"
                );
                return Err((
                    format!("apply.action[{index}].argv"),
                    format!("{:?}", action.argv),
                    allowed,
                ));
            }
        }
        Ok(())
    }
}
