//! The environment over the file: `ARKI_HUB_` + the path in capitals, parts joined by `_`.
//!
//! Because keys have `_` in them too, a name is not split: it is looked up among the paths that exist.
//! A variable that begins with `ARKI_HUB_` and fits no path is refused, as an unknown key in the file is.

use super::{Config, ConfigError};

/// The first part of every variable.
const PREFIX: &str = "ARKI_HUB_";

/// Every path that a variable can set: all the scalar keys. (Lists of tables belong in the file.)
pub const PATHS: &[&str] = &[
    "listen",
    "public_url",
    "tls.certificate_file",
    "tls.key_file",
    "database.url",
    "database.password_file",
    "database.connections",
    "retention.samples",
    "retention.hours",
    "retention.events",
    "limits.connections",
    "limits.body_bytes_in_flight",
    "limits.batches_waiting",
    "limits.sign_in_failures_per_minute",
    "fleet.silent_after",
    "notify.messages_per_hour",
    "notify.smtp.host",
    "notify.smtp.port",
    "notify.smtp.security",
    "notify.smtp.user",
    "notify.smtp.password_file",
    "notify.smtp.from",
    "notify.telegram.token_file",
    "notify.telegram.chat",
    "sandbox.docker",
    "sandbox.runtime",
    "sandbox.profiles",
    "sandbox.runs_at_one_time",
    "sandbox.runs_waiting",
    "sandbox.runs_waiting_each",
    "sandbox.run_time",
    "sandbox.receipt_ttl",
    "sandbox.automatic",
];

/// The file's text with the environment laid over it.
pub(super) fn layered(
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let file = config::File::from_str(text, config::FileFormat::Toml);
    let mut builder = config::Config::builder().add_source(file);
    let mut names = Vec::new();
    for (name, value) in environment {
        let Some(tail) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let Some(path) = PATHS.iter().find(|path| variable(path) == tail) else {
            return Err(ConfigError::Syntax {
                place: format!("environment variable {name}"),
                reason: format!("sets nothing; these exist: {}", all_variables()),
            });
        };
        names.push(name.clone());
        builder = builder
            .set_override(*path, value)
            .map_err(|error| ConfigError::Syntax {
                place: format!("environment variable {name}"),
                reason: error.to_string(),
            })?;
    }
    builder
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(|error| ConfigError::Syntax {
            // the file alone was read without an error before
            place: format!("environment ({})", names.join(", ")),
            reason: error.to_string(),
        })
}

fn variable(path: &str) -> String {
    path.replace('.', "_").to_uppercase()
}

fn all_variables() -> String {
    let names: Vec<String> = PATHS
        .iter()
        .map(|path| format!("{PREFIX}{}", variable(path)))
        .collect();
    names.join(", ")
}
