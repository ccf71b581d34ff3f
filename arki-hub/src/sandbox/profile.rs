//! A service profile: one TOML file says what a copy of a service needs and what may be tried on it.
//!
//! Nothing in it is a shell string: every command is a list of words that is started as it stands, inside the
//! container. What is not understood is refused with the key. The limits of a container are the profile's to lower or
//! raise within bounds that are fixed here.

use arki_model::receipt::is_command;
use serde::{Deserialize, Serialize};

/// A command, word by word.
pub type Argv = Vec<String>;

/// Names are short: they are in paths, labels and receipts.
const NAME_BYTES_MAX: usize = 40;
/// Of each list in a profile.
const ITEMS_MAX: usize = 32;
/// Memory of one container at most, with all that is in its tmpfs.
const MEMORY_MIB_MAX: u32 = 4_096;
/// Processes of one container at most.
const PROCESSES_MAX: u32 = 1_024;

/// What a copy of a service needs, and what may be tried on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name; the agent's configuration calls the service the same.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// User and group inside the container, as numbers; never root.
    pub user: String,
    /// What has to be done before the service can start.
    #[serde(default)]
    pub prepare: Vec<Argv>,
    /// Starts the service, in the foreground.
    pub start: Argv,
    /// Ends with 0 while the service is healthy.
    pub ready: Argv,
    /// How long it may take until it is.
    #[serde(default = "ready_seconds")]
    pub ready_seconds: u32,
    /// Directories that a snapshot of the real configuration replaces.
    #[serde(default)]
    pub configuration: Vec<String>,
    /// What the container may use.
    #[serde(default)]
    pub limits: Limits,
    /// How its image is made from Debian's packages.
    #[serde(default)]
    pub image: Image,
    /// Where it may write.
    #[serde(default)]
    pub tmpfs: Vec<Tmpfs>,
    /// What is measured before and after.
    #[serde(default, rename = "measure")]
    pub measures: Vec<Measure>,
    /// What may be tried.
    #[serde(rename = "action")]
    pub actions: Vec<Action>,
}

fn ready_seconds() -> u32 {
    15
}

/// What a container may use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Memory, with all that is in its tmpfs; there is no swap.
    pub memory_mebibytes: u32,
    /// Processes and threads.
    pub processes: u32,
    /// Processors.
    pub cpus: f64,
}

impl Default for Limits {
    /// A database, the largest, takes 159 MB at 35 clients.
    fn default() -> Self {
        Self {
            memory_mebibytes: 256,
            processes: 128,
            cpus: 1.0,
        }
    }
}

/// How an image is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Image {
    /// Debian packages over a minimal system.
    pub packages: Vec<String>,
    /// Commands in the new system, after they are installed.
    pub setup: Vec<Argv>,
}

/// One place to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tmpfs {
    /// Where.
    pub path: String,
    /// How much.
    pub mebibytes: u32,
    /// Its mode, in octal.
    #[serde(default = "mode")]
    pub mode: String,
}

fn mode() -> String {
    "0755".into()
}

/// One thing that is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What of the command is the value.
    pub kind: Kind,
    /// The unit of a number.
    #[serde(default)]
    pub unit: String,
    /// The command.
    pub argv: Argv,
}

/// What of a command is the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The number that it prints.
    Number,
    /// The text that it prints.
    Text,
    /// 1 if it ends with 0, else 0.
    Success,
}

/// One thing that may be tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Commands that bring about the situation, on both copies.
    #[serde(default)]
    pub stage: Vec<Argv>,
    /// Commands that go on running meanwhile, on both copies, with an input that does not end.
    #[serde(default)]
    pub background: Vec<Argv>,
    /// The command that is tried: word for word what may be applied.
    pub argv: Argv,
    /// The exit code of success.
    #[serde(default)]
    pub exit_code: i64,
    /// Whether the service has to run.
    #[serde(default = "yes")]
    pub needs_service: bool,
    /// Whether the service ends by it and is started again.
    #[serde(default)]
    pub restart: bool,
    /// The effects that are expected.
    #[serde(default, rename = "expect")]
    pub expects: Vec<Expect>,
    /// How long the effects may take to show.
    #[serde(default = "settle_seconds")]
    pub settle_seconds: u32,
    /// What success proves.
    pub proves: Vec<String>,
    /// What it cannot prove.
    pub does_not_prove: Vec<String>,
    /// How it is undone.
    pub undo: String,
    /// Series (globs) whose prediction it may be the answer to.
    #[serde(default)]
    pub candidate_for: Vec<String>,
    /// Whether it may be applied on the real service, if its agent's configuration allows it too.
    #[serde(default)]
    pub applicable: bool,
}

fn yes() -> bool {
    true
}

fn settle_seconds() -> u32 {
    5
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Which measure.
    pub measure: String,
    /// What becomes of it.
    pub change: Change,
}

/// What becomes of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is another one.
    Differs,
    /// It is more.
    Rises,
    /// It is less.
    Falls,
}

/// Why a profile is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It cannot be read.
    #[error("the profile {place} cannot be read: {reason}")]
    Read {
        /// Which file.
        place: String,
        /// Why.
        reason: String,
    },
    /// It is not understood.
    #[error("the profile {place} is not understood: {reason}")]
    Syntax {
        /// Which file.
        place: String,
        /// The line and the keys that are allowed.
        reason: String,
    },
    /// It is understood, but makes no sense.
    #[error("the profile {place}: {key}: {reason}")]
    Value {
        /// Which file.
        place: String,
        /// Which key.
        key: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Profile {
    /// Reads a file's text; `place` is named in errors.
    pub fn parse(text: &str, place: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|error| ProfileError::Syntax {
            place: place.to_owned(),
            reason: error.to_string(),
        })?;
        profile
            .check()
            .map_err(|(key, reason)| ProfileError::Value {
                place: place.to_owned(),
                key,
                reason,
            })?;
        Ok(profile)
    }

    /// The action with this name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// User and group inside the container.
    pub fn ids(&self) -> Option<(u32, u32)> {
        let (user, group) = self.user.split_once(':')?;
        Some((user.parse().ok()?, group.parse().ok()?))
    }

    fn check(&self) -> Result<(), (String, &'static str)> {
        let wrong = |key: &str, reason| Err((key.to_owned(), reason));
        if !is_name(&self.name) {
            return wrong(
                "name",
                "a name has lower-case letters, digits and dashes, at most 40",
            );
        }
        if self
            .ids()
            .is_none_or(|(user, group)| user == 0 || group == 0)
        {
            return wrong(
                "user",
                "give user and group as numbers, such as 33:33; never root",
            );
        }
        let limits = self.limits;
        if !(16..=MEMORY_MIB_MAX).contains(&limits.memory_mebibytes)
            || !(4..=PROCESSES_MAX).contains(&limits.processes)
            || !(0.1..=16.0).contains(&limits.cpus)
        {
            return wrong(
                "limits",
                "memory_mebibytes is 16 to 4096, processes 4 to 1024, cpus 0.1 to 16",
            );
        }
        if !(1..=300).contains(&self.ready_seconds) {
            return wrong("ready_seconds", "give 1 to 300");
        }
        let total: u32 = self.tmpfs.iter().map(|one| one.mebibytes).sum();
        if total > limits.memory_mebibytes {
            return wrong(
                "tmpfs",
                "all of them together are more than limits.memory_mebibytes",
            );
        }
        let paths = self.tmpfs.iter().map(|one| &one.path);
        for path in paths.chain(&self.configuration) {
            if !is_path(path) {
                return wrong(
                    "tmpfs and configuration",
                    "a path is absolute, below a directory of its own, without . and ..",
                );
            }
        }
        if self.tmpfs.iter().any(|one| !is_mode(&one.mode)) {
            return wrong(
                "tmpfs.mode",
                "a mode is octal, such as 0755, without set-id bits",
            );
        }
        self.check_commands()?;
        self.check_actions()
    }

    fn check_commands(&self) -> Result<(), (String, &'static str)> {
        let measures = self.measures.iter().map(|measure| &measure.argv);
        let own = [&self.start, &self.ready].into_iter().chain(&self.prepare);
        let actions = self.actions.iter().flat_map(|action| {
            action
                .stage
                .iter()
                .chain(&action.background)
                .chain([&action.argv])
        });
        let all = own.chain(measures).chain(&self.image.setup).chain(actions);
        for argv in all {
            if !is_command(argv) {
                let shown = argv.first().cloned().unwrap_or_default();
                return Err((shown, "a command has 1 to 32 words and 4096 bytes at most"));
            }
        }
        Ok(())
    }

    fn check_actions(&self) -> Result<(), (String, &'static str)> {
        let sizes = [
            self.actions.len(),
            self.measures.len(),
            self.tmpfs.len(),
            self.prepare.len(),
        ];
        if sizes.into_iter().any(|size| size > ITEMS_MAX) {
            return Err(("profile".into(), "no list in it has more than 32 items"));
        }
        if self.actions.is_empty() {
            return Err(("action".into(), "a profile without an action is of no use"));
        }
        let mut names: Vec<&str> = self
            .actions
            .iter()
            .map(|action| action.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != self.actions.len() || !names.iter().all(|name| is_name(name)) {
            return Err(("action.name".into(), "every action needs a name of its own"));
        }
        for action in &self.actions {
            let key = |what: &str| format!("action {}: {what}", action.name);
            let known = |name: &str| self.measures.iter().any(|measure| measure.name == name);
            if !action.expects.iter().all(|expect| known(&expect.measure)) {
                return Err((key("expect.measure"), "is none of the measures"));
            }
            if action.proves.is_empty()
                || action.does_not_prove.is_empty()
                || action.undo.is_empty()
            {
                return Err((
                    key("proves, does_not_prove, undo"),
                    "an operator needs all three",
                ));
            }
            if action.settle_seconds > 60 || action.background.len() > ITEMS_MAX {
                return Err((
                    key("settle_seconds"),
                    "is 60 at most, and background has 32 commands at most",
                ));
            }
            if action.restart && (action.applicable || !action.needs_service) {
                return Err((
                    key("restart"),
                    "is for the copy alone: it cannot be applied, and needs the service",
                ));
            }
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(fits)
}

fn is_mode(mode: &str) -> bool {
    u32::from_str_radix(mode, 8).is_ok_and(|mode| mode <= 0o777)
}

/// True for an absolute path to something of its own: not `/` nor a directory that the system is made of.
pub(super) fn is_path(path: &str) -> bool {
    const SYSTEM: [&str; 9] = [
        "bin", "boot", "dev", "etc", "lib", "proc", "sbin", "sys", "usr",
    ];
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let plain = |part: &&str| {
        let harmless = |c: char| !c.is_control() && !matches!(c, ':' | ',' | '\\');
        !part.is_empty() && *part != "." && *part != ".." && part.chars().all(harmless)
    };
    let is_system = parts.first().is_some_and(|first| SYSTEM.contains(first));
    parts.iter().all(plain)
        && !(is_system && (parts.len() == 1 || parts[0] != "etc"))
        && path.len() <= 255
}
