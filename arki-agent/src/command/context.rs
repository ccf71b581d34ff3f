//! `context`: announces what is going on at this host, for a backup script or a person at work.

use super::{NOT_RUNNING, OK, Outcome};
use crate::cli::Global;
use crate::config::parse_duration;
use crate::local_time;
use crate::socket::client::{AskError, ask};
use crate::socket::message::{Request, Response};
use crate::status::Context;
use crate::terminal::safe;
use arki_model::clock::{Clock, SystemClock};
use std::io::Write;
use std::time::Duration;

/// What `context` takes.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Something known begins
    Begin {
        /// What it is called, such as backup
        name: String,
        /// It is over after this at the latest, such as 30m or 2h
        #[arg(long, value_parser = parse_duration)]
        ttl: Duration,
        /// A series that it explains, as a glob; may be given several times [default: all]
        #[arg(long)]
        series: Vec<String>,
    },
    /// It is over
    End {
        /// What it is called
        name: String,
    },
    /// Show what is known to be going on
    List {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
}

/// Asks the daemon.
pub fn run(global: &Global, args: &Args) -> Outcome {
    let socket = super::load(global)?.socket;
    let request = match args {
        Args::Begin { name, ttl, series } => Request::ContextBegin {
            name: name.clone(),
            ttl_s: ttl.as_secs(),
            series: series.clone(),
        },
        Args::End { name } => Request::ContextEnd { name: name.clone() },
        Args::List { .. } => Request::ContextList,
    };
    let mut out = std::io::stdout().lock();
    match ask(&socket, &request) {
        Ok(Response::Done { text }) => writeln!(out, "{}", safe(&text))?,
        Ok(Response::Contexts { contexts }) if matches!(args, Args::List { json: true }) => {
            writeln!(out, "{}", serde_json::to_string_pretty(&contexts)?)?;
        }
        Ok(Response::Contexts { contexts }) => {
            let now_s = SystemClock::new().now_s();
            if contexts.is_empty() {
                writeln!(out, "Nothing known is going on.")?;
            }
            for context in &contexts {
                writeln!(out, "{}", line(context, now_s))?;
            }
        }
        Ok(_) => anyhow::bail!("the agent answered something else"),
        Err(error @ AskError::NotRunning { .. }) => {
            writeln!(std::io::stderr(), "arki-agent: {error}")?;
            return Ok(NOT_RUNNING);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(OK)
}

fn line(context: &Context, now_s: i64) -> String {
    let until = context.until.map_or(String::new(), |until| {
        format!(" until {}", local_time::short(until, now_s))
    });
    let series = if context.series.is_empty() {
        "all series".to_owned()
    } else {
        context.series.join(", ")
    };
    let source = format!("{:?}", context.source).to_lowercase();
    let since = local_time::short(context.since, now_s);
    format!(
        "{} ({source}) since {since}{until}: {}",
        safe(&context.name),
        safe(&series)
    )
}
