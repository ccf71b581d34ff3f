//! `agent.resident_bytes` and `agent.cpu_percent` (of one core): what the agent itself costs.
//!
//! Memory from `self/statm`, which the kernel keeps at hand; `smaps_rollup` is exact but walks every page.

use super::fields::Fields;
use super::{CollectError, CollectSettings, Collector, Moment, Readings, Roots, Source};
use std::time::Duration;

/// Reads `self/statm` and the process clock.
#[derive(Debug)]
struct Own {
    source: Source,
    page_bytes: u64,
    cpu: fn() -> Option<Duration>,
    before: Option<(Duration, Duration)>,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(settings: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Own {
        source: Source::default(),
        page_bytes: settings.kernel.page_bytes,
        cpu: settings.kernel.own_cpu,
        before: None,
    })
}

impl Collector for Own {
    fn name(&self) -> &'static str {
        "agent"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        if let Some(cpu) = (self.cpu)() {
            let before = self.before.replace((at.monotonic, cpu));
            if let Some((at_before, cpu_before)) = before {
                let elapsed = at.monotonic.saturating_sub(at_before).as_secs_f64();
                let spent = cpu.saturating_sub(cpu_before).as_secs_f64();
                // No time between two passes yields no number, which is left out.
                out.put("agent.cpu_percent", 100.0 * spent / elapsed);
            }
        }
        let path = host.proc.join("self/statm");
        let mut fields = Fields::new(1, self.source.text(&path)?);
        let [_, resident_pages] = fields
            .numbers("a number of pages")
            .map_err(|error| CollectError::parsing(&path, &error))?;
        out.put(
            "agent.resident_bytes",
            resident_pages as f64 * self.page_bytes as f64,
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FixtureHost;
    use super::*;

    #[test]
    fn own_cost_is_a_series() {
        let host = FixtureHost::with(&[("proc/self/statm", "9000 1500 700 1 0 300 0\n")]);
        let mut settings = CollectSettings::default();
        settings.kernel.page_bytes = 4096;
        settings.kernel.own_cpu = || Some(Duration::from_millis(60));
        let mut own = collector(&settings);
        let out = host.read(&mut *own, 0);
        assert_eq!(
            out.iter().collect::<Vec<_>>(),
            [("agent.resident_bytes", 6_144_000.0)]
        );
        let out = host.read(&mut *own, 30);
        assert_eq!(out.get("agent.cpu_percent"), Some(0.0));
        host.write("proc/self/statm", "9000\n");
        let message = host.try_read(&mut *own, 60).1.unwrap_err().to_string();
        assert!(
            message.ends_with("statm:1: a number of pages is missing"),
            "{message}"
        );
    }
}
