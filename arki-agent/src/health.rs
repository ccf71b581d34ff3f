//! What the agent itself costs, and what is wrong with it.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::time::Duration;

/// What the agent may take of the host's memory, in bytes (the design's budget).
pub const RESIDENT_BYTES_BUDGET: u64 = 6_000_000;

/// The last passes whose times are kept: an hour at 30 s.
const PASSES_MAX: usize = 120;
/// CPU time is noted this often, and over an hour.
const CPU_STEP: Duration = Duration::from_secs(300);
const CPU_NOTES_MAX: usize = 13;

/// How long one pass took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// From the first reading to what is told.
    pub all: Duration,
    /// Of that, all votes: from the values to what is told.
    pub votes: Duration,
    /// After it: what is put on the disk (events, ledger, summaries, every half hour the memory), mostly waiting.
    pub writes: Duration,
}

/// Median and 99th percentile of the last passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles {
    /// Half took at most this.
    pub median: Took,
    /// All but one in a hundred took at most this.
    pub p99: Took,
}

/// Own cost, measured.
#[derive(Debug, Default)]
pub struct Cost {
    passes: u64,
    took: VecDeque<Took>,
    cpu: VecDeque<(Duration, Duration)>,
}

impl Cost {
    /// Takes in one pass that ended at `monotonic`.
    pub fn pass(&mut self, took: Took, monotonic: Duration) {
        self.passes += 1;
        if self.took.len() == PASSES_MAX {
            self.took.pop_front();
        }
        self.took.push_back(took);
        let due = |&(at, _): &(Duration, Duration)| monotonic.saturating_sub(at) >= CPU_STEP;
        if self.cpu.back().is_none_or(due)
            && let Some(used) = cpu_time()
        {
            if self.cpu.len() == CPU_NOTES_MAX {
                self.cpu.pop_front();
            }
            self.cpu.push_back((monotonic, used));
        }
    }

    /// How many passes there were.
    pub fn passes(&self) -> u64 {
        self.passes
    }

    /// The last pass.
    pub fn last(&self) -> Option<Took> {
        self.took.back().copied()
    }

    /// Median and 99th percentile of the last passes; `None` before the first.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let of = |part: fn(&Took) -> Duration| {
            let mut sorted: Vec<Duration> = self.took.iter().map(part).collect();
            sorted.sort_unstable();
            let median = *sorted.get(sorted.len() / 2)?;
            let p99 = *sorted.get((sorted.len() * 99).div_ceil(100).saturating_sub(1))?;
            Some((median, p99))
        };
        let (all, votes) = (of(|took| took.all)?, of(|took| took.votes)?);
        let writes = of(|took| took.writes)?;
        let took = |all, votes, writes| Took { all, votes, writes };
        Some(Quantiles {
            median: took(all.0, votes.0, writes.0),
            p99: took(all.1, votes.1, writes.1),
        })
    }

    /// CPU seconds an hour, over the last hour or as long as the agent runs.
    pub fn cpu_seconds_per_hour(&self, monotonic: Duration) -> Option<f64> {
        let &(since, before) = self.cpu.front()?;
        let over = monotonic.checked_sub(since)?.as_secs_f64();
        let used = cpu_time()?.checked_sub(before)?.as_secs_f64();
        (over >= 1.0).then(|| used / over * 3600.0)
    }
}

/// CPU time of this process so far.
fn cpu_time() -> Option<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let duration = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)
    };
    Some(duration(usage.user_time()) + duration(usage.system_time()))
}

/// Resident bytes of this process, as the kernel sums them over its mappings.
pub fn resident_bytes() -> Option<u64> {
    parse_rollup(&fs::read_to_string("/proc/self/smaps_rollup").ok()?)
}

/// Hands back what is mapped of the program, and memory that was freed. The passes' own code is back after one; what
/// stays away is that of rare work: the start, a save, an answer, TLS.
pub fn unmap() {
    match arki_unmap::release() {
        Ok(()) => tracing::debug!("unmapped the program's code"),
        Err(error) => tracing::debug!(%error, "the program's code stays mapped"),
    }
}

fn parse_rollup(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// What is wrong, one sentence an area; the agent is degraded while there is any.
#[derive(Debug, Default)]
pub struct Problems(BTreeMap<&'static str, String>);

impl Problems {
    /// Notes what is wrong in `area`, replacing what was; logged once.
    pub fn set(&mut self, area: &'static str, text: String) {
        if self.0.get(area) != Some(&text) {
            tracing::warn!("{area}: {text}");
            self.0.insert(area, text);
        }
    }

    /// `area` works; logged if it did not.
    pub fn clear(&mut self, area: &'static str) {
        if self.0.remove(area).is_some() {
            tracing::info!("{area}: works again");
        }
    }

    /// Sets or clears.
    pub fn note(&mut self, area: &'static str, problem: Option<String>) {
        match problem {
            Some(text) => self.set(area, text),
            None => self.clear(area),
        }
    }

    /// Every area with its problem.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(area, text)| (*area, text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_rollup() {
        let text = "5581-7ffd ---p 00000000 00:00 0   [rollup]\nRss:                5124 kB\nPss:  4096 kB\n";
        assert_eq!(parse_rollup(text), Some(5124 * 1024));
        assert_eq!(parse_rollup("Rss: much"), None);
        assert!(resident_bytes().unwrap() > 100_000);
    }

    #[test]
    fn quantiles_are_of_the_last_passes() {
        let mut cost = Cost::default();
        for ms in 0..200 {
            // the votes of a pass take the longer the shorter the pass was
            let took = Took {
                all: Duration::from_millis(ms),
                votes: Duration::from_micros(200 - ms),
                writes: Duration::from_millis(1000 + ms),
            };
            cost.pass(took, Duration::from_secs(30 * ms));
        }
        // 80 to 199 are left
        let ms = Duration::from_millis;
        let quantiles = cost.quantiles().unwrap();
        assert_eq!(
            (quantiles.median.all, quantiles.p99.all),
            (ms(140), ms(198))
        );
        let us = Duration::from_micros;
        assert_eq!(
            (quantiles.median.votes, quantiles.p99.votes),
            (us(61), us(119))
        );
        assert_eq!(
            (quantiles.median.writes, quantiles.p99.writes),
            (ms(1140), ms(1198))
        );
        assert_eq!(cost.passes(), 200);
        assert_eq!(cost.last().map(|took| took.all), Some(ms(199)));
    }
}
