//! What a copy uses, from the files of its own cgroup, which it sees read-only: by one more command of a look.
//!
//! The engine's own statistics are an average of the last second, and take as long to come; they are asked where a
//! runtime shows no cgroup inside (gVisor, Kata).
//!
//! | | version 1 | version 2 |
//! | --- | --- | --- |
//! | memory, with all that is in its tmpfs | `memory/memory.usage_in_bytes` | `memory.current` |
//! | of it file cache that can be reclaimed | `total_inactive_file` of `memory/memory.stat` | `inactive_file` of `memory.stat` |
//! | processes and threads | `pids/pids.current` | `pids.current` |

use super::profile::Argv;
use bollard::models::ContainerStatsResponse;

/// The shell of a look and the command that reads the files: they are no part of the copy.
const OWN_PROCESSES: u64 = 2;

/// What a container uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Memory that cannot be reclaimed, in bytes, with all that is in its tmpfs.
    pub(super) memory_bytes: u64,
    /// Processes and threads.
    pub(super) processes: u64,
}

/// The command that reads the files of whichever version is there.
pub(super) fn command() -> Argv {
    let words = [
        "grep",
        "-sHE",
        "^[0-9]+$|^(total_)?inactive_file ",
        "/sys/fs/cgroup/memory.current",
        "/sys/fs/cgroup/memory.stat",
        "/sys/fs/cgroup/pids.current",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
        "/sys/fs/cgroup/pids/pids.current",
    ];
    words.map(Into::into).into()
}

/// What that command printed: `FILE:LINE`. Nothing where the files are not all there.
pub(super) fn of_files(text: &str) -> Option<Usage> {
    let value = |file: &str, name: &str| {
        let head = format!("/sys/fs/cgroup/{file}:{name}");
        let mut values = text.lines().filter_map(|line| line.strip_prefix(&head));
        values.next()?.trim().parse::<u64>().ok()
    };
    let either = |one: Option<u64>, two: &dyn Fn() -> Option<u64>| one.or_else(two);
    let memory = either(value("memory.current", ""), &|| {
        value("memory/memory.usage_in_bytes", "")
    })?;
    let cache = either(value("memory.stat", "inactive_file "), &|| {
        value("memory/memory.stat", "total_inactive_file ")
    })?;
    let processes = either(value("pids.current", ""), &|| {
        value("pids/pids.current", "")
    })?;
    Some(Usage {
        memory_bytes: memory.saturating_sub(cache),
        processes: processes.saturating_sub(OWN_PROCESSES),
    })
}

/// The same by the engine's statistics.
pub(super) fn of_statistics(stats: ContainerStatsResponse) -> Option<Usage> {
    let memory = stats.memory_stats?;
    let part = |name: &str| memory.stats.as_ref().and_then(|all| all.get(name)).copied();
    // version 1 of cgroups has the first name, version 2 the second
    let cache = part("total_inactive_file").or_else(|| part("inactive_file"));
    Some(Usage {
        memory_bytes: memory.usage?.saturating_sub(cache.unwrap_or(0)),
        processes: stats.pids_stats.and_then(|pids| pids.current).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_cgroups_are_read() {
        // of the shape of version 1, with made-up figures that come to the same
        let one = "/sys/fs/cgroup/memory/memory.usage_in_bytes:4820992\n\
                   /sys/fs/cgroup/memory/memory.stat:inactive_file 12288\n\
                   /sys/fs/cgroup/memory/memory.stat:total_inactive_file 20992\n\
                   /sys/fs/cgroup/pids/pids.current:9\n";
        let two = "/sys/fs/cgroup/memory.current:4820992\n\
                   /sys/fs/cgroup/memory.stat:inactive_file 20992\n\
                   /sys/fs/cgroup/pids.current:9\n";
        let expected = Usage {
            memory_bytes: 4_800_000,
            processes: 7,
        };
        assert_eq!(of_files(one), Some(expected));
        assert_eq!(of_files(two), Some(expected));
        for missing in ["memory.current", "memory.stat", "pids.current"] {
            let rest: String = two
                .lines()
                .filter(|line| !line.contains(missing))
                .collect::<Vec<_>>()
                .join("\n");
            assert_eq!(of_files(&rest), None, "{missing}");
        }
        assert_eq!(of_files(""), None);
    }

    #[test]
    fn the_statistics_of_both_kinds_of_engine_are_read() {
        let stats = |text: &str| of_statistics(serde_json::from_str(text).unwrap());
        // of the shape that the API describes for version 1
        let one = r#"{"pids_stats":{"current":5},"memory_stats":{"usage":4820992,"max_usage":5369856,"limit":268435456,
            "stats":{"active_file":0,"cache":135168,"inactive_file":12288,"rss":3919872,"total_inactive_file":20992}}}"#;
        // version 2, and an engine that leaves `stats` out
        let two = r#"{"pids_stats":{"current":5,"limit":128},"memory_stats":{"usage":4820992,"limit":268435456,
            "stats":{"anon":3919872,"file":135168,"inactive_file":20992}}}"#;
        let short = r#"{"pids_stats":{"current":5},"memory_stats":{"usage":4800000,"max_usage":268435456,"limit":268435456}}"#;
        let expected = Usage {
            memory_bytes: 4_800_000,
            processes: 5,
        };
        for text in [one, two, short] {
            assert_eq!(stats(text), Some(expected), "{text}");
        }
        assert_eq!(stats("{}"), None);
    }
}
