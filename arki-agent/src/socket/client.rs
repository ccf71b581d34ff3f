//! The asking side: one question, one answer, with time limits and no runtime.

use super::message::{Request, Response, read_response, request_line};
use super::{IDLE, RESPONSE_BYTES_MAX};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error(
        "the agent is not running (nobody answers at {path}): start it with `systemctl start arki-agent`, or in this terminal with `arki-agent run`",
        path = path.display()
    )]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// It may not be asked.
    #[error(
        "{path}: you may not ask this agent: be root, its own user, or in its group",
        path = path.display()
    )]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// It does not answer.
    #[error("{path}: the agent does not answer: {source}", path = path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It answers something else.
    #[error("{path}: {reason}", path = path.display())]
    Answer {
        /// The socket.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It does not want to.
    #[error("{0}")]
    Refused(String),
}

/// Asks the daemon at `socket`.
pub fn ask(socket: &Path, request: &Request) -> Result<Response, AskError> {
    let path = || socket.to_owned();
    let stream = UnixStream::connect(socket).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            AskError::NotRunning { path: path() }
        }
        io::ErrorKind::PermissionDenied => AskError::Denied { path: path() },
        _ => AskError::Silent {
            path: path(),
            source,
        },
    })?;
    let answer = exchange(&stream, request).map_err(|source| AskError::Silent {
        path: path(),
        source,
    })?;
    match read_response(&answer) {
        Ok(Response::Refused { reason }) => Err(AskError::Refused(reason)),
        Ok(response) => Ok(response),
        Err(reason) => Err(AskError::Answer {
            path: path(),
            reason,
        }),
    }
}

fn exchange(mut stream: &UnixStream, request: &Request) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    stream.write_all(request_line(request)?.as_bytes())?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(RESPONSE_BYTES_MAX as u64)).read_until(b'\n', &mut answer)?;
    if answer.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer)
}
