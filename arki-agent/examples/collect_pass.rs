//! What a pass over this host reads, and how long it takes: `collect_pass [PASSES] [MILLISECONDS BETWEEN]`.
//!
//! The pause matters: a process that has slept finds its caches cold, as the agent does every 30 s.

use arki_agent::collect::{CollectSettings, Collectors, Moment, Readings, Roots};
use arki_model::clock::{Clock, SystemClock};
use std::io::Write;
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse::<u64>().ok());
    let passes = numbers.next().unwrap_or(100).max(2);
    let pause = Duration::from_millis(numbers.next().unwrap_or(1_000));
    let clock = SystemClock::new();
    let mut collectors = Collectors::new(Roots::default(), &CollectSettings::default());
    let mut readings = Readings::default();
    let mut took = Vec::new();
    let mut by_collector = vec![Vec::new(); collectors.reports().len()];
    for _ in 0..passes {
        std::thread::sleep(pause);
        let start = clock.monotonic();
        let reports = collectors.run(&clock, Moment::now(&clock), &mut readings);
        took.push(clock.monotonic().saturating_sub(start));
        for (times, report) in by_collector.iter_mut().zip(reports) {
            times.push(report.took);
        }
    }
    let mut out = std::io::stdout().lock();
    for (name, value) in readings.iter() {
        writeln!(out, "{name} {value}")?;
    }
    writeln!(
        out,
        "\n{:<12} {:>9} {:>9} {:>9}",
        "us", "median", "p99", "max"
    )?;
    line(&mut out, "pass", &mut took)?;
    for (times, report) in by_collector.iter_mut().zip(collectors.reports()) {
        line(&mut out, report.name, times)?;
        if let Some(error) = &report.error {
            writeln!(out, "             {error}")?;
        }
    }
    for series in [
        "memory.used_percent",
        "cpu.busy_percent",
        "disk.used_percent{/}",
        "file.used_percent",
        "disk.used_percent{/dev/shm}",
    ] {
        writeln!(out, "\n{series}")?;
        for process in collectors.top_growth(series, 3) {
            let (pid, name, resource) = (process.pid, process.name, process.resource);
            let (value, growth, span_s) = (process.value, process.growth, process.span_s);
            writeln!(
                out,
                "  {name} ({pid}): {resource} {value}, {growth:+} in {span_s} s"
            )?;
        }
    }
    Ok(())
}

fn line(out: &mut impl Write, name: &str, times: &mut [Duration]) -> std::io::Result<()> {
    times.sort_unstable();
    let at = |percent: usize| {
        let time = times.get((times.len() - 1) * percent / 100);
        time.copied().unwrap_or_default().as_micros()
    };
    writeln!(out, "{name:<12} {:>9} {:>9} {:>9}", at(50), at(99), at(100))
}
