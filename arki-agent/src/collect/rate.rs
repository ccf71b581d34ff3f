//! From counters that only grow to rates.
//!
//! ```text
//! counters of a pass, by device -> CounterTable -> Growth { elapsed_s, counts } -> per second, percent, ms
//! ```
//!
//! Invariants: elapsed time is monotonic; the first sight of a device yields nothing; a counter that went down was
//! reset and yields nothing this once; a counter of 32 bits that ran over is carried on only if the difference is
//! possible; a device that is gone is forgotten; at most [`DEVICES_MAX`] devices are kept.

use std::time::Duration;

/// The most devices of one table: far above any host whose devices a person would look at.
pub const DEVICES_MAX: usize = 512;

/// Below this a rate is noise: the counters of the kernel move in steps of 1 to 10 ms.
const ELAPSED_MIN: Duration = Duration::from_millis(100);

/// Above this the average says nothing about now: twice the longest interval between passes, which is an hour.
const ELAPSED_MAX: Duration = Duration::from_secs(2 * 3600);

/// How a counter ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// 64 bits: it never runs over. If it is lower than before it was reset.
    Bits64,
    /// 32 bits, and it grows by at most `per_second_max`: a difference that is larger is a reset, not a run-over.
    Bits32 {
        /// The fastest that it can grow.
        per_second_max: u64,
    },
}

/// How much `now` is above `before`; `None` if it was reset in between.
pub fn growth(before: u64, now: u64, elapsed: Duration, width: Width) -> Option<u64> {
    if let Some(growth) = now.checked_sub(before) {
        return Some(growth);
    }
    let Width::Bits32 { per_second_max } = width else {
        return None;
    };
    let before = u32::try_from(before).ok()?;
    let growth = u64::from(u32::try_from(now).ok()?.wrapping_sub(before));
    // A second of margin: what is counted while the file is read.
    let possible = per_second_max.saturating_mul(elapsed.as_secs() + 2);
    (growth <= possible).then_some(growth)
}

/// What the `N` counters of a device grew by since the pass before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth<const N: usize> {
    /// Seconds between the two.
    pub elapsed_s: f64,
    /// By how much; `None` where a counter was reset.
    pub counts: [Option<u64>; N],
}

impl<const N: usize> Growth<N> {
    /// Counter `index` per second.
    pub fn per_second(&self, index: usize) -> Option<f64> {
        Some(self.count(index)? / self.elapsed_s)
    }

    /// What counter `index` grew by.
    pub fn count(&self, index: usize) -> Option<f64> {
        self.counts
            .get(index)
            .copied()
            .flatten()
            .map(|count| count as f64)
    }
}

#[derive(Debug)]
struct Device<const N: usize> {
    name: Box<str>,
    counters: [u64; N],
    at: Duration,
    seen: bool,
}

/// The counters of the pass before, by device.
#[derive(Debug)]
pub struct CounterTable<const N: usize> {
    widths: [Width; N],
    devices: Vec<Device<N>>,
}

impl<const N: usize> CounterTable<N> {
    /// A table for devices with these counters.
    pub fn new(widths: [Width; N]) -> Self {
        Self {
            widths,
            devices: Vec::new(),
        }
    }

    /// True if `name` was there in the pass before or was seen in this one.
    pub fn knows(&self, name: &str) -> bool {
        self.devices.iter().any(|device| &*device.name == name)
    }

    /// Takes the counters of a device, read at `at`, and returns what they grew by. `None` the first time, too soon
    /// after the last or too long after it.
    pub fn update(&mut self, name: &str, counters: [u64; N], at: Duration) -> Option<Growth<N>> {
        let Some(device) = self.devices.iter_mut().find(|device| &*device.name == name) else {
            if self.devices.len() < DEVICES_MAX {
                self.devices.push(Device {
                    name: name.into(),
                    counters,
                    at,
                    seen: true,
                });
            }
            return None;
        };
        device.seen = true;
        let elapsed = at.saturating_sub(device.at);
        if elapsed < ELAPSED_MIN {
            return None;
        }
        let before = std::mem::replace(&mut device.counters, counters);
        device.at = at;
        if elapsed > ELAPSED_MAX {
            return None;
        }
        let counts = std::array::from_fn(|index| {
            growth(before[index], counters[index], elapsed, self.widths[index])
        });
        Some(Growth {
            elapsed_s: elapsed.as_secs_f64(),
            counts,
        })
    }

    /// Ends a pass: forgets the devices that were not there.
    pub fn forget_unseen(&mut self) {
        self.devices
            .retain_mut(|device| std::mem::replace(&mut device.seen, false));
    }
}

#[cfg(test)]
mod tests;
