//! How an applied command ended, as an agent reports it.

use crate::wire::{Decompressor, WireError, compress};
use serde::{Deserialize, Serialize};

/// The longest encoding: both outputs of 16 KiB, and room.
const BYTES_MAX: usize = 64 * 1024;

/// How a command ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its exit code, if it ended by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// True if its time was over.
    pub timed_out: bool,
    /// How long it took.
    pub duration_ms: u64,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
    /// Why it was not started, if it was not.
    pub error: Option<String>,
}

impl Report {
    /// True if it ended by itself and well.
    pub fn succeeded(&self) -> bool {
        self.exit_code == Some(0) && !self.timed_out && self.error.is_none()
    }

    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self {
                error: Some(error), ..
            } => format!("not started: {error}"),
            Self {
                timed_out: true, ..
            } => "killed: its time was over".to_owned(),
            Self {
                exit_code: Some(code),
                ..
            } => format!("exit code {code}"),
            Self {
                signal: Some(signal),
                ..
            } => format!("ended by signal {signal}"),
            _ => "its end is not known: the agent ended before it".to_owned(),
        }
    }

    /// The content of an answer: MessagePack with names, compressed.
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let bytes = rmp_serde::to_vec_named(self).map_err(|_| WireError::Value("a report"))?;
        compress(&bytes)
    }

    /// Reads what [`Self::encode`] wrote. The caller has limited `compressed`.
    pub fn decode(compressed: &[u8], decompressor: &mut Decompressor) -> Result<Self, WireError> {
        let bytes = decompressor.decompress_up_to(compressed, BYTES_MAX)?;
        rmp_serde::from_slice(&bytes).map_err(|_| WireError::Value("a report"))
    }
}
