//! Whatever a kernel, a container or a broken disk puts into a file of /proc: a reading, an error, never a panic.

use arki_agent::collect::{CollectSettings, Collectors, Kernel, Moment, Readings, Roots, Space};
use arki_model::clock::ManualClock;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Every file that a collector parses.
const FILES: [&str; 16] = [
    "proc/stat",
    "proc/loadavg",
    "proc/meminfo",
    "proc/pressure/cpu",
    "proc/pressure/io",
    "proc/self/mountinfo",
    "proc/self/statm",
    "proc/diskstats",
    "proc/net/dev",
    "proc/sys/fs/file-nr",
    "proc/sys/net/netfilter/nf_conntrack_count",
    "proc/sys/net/netfilter/nf_conntrack_max",
    "proc/1/stat",
    "proc/1/io",
    "proc/7/stat",
    "proc/7/io",
];

/// Bytes that parsers look at, and any others.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let words = prop_oneof![
        Just(b"18446744073709551615 ".to_vec()),
        Just(b"18446744073709551616".to_vec()),
        Just(b"cpu 1 2 3 4\n".to_vec()),
        Just(b"MemTotal: 0 kB\n".to_vec()),
        Just(b"some total=1\n".to_vec()),
        Just(b"1 1 8:1 / /\\777\\04 rw - nfs x rw\n".to_vec()),
        Just(b"1 (a) D 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1".to_vec()),
        Just(b"8 0 sda 1 1 1 1 1 1 1 1 1 1 1\n".to_vec()),
        Just(b"write_bytes: 9\n".to_vec()),
        "[ -~\n]{0,20}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
        "[0-9:() \n\t-]{0,20}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(words, 0..12).prop_map(|words| words.concat())
}

/// More is free than there is.
const SPACE: Space = Space {
    blocks: 1,
    blocks_free: u64::MAX,
    blocks_available: u64::MAX,
    inodes: 1,
    inodes_free: 2,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_is_read_or_refused(
        first in prop::collection::vec(garbage(), FILES.len()),
        second in prop::collection::vec(garbage(), FILES.len()),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let roots = Roots {
            proc: dir.path().join("proc"),
            sys: dir.path().join("sys"),
            root: dir.path().to_owned(),
        };
        let kernel = Kernel { statvfs: Arc::new(|_: &Path| Ok(SPACE)), ..Kernel::default() };
        let settings = CollectSettings { kernel, ..CollectSettings::default() };
        let mut collectors = Collectors::new(roots, &settings);
        let clock = ManualClock::at(0);
        let mut readings = Readings::default();
        for contents in [first, second] {
            for (file, content) in FILES.into_iter().zip(contents) {
                let path = dir.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            collectors.run(&clock, Moment::now(&clock), &mut readings);
            clock.advance(30);
            for (name, value) in readings.iter() {
                prop_assert!(value.is_finite() && value >= 0.0, "{name} {value}");
                let is_share = name.contains("_percent") && !name.starts_with("file.")
                    && !name.starts_with("conntrack.") && !name.starts_with("agent.");
                prop_assert!(!is_share || value <= 100.0 + 1e-9, "{name} {value}");
            }
            for series in ["memory.used_percent", "disk.used_percent{/}"] {
                collectors.top_growth(series, 5);
            }
        }
    }
}
