//! `cpu.busy_percent`, `cpu.iowait_percent`, `cpu.steal_percent`: where the time of all cores together went.
//!
//! ```text
//! /proc/stat: cpu  user nice system idle iowait irq softirq steal guest guest_nice   (ticks since boot)
//! ```
//!
//! Busy is work of this host: all but idle, iowait and steal (guests are in `user`). Shares are taken of the ticks
//! that were counted, so that they need no clock.

use super::fields::Fields;
use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};

const USER: usize = 0;
const SYSTEM: usize = 2;
const IDLE: usize = 3;
const IOWAIT: usize = 4;
const STEAL: usize = 7;

/// Fewer ticks than this (50 ms of one core) are no sample.
const TICKS_MIN: f64 = 5.0;

type Ticks = [u64; 8];

/// Reads the first line of `stat`.
#[derive(Debug, Default)]
struct Cpu {
    source: Source,
    before: Option<Ticks>,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Cpu::default())
}

impl Collector for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn collect(&mut self, host: &Roots, _: Moment, out: &mut Readings) -> Result<(), CollectError> {
        let path = host.proc.join("stat");
        let now = ticks(self.source.text(&path)?)
            .map_err(|error| CollectError::parsing(&path, &error))?;
        let Some(before) = self.before else {
            self.before = Some(now);
            return Ok(());
        };
        // User and system never go down; if they did, the counters were reset.
        let reset = now[USER] < before[USER] || now[SYSTEM] < before[SYSTEM];
        // Idle and iowait do go down by a tick now and then (a known quirk): that counts as nothing.
        let spent: [f64; 8] =
            std::array::from_fn(|index| now[index].saturating_sub(before[index]) as f64);
        let total: f64 = spent.iter().sum();
        if !reset && total < TICKS_MIN {
            return Ok(());
        }
        self.before = Some(now);
        if reset {
            return Ok(());
        }
        let percent = |ticks: f64| 100.0 * ticks / total;
        let away = spent[IDLE] + spent[IOWAIT] + spent[STEAL];
        out.put("cpu.busy_percent", percent(total - away));
        out.put("cpu.iowait_percent", percent(spent[IOWAIT]));
        out.put("cpu.steal_percent", percent(spent[STEAL]));
        Ok(())
    }
}

/// The ticks of all cores; fields that an old kernel lacks are 0.
fn ticks(stat: &str) -> Result<Ticks, ParseError> {
    let mut fields = Fields::new(1, stat.lines().next().unwrap_or(""));
    let label = fields.word("the line of all cores")?;
    if label != "cpu" {
        return Err(ParseError::new(
            1,
            format!("expected the line of all cores (cpu), found {label:?}"),
        ));
    }
    let mut ticks = [0; 8];
    for (index, tick) in ticks.iter_mut().enumerate() {
        if index > IDLE && fields.is_done() {
            break;
        }
        *tick = fields.number("a count of ticks")?;
    }
    Ok(ticks)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FixtureHost;
    use super::*;

    #[test]
    fn shares_are_of_what_was_counted() {
        let host = FixtureHost::with(&[("proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\n")]);
        let mut cpu = Cpu::default();
        assert!(host.read(&mut cpu, 0).is_empty());
        host.write("proc/stat", "cpu  160 80 80 480 0 0 0 0 40 0\n");
        let out = host.read(&mut cpu, 30);
        assert_eq!(out.get("cpu.busy_percent"), Some(40.0));
        host.write("proc/stat", "cpu  240 80 80 560 80 0 80 80 40 0\n");
        let out = host.read(&mut cpu, 60);
        assert_eq!(out.get("cpu.busy_percent"), Some(40.0));
        assert_eq!(out.get("cpu.iowait_percent"), Some(20.0));
        assert_eq!(out.get("cpu.steal_percent"), Some(20.0));
    }

    #[test]
    fn iowait_that_goes_down_and_a_reset_yield_no_false_share() {
        let host = FixtureHost::with(&[("proc/stat", "cpu  800 0 800 800 800 0 0 0\n")]);
        let mut cpu = Cpu::default();
        host.read(&mut cpu, 0);
        host.write("proc/stat", "cpu  880 0 800 880 792 0 0 0\n");
        assert_eq!(host.read(&mut cpu, 30).get("cpu.iowait_percent"), Some(0.0));
        host.write("proc/stat", "cpu  8 0 8 8000 8 0 0 0\n");
        assert!(host.read(&mut cpu, 60).is_empty());
        host.write("proc/stat", "cpu  8 0 8 8800 8 0 0 0\n");
        assert_eq!(host.read(&mut cpu, 90).get("cpu.busy_percent"), Some(0.0));
    }

    #[test]
    fn broken_text_is_named_and_old_kernels_have_fewer_fields() {
        assert_eq!(ticks("cpu 1 2 3 4\n").unwrap()[..5], [1, 2, 3, 4, 0]);
        for text in [
            "",
            "cpu",
            "cpu 1 2 3",
            "cpu 1 2 x 4",
            "intr 5",
            "cpu 1 2 3 4 5 6 7 -8",
        ] {
            assert_eq!(ticks(text).unwrap_err().line, 1, "{text:?}");
        }
    }
}
