//! The collectors over whole hosts made of files: several kernels, a container, a host where every file is broken.
//!
//! `tests/fixtures/hosts/NAME/{first,second}` is what a host shows in two passes, 30 seconds apart; `statvfs` in it is
//! what its file systems answer. What comes out is `tests/expected/collect.txt`; `BLESS=1` writes it anew.

use arki_agent::collect::{CollectSettings, Collectors, Kernel, Moment, Readings, Roots, Space};
use arki_model::clock::ManualClock;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const HOSTS: [&str; 4] = ["broken", "container", "debian-12", "debian-7"];

/// Series whose culprits are asked for.
const QUESTIONS: [&str; 3] = [
    "memory.used_percent",
    "cpu.busy_percent",
    "disk.used_percent{/}",
];

#[test]
fn whole_hosts_are_read_as_expected() {
    let found: String = HOSTS.into_iter().map(read_host).collect();
    let expected = crate_path("tests/expected/collect.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&expected, &found).unwrap();
    }
    let expected = fs::read_to_string(expected).unwrap();
    for (number, (found, expected)) in (1..).zip(found.lines().zip(expected.lines())) {
        assert_eq!(
            found, expected,
            "line {number} of tests/expected/collect.txt"
        );
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

fn read_host(name: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_owned();
    let settings = CollectSettings {
        kernel: kernel_of(&root),
        ..CollectSettings::default()
    };
    let roots = Roots {
        proc: root.join("proc"),
        sys: root.join("sys"),
        root: root.clone(),
    };
    let clock = ManualClock::at(1_700_000_000);
    let mut collectors = Collectors::new(roots, &settings);
    let mut readings = Readings::default();
    for pass in ["first", "second"] {
        for part in ["proc", "sys"] {
            fs::remove_dir_all(root.join(part)).unwrap_or_default();
        }
        copy_tree(
            &crate_path("tests/fixtures/hosts").join(name).join(pass),
            &root,
        );
        collectors.run(&clock, Moment::now(&clock), &mut readings);
        clock.advance(30);
    }
    let mut text = format!("== {name}\n");
    for (name, value) in readings.iter() {
        writeln!(text, "{name} {}", (value * 1e4).round() / 1e4).unwrap();
    }
    for report in collectors.reports() {
        if let Some(error) = &report.error {
            let error = error.to_string().replace(root.to_str().unwrap(), "");
            writeln!(text, "-- {}: {error}", report.name).unwrap();
        }
    }
    for series in QUESTIONS {
        for process in collectors.top_growth(series, 3) {
            let (value, growth, span_s) = (process.value, process.growth, process.span_s);
            writeln!(
                text,
                "?? {series}: {} ({}) {} {value}, {growth} in {span_s} s",
                process.name, process.pid, process.resource
            )
            .unwrap();
        }
    }
    text
}

/// Answers from the table `statvfs` of the host: point, blocks, free, available, inodes, free; or `hangs`, for ever.
fn kernel_of(root: &Path) -> Kernel {
    let root = root.to_owned();
    let statvfs = move |path: &Path| {
        let table = fs::read_to_string(root.join("statvfs"))?;
        let point = Path::new("/").join(path.strip_prefix(&root).unwrap());
        let point = point.to_str().unwrap().replace(' ', "\\040");
        let mut line = table
            .lines()
            .find_map(|line| line.strip_prefix(&point)?.strip_prefix(' '))
            .ok_or(io::ErrorKind::NotFound)?
            .split(' ');
        if line.clone().next() == Some("hangs") {
            loop {
                std::thread::park();
            }
        }
        let mut number = || line.next().unwrap().parse::<u64>().unwrap();
        Ok(Space {
            blocks: number(),
            blocks_free: number(),
            blocks_available: number(),
            inodes: number(),
            inodes_free: number(),
        })
    };
    Kernel {
        page_bytes: 4096,
        ticks_per_second: 100,
        own_cpu: || Some(Duration::from_secs(1)),
        statvfs: Arc::new(statvfs),
    }
}

fn crate_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}
