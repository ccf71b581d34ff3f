//! What a series costs on the wire in a day: Arki's summaries beside Prometheus remote write 1.0 and JSON, the same
//! figures, one body every five minutes (headers not counted). `make bench-wire` shows the table.
//!
//! Remote write 1.0 as <https://prometheus.io/docs/specs/prw/remote_write_spec/> has it: a protobuf `WriteRequest` of
//! `TimeSeries { repeated Label { name, value }, repeated Sample { double value, int64 timestamp } }`, compressed
//! with Snappy's block format; every request names every series again.

use arki_model::series::SeriesName;
use arki_model::signature::PrivateKey;
use arki_model::summary::Stats;
use arki_model::wire::{self, About, AgentId, Batch, Epoch, Header, Kind, SeriesSet};
use std::fmt::Write as _;
use std::io::Write as _;

/// Five minutes and half a minute, over a day.
const BUCKETS: usize = 288;
const PASSES: usize = 10;
const START_S: i64 = 1_700_000_100;

/// A host of 60 series of the usual kinds: name, and how it moves.
fn series() -> Vec<(String, Shape)> {
    let mut all = Vec::new();
    let mut some = |names: &[&str], shape: Shape| {
        all.extend(names.iter().map(|name| ((*name).to_owned(), shape)));
    };
    some(
        &[
            "cpu.busy_percent",
            "cpu.system_percent",
            "cpu.iowait_percent",
            "cpu.steal_percent",
            "memory.used_percent",
            "swap.used_percent",
            "load.per_core",
        ],
        Shape::Busy,
    );
    for disk in [
        "/", "/var", "/home", "/srv", "/boot", "/tmp", "/var/log", "/opt",
    ] {
        some(
            &[
                &format!("disk.used_percent{{{disk}}}"),
                &format!("disk.inodes_used_percent{{{disk}}}"),
            ],
            Shape::Slow,
        );
    }
    for device in ["sda", "sdb", "nvme0n1", "nvme1n1"] {
        some(
            &[
                &format!("disk.write_bytes_per_second{{{device}}}"),
                &format!("disk.read_bytes_per_second{{{device}}}"),
            ],
            Shape::Rate,
        );
        some(&[&format!("disk.busy_percent{{{device}}}")], Shape::Busy);
    }
    for device in ["eth0", "eth1", "docker0"] {
        some(
            &[
                &format!("net.rx_bytes_per_second{{{device}}}"),
                &format!("net.tx_bytes_per_second{{{device}}}"),
            ],
            Shape::Rate,
        );
        some(
            &[&format!("net.errors_per_second{{{device}}}")],
            Shape::Rare,
        );
    }
    for service in ["nginx", "postgresql", "redis", "ssh"] {
        some(&[&format!("service.up{{{service}}}")], Shape::Still);
        some(
            &[&format!("log.errors_per_minute{{{service}}}")],
            Shape::Rare,
        );
    }
    some(
        &[
            "pressure.cpu_percent",
            "pressure.memory_percent",
            "pressure.io_percent",
        ],
        Shape::Rare,
    );
    some(
        &[
            "process.count",
            "file.used_percent",
            "conntrack.used_percent",
            "process.threads",
            "agent.resident_bytes",
        ],
        Shape::Slow,
    );
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(all.len(), 60);
    all
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Moves all the time.
    Busy,
    /// Creeps.
    Slow,
    /// Bytes a second, in bursts.
    Rate,
    /// Mostly zero.
    Rare,
    /// The same all day.
    Still,
}

/// A day of readings every 30 s, the same every time.
fn day() -> Vec<Vec<f64>> {
    let mut state = 99_u64;
    let mut noise = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let one = |(n, (_, shape)): (usize, &(String, Shape))| -> Vec<f64> {
        let mut level = 20.0 + 3.0 * n as f64 % 60.0;
        (0..BUCKETS * PASSES)
            .map(|pass| {
                let hour = (pass as f64 / 1440.0 * std::f64::consts::PI).sin();
                match shape {
                    Shape::Busy => (15.0 + 30.0 * hour + 25.0 * noise() * noise()).min(100.0),
                    Shape::Slow => {
                        level += 0.004 * noise();
                        level
                    }
                    Shape::Rate => (4e4 * (1.0 + 4.0 * hour) * (-(noise() + 1e-9).ln())).round(),
                    Shape::Rare if noise() < 0.98 => 0.0,
                    Shape::Rare => (10.0 * noise()).round(),
                    Shape::Still => 1.0,
                }
            })
            .collect()
    };
    series().iter().enumerate().map(one).collect()
}

fn stats(readings: &[f64]) -> Stats {
    Stats {
        min: readings.iter().copied().fold(f64::MAX, f64::min),
        mean: readings.iter().sum::<f64>() / readings.len() as f64,
        max: readings.iter().copied().fold(f64::MIN, f64::max),
        last: *readings.last().unwrap(),
    }
}

fn set() -> SeriesSet {
    let names = series()
        .into_iter()
        .map(|(name, _)| SeriesName::new(&name).unwrap());
    SeriesSet::new(names.collect()).unwrap()
}

/// The same day as records of five minutes each from `start_s` on, the first with the names.
pub(crate) fn records(start_s: i64) -> Vec<Vec<u8>> {
    let (set, day) = (set(), day());
    let record = |bucket: usize| {
        let from = bucket * PASSES;
        let of = |series: &Vec<f64>| Some(stats(&series[from..from + PASSES]));
        let samples: Vec<Option<Stats>> = day.iter().map(of).collect();
        let start_s = start_s + bucket as i64 * 300;
        let record = wire::encode_summary(&set, start_s, 300, 1, &samples).unwrap();
        if bucket == 0 {
            record
        } else {
            wire::strip_names(&record).unwrap().1
        }
    };
    (0..BUCKETS).map(record).collect()
}

/// Every summary in a signed batch of its own, as an agent sends them; `buckets` of `width_s` in each.
fn arki(day: &[Vec<f64>], buckets: usize, width_s: u32) -> usize {
    let set = set();
    let about = About {
        agent_version: "0.1.0".into(),
        host: "web-1.example.org".into(),
        interval_s: 30,
        ..About::default()
    };
    let key = PrivateKey::from_seed(&[1; 32]);
    let passes = PASSES / buckets;
    let mut bytes = 0;
    for sequence in 0..BUCKETS {
        let readings = |series: &[f64], bucket: usize| {
            let from = sequence * PASSES + bucket * passes;
            Some(stats(&series[from..from + passes]))
        };
        let samples: Vec<Option<Stats>> = day
            .iter()
            .flat_map(|series| (0..buckets).map(move |bucket| readings(series, bucket)))
            .collect();
        let start_s = START_S + sequence as i64 * 300;
        let mut record = wire::encode_summary(&set, start_s, width_s, buckets, &samples).unwrap();
        if sequence > 0 {
            record = wire::strip_names(&record).unwrap().1;
        }
        let header = Header {
            agent: AgentId([3; 16]),
            epoch: Epoch(0x1234_5678_9abc_def0),
            sequence: sequence as u64 + 1,
            sent_at_s: start_s + 300,
        };
        let batch = Batch::encode(Kind::Summaries, &about, &[record]).unwrap();
        bytes += wire::seal(&key, &header, &batch).unwrap().len();
    }
    bytes
}

/// Name and values of each time series that a series becomes.
type Written = Vec<(&'static str, Vec<f64>)>;

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A field of protobuf's wire type 2.
fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// One series with its samples; `stat` tells the figures of a summary apart.
fn time_series(name: &str, stat: &str, samples: &[(i64, f64)]) -> Vec<u8> {
    let (metric, instance) = name
        .trim_end_matches('}')
        .split_once('{')
        .unwrap_or((name, ""));
    let metric = metric.replace('.', "_");
    let mut out = Vec::new();
    let labels = [
        ("__name__", metric.as_str()),
        ("device", instance),
        ("instance", "web-1.example.org:9100"),
        ("job", "node"),
        ("stat", stat),
    ];
    for (name, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
        let mut label = Vec::new();
        field(&mut label, 1, name.as_bytes());
        field(&mut label, 2, value.as_bytes());
        field(&mut out, 1, &label);
    }
    for (at_s, value) in samples {
        let mut sample = vec![1 << 3 | 1];
        sample.extend_from_slice(&value.to_le_bytes());
        sample.push(2 << 3);
        varint(&mut sample, (at_s * 1_000).unsigned_abs());
        field(&mut out, 2, &sample);
    }
    out
}

/// Requests of all series, each compressed; `requests` a bucket.
fn remote_write(day: &[Vec<f64>], requests: usize, passes: &dyn Fn(&[f64]) -> Written) -> usize {
    let names = series();
    let mut bytes = 0;
    for request in 0..BUCKETS * requests {
        let width = PASSES / requests;
        let mut whole = Vec::new();
        for ((name, _), readings) in names.iter().zip(day) {
            for (stat, values) in passes(&readings[request * width..(request + 1) * width]) {
                let step_s = 300 / requests as i64 / values.len() as i64;
                let at_s =
                    |n: usize| START_S + request as i64 * 300 / requests as i64 + n as i64 * step_s;
                let samples: Vec<(i64, f64)> = values
                    .iter()
                    .enumerate()
                    .map(|(n, value)| (at_s(n), *value))
                    .collect();
                field(&mut whole, 1, &time_series(name, stat, &samples));
            }
        }
        bytes += snap::raw::Encoder::new()
            .compress_vec(&whole)
            .unwrap()
            .len();
    }
    bytes
}

fn four(readings: &[f64]) -> Written {
    let stats = stats(readings);
    vec![
        ("min", vec![stats.min]),
        ("mean", vec![stats.mean]),
        ("max", vec![stats.max]),
        ("last", vec![stats.last]),
    ]
}

fn json(day: &[Vec<f64>]) -> usize {
    let names = series();
    let mut bytes = 0;
    for bucket in 0..BUCKETS {
        let mut text = format!(
            "{{\"host\":\"web-1.example.org\",\"time\":{},\"series\":{{",
            START_S + bucket as i64 * 300
        );
        for ((name, _), readings) in names.iter().zip(day) {
            let s = stats(&readings[bucket * PASSES..(bucket + 1) * PASSES]);
            write!(
                text,
                "\"{name}\":[{:.2},{:.2},{:.2},{:.2}],",
                s.min, s.mean, s.max, s.last
            )
            .unwrap();
        }
        text.push_str("}}");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        bytes += encoder.finish().unwrap().len();
    }
    bytes
}

#[test]
fn a_series_costs_at_most_a_third_of_remote_write() {
    let day = day();
    let last = |readings: &[f64]| vec![("", vec![*readings.last().unwrap()])];
    let each = |readings: &[f64]| vec![("", readings.to_vec())];
    let summaries = arki(&day, 1, 300);
    let fine = arki(&day, PASSES, 30);
    let same = remote_write(&day, 1, &four);
    let rows = [
        ("5 min, four figures: Arki", summaries),
        ("  remote write, the same four", same),
        (
            "  remote write, the last alone",
            remote_write(&day, 1, &last),
        ),
        ("  JSON, gzip", json(&day)),
        ("30 s, every reading: Arki, every 5 min", fine),
        ("  remote write, every 5 min", remote_write(&day, 1, &each)),
        (
            "  remote write, every 30 s",
            remote_write(&day, PASSES, &each),
        ),
    ];
    println!("bytes a series and day (60 series, bodies)");
    for (what, bytes) in rows {
        println!(
            "{what:40} {:6} {:5.1}",
            bytes / 60,
            bytes as f64 / summaries as f64
        );
    }
    assert!(summaries * 3 <= same, "{summaries} {same}");
}
