//! Why a configuration is refused: where, which key, and what is allowed instead.

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was asked for cannot be read.
    #[error("{file}: cannot be read: {source}")]
    File {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// No file was given, and there is no home to live in.
    #[error(
        "no {file}, and neither XDG_STATE_HOME nor HOME is set: name a configuration with --config, or a directory with ARKI_STATE_DIR",
        file = super::FILE
    )]
    Homeless,
    /// Not TOML.
    #[error("{file}: {reason}")]
    Syntax {
        /// The file.
        file: String,
        /// What the parser says, with the line.
        reason: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`{}; allowed here: {}", meant(.key, .allowed), .allowed.join(", "))]
    Unknown {
        /// The file, or the environment.
        origin: String,
        /// The key with its path.
        key: String,
        /// What is allowed there.
        allowed: Vec<String>,
    },
    /// A value that is not allowed.
    #[error("{origin}: `{key}` is {found}, but must be {allowed}")]
    Value {
        /// The file, or the environment.
        origin: String,
        /// The key with its path.
        key: String,
        /// What is there.
        found: String,
        /// What may be there.
        allowed: String,
    },
    /// A key that must be there.
    #[error("{origin}: `{key}` is missing")]
    Missing {
        /// The file, or the environment.
        origin: String,
        /// The key with its path.
        key: String,
    },
    /// A value that the reader of its type refuses.
    #[error("{origin}: {}{reason}", at(.key))]
    Refused {
        /// The file, or the environment.
        origin: String,
        /// The key with its path, where it is known.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

impl ConfigError {
    /// The same error, with the environment variable as its origin where `variable_of` names one for its key.
    #[must_use]
    pub(super) fn of(mut self, variable_of: impl Fn(&str) -> Option<String>) -> Self {
        if let Self::Value { origin, key, .. } | Self::Refused { origin, key, .. } = &mut self
            && let Some(variable) = variable_of(key)
        {
            *origin = format!("environment {variable}");
        }
        self
    }
}

fn at(key: &str) -> String {
    if key.is_empty() {
        String::new()
    } else {
        format!("`{key}`: ")
    }
}

/// `, did you mean ...` where one of the allowed keys is near.
fn meant(key: &str, allowed: &[String]) -> String {
    let key = key.rsplit('.').next().unwrap_or(key);
    allowed
        .iter()
        .map(|other| (strsim::jaro_winkler(key, other), other))
        // 0.8 takes two letters that changed places or one that is missing, in words of five and more
        .filter(|&(similarity, _)| similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| format!(" (did you mean `{other}`?)"))
        .unwrap_or_default()
}
