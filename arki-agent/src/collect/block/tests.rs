use super::super::fixture::FixtureHost;
use super::*;

fn host() -> FixtureHost {
    FixtureHost::with(&[
        ("sys/block/sda/size", "1"),
        ("sys/block/loop0/size", "1"),
        ("sys/block/dm-0/slaves/sda2", ""),
        ("sys/block/nvme0n1/size", "1"),
        ("sys/block/cciss!c0d0/size", "1"),
    ])
}

#[test]
fn whole_devices_at_the_bottom_only() {
    let host = host();
    let lines = ["sda", "sda2", "loop0", "dm-0", "nvme0n1", "cciss/c0d0"]
        .map(|name| format!(" 8 0 {name} 1 0 8 1 1 0 8 1 0 1 2\n"));
    host.write("proc/diskstats", lines.concat());
    let mut block = Block::new();
    assert!(host.read(&mut block, 0).is_empty());
    let out = host.read(&mut block, 30);
    let busy: Vec<&str> = out
        .iter()
        .filter_map(|(name, _)| name.strip_prefix("disk.busy_percent"))
        .collect();
    assert_eq!(busy, ["{sda}", "{nvme0n1}", "{cciss/c0d0}"]);
}

#[test]
fn rates_busy_time_and_latency() {
    let host = host();
    host.write(
        "proc/diskstats",
        "8 0 sda 100 0 1000 50 10 0 800 20 0 500 70 0 0 0 0\n",
    );
    let mut block = Block::new();
    host.read(&mut block, 0);
    host.write(
        "proc/diskstats",
        "8 0 sda 160 0 4000 350 40 0 6800 80 0 6500 70 0 0 0 0\n",
    );
    let out = host.read(&mut block, 30);
    assert_eq!(out.get("disk.read_bytes_per_second{sda}"), Some(51_200.0));
    assert_eq!(out.get("disk.write_bytes_per_second{sda}"), Some(102_400.0));
    assert_eq!(out.get("disk.busy_percent{sda}"), Some(20.0));
    assert_eq!(out.get("disk.latency_ms{sda}"), Some(4.0));
    let idle = host.read(&mut block, 60);
    assert_eq!(idle.get("disk.latency_ms{sda}"), None, "nothing was done");
    assert_eq!(idle.get("disk.busy_percent{sda}"), Some(0.0));
}

#[test]
fn milliseconds_run_over_without_a_false_rate_and_a_replaced_disk_yields_none() {
    let host = host();
    host.write(
        "proc/diskstats",
        "8 0 sda 100 0 1000 50 10 0 800 20 0 4294966296 70\n",
    );
    let mut block = Block::new();
    host.read(&mut block, 0);
    host.write(
        "proc/diskstats",
        "8 0 sda 100 0 1000 50 10 0 800 20 0 500 70\n",
    );
    assert_eq!(
        host.read(&mut block, 30).get("disk.busy_percent{sda}"),
        Some(5.0)
    );
    host.write("proc/diskstats", "8 0 sda 5 0 10 5 1 0 8 2 0 5 7\n");
    assert!(host.read(&mut block, 60).is_empty());
}

#[test]
fn a_broken_line_is_named_and_the_others_are_read() {
    let host = host();
    host.write(
        "proc/diskstats",
        "8 0 sda 100 0 1000\n8 0 nvme0n1 100 0 1000 50 10 0 800 20 0 9 70\n",
    );
    let mut block = Block::new();
    assert!(host.try_read(&mut block, 0).1.is_err());
    let (out, result) = host.try_read(&mut block, 30);
    assert_eq!(out.get("disk.busy_percent{nvme0n1}"), Some(0.0));
    let message = result.unwrap_err().to_string();
    assert!(
        message.ends_with("diskstats:1: a read counter is missing"),
        "{message}"
    );
    assert!(
        device(4, "8 0 sda 1 2 3 x")
            .unwrap_err()
            .to_string()
            .starts_with("line 4:")
    );
    assert_eq!(
        device(1, "8 1 sda1 1 2 3 4"),
        Ok(None),
        "a partition of Linux 2.6.18"
    );
}

#[test]
fn without_sysfs_names_decide() {
    let host = FixtureHost::empty();
    for (name, whole) in [
        ("sda", true),
        ("sda1", false),
        ("nvme0n1", true),
        ("nvme0n1p3", false),
        ("mmcblk0", true),
        ("mmcblk0p1", false),
        ("xvdb2", false),
        ("dm-3", false),
        ("md127", false),
        ("drbd0", true),
    ] {
        assert_eq!(is_whole_device(&host.roots, name), whole, "{name}");
    }
    assert!(is_left_out("loop12") && !is_left_out("rambo"));
}
