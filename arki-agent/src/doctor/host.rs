//! The host: clock, kernel, and what each collector can read.

use super::{Check, Verdict};
use crate::collect::{CollectError, Collectors, Moment, Readings};
use crate::config::Config;
use crate::terminal::count;
use arki_model::clock::Clock;
use std::path::Path;

/// 2024-01-01: before Arki there was no Arki; a clock that says so was never set.
const BEFORE_ARKI_S: i64 = 1_704_067_200;

pub(super) fn clock(clock: &dyn Clock) -> Check {
    let now_s = clock.now_s();
    if now_s < BEFORE_ARKI_S {
        let text = format!(
            "says {now_s} seconds since 1970: set it (timedatectl set-ntp true); events would carry wrong times"
        );
        return Check::new("clock", Verdict::Fail, text);
    }
    // systemd-timesyncd leaves this once it has had an answer; other daemons leave nothing that is easy to read.
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Check::new("clock", Verdict::Ok, "synchronised by systemd-timesyncd");
    }
    Check::new(
        "clock",
        Verdict::Ok,
        "plausible; the agent stands jumps, but set up NTP if there is none",
    )
}

pub(super) fn kernel() -> Vec<Check> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let psi = match std::fs::read_to_string("/proc/pressure/memory") {
        Ok(_) => Check::new("pressure (PSI)", Verdict::Ok, "the kernel accounts for it"),
        Err(_) => Check::new(
            "pressure (PSI)",
            Verdict::Warn,
            "not there: boot with psi=1 (kernel 4.20 or later) to see memory and I/O pressure",
        ),
    };
    let kernel = if release.trim().is_empty() {
        Check::new(
            "kernel",
            Verdict::Fail,
            "/proc is not mounted or may not be read: nothing can be collected",
        )
    } else {
        Check::new("kernel", Verdict::Ok, format!("Linux {}", release.trim()))
    };
    vec![kernel, psi]
}

pub(super) fn collectors(config: &Config, clock: &dyn Clock) -> Vec<Check> {
    let mut collectors: Collectors = crate::agent::collectors(config);
    let mut readings = Readings::default();
    collectors
        .run(clock, Moment::now(clock), &mut readings)
        .iter()
        .map(|report| {
            let name = format!("collect {}", report.name);
            let read = count(report.readings as u64, "reading");
            match &report.error {
                None => Check::new(&name, Verdict::Ok, format!("{read} at the first pass")),
                Some(CollectError::NoData(text)) => {
                    Check::new(&name, Verdict::Ok, format!("not on this host: {text}"))
                }
                Some(CollectError::Denied(text)) => Check::new(
                    &name,
                    Verdict::Warn,
                    format!("{read}; not permitted: {text}"),
                ),
                Some(CollectError::Failed(text)) => Check::new(&name, Verdict::Fail, text.clone()),
            }
        })
        .collect()
}
