//! `memory.used_percent` (what is not available, as `free` counts it) and `swap.used_percent` (nothing without swap).

use super::fields::Fields;
use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};

/// Reads `meminfo`.
#[derive(Debug, Default)]
struct Memory {
    source: Source,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Memory::default())
}

impl Collector for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn collect(&mut self, host: &Roots, _: Moment, out: &mut Readings) -> Result<(), CollectError> {
        let path = host.proc.join("meminfo");
        let sizes = sizes(self.source.text(&path)?)
            .map_err(|error| CollectError::parsing(&path, &error))?;
        let used_percent =
            |free: u64, total: u64| 100.0 * total.saturating_sub(free) as f64 / total as f64;
        // A total of 0 yields no number, which is left out.
        out.put(
            "memory.used_percent",
            used_percent(sizes.available(), sizes.total),
        );
        out.put(
            "swap.used_percent",
            used_percent(sizes.swap_free, sizes.swap_total),
        );
        Ok(())
    }
}

/// In KiB.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sizes {
    total: u64,
    free: u64,
    /// Since Linux 3.14.
    available: Option<u64>,
    buffers: u64,
    cached: u64,
    reclaimable: u64,
    shared: u64,
    swap_total: u64,
    swap_free: u64,
}

impl Sizes {
    /// What programs can still get. Without the kernel's own estimate: free memory and the caches, but not what is
    /// shared (tmpfs counts as cached and cannot be dropped).
    fn available(&self) -> u64 {
        self.available.unwrap_or_else(|| {
            [self.buffers, self.cached, self.reclaimable]
                .into_iter()
                .fold(self.free, u64::saturating_add)
                .saturating_sub(self.shared)
        })
    }
}

fn sizes(meminfo: &str) -> Result<Sizes, ParseError> {
    let mut sizes = Sizes::default();
    let mut has_total = false;
    for (line, text) in (1..).zip(meminfo.lines()) {
        let Some((name, rest)) = text.split_once(':') else {
            continue;
        };
        let number = || Fields::new(line, rest).number(name);
        match name {
            "MemTotal" => {
                sizes.total = number()?;
                has_total = true;
            }
            "MemFree" => sizes.free = number()?,
            "MemAvailable" => sizes.available = Some(number()?),
            "Buffers" => sizes.buffers = number()?,
            "Cached" => sizes.cached = number()?,
            "SReclaimable" => sizes.reclaimable = number()?,
            "Shmem" => sizes.shared = number()?,
            "SwapTotal" => sizes.swap_total = number()?,
            "SwapFree" => sizes.swap_free = number()?,
            _ => {}
        }
    }
    if !has_total {
        return Err(ParseError::new(1, "MemTotal is missing"));
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FixtureHost;
    use super::*;

    #[test]
    fn used_is_what_is_not_available() {
        let host = FixtureHost::with(&[(
            "proc/meminfo",
            "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\nSwapTotal: 200 kB\nSwapFree: 150 kB\n",
        )]);
        let out = host.read(&mut Memory::default(), 0);
        assert_eq!(out.get("memory.used_percent"), Some(75.0));
        assert_eq!(out.get("swap.used_percent"), Some(25.0));
    }

    #[test]
    fn an_old_kernel_has_no_estimate_and_no_swap_is_no_series() {
        let host = FixtureHost::with(&[(
            "proc/meminfo",
            "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 300 kB\nShmem: 50 kB\nSReclaimable: 100 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
        )]);
        let out = host.read(&mut Memory::default(), 0);
        assert_eq!(
            out.iter().collect::<Vec<_>>(),
            [("memory.used_percent", 50.0)]
        );
    }

    #[test]
    fn broken_text_is_named_with_its_line() {
        assert_eq!(
            sizes("MemFree: 1 kB\n").unwrap_err().problem,
            "MemTotal is missing"
        );
        let error = sizes("MemTotal: 5 kB\nMemFree: lots\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2: MemFree is no number: \"lots\"");
        assert_eq!(sizes("MemTotal: 5 kB\nMemFree:").unwrap_err().line, 2);
    }
}
