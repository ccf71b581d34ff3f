//! `status`: how the agent is, on one screen.

use super::{DEGRADED, NOT_RUNNING, OK, Outcome, PREDICTED};
use crate::cli::Global;
use crate::local_time;
use crate::socket::client::{AskError, ask};
use crate::socket::message::{Request, Response};
use crate::status::Status;
use crate::status::screen;
use crate::terminal::Paint;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// How often `--watch` asks.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// What `status` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
    /// Again every two seconds, until interrupted
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Exit with 2 if a prediction is active
    #[arg(long)]
    fail_on_prediction: bool,
}

/// Asks the daemon and shows what it says.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let socket = super::load(global)?.socket;
    loop {
        let status = match status_of(&socket) {
            Ok(status) => status,
            Err(error @ AskError::NotRunning { .. }) if !args.watch => {
                writeln!(std::io::stderr(), "arki-agent: {error}")?;
                return Ok(NOT_RUNNING);
            }
            Err(error) if args.watch => {
                show(&format!("\x1b[H\x1b[J{error}\n"))?;
                std::thread::sleep(WATCH_EVERY);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if args.json {
            show(&format!("{}\n", serde_json::to_string_pretty(&status)?))?;
        } else {
            let clock = |at| local_time::short(at, status.now_s);
            let text = screen::render(&status, Paint::for_stdout(), &clock);
            // Home first and clear behind: the screen does not flicker.
            show(&if args.watch {
                format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n"))
            } else {
                text
            })?;
        }
        if !args.watch {
            return Ok(exit_code(&status, args.fail_on_prediction));
        }
        std::thread::sleep(WATCH_EVERY);
    }
}

fn status_of(socket: &Path) -> Result<Status, AskError> {
    match ask(socket, &Request::Status)? {
        Response::Status(status) => Ok(*status),
        _ => Err(AskError::Refused(
            "the agent answered something else than its status".to_owned(),
        )),
    }
}

fn show(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn exit_code(status: &Status, fail_on_prediction: bool) -> u8 {
    if fail_on_prediction && !status.predictions.is_empty() {
        PREDICTED
    } else if status.healthy {
        OK
    } else {
        DEGRADED
    }
}
