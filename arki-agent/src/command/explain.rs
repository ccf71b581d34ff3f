//! `explain`: why something was predicted, or was not.

use super::{DEGRADED, NOT_RUNNING, OK, Outcome};
use crate::cli::Global;
use crate::explain::{Explanation, screen};
use crate::local_time;
use crate::socket::client::{AskError, ask};
use crate::socket::message::{Request, Response};
use crate::terminal::Paint;
use arki_model::clock::{Clock, SystemClock};
use std::io::Write;

/// What `explain` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An event's id, the beginning of one, its number, or the name of a series
    #[arg(value_name = "EVENT")]
    what: String,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Asks the daemon and shows what it says.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let socket = super::load(global)?.socket;
    let what = args.what.trim().to_owned();
    let explanation = match ask(&socket, &Request::Explain { what }) {
        Ok(Response::Explanation(explanation)) => *explanation,
        Ok(_) => anyhow::bail!("the agent answered something else than an explanation"),
        Err(error @ AskError::NotRunning { .. }) => {
            writeln!(std::io::stderr(), "arki-agent: {error}")?;
            return Ok(NOT_RUNNING);
        }
        Err(error) => return Err(error.into()),
    };
    let text = if args.json {
        format!("{}\n", serde_json::to_string_pretty(&explanation)?)
    } else {
        let now_s = SystemClock::new().now_s();
        screen::render(&explanation, Paint::for_stdout(), &|at| {
            local_time::short(at, now_s)
        })
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    // Several that fit is no answer yet.
    Ok(if matches!(explanation, Explanation::Several { .. }) {
        DEGRADED
    } else {
        OK
    })
}
