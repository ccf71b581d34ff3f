//! Who fills a file system: what a process wrote, and whether it has a file open there.
//!
//! The kernel counts by process what was written, not where to. So of those that wrote most it is asked which have a
//! file on that file system open for writing (`/proc/PID/fd`: the links are read, never followed, so that nothing that
//! hangs is touched). It is asked only when an event is made or explained, and of [`ASKED_MAX`] processes.

use super::super::mounts::Place;
use super::resource::Resource;
use super::table::ProcessTable;
use arki_model::event::ProcessGrowth;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is not known to be written there counts a hundredth: a compiler writes gigabytes elsewhere, and who opens
/// and closes its file at every write cannot be seen to hold it, but stands out among the crumbs of those that do.
const ELSEWHERE: f64 = 0.01;

/// The most processes whose open files are looked at.
const ASKED_MAX: usize = 16;

/// The most open files of one of them that are looked at, 2 us each.
const FILES_MAX: usize = 256;

/// The processes that wrote, the likeliest first, each once.
pub(super) fn ranked(table: &ProcessTable, proc: &Path, series: &str) -> Vec<(f64, ProcessGrowth)> {
    let instance = series
        .split_once('{')
        .and_then(|(_, rest)| rest.strip_suffix('}'));
    let place = instance.and_then(|point| Place::find(proc, point));
    // What is written to a file system in memory never gets to a device.
    let own = if place.as_ref().is_some_and(Place::is_in_memory) {
        Resource::WrittenAnywhereBytes
    } else {
        Resource::WrittenBytes
    };
    let mut grown = table.ranked(own);
    grown.truncate(ASKED_MAX);
    if let Some(place) = place {
        for (rank, growth) in &mut grown {
            if !writes_to(&place, &proc.join(growth.pid.to_string()).join("fd")) {
                *rank *= ELSEWHERE;
            }
        }
    }
    // A shell whose commands wrote: named where nobody is seen to do it himself.
    let children = table.ranked(Resource::WrittenByChildrenBytes);
    let children = children.into_iter().take(ASKED_MAX);
    grown.extend(children.map(|(rank, growth)| (rank * ELSEWHERE * ELSEWHERE, growth)));
    grown.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut named = Vec::with_capacity(grown.len());
    grown.retain(|(_, growth)| {
        let is_new = !named.contains(&growth.pid);
        named.push(growth.pid);
        is_new
    });
    grown
}

/// True if one of the open files is on the file system, open for writing: the link's own permissions tell how.
fn writes_to(place: &Place, files: &Path) -> bool {
    let Ok(entries) = fs::read_dir(files) else {
        return false;
    };
    entries.flatten().take(FILES_MAX).any(|entry| {
        let is_writable = |link: &fs::Metadata| link.mode() & 0o200 != 0;
        entry.metadata().is_ok_and(|link| is_writable(&link))
            && fs::read_link(entry.path()).is_ok_and(|file| place.holds(&file))
    })
}
