//! `disk.{read,write}_bytes_per_second{sda}`, `disk.busy_percent{sda}`, `disk.latency_ms{sda}`: block devices.
//!
//! ```text
//! /proc/diskstats: major minor name  reads merged sectors ms  writes merged sectors ms  in_flight busy_ms weighted_ms ...
//! ```
//!
//! Whole devices at the bottom only: not partitions, not LVM, RAID or encryption (what passes them is counted by the
//! devices below), not loop, RAM or optical devices, not what was never used; at most [`DEVICES_MAX`].
//! A sector has 512 bytes here whatever the device says (docs.kernel.org/admin-guide/iostats.html).

use super::fields::Fields;
use super::rate::{CounterTable, Growth, Width};
use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};
use std::collections::HashMap;
use std::fs;

/// Four series each: more would fill the limit of series with disks alone.
const DEVICES_MAX: usize = 32;

/// How many names are remembered as being watched or not. When it is full all are looked at again.
const KNOWN_MAX: usize = 1024;

const SECTOR_BYTES: f64 = 512.0;

/// How the names of devices begin that are left out.
const LEFT_OUT: [&str; 5] = ["loop", "ram", "zram", "fd", "sr"];

const READS: usize = 0;
const SECTORS_READ: usize = 1;
const READ_MS: usize = 2;
const WRITES: usize = 3;
const SECTORS_WRITTEN: usize = 4;
const WRITE_MS: usize = 5;
const BUSY_MS: usize = 6;

/// The kernel counts milliseconds in 32 bits: they run over after 50 days of use, and sooner with a queue.
/// Waiting adds up over the queue; 4,096 is a deep one.
const WAITING: Width = Width::Bits32 {
    per_second_max: 1000 * 4096,
};
/// Busy is one second a second.
const BUSY: Width = Width::Bits32 {
    per_second_max: 1000,
};

/// Reads `diskstats`.
#[derive(Debug)]
struct Block {
    source: Source,
    table: CounterTable<7>,
    /// Names seen, and whether they are watched.
    watched: HashMap<Box<str>, bool>,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Block::new())
}

impl Block {
    fn new() -> Self {
        let count = Width::Bits64;
        Self {
            source: Source::default(),
            table: CounterTable::new([count, count, WAITING, count, count, WAITING, BUSY]),
            watched: HashMap::new(),
        }
    }
}

impl Collector for Block {
    fn name(&self) -> &'static str {
        "block"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        let path = host.proc.join("diskstats");
        let text = self.source.text(&path)?;
        let mut result = Ok(());
        let mut devices = 0;
        for (line, text) in (1..).zip(text.lines()) {
            let (name, counters) = match device(line, text) {
                Ok(Some(device)) => device,
                Ok(None) => continue,
                Err(error) => {
                    result = Err(CollectError::parsing(&path, &error));
                    continue;
                }
            };
            let unused = counters[READS] == 0 && counters[WRITES] == 0;
            if unused || devices == DEVICES_MAX || !is_watched(&mut self.watched, host, name) {
                continue;
            }
            devices += 1;
            if let Some(growth) = self.table.update(name, counters, at.monotonic) {
                put(name, &growth, out);
            }
        }
        self.table.forget_unseen();
        result
    }
}

fn put(name: &str, growth: &Growth<7>, out: &mut Readings) {
    if let Some(sectors) = growth.per_second(SECTORS_READ) {
        out.put_for("disk.read_bytes_per_second", name, sectors * SECTOR_BYTES);
    }
    if let Some(sectors) = growth.per_second(SECTORS_WRITTEN) {
        out.put_for("disk.write_bytes_per_second", name, sectors * SECTOR_BYTES);
    }
    if let Some(busy_ms) = growth.per_second(BUSY_MS) {
        out.put_for("disk.busy_percent", name, (busy_ms / 10.0).min(100.0));
    }
    let sum = |a, b| Some(growth.count(a)? + growth.count(b)?);
    if let (Some(waited_ms), Some(done)) = (sum(READ_MS, WRITE_MS), sum(READS, WRITES)) {
        // Nothing done: no latency, and 0 / 0 is left out.
        out.put_for("disk.latency_ms", name, waited_ms / done);
    }
}

/// The name and the counters of a device; `None` for a partition of an old kernel, which has four counters only.
fn device(line: usize, text: &str) -> Result<Option<(&str, [u64; 7])>, ParseError> {
    let mut fields = Fields::new(line, text);
    fields.number("the major number")?;
    fields.number("the minor number")?;
    let name = fields.word("the name")?;
    let [reads, _, sectors_read, read_ms] = fields.numbers("a read counter")?;
    if fields.is_done() {
        return Ok(None);
    }
    let [writes, _, sectors_written, write_ms] = fields.numbers("a write counter")?;
    let [_, busy_ms] = fields.numbers("a busy counter")?;
    Ok(Some((
        name,
        [
            reads,
            sectors_read,
            read_ms,
            writes,
            sectors_written,
            write_ms,
            busy_ms,
        ],
    )))
}

fn is_watched(known: &mut HashMap<Box<str>, bool>, host: &Roots, name: &str) -> bool {
    if let Some(&watched) = known.get(name) {
        return watched;
    }
    if known.len() >= KNOWN_MAX {
        known.clear();
    }
    let watched = !is_left_out(name) && is_whole_device(host, name);
    known.insert(name.into(), watched);
    watched
}

/// By kind: the kinds that are left out are numbered, so that `ramdisk` is none of them.
fn is_left_out(name: &str) -> bool {
    LEFT_OUT.iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// By sysfs, which lists whole devices, and below each the devices that it is made of. Without sysfs by name.
fn is_whole_device(host: &Roots, name: &str) -> bool {
    let devices = host.sys.join("block");
    if !devices.is_dir() {
        return !is_partition_name(name) && !name.starts_with("dm-") && !name.starts_with("md");
    }
    // sysfs cannot hold a slash (cciss/c0d0).
    let device = devices.join(name.replace('/', "!"));
    let is_stacked =
        fs::read_dir(device.join("slaves")).is_ok_and(|mut below| below.next().is_some());
    device.is_dir() && !is_stacked
}

/// `sda1`, `nvme0n1p2`, `mmcblk0p1`.
fn is_partition_name(name: &str) -> bool {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if base.len() == name.len() {
        return false;
    }
    let numbered = base
        .strip_suffix('p')
        .is_some_and(|disk| disk.ends_with(|c: char| c.is_ascii_digit()));
    numbered
        || ["sd", "hd", "vd", "xvd"]
            .iter()
            .any(|kind| base.starts_with(kind))
}

#[cfg(test)]
mod tests;
