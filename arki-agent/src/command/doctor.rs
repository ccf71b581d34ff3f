//! `doctor`: what can keep the agent from working here, and what to do about it.

use super::{CONFIG, DEGRADED, OK, Outcome};
use crate::cli::Global;
use crate::doctor::{Check, Verdict, examine};
use crate::terminal::{COLUMNS, Paint, count, safe, wrap};
use arki_model::clock::SystemClock;
use std::io::Write;

/// Where the text beside mark and name begins.
const INDENT: usize = 27;

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Checks and tells.
pub fn run(global: &Global, _args: &Args) -> Outcome {
    let paint = Paint::for_stdout();
    let mut out = std::io::stdout().lock();
    let config = match super::load(global) {
        Ok(config) => config,
        Err(error) => {
            let check = Check {
                name: "configuration".to_owned(),
                verdict: Verdict::Fail,
                text: error.to_string(),
            };
            out.write_all(render(&check, paint).as_bytes())?;
            return Ok(CONFIG);
        }
    };
    let configured = Check {
        name: "configuration".to_owned(),
        verdict: Verdict::Ok,
        text: format!(
            "every {} s, at most {} series",
            config.interval.seconds(),
            config.series_max
        ),
    };
    let mut checks = vec![configured];
    checks.extend(examine(&config, &SystemClock::new()));
    for check in &checks {
        out.write_all(render(check, paint).as_bytes())?;
    }
    let of = |verdict| {
        checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count() as u64
    };
    let (failed, warned) = (of(Verdict::Fail), of(Verdict::Warn));
    if failed + warned == 0 {
        writeln!(out, "Nothing to do.")?;
    } else {
        writeln!(
            out,
            "{}, {}.",
            count(failed, "failure"),
            count(warned, "warning")
        )?;
    }
    Ok(if failed == 0 { OK } else { DEGRADED })
}

fn render(check: &Check, paint: Paint) -> String {
    let mark = match check.verdict {
        Verdict::Ok => paint.good("ok  "),
        Verdict::Warn => paint.warn("warn"),
        Verdict::Fail => paint.bad("FAIL"),
    };
    let head = format!("{mark}  {:<20} ", safe(&check.name));
    let lines = wrap(&safe(&check.text), COLUMNS - INDENT);
    let gap = format!("\n{:INDENT$}", "");
    format!("{head}{}\n", lines.join(&gap))
}
