//! What a trial found: kept as JSON with its run, shown by the page and the API.

use super::profile::{Argv, Kind};
use serde::{Deserialize, Serialize};

/// Output of one step that is kept, in bytes.
pub const STEP_BYTES_MAX: usize = 64 * 1024;
/// Output of one copy that is kept, all steps together.
pub const COPY_BYTES_MAX: usize = 256 * 1024;

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The action did what it promises.
    Succeeded,
    /// It did not.
    Failed,
}

impl Outcome {
    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// How much a trial proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fidelity {
    /// Nothing: the action failed.
    #[serde(rename = "nothing proven")]
    Nothing,
    /// The configuration or command was understood; no service ran.
    #[serde(rename = "syntax proven")]
    Syntax,
    /// The running service took it and stayed healthy.
    #[serde(rename = "service accepted it")]
    Accepted,
    /// The expected effects were measured, and not on the control copy.
    #[serde(rename = "effect measured")]
    Effect,
}

impl Fidelity {
    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing proven",
            Self::Syntax => "syntax proven",
            Self::Accepted => "service accepted it",
            Self::Effect => "effect measured",
        }
    }
}

/// What a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The configuration is put in place.
    Configure,
    /// What the service needs before it starts.
    Prepare,
    /// The service itself.
    Service,
    /// Is it healthy?
    Ready,
    /// The situation is brought about.
    Stage,
    /// The command that is tried.
    Action,
    /// Is it healthy still?
    Probe,
}

/// One command in a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it is for.
    pub phase: Phase,
    /// The command.
    pub argv: Argv,
    /// Its exit code; nothing where it still ran, or was killed with its container.
    pub exit_code: Option<i64>,
    /// What it wrote, both streams as they came, up to [`STEP_BYTES_MAX`].
    pub output: String,
    /// Whether it wrote more.
    pub truncated: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// One measure before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What of the command is the value.
    pub kind: Kind,
    /// The unit of a number.
    pub unit: String,
    /// Before the action.
    pub before: Option<Figure>,
    /// After it.
    pub after: Option<Figure>,
}

/// A value: a number, or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// What happened to one copy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Copy {
    /// Every command, in order.
    pub steps: Vec<Step>,
    /// Every measure.
    pub measures: Vec<Measured>,
    /// Whether the service was healthy before.
    pub healthy_before: Option<bool>,
    /// Whether it was healthy after.
    pub healthy_after: Option<bool>,
    /// Memory before the action, in bytes, with all that is in its tmpfs.
    pub memory_bytes_before: Option<u64>,
    /// Memory after it.
    pub memory_bytes_after: Option<u64>,
    /// Processes after it.
    pub processes_after: Option<u64>,
    /// True if the kernel killed something because the memory was used up.
    pub out_of_memory: bool,
    /// Why it was stopped from outside: its time was over.
    pub stopped: Option<String>,
}

/// Which configuration the copies had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// `image` (as the packages bring it), `snapshot` (of the agent's host) or `given` (at the terminal).
    pub source: String,
    /// SHA-256 over it, 64 hexadecimal digits.
    pub hash: String,
    /// Files that were put in place.
    pub files: u64,
    /// When it was taken.
    pub taken_at: Option<i64>,
    /// Files that could not be put in place, and why.
    pub left_out: Vec<String>,
    /// Why it is not the host's as it is now, though the run is about a host; empty otherwise.
    #[serde(default)]
    pub reason: String,
}

/// What a trial found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub summary: String,
    /// How much it proves.
    pub fidelity: Fidelity,
    /// What it proves.
    pub proves: Vec<String>,
    /// What it cannot prove.
    pub does_not_prove: Vec<String>,
    /// How the action is undone.
    pub undo: String,
    /// The command that was tried.
    pub argv: Argv,
    /// Whether it may be applied.
    pub applicable: bool,
    /// The image: `sha256:…`.
    pub image: String,
    /// The configuration.
    pub configuration: Configuration,
    /// The copy that was tried on.
    pub tried: Copy,
    /// The copy that was left alone.
    pub control: Copy,
    /// From the claim to the result, in milliseconds.
    pub duration_ms: u64,
}

impl Measured {
    /// How far the value moved; nothing for texts, or where one is missing.
    pub fn moved(&self) -> Option<f64> {
        match (&self.before, &self.after) {
            (Some(Figure::Number(before)), Some(Figure::Number(after))) => Some(after - before),
            _ => None,
        }
    }
}
