//! What the kernel is asked by calls and not by files, so that a test can answer instead.

use super::statvfs::{self, Statvfs};
use std::sync::Arc;
use std::time::Duration;

/// The calls and the constants of this machine.
#[derive(Clone)]
pub struct Kernel {
    /// Bytes of a page of memory.
    pub page_bytes: u64,
    /// Ticks of the times in `/proc/PID/stat` and `/proc/stat`.
    pub ticks_per_second: u64,
    /// The time that all threads of this process have spent on a core.
    pub own_cpu: fn() -> Option<Duration>,
    /// How full a file system is. May block for ever.
    pub statvfs: Arc<Statvfs>,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            page_bytes: procfs::page_size(),
            ticks_per_second: procfs::ticks_per_second(),
            own_cpu,
            statvfs: Arc::new(statvfs::ask_kernel),
        }
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel")
            .field("page_bytes", &self.page_bytes)
            .field("ticks_per_second", &self.ticks_per_second)
            .finish_non_exhaustive()
    }
}

fn own_cpu() -> Option<Duration> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID).ok()?;
    Some(Duration::from(time))
}
