//! What a process can take more and more of, and which series that shows in.

/// A resource that is counted by process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Memory that is in use.
    ResidentBytes,
    /// Time on a core.
    CpuSeconds,
    /// Open files and sockets.
    Descriptors,
    /// What it had written to block devices, less what was deleted before it got there.
    WrittenBytes,
    /// What it wrote to anything: the only count there is for a file system in memory.
    WrittenAnywhereBytes,
    /// What its children that ended had written to block devices.
    WrittenByChildrenBytes,
}

/// How many there are.
pub(super) const RESOURCES: usize = 6;

impl Resource {
    /// The resource to look at when the series called `name` is in trouble.
    pub fn of_series(name: &str) -> Option<Self> {
        let starts = |kinds: &[&str]| kinds.iter().any(|kind| name.starts_with(kind));
        if starts(&["memory.", "swap.", "pressure.memory"]) {
            Some(Self::ResidentBytes)
        } else if starts(&["disk.", "pressure.io", "cpu.iowait", "process.blocked"]) {
            Some(Self::WrittenBytes)
        } else if starts(&["cpu.", "load.", "pressure.cpu"]) {
            Some(Self::CpuSeconds)
        } else if starts(&["file."]) {
            Some(Self::Descriptors)
        } else {
            None
        }
    }

    /// As an event names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResidentBytes => "resident_bytes",
            Self::CpuSeconds => "cpu_seconds",
            Self::Descriptors => "descriptors",
            Self::WrittenBytes | Self::WrittenAnywhereBytes => "written_bytes",
            Self::WrittenByChildrenBytes => "written_by_children_bytes",
        }
    }

    /// True for what a process can give back. The others only ever grow.
    pub(super) fn is_gauge(self) -> bool {
        matches!(self, Self::ResidentBytes | Self::Descriptors)
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_series_that_a_process_moves_has_its_resource() {
        for (series, name) in [
            ("memory.used_percent", "resident_bytes"),
            ("swap.used_percent", "resident_bytes"),
            ("cpu.busy_percent", "cpu_seconds"),
            ("cpu.iowait_percent", "written_bytes"),
            ("load.per_core", "cpu_seconds"),
            ("file.used_percent", "descriptors"),
            ("disk.used_percent{/var}", "written_bytes"),
            ("disk.write_bytes_per_second{sda}", "written_bytes"),
        ] {
            assert_eq!(
                Resource::of_series(series).unwrap().name(),
                name,
                "{series}"
            );
        }
        assert_eq!(Resource::of_series("net.rx_bytes_per_second{eth0}"), None);
    }
}
