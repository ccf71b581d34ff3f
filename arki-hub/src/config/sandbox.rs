//! Trials in throw-away containers: `[sandbox]`, `[sandbox.images]`, `[[sandbox.hook]]`.

use super::{ConfigError, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Hooks at most: every secret of every hook is tried on every call.
const HOOKS_MAX: usize = 16;
/// Secrets of one hook at most: the present one, and the next or the last one while they are changed.
const SECRETS_MAX: usize = 4;

/// Trials in throw-away containers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// The Docker socket of the runner inside the hub: `unix:///run/docker.sock`; empty means no runner here.
    pub docker: String,
    /// The container runtime (`runc`, `runsc`, `kata`); empty means the engine's own default.
    pub runtime: String,
    /// Where Podman finds the seccomp profile of the copies: the file of the package. Docker needs none.
    pub seccomp_file: PathBuf,
    /// A directory of service profiles over those that come with the hub; empty means none.
    pub profiles: PathBuf,
    /// Images that may be used instead of those that `sandbox images build` made: `nginx = "sha256:…"`, or a name with
    /// a digest.
    pub images: BTreeMap<String, String>,
    /// Runs that are carried out at one time, by all runners together.
    pub runs_at_one_time: u32,
    /// Runs that wait or are carried out at one time, in all.
    pub runs_waiting: u32,
    /// The same for each key or hook.
    pub runs_waiting_each: u32,
    /// A run that takes longer is stopped from outside.
    pub run_time: Span,
    /// How long after a trial its action may be applied.
    pub receipt_ttl: Span,
    /// Whether the hub tries the candidates of a prediction by itself.
    pub automatic: bool,
    /// Programs that may ask for runs.
    pub hook: Vec<Hook>,
}

/// A program that may ask for runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// What it is called.
    pub name: String,
    /// Files that hold the keys of its HMAC; each is believed, so that they can be changed one after the other.
    pub secret_files: Vec<PathBuf>,
    /// Where results are posted; empty means nowhere.
    #[serde(default)]
    pub post_to: String,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self {
            docker: String::new(),
            runtime: String::new(),
            seccomp_file: PathBuf::from("/usr/share/arki/seccomp.json"),
            profiles: PathBuf::new(),
            images: BTreeMap::new(),
            runs_at_one_time: 2,
            runs_waiting: 100,
            runs_waiting_each: 10,
            run_time: Span::minutes(2),
            receipt_ttl: Span::minutes(60),
            automatic: false,
            hook: Vec::new(),
        }
    }
}

impl Sandbox {
    /// The channels of results, as they stand in the queue of messages.
    pub fn channels(&self) -> Vec<String> {
        let posts = self.hook.iter().filter(|hook| !hook.post_to.is_empty());
        let channel = |hook: &Hook| format!("{}{}", crate::sandbox::hook::CHANNEL, hook.name);
        posts.map(channel).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, reason: String| Err(ConfigError::Value { key, reason });
        if !self.docker.is_empty() && !self.docker.starts_with("unix:///") {
            return wrong("sandbox.docker", "give unix:///path/of/the/socket".into());
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !self.runtime.chars().all(is_word) {
            return wrong(
                "sandbox.runtime",
                "give the name of a runtime of the engine".into(),
            );
        }
        let counts = [
            self.runs_at_one_time,
            self.runs_waiting,
            self.runs_waiting_each,
        ];
        if counts.iter().any(|count| !(1..=10_000).contains(count)) {
            return wrong(
                "sandbox",
                "runs_at_one_time, runs_waiting and runs_waiting_each are 1 to 10000".into(),
            );
        }
        if self.run_time.seconds() < 5 || self.run_time > Span::minutes(60) {
            return wrong("sandbox.run_time", "give 5s to 60m".into());
        }
        for (service, image) in &self.images {
            let digest = image.rsplit_once("sha256:").map(|(_, digits)| digits);
            if digest.and_then(arki_model::hex::decode::<32>).is_none() {
                return wrong(
                    "sandbox.images",
                    format!(
                        "{service}: {image:?} names no image by digest or ID: give sha256:… or name@sha256:…"
                    ),
                );
            }
        }
        self.check_hooks()
    }

    fn check_hooks(&self) -> Result<(), ConfigError> {
        let wrong = |reason: String| {
            let key = "sandbox.hook";
            Err(ConfigError::Value { key, reason })
        };
        if self.hook.len() > HOOKS_MAX {
            return wrong(format!("at most {HOOKS_MAX}"));
        }
        let mut names: Vec<&str> = self.hook.iter().map(|hook| hook.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let is_plain = |name: &&str| !name.is_empty() && !name.chars().any(char::is_control);
        if names.len() != self.hook.len() || !names.iter().all(is_plain) {
            return wrong("every hook needs a name of its own".into());
        }
        for hook in &self.hook {
            if !(1..=SECRETS_MAX).contains(&hook.secret_files.len()) {
                return wrong(format!(
                    "{}: give 1 to {SECRETS_MAX} secret_files",
                    hook.name
                ));
            }
            let url = reqwest::Url::parse(&hook.post_to);
            let is_address =
                url.is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
            if !hook.post_to.is_empty() && !is_address {
                return wrong(format!(
                    "{}: {:?} is no http:// or https:// address",
                    hook.name, hook.post_to
                ));
            }
        }
        Ok(())
    }
}
