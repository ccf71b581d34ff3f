//! `pressure.cpu_percent`, `pressure.memory_percent`, `pressure.io_percent`: the share of time in which at least one
//! task waited for it (Linux 4.20 and later; docs.kernel.org/accounting/psi.html).
//!
//! ```text
//! /proc/pressure/io: some avg10=0.54 avg60=0.74 avg300=0.68 total=10150830   (us)
//! ```
//!
//! Taken from `total`, so that the value belongs to the interval and not to the kernel's own averages. `full` is left
//! out: it moves with `some`, and the same trouble must not count twice.

use super::rate::{CounterTable, Width};
use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};

const RESOURCES: [(&str, &str); 3] = [
    ("cpu", "pressure.cpu_percent"),
    ("memory", "pressure.memory_percent"),
    ("io", "pressure.io_percent"),
];

/// Reads `pressure/*`.
#[derive(Debug)]
struct Pressure {
    source: Source,
    stalled: CounterTable<1>,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Pressure::new())
}

impl Pressure {
    fn new() -> Self {
        Self {
            source: Source::default(),
            stalled: CounterTable::new([Width::Bits64]),
        }
    }
}

impl Collector for Pressure {
    fn name(&self) -> &'static str {
        "pressure"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        let dir = host.proc.join("pressure");
        let mut result = Ok(());
        for (resource, metric) in RESOURCES {
            let path = dir.join(resource);
            let total = self.source.text(&path).and_then(|text| {
                stalled_us(text).map_err(|error| CollectError::parsing(&path, &error))
            });
            match total {
                Ok(total_us) => {
                    let growth = self.stalled.update(resource, [total_us], at.monotonic);
                    if let Some(stalled_us) = growth.and_then(|growth| growth.per_second(0)) {
                        // 1 s of stall in a second is 100 %; rounding may exceed it by a little.
                        out.put(metric, (stalled_us / 1e4).min(100.0));
                    }
                }
                Err(error) => result = Err(error),
            }
        }
        self.stalled.forget_unseen();
        result
    }
}

/// The total of the line `some`, in microseconds.
fn stalled_us(text: &str) -> Result<u64, ParseError> {
    let (line, some) = (1..)
        .zip(text.lines())
        .find(|(_, line)| line.starts_with("some"))
        .ok_or_else(|| ParseError::new(1, "the line \"some\" is missing"))?;
    let total = some
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix("total="))
        .ok_or_else(|| ParseError::new(line, "total= is missing"))?;
    total
        .parse()
        .map_err(|_| ParseError::new(line, format!("total is no number: {total:?}")))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FixtureHost;
    use super::*;

    #[test]
    fn the_share_is_that_of_the_interval() {
        let host = FixtureHost::empty();
        for resource in ["cpu", "memory", "io"] {
            host.write(
                &format!("proc/pressure/{resource}"),
                "some avg10=90.00 avg60=0 avg300=0 total=1000000\n",
            );
        }
        let mut pressure = Pressure::new();
        assert!(host.read(&mut pressure, 0).is_empty());
        host.write(
            "proc/pressure/io",
            "some avg10=0 total=4000000\nfull total=9\n",
        );
        let out = host.read(&mut pressure, 30);
        assert_eq!(out.get("pressure.io_percent"), Some(10.0));
        assert_eq!(out.get("pressure.cpu_percent"), Some(0.0));
    }

    #[test]
    fn a_kernel_without_it_is_no_failure() {
        let (out, result) = FixtureHost::empty().try_read(&mut Pressure::new(), 0);
        assert!(out.is_empty() && matches!(result, Err(CollectError::NoData(_))));
    }

    #[test]
    fn broken_text_is_named() {
        for text in [
            "",
            "full total=1",
            "some",
            "some avg10=0.00",
            "some total=x",
        ] {
            assert_eq!(stalled_us(text).unwrap_err().line, 1, "{text:?}");
        }
    }
}
