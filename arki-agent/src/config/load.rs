//! Reads file and environment into a [`Config`], and says what is wrong with them in a person's words.

use super::{Config, ConfigError, FILE};
use ::config::{Config as Layers, ConfigError as LayerError, File, FileFormat};
use std::path::{Path, PathBuf};

/// The keys that an environment variable can set: `ARKI_` and the path in capitals.
const FROM_ENVIRONMENT: [&str; 11] = [
    "interval",
    "state_dir",
    "socket",
    "series_max",
    "host",
    "hub.url",
    "hub.ca_file",
    "hub.outbox_bytes_max",
    "roots.proc",
    "roots.sys",
    "roots.root",
];

/// The longest configuration that is read: a thousand rules are less than 100 KiB.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What is around the process, as a test can make it up.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) is_root: bool,
    pub(super) variable: fn(&str) -> Option<String>,
    /// The names of all variables.
    pub(super) names: fn() -> Vec<String>,
    pub(super) default_file: PathBuf,
}

impl Surroundings {
    pub(super) fn of_this_process() -> Self {
        Self {
            is_root: nix::unistd::geteuid().is_root(),
            variable: |name| std::env::var(name).ok(),
            names: || {
                std::env::vars_os()
                    .filter_map(|(name, _)| name.into_string().ok())
                    .collect()
            },
            default_file: PathBuf::from(FILE),
        }
    }

    /// Where a user without an installation keeps state (XDG Base Directory Specification).
    fn user_state_dir(&self) -> Result<PathBuf, ConfigError> {
        let absolute = |name| {
            (self.variable)(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .map(|state| state.join("arki"))
            .ok_or(ConfigError::Homeless)
    }
}

pub(super) fn load(file: Option<&Path>, around: &Surroundings) -> Result<Config, ConfigError> {
    let file = match file {
        Some(file) => Some(file.to_owned()),
        None => Some(around.default_file.clone()).filter(|file| file.exists()),
    };
    let text = file.as_deref().map(read).transpose()?;
    let origin = file
        .as_ref()
        .map_or("environment".to_owned(), |file| file.display().to_string());
    let variable_of = |key: &str| {
        let name = variable(key);
        FROM_ENVIRONMENT
            .contains(&key)
            .then(|| (around.variable)(&name))
            .flatten()
            .map(|_| name)
    };
    let refused = |error| explain(error, &origin).of(variable_of);
    misspelt((around.names)())?;

    let mut layers = Layers::builder();
    if let Some(text) = &text {
        layers = layers.add_source(File::from_str(text, FileFormat::Toml));
    }
    for key in FROM_ENVIRONMENT {
        let name = variable(key);
        if let Some(value) = (around.variable)(&name) {
            layers = layers.set_override(key, value).map_err(refused)?;
        }
    }
    let installed = file.is_some() || around.is_root;
    let named = layers
        .clone()
        .build()
        .map_err(refused)?
        .get_string("state_dir")
        .is_ok();
    if !named {
        let state_dir = if installed {
            PathBuf::from("/var/lib/arki")
        } else {
            around.user_state_dir()?
        };
        layers = layers
            .set_default("state_dir", state_dir.display().to_string())
            .map_err(refused)?;
    }
    let layers = layers.build().map_err(refused)?;
    let mut config: Config = layers.try_deserialize().map_err(refused)?;
    if config.socket.as_os_str().is_empty() {
        config.socket = if installed && !named {
            PathBuf::from("/run/arki/agent.sock")
        } else {
            config.state_dir.join("agent.sock")
        };
    }
    config
        .check(&origin)
        .map_err(|error| error.of(variable_of))?;
    Ok(config)
}

/// The variable that sets a key.
fn variable(key: &str) -> String {
    format!("ARKI_{}", key.replace('.', "_").to_uppercase())
}

/// Refuses a variable that is nearly one of ours: it would set nothing. Others may be anybody's: the hub's begin with
/// `ARKI_HUB_` too.
fn misspelt(names: Vec<String>) -> Result<(), ConfigError> {
    for name in names.into_iter().filter(|name| name.starts_with("ARKI_")) {
        let near = |known: &String| (1..=2).contains(&strsim::osa_distance(known, &name));
        let known = FROM_ENVIRONMENT.map(variable);
        if !known.contains(&name)
            && let Some(meant) = known.iter().find(|known| near(known))
        {
            return Err(ConfigError::Unknown {
                origin: "environment".to_owned(),
                key: name,
                allowed: vec![meant.clone()],
            });
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, ConfigError> {
    use std::io::Read;
    let failed = |source| ConfigError::File {
        file: file.display().to_string(),
        source,
    };
    let mut text = String::new();
    std::fs::File::open(file)
        .map_err(failed)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let reason = format!("longer than {FILE_BYTES_MAX} bytes");
        return Err(failed(std::io::Error::other(reason)));
    }
    Ok(text)
}

/// Turns what the `config` crate says into what a person needs: the file, the key, what is allowed.
fn explain(error: LayerError, origin: &str) -> ConfigError {
    let (key, error) = unwrap_path(error, String::new());
    let origin = origin.to_owned();
    match error {
        LayerError::FileParse { cause, .. } => ConfigError::Syntax {
            file: origin,
            reason: cause.to_string().trim_end().to_owned(),
        },
        LayerError::Type {
            unexpected,
            expected,
            key: own,
            ..
        } => ConfigError::Value {
            origin,
            key: dotted(&own.unwrap_or(key)),
            found: unexpected.to_string(),
            allowed: match expected {
                "an integer" => "a whole number",
                "a floating point" => "a number",
                other => other,
            }
            .to_owned(),
        },
        LayerError::NotFound(key) => ConfigError::Missing {
            origin,
            key: dotted(&key),
        },
        other => from_message(origin, dotted(&key), &other.to_string()),
    }
}

/// The innermost error and the path to it.
fn unwrap_path(error: LayerError, path: String) -> (String, LayerError) {
    match error {
        LayerError::At { error, key, .. } => {
            let path = key.unwrap_or(path);
            unwrap_path(*error, path)
        }
        other => (path, other),
    }
}

/// `series[0]bound`, as the `config` crate has it, becomes `series[0].bound`.
fn dotted(key: &str) -> String {
    let mut dotted = String::with_capacity(key.len() + 1);
    let mut last = ' ';
    for c in key.chars() {
        if last == ']' && c.is_alphabetic() {
            dotted.push('.');
        }
        dotted.push(c);
        last = c;
    }
    dotted
}

/// serde's own words: "unknown field `x`, expected one of `a`, `b`".
fn from_message(origin: String, key: String, message: &str) -> ConfigError {
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    if message.starts_with("unknown field")
        && let Some(unknown) = quoted.next()
    {
        let key = if key.is_empty() {
            unknown
        } else {
            format!("{key}.{unknown}")
        };
        return ConfigError::Unknown {
            origin,
            key,
            allowed: quoted.collect(),
        };
    }
    ConfigError::Refused {
        origin,
        key,
        reason: message.to_owned(),
    }
}
