//! Commands in a container: output kept up to a limit while it streams, a time for each, a flood ends the copy.

use super::container::Container;
use super::engine::EngineError;
use super::profile::Argv;
use super::result::{Phase, STEP_BYTES_MAX, Step};
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

/// Who writes more than this is stopped: it would go on until its time is over.
pub(super) const FLOOD_BYTES: usize = 16 * STEP_BYTES_MAX;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// With this code.
    Exit(i64),
    /// It had to be left: its time was over.
    Late,
    /// It had to be left: it wrote without end.
    Flood,
    /// The container is gone, or ends.
    Gone,
}

/// A command that ended.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    pub(super) end: End,
    pub(super) output: Vec<u8>,
    pub(super) truncated: bool,
    pub(super) duration: Duration,
}

impl Ran {
    /// True if it ended with `code`.
    pub(super) fn is(&self, code: i64) -> bool {
        self.end == End::Exit(code)
    }

    /// What is kept of it.
    pub(super) fn step(&self, phase: Phase, argv: &Argv) -> Step {
        Step {
            phase,
            argv: argv.clone(),
            exit_code: match self.end {
                End::Exit(code) => Some(code),
                _ => None,
            },
            output: readable(&self.output),
            truncated: self.truncated,
            duration_ms: self.duration.as_millis() as u64,
        }
    }
}

/// Bytes as a text that acts on no terminal: control characters but line ends and tabs become visible.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars()
        .filter(|c| *c != '\r')
        .map(|c| if plain(c) { c } else { '\u{fffd}' })
        .collect()
}

/// What a command gets to read.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// Nothing.
    None,
    /// These bytes.
    Bytes(Bytes),
    /// An input that does not end while the command runs.
    Open,
}

impl Container {
    /// Runs `argv` to its end, for `time` at most.
    pub(super) async fn run(
        &self,
        argv: &Argv,
        input: Input,
        time: Duration,
    ) -> Result<Ran, EngineError> {
        let begun = Instant::now();
        let mut kept = Kept::new(STEP_BYTES_MAX);
        let ended = timeout(time, self.follow(argv, input, &mut kept)).await;
        let end = match ended {
            Err(_) => End::Late,
            Ok(end) => end?,
        };
        Ok(kept.ran(end, begun.elapsed()))
    }

    async fn follow(&self, argv: &Argv, input: Input, kept: &mut Kept) -> Result<End, EngineError> {
        let Some(mut running) = self.open(argv, !matches!(input, Input::None)).await? else {
            return Ok(End::Gone);
        };
        if let Input::Bytes(bytes) = &input {
            // who does not read it says so with its exit code
            let sent = running.input.write_all(bytes).await.is_ok();
            let _ended = sent && running.input.shutdown().await.is_ok();
        }
        while let Some(part) = running.output.next().await {
            let Ok(part) = part else { break };
            kept.add(part.as_ref());
            if kept.seen > FLOOD_BYTES {
                return Ok(End::Flood);
            }
        }
        Ok(self.end_of(running).await)
    }

    /// Starts `argv`; `None` if the container is gone.
    pub(super) async fn open(
        &self,
        argv: &Argv,
        reads: bool,
    ) -> Result<Option<Running>, EngineError> {
        let docker = self.engine.docker();
        let options = CreateExecOptions {
            attach_stdin: Some(reads),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(argv.clone()),
            ..CreateExecOptions::default()
        };
        let started = async {
            let id = docker.create_exec(&self.id, options).await?.id;
            let started = docker.start_exec(&id, None::<StartExecOptions>).await?;
            Ok((id, started))
        };
        match started.await {
            Ok((id, StartExecResults::Attached { output, input })) => {
                Ok(Some(Running { id, output, input }))
            }
            Err(error) if self.state().await.0 => Err(self.engine.failed("run a command", &error)),
            Ok((_, StartExecResults::Detached)) | Err(_) => Ok(None),
        }
    }

    /// How a command ended whose output has.
    pub(super) async fn end_of(&self, running: Running) -> End {
        let Running { id, output, input } = running;
        drop((output, input));
        let seen = self.engine.docker().inspect_exec(&id).await;
        let code = seen.ok().and_then(|seen| seen.exit_code);
        code.map_or(End::Gone, End::Exit)
    }
}

/// A command that runs.
pub(super) struct Running {
    id: String,
    /// What it writes.
    pub(super) output:
        Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    /// What it reads.
    pub(super) input: Pin<Box<dyn AsyncWrite + Send>>,
}

/// The output of a command, up to a limit.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) output: Vec<u8>,
    /// Bytes written, those that are not kept included.
    pub(super) seen: usize,
    bytes_max: usize,
}

impl Kept {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            output: Vec::new(),
            seen: 0,
            bytes_max,
        }
    }

    pub(super) fn add(&mut self, part: &[u8]) {
        self.seen = self.seen.saturating_add(part.len());
        let room = self.bytes_max - self.output.len();
        self.output.extend(part.iter().take(room));
    }

    /// The command that wrote it.
    pub(super) fn ran(self, end: End, duration: Duration) -> Ran {
        Ran {
            end,
            truncated: self.seen > self.bytes_max,
            output: self.output,
            duration,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_kept_up_to_the_limit_and_acts_on_no_terminal() {
        let mut kept = Kept::new(STEP_BYTES_MAX);
        for _ in 0..5 {
            kept.add(&vec![b'x'; STEP_BYTES_MAX / 2]);
        }
        assert_eq!(
            (kept.output.len(), kept.seen),
            (STEP_BYTES_MAX, STEP_BYTES_MAX * 5 / 2)
        );
        assert_eq!(
            readable(b"a\x1b[31mb\r\n\tc\xff"),
            "a\u{fffd}[31mb\n\tc\u{fffd}"
        );
    }
}
