//! Why a collector has no value.

use std::io;
use std::path::Path;

/// Why a collector put nothing, or not everything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    /// This kernel or host does not have it; nothing is wrong.
    #[error("not on this host: {0}")]
    NoData(String),
    /// The agent may not read it; says what to do.
    #[error("not permitted: {0}")]
    Denied(String),
    /// It should work, and did not.
    #[error("{0}")]
    Failed(String),
}

impl CollectError {
    /// What `error` means for a collector that wanted to read `path`.
    pub fn reading(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoData(format!("there is no {path}")),
            // PSI that is compiled in but switched off answers EOPNOTSUPP.
            io::ErrorKind::Unsupported => Self::NoData(format!("{path} is switched off")),
            io::ErrorKind::PermissionDenied => Self::Denied(format!(
                "{path} may not be read (run the agent as root, or give its user the right to read it)"
            )),
            _ => Self::Failed(format!("cannot read {path}: {error}")),
        }
    }

    /// `path` holds something that is not in its format.
    pub fn parsing(path: &Path, error: &ParseError) -> Self {
        Self::Failed(format!(
            "{}:{}: {}",
            path.display(),
            error.line,
            error.problem
        ))
    }
}

/// What is wrong with a line of a file, and which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// What was expected there.
    pub problem: String,
}

impl ParseError {
    /// `problem` in the line number `line`.
    pub fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line,
            problem: problem.into(),
        }
    }
}
