use super::*;
use crate::terminal::Paint;
use arki_model::engine::{Engine, Settings};
use arki_model::prediction::Prediction;
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

const START: i64 = 1_704_067_200; // 2024-01-01T00:00:00Z
const SERIES: [&str; 3] = [
    "disk.used_percent{/}",
    "cpu.busy_percent",
    "net.rx_bytes_per_second{a}",
];

/// Three days at a minute of a working day with noise; then the disk fills, from 40 % to the end within six hours.
fn filling() -> Vec<(i64, [f64; 3])> {
    let mut seed = 7_u64;
    let mut noise = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    (0..78 * 60)
        .map(|i: i64| {
            let busy = 1.0 + 0.6 * (i as f64 / 1_440.0 * std::f64::consts::TAU).sin();
            let used = 40.0 + (i - 72 * 60).max(0) as f64 / 6.0;
            let values = [
                used + 0.05 * noise(),
                20.0 * busy * (1.0 + 0.1 * noise()),
                1e6 * busy * (1.0 + 0.1 * noise()),
            ];
            (START + 60 * i, values)
        })
        .collect()
}

fn text(rows: &[(i64, [f64; 3])]) -> String {
    let mut text = format!("timestamp,{}\n", SERIES.join(","));
    for (at, [disk, cpu, net]) in rows {
        writeln!(text, "{at},{disk},{cpu},{net}").unwrap();
    }
    text
}

fn job(traces: Vec<PathBuf>, workers: usize) -> Job {
    Job {
        traces,
        kinds: Kinds::default(),
        calendar: Calendar::default(),
        workers,
        style: Style {
            zone: TimeZone::UTC,
            paint: Paint::PLAIN,
        },
        report: true,
        labels: None,
        svg: None,
    }
}

fn replayed(job: &Job) -> (String, String, Summary) {
    let (mut events, mut report) = (Vec::new(), Vec::new());
    let out = Outputs {
        events: Box::new(&mut events),
        report: Box::new(&mut report),
    };
    let summary = run(job, out, &AtomicU64::new(0)).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(events), text(report), summary)
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn zipped(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_replay_says_what_the_engine_says_of_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let trace = file(folder.path(), "web.csv", text(&filling()).as_bytes());
    let mut engine = Engine::new(Settings {
        interval_s: 60,
        series_max: trace::SERIES_MAX,
        kinds: Kinds::default(),
    });
    let mut told: Vec<Prediction> = Vec::new();
    for (at, values) in filling() {
        let id = |name| engine.series(name, at).unwrap();
        let ids = SERIES.map(id);
        let mut values = [0, 1, 2].map(|i| (ids[i], values[i]));
        told.extend(engine.pass(at, &mut values, &[]));
    }
    let mut expected = Vec::new();
    for prediction in &told {
        line::write(&mut expected, "web", prediction).unwrap();
    }
    let (events, report, _) = replayed(&job(vec![trace], 1));
    assert!(!told.is_empty(), "a disk that fills is predicted");
    assert_eq!(events.as_bytes(), expected);
    assert!(report.contains("disk.used_percent{/}"));
    let wide = report.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "80 columns");
}

#[test]
fn the_order_is_that_of_the_files_however_many_workers_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let full = text(&filling());
    let traces: Vec<PathBuf> = (0..6)
        .map(|i| match i {
            3 => file(folder.path(), "h3.csv.gz", &zipped(&full)),
            _ => file(folder.path(), &format!("h{i}.csv"), full.as_bytes()),
        })
        .collect();
    let alone = replayed(&job(traces.clone(), 1));
    let together = replayed(&job(traces, 4));
    assert_eq!((&alone.0, &alone.1), (&together.0, &together.1));
    let hosts: Vec<&str> = alone.0.lines().filter_map(|line| line.get(9..11)).collect();
    assert!(hosts.is_sorted() && hosts.contains(&"h0") && hosts.contains(&"h5"));
}

#[test]
fn a_broken_file_is_named_with_its_line_and_the_rest_is_still_done() {
    let folder = tempfile::tempdir().unwrap();
    let full = text(&filling());
    let whole = zipped(&full);
    let traces = vec![
        file(folder.path(), "empty.csv", b""),
        file(folder.path(), "cut.csv.gz", &whole[..whole.len() - 20]),
        file(folder.path(), "no.csv.gz", full.as_bytes()),
        file(
            folder.path(),
            "tail.csv",
            format!("{full}1,2,3,4\n").as_bytes(),
        ),
        folder.path().join("absent.csv"),
        file(folder.path(), "good.csv", full.as_bytes()),
    ];
    let (events, _, summary) = replayed(&job(traces, 2));
    let errors: Vec<String> = summary.errors.iter().map(ToString::to_string).collect();
    let wanted = [
        "empty.csv: is empty",
        "the gzip file is truncated",
        "no.csv.gz: is called .gz, but is no gzip",
        "tail.csv:4682: time goes back",
        "absent.csv: cannot be read",
    ];
    assert_eq!(errors.len(), wanted.len(), "{errors:?}");
    for (error, wanted) in errors.iter().zip(wanted) {
        assert!(error.contains(wanted), "{error}");
    }
    assert!(errors[1].contains("cut.csv.gz:"), "{}", errors[1]);
    assert!(events.contains("\"host\":\"good\""));
    assert!(
        events.contains("\"host\":\"tail\""),
        "what came before the flaw stands"
    );
}

#[test]
fn a_declared_window_quiets_what_it_explains() {
    let folder = tempfile::tempdir().unwrap();
    let trace = file(folder.path(), "web.csv", text(&filling()).as_bytes());
    let first_word = |events: &str| -> i64 {
        let line = events.lines().next().expect("a disk that fills is told");
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["raised_at"].as_i64().unwrap()
    };
    // The disk begins to fill at midnight, after three hours it is told, and at six it is full.
    let settings = "[[context]]\nname = \"import\"\nfrom = \"02:00\"\nto = \"04:30\"\n";
    let over = START + 76 * 3600 + 1800;
    let mut job = job(vec![trace], 1);
    assert!(first_word(&replayed(&job).0) < over);
    job.calendar = metrics::parse(settings, &TimeZone::UTC).unwrap().1;
    let (events, report, _) = replayed(&job);
    assert!(first_word(&events) >= over);
    assert!(report.contains("import"), "{report}");
}
