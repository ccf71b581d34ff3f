//! What every process holds now and held a while ago, in bounded memory.
//!
//! ```text
//! process: now | short: older, newer | long: older, newer      a slot: when, and six amounts of 32 bits
//! ```
//!
//! Of each span two slots are kept and shifted every half span, so that the older one is between half a span and a
//! span old. Invariants: at most [`PROCESSES_MAX`] processes, 190 bytes each; a number that is used again is another
//! process (its start tells); sorted by number.

use super::resource::{RESOURCES, Resource};
use arki_model::event::ProcessGrowth;
use std::time::Duration;

/// The most processes that are followed. On a host with more, those of the most memory.
pub(super) const PROCESSES_MAX: usize = 512;

/// Half the spans: 10 minutes (who did it just now) and an hour (who keeps on doing it).
const HALF_SPANS: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(1800)];

const SHORT: usize = 0;
const LONG: usize = 1;

/// An amount that is not known: not read yet, or not permitted.
const UNKNOWN: u64 = u64::MAX;

/// The amounts of a process by [`Resource::index`]. Resident and written ones are counted in KiB, time in ticks, so
/// that a slot does with 32 bits.
type Amounts = [u64; RESOURCES];

#[derive(Debug, Clone, Copy)]
struct Slot {
    at_s: u32,
    amounts: [u32; RESOURCES],
}

impl Slot {
    fn new(at: Duration, amounts: &Amounts) -> Self {
        Self {
            at_s: at.as_secs() as u32,
            amounts: amounts.map(|amount| low_bits(amount).unwrap_or(u32::MAX)),
        }
    }

    fn amount(&self, index: usize) -> Option<u32> {
        Some(self.amounts[index]).filter(|&amount| amount != u32::MAX)
    }
}

/// Counters may pass 32 bits; only differences are taken of slots, and those are right modulo 2^32. The largest
/// number stands for what is not known.
fn low_bits(amount: u64) -> Option<u32> {
    (amount != UNKNOWN).then_some((amount as u32).min(u32::MAX - 1))
}

/// One process.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that do not exclude one another"
)]
pub(super) struct Process {
    pub(super) pid: u32,
    start_ticks: u64,
    name: [u8; 16],
    pub(super) is_kernel: bool,
    /// True where an attempt to read `io` or `fd` was turned down.
    pub(super) is_denied: bool,
    /// True where its `io` counts for children that ended, too, and its own share can be told.
    pub(super) reaps: bool,
    seen: bool,
    now: Amounts,
    slots: [[Slot; 2]; 2],
}

/// What a pass reads of a process at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting<'a> {
    pub(super) pid: u32,
    pub(super) name: &'a [u8],
    pub(super) is_kernel: bool,
    /// See [`Process::reaps`].
    pub(super) reaps: bool,
    pub(super) start_ticks: u64,
    pub(super) cpu_ticks: u64,
    pub(super) resident_kib: u64,
}

/// The processes of a host.
#[derive(Debug)]
pub(super) struct ProcessTable {
    processes: Vec<Process>,
    ticks_per_second: f64,
    /// The time of this pass and of the one before; `None` before the first.
    at: Duration,
    before: Option<Duration>,
    /// The least weight in a full table, once it is known in this pass.
    floor: Option<(bool, u64)>,
    was_full: bool,
}

impl ProcessTable {
    pub(super) fn new(ticks_per_second: u64) -> Self {
        Self {
            processes: Vec::new(),
            ticks_per_second: ticks_per_second.max(1) as f64,
            at: Duration::ZERO,
            before: None,
            floor: None,
            was_full: false,
        }
    }

    /// Begins a pass.
    pub(super) fn begin(&mut self, at: Duration) {
        self.at = at;
        self.floor = None;
    }

    /// Ends it: forgets the processes that are gone, shifts the slots that are due.
    pub(super) fn end(&mut self) {
        self.was_full = self.processes.len() >= PROCESSES_MAX;
        self.before = Some(self.at);
        let at = self.at;
        self.processes.retain_mut(|process| {
            process.shift(at);
            std::mem::replace(&mut process.seen, false)
        });
    }

    /// Takes what was read of a process. True if there is no hurry to read it again: it neither ran nor grew since it
    /// was last read, it is a thread of the kernel, or there is no room for it.
    pub(super) fn see(&mut self, sighting: &Sighting<'_>) -> bool {
        let place = self
            .processes
            .binary_search_by_key(&sighting.pid, |process| process.pid);
        match place {
            Ok(index) if self.processes[index].start_ticks == sighting.start_ticks => {
                let process = &mut self.processes[index];
                let before = process.now;
                process.seen = true;
                process.reaps = sighting.reaps;
                process.set(Resource::CpuSeconds, sighting.cpu_ticks);
                process.set(Resource::ResidentBytes, sighting.resident_kib);
                // A program that was replaced by another (exec) goes on under a new name.
                process.name = short_name(sighting.name);
                return sighting.is_kernel || process.now == before;
            }
            // The number was given to another process.
            Ok(index) => self.processes[index] = self.newcomer(sighting),
            Err(_) => return !self.take_in(sighting) || sighting.is_kernel,
        }
        sighting.is_kernel
    }

    /// Keeps a process that was not read in this pass, as it was.
    pub(super) fn keep(&mut self, pid: u32) {
        let place = self
            .processes
            .binary_search_by_key(&pid, |process| process.pid);
        if let Ok(index) = place {
            self.processes[index].seen = true;
        }
    }

    /// False if there are as many as are followed, and all of more weight.
    fn take_in(&mut self, sighting: &Sighting<'_>) -> bool {
        if self.processes.len() >= PROCESSES_MAX {
            let floor = self.floor.unwrap_or_else(|| {
                let least = self.processes.iter().map(Process::weight).min();
                least.unwrap_or_default()
            });
            self.floor = Some(floor);
            if (!sighting.is_kernel, sighting.resident_kib) <= floor {
                return false;
            }
            self.processes.retain({
                let mut is_dropped = false;
                move |process| {
                    let drop = !is_dropped && process.weight() <= floor;
                    is_dropped |= drop;
                    !drop
                }
            });
            self.floor = None;
        }
        let place = self
            .processes
            .partition_point(|process| process.pid < sighting.pid);
        let process = self.newcomer(sighting);
        self.processes.insert(place, process);
        true
    }

    /// A process that was born since the last pass had nothing then; what was there before us has grown by nothing.
    fn newcomer(&self, sighting: &Sighting<'_>) -> Process {
        let mut now = [UNKNOWN; RESOURCES];
        now[Resource::CpuSeconds.index()] = sighting.cpu_ticks;
        now[Resource::ResidentBytes.index()] = sighting.resident_kib;
        let first = match self.before {
            Some(before) if !self.was_full => Slot::new(before, &[0; RESOURCES]),
            _ => Slot::new(self.at, &now),
        };
        Process {
            pid: sighting.pid,
            start_ticks: sighting.start_ticks,
            name: short_name(sighting.name),
            is_kernel: sighting.is_kernel,
            is_denied: false,
            reaps: sighting.reaps,
            seen: true,
            now,
            slots: [[first; 2]; 2],
        }
    }

    /// The processes themselves, for what is read of a few of them in each pass.
    pub(super) fn processes_mut(&mut self) -> &mut [Process] {
        &mut self.processes
    }

    /// The processes that grew in `resource`, those that grew most first, each with the amount by which it ranks.
    ///
    /// What only grows (time, bytes written) is compared over the short span: who did it just now. What can be given
    /// back must have grown over both spans, and the less of the two counts: memory goes up and down in every
    /// program that collects garbage, but only a leak is up both times.
    pub(super) fn ranked(&self, resource: Resource) -> Vec<(f64, ProcessGrowth)> {
        let mut grown: Vec<(f64, ProcessGrowth)> = self
            .processes
            .iter()
            .filter_map(|process| self.growth(process, resource))
            .collect();
        grown.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        grown
    }

    fn growth(&self, process: &Process, resource: Resource) -> Option<(f64, ProcessGrowth)> {
        let index = resource.index();
        let now = process.now[index];
        let grown = |span: usize| {
            let slot = &process.slots[span][0];
            let span_s = f64::from((self.at.as_secs() as u32).checked_sub(slot.at_s)?);
            let change = low_bits(now)?.wrapping_sub(slot.amount(index)?);
            // Written bytes go down, too, when what was written is deleted before it gets to the device.
            let change = f64::from(change as i32);
            (span_s > 0.0 && change > 0.0).then_some((change, span_s))
        };
        let short = grown(SHORT)?;
        let (change, span_s) = if resource.is_gauge() {
            grown(LONG)?
        } else {
            short
        };
        // Amounts of the short span, not rates: a compiler that was born a second ago is no leak.
        let rank = short.0.min(change * short.1 / span_s);
        let unit = match resource {
            Resource::CpuSeconds => 1.0 / self.ticks_per_second,
            Resource::Descriptors => 1.0,
            _ => 1024.0,
        };
        let growth = ProcessGrowth {
            pid: process.pid,
            name: process.name(),
            resource: resource.name().to_owned(),
            value: now as f64 * unit,
            growth: change * unit,
            span_s,
        };
        Some((rank, growth))
    }
}

impl Process {
    /// Takes an amount, in the unit of [`Amounts`].
    pub(super) fn set(&mut self, resource: Resource, amount: u64) {
        let index = resource.index();
        self.now[index] = amount;
        // Known for the first time: from here on it can grow.
        for slot in self.slots.as_flattened_mut() {
            if slot.amounts[index] == u32::MAX {
                slot.amounts[index] = low_bits(amount).unwrap_or(u32::MAX);
            }
        }
    }

    fn shift(&mut self, at: Duration) {
        for (slots, half_span) in self.slots.iter_mut().zip(HALF_SPANS) {
            let age_s = (at.as_secs() as u32).saturating_sub(slots[1].at_s);
            if u64::from(age_s) >= half_span.as_secs() {
                *slots = [slots[1], Slot::new(at, &self.now)];
            }
        }
    }

    /// Who stays when the table is full: programs before threads of the kernel, then by memory.
    fn weight(&self) -> (bool, u64) {
        (!self.is_kernel, self.now[Resource::ResidentBytes.index()])
    }

    fn name(&self) -> String {
        let end = self.name.iter().position(|&byte| byte == 0);
        let name = self.name.get(..end.unwrap_or(self.name.len()));
        String::from_utf8_lossy(name.unwrap_or_default())
            .chars()
            .map(|c| if c.is_control() { '?' } else { c })
            .collect()
    }
}

fn short_name(name: &[u8]) -> [u8; 16] {
    std::array::from_fn(|index| name.get(index).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests;
