use super::csv::TraceWriter;
use super::*;
use crate::replay::trace::{Row as ReadRow, Trace};

type Value = fn(i64) -> f64;

/// A host whose series are read every second from `first` to `last`, each by its function of time.
fn host(series: &[(&str, Value)], first: i64, last: i64) -> (Registry, Windows) {
    let (mut registry, mut windows) = (Registry::new(9000), Windows::new(1));
    for &(name, value) in series {
        let id = registry.id_of(name, first).unwrap();
        for at in first..=last {
            windows.push(id, at, value(at));
        }
    }
    (registry, windows)
}

fn asked(detail: Detail, since_s: Option<u64>) -> Asked {
    Asked {
        detail,
        from_s: i64::MIN,
        since_s,
    }
}

/// All pages of what is asked, as text.
fn exported(host: &(Registry, Windows), mut asked: Asked) -> String {
    let mut trace = TraceWriter::new(Vec::new());
    while let Some(next_s) = trace.page(page(&host.0, &host.1, &asked)).unwrap() {
        asked.from_s = next_s;
    }
    String::from_utf8(trace.finish().0).unwrap()
}

/// The rows as `replay` reads them.
fn read(text: &str) -> (Vec<String>, Vec<ReadRow>) {
    let mut trace = Trace::open(text.as_bytes()).unwrap();
    let mut rows = Vec::new();
    let mut row = ReadRow::default();
    while trace.next_row(&mut row).unwrap() {
        rows.push(row.clone());
    }
    (trace.series().to_vec(), rows)
}

fn times(text: &str) -> Vec<i64> {
    read(text).1.iter().map(|row| row.at).collect()
}

#[test]
fn each_ring_ends_where_a_finer_one_begins() {
    // Two days of seconds: raw has 120 s, the next 1200 s, five minutes a day, half an hour the rest.
    let last = 1_700_000_000 + 2 * 86_400 + 17;
    let host = host(&[("a", |at| at as f64 / 1e6)], 1_700_000_000, last);
    let times = times(&exported(&host, asked(Detail::Auto, None)));
    let raw_s = last - 119;
    assert_eq!(
        times[times.len() - 120..],
        (raw_s..=last).collect::<Vec<_>>()
    );
    let coarser = &times[..times.len() - 120];
    let minute_s = last / 10 * 10 - 1190;
    let five_s = last / 300 * 300 - 287 * 300;
    for pair in coarser.windows(2) {
        let step_s = match pair[1] {
            at if at > minute_s => 10,
            at if at > minute_s - 300 => continue,
            at if at > five_s => 300,
            at if at > five_s - 1800 => continue,
            _ => 1800,
        };
        assert_eq!(pair[1] - pair[0], step_s, "{pair:?}");
    }
    // No step reaches into the finer ring, and none that would fit is missing.
    for (step_s, finer_s) in [(10, raw_s), (300, minute_s), (1800, five_s)] {
        let before = *times.iter().rev().find(|&&at| at < finer_s).unwrap();
        assert!((finer_s - 2 * step_s + 1..=finer_s - step_s).contains(&before));
    }
    assert!(times.is_sorted_by(|a, b| a < b));
}

#[test]
fn an_agent_that_just_began_exports_nothing_from_before() {
    let host = host(&[("a", |_| 1.0)], 1_700_000_007, 1_700_000_010);
    let text = exported(&host, asked(Detail::Auto, None));
    assert_eq!(
        times(&text),
        (1_700_000_007..=1_700_000_010).collect::<Vec<_>>()
    );
}

#[test]
fn pages_are_bounded_and_together_are_the_whole() {
    let names: Vec<String> = (0..3000).map(|i| format!("s{i}")).collect();
    let value: Value = |at| (at % 7) as f64;
    let series: Vec<_> = names.iter().map(|name| (name.as_str(), value)).collect();
    let host = host(&series, 1000, 1004);
    let first = page(&host.0, &host.1, &asked(Detail::Raw, None));
    assert_eq!((first.rows.len(), first.next_s), (2, Some(1002)));
    let (found, rows) = read(&exported(&host, asked(Detail::Raw, None)));
    assert_eq!((found.len(), rows.len()), (3000, 5));
    assert!(rows.iter().all(|row| row.values.len() == 3000));
}

#[test]
fn numbers_and_names_come_back_as_they_were() {
    let odd = "disk.used_percent{/srv/a,\"b\"}";
    let values: [Value; 5] = [
        |_| f64::from(0.1_f32),
        |_| -1.5e-30,
        |_| 3.4e38,
        |_| 1e300,
        |at| at as f64 / 3.0,
    ];
    let names = [odd, "b", " c", "d", "e"];
    let series: Vec<_> = names.into_iter().zip(values).collect();
    let host = host(&series, 1000, 1000);
    let (found, rows) = read(&exported(&host, asked(Detail::Raw, None)));
    assert_eq!(found, names);
    // Beyond an f32 is a gap.
    let expected = [0.1, -1.5e-30, 3.4e38, f32::NAN, 1000.0 / 3.0];
    let mut seen = [f32::NAN; 5];
    for &(column, value) in &rows[0].values {
        seen[column] = value as f32;
    }
    assert_eq!(seen.map(f32::to_bits), expected.map(f32::to_bits));
}

#[test]
fn only_since_and_only_that_ring() {
    let host = host(&[("a", |_| 1.0)], 0, 5000);
    let seen = |detail, since_s| times(&exported(&host, asked(detail, since_s)));
    assert_eq!(seen(Detail::Raw, Some(2)), [4998, 4999, 5000]);
    assert_eq!(seen(Detail::FiveMinutes, Some(500)), [4500, 4800]);
    assert_eq!(seen(Detail::HalfHour, Some(u64::MAX)), [0, 1800, 3600]);
}

#[test]
fn a_gap_is_an_empty_cell_and_an_empty_row_is_none() {
    let (mut registry, mut windows) = host(&[("a", |_| 1.0), ("b", |_| 2.0)], 1000, 1000);
    let b = registry.id_of("b", 1000).unwrap();
    windows.push(b, 1003, 4.0);
    let text = exported(&(registry, windows), asked(Detail::Raw, None));
    assert_eq!(text, "timestamp,a,b\n1000,1,2\n1003,,4\n");
}

#[test]
fn a_series_long_gone_does_not_stretch_the_trace() {
    let (mut registry, mut windows) = host(&[("gone", |_| 1.0)], 1000, 1100);
    let id = registry.id_of("here", 900_000).unwrap();
    for at in 900_000..900_050 {
        windows.push(id, at, 1.0);
    }
    let times = times(&exported(&(registry, windows), asked(Detail::Raw, None)));
    assert_eq!(times, (900_000..900_050).collect::<Vec<_>>());
}

#[test]
fn the_header_stands_whatever_appears_and_goes_between_two_pages() {
    let page = |names: &[&str], rows: &[(i64, &str)], next_s| Page {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        rows: rows
            .iter()
            .map(|&(at, cells)| Row {
                at,
                cells: cells.to_owned(),
            })
            .collect(),
        newest_s: Some(40),
        next_s,
    };
    let mut trace = TraceWriter::new(Vec::new());
    let next = trace.page(page(&["a", "b"], &[(10, "1,2")], Some(20)));
    assert_eq!(next.unwrap(), Some(20));
    let rows = [(10, "7,7"), (20, "3,4"), (40, ",5"), (50, "6,6")];
    let next = trace.page(page(&["new", "a"], &rows, Some(60)));
    assert_eq!(next.unwrap(), None, "beyond the end that was told first");
    let (out, series, rows) = trace.finish();
    assert_eq!((series, rows), (2, 3));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "timestamp,a,b\n10,1,2\n20,4,\n40,5,\n"
    );
}
