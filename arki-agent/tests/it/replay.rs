//! `replay` with the real binary: history as a user would bring it, whole and broken.

use crate::process::{Home, spawn, stderr, stdout};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

/// 2024-01-01T00:00:00Z
const START: i64 = 1_704_067_200;
const HEADER: &str = "timestamp,disk.used_percent{/},cpu.busy_percent,net.rx_bytes_per_second{a}\n";

/// Rows at a minute of working days with noise; from `fills_at` on the disk fills within six hours.
fn rows(minutes: i64, fills_at: i64) -> String {
    let mut seed = 7_u64;
    let mut noise = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let mut text = String::new();
    for minute in 0..minutes {
        let busy = 1.0 + 0.6 * (minute as f64 / 1_440.0 * std::f64::consts::TAU).sin();
        let used = 40.0 + (minute - fills_at).max(0) as f64 / 6.0 + 0.05 * noise();
        let cpu = 20.0 * busy * (1.0 + 0.1 * noise());
        let net = 1e6 * busy * (1.0 + 0.1 * noise());
        let at = START + 60 * minute;
        writeln!(text, "{at},{:.3},{cpu:.2},{net:.0}", used.min(100.0)).unwrap();
    }
    text
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Traces that are broken in all the ways there are: name, what is said right behind it, bytes.
fn broken_traces() -> [(&'static str, &'static str, Vec<u8>); 9] {
    let whole = rows(300, 60);
    let head = |count: usize| {
        let lines: Vec<&str> = whole.lines().take(count).collect();
        format!("{HEADER}{}\n", lines.join("\n"))
    };
    let zip = zipped(format!("{HEADER}{whole}").as_bytes());
    let mut no_text = head(2).into_bytes();
    no_text.extend(b"1704067320,1,\xff\xfe,3\n");
    [
        ("no-header.csv", ":1: no header", whole.clone().into_bytes()),
        (
            "word.csv",
            ":4: column cpu.busy_percent: \"soon\" is not a finite number",
            format!("{}1704067320,1,soon,3\n", head(2)).into_bytes(),
        ),
        (
            "back.csv",
            ":5: time goes back: 1704067200 after 1704067320",
            format!("{}1704067200,1,2,3\n", head(3)).into_bytes(),
        ),
        ("cut.csv.gz", ":", zip[..zip.len() / 2].to_vec()),
        (
            "plain.csv.gz",
            ": is called .gz, but is no gzip file",
            head(2).into_bytes(),
        ),
        ("empty.csv", ": is empty", Vec::new()),
        (
            "huge.csv",
            ":2: a line is longer than 2097152 bytes",
            format!("{HEADER}{}", "1".repeat(3 << 20)).into_bytes(),
        ),
        ("bytes.csv", ":4: column cpu.busy_percent: ", no_text),
        (
            "cells.csv",
            ":3: 3 cells, but the header has 4 columns",
            format!("{}1704067260,1,2\n", head(1)).into_bytes(),
        ),
    ]
}

#[test]
fn every_broken_trace_is_named_with_its_line_and_the_others_are_done() {
    let home = Home::new("");
    let broken = broken_traces();
    let mut args = vec!["replay".to_owned()];
    for (name, _, bytes) in &broken {
        fs::write(home.path(name), bytes).unwrap();
        args.push(home.path(name).display().to_string());
    }
    fs::create_dir(home.path("folder.csv")).unwrap();
    for name in ["folder.csv", "missing.csv", "whole.csv"] {
        args.push(home.path(name).display().to_string());
    }
    // two days before, so that it is known what is usual
    fs::write(
        home.path("whole.csv"),
        format!("{HEADER}{}", rows(3_300, 2_880)),
    )
    .unwrap();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = home.ask(&args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    for (name, reason, _) in &broken {
        assert!(
            said.contains(&format!("{name}{reason}")),
            "{name}{reason} in\n{said}"
        );
    }
    for name in ["folder.csv", "missing.csv"] {
        assert!(
            said.contains(&format!("{name}: cannot be read: ")),
            "{name} in\n{said}"
        );
    }
    assert!(
        said.contains("the gzip file is truncated: it ends in the middle of this line"),
        "{said}"
    );
    assert!(said.contains("11 of 12 traces broken"), "{said}");
    assert!(said.len() < 4_000, "no flood: {said}");
    assert!(stdout(&output).contains("\"host\":\"whole\""), "{said}");
}

/// What is told, with `#` for every number: names, order, words and layout are pinned, the figures are compared
/// with the truth.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        let number = c.is_ascii_digit() || (plain.ends_with('#') && c == '.');
        if !number {
            plain.push(c);
        } else if !plain.ends_with('#') {
            plain.push('#');
        }
    }
    plain
}

#[test]
fn a_trace_gives_these_lines() {
    let home = Home::new("");
    let (fills_at, full_at) = (2_880, 2_880 + 360);
    fs::write(
        home.path("web-1.csv"),
        format!("{HEADER}{}", rows(3_300, fills_at)),
    )
    .unwrap();
    let trace = home.path("web-1.csv").display().to_string();
    let output = home.ask(&["replay", &trace]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let full_s = (START + 60 * full_at) as f64;
    for line in text.lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        let figure = |key: &str| told[key].as_f64().unwrap();
        let raised_s = figure("raised_at");
        assert!(
            raised_s > (START + 60 * fills_at) as f64 && raised_s <= full_s,
            "{line}"
        );
        assert!(figure("eta_low") <= figure("eta_seconds"), "{line}");
        assert!(figure("eta_seconds") <= figure("eta_high"), "{line}");
        let off = (raised_s + figure("eta_seconds") - full_s).abs();
        assert!(
            off <= 0.25 * (full_s - raised_s).max(1_200.0),
            "{off} s off: {line}"
        );
    }
    let first = text.lines().next().unwrap_or_default();
    let expected = include_str!("../expected/replay.jsonl");
    assert_eq!(without_numbers(first), expected.trim_end());
}

/// The most memory that replay has taken when it has read all of a trace of so many days.
fn peak_kib(home: &Home, days: i64) -> u64 {
    let path = home.path(&format!("days-{days}.csv"));
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut replay = spawn(
        &home.path("agent.toml"),
        &["replay", &path.display().to_string()],
    );
    let mut pipe = fs::File::options().write(true).open(&path).unwrap();
    pipe.write_all(HEADER.as_bytes()).unwrap();
    pipe.write_all(rows(days * 1_440, i64::MAX).as_bytes())
        .unwrap();
    // all but what is still in the pipe is read, and the process waits for more
    let status = fs::read_to_string(format!("/proc/{}/status", replay.id())).unwrap();
    drop(pipe);
    assert_eq!(replay.wait(), Some(0));
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn memory_does_not_grow_with_the_length() {
    let home = Home::new("");
    let (short, long) = (peak_kib(&home, 1), peak_kib(&home, 20));
    assert!(
        long < short + short / 2,
        "{short} KiB for a day, {long} KiB for twenty"
    );
}

#[test]
fn a_report_says_what_was_told_and_how_good_it_was() {
    let home = Home::new("");
    fs::write(
        home.path("web-1.csv"),
        format!("{HEADER}{}", rows(3_300, 2_880)),
    )
    .unwrap();
    let path = |name: &str| home.path(name).display().to_string();
    let (onset, fail) = (START + 60 * 2_880, START + 60 * 3_240);
    let labels = format!("host,series,onset,fail\nweb-1,disk.used_percent{{/}},{onset},{fail}\n");
    fs::write(home.path("labels.csv"), labels).unwrap();
    let (trace, labels, pictures) = (path("web-1.csv"), path("labels.csv"), path("pictures"));
    let output = home.ask(&[
        "replay", &trace, "--report", "--labels", &labels, "--svg", &pictures,
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(text.contains("disk.used_percent{/}"), "{text}");
    let drawn: Vec<_> = fs::read_dir(home.path("pictures"))
        .unwrap()
        .flatten()
        .collect();
    assert!(!drawn.is_empty(), "{text}");
    for picture in drawn {
        let svg = fs::read_to_string(picture.path()).unwrap();
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
    }
}

#[test]
fn other_names_get_their_bounds_from_a_file() {
    let home = Home::new("");
    let header = HEADER.replace("disk.used_percent{/}", "pool_in_use");
    fs::write(
        home.path("db-1.csv"),
        format!("{header}{}", rows(3_300, 2_880)),
    )
    .unwrap();
    fs::write(
        home.path("metrics.toml"),
        "[[series]]\nmatch = 'pool_*'\nbound = 95.0\n",
    )
    .unwrap();
    let (trace, metrics) = (home.path("db-1.csv"), home.path("metrics.toml"));
    let (trace, metrics) = (trace.display().to_string(), metrics.display().to_string());
    assert!(!stdout(&home.ask(&["replay", &trace])).contains("\"bound\":95"));
    let with = home.ask(&["replay", &trace, "--metrics", &metrics]);
    assert!(
        stdout(&with).contains("\"bound\":95.0"),
        "{}",
        stdout(&with)
    );
    fs::write(
        home.path("metrics.toml"),
        "[[series]]\nmatch = 'pool_*'\nbuond = 95.0\n",
    )
    .unwrap();
    let refused = home.ask(&["replay", &trace, "--metrics", &metrics]);
    assert!(!refused.status.success() && stderr(&refused).contains("buond"));
}
