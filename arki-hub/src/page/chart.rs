//! Small charts as SVG: the mean as a line, min to max as a band behind it.

use super::html;
use crate::store::series::Point;
use std::fmt::Write;

const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 56.0;
/// A hole longer than this is a hole in the line: two buckets and a half.
const GAP_S: i64 = 750;

/// A chart of `points` (oldest first) over `from..to`.
pub(super) fn svg(name: &str, points: &[Point], from: i64, to: i64) -> String {
    let (low, high) = limits(name, points);
    let x = |time: i64| (time - from) as f64 / ((to - from).max(1)) as f64 * WIDTH;
    let y = |value: f32| HEIGHT - 2.0 - (f64::from(value) - low) / (high - low) * (HEIGHT - 4.0);
    let (mut line, mut bands) = (String::new(), String::new());
    for run in points.chunk_by(|a, b| b.time - a.time <= GAP_S) {
        let mut band = String::new();
        for (i, point) in run.iter().enumerate() {
            let step = if i == 0 { 'M' } else { 'L' };
            put(
                &mut line,
                format_args!("{step}{:.1} {:.1}", x(point.time), y(point.mean)),
            );
            put(
                &mut band,
                format_args!("{step}{:.1} {:.1}", x(point.time), y(point.max)),
            );
        }
        for point in run.iter().rev() {
            put(
                &mut band,
                format_args!("L{:.1} {:.1}", x(point.time), y(point.min)),
            );
        }
        put(&mut bands, format_args!("{band}Z"));
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}, from {} to {}\" preserveAspectRatio=\"none\">\
         <path class=\"band\" d=\"{bands}\"/><path class=\"line\" d=\"{line}\"/></svg>",
        html::text(name),
        html::figure(low),
        html::figure(high),
    )
}

/// Percentages stand on their own scale, 0 to 100; anything else from 0 (or its least) to its greatest.
fn limits(name: &str, points: &[Point]) -> (f64, f64) {
    let metric = name.split_once('{').map_or(name, |(metric, _)| metric);
    let least = points.iter().map(|p| f64::from(p.min)).fold(0.0, f64::min);
    let most = points
        .iter()
        .map(|p| f64::from(p.max))
        .fold(f64::MIN_POSITIVE, f64::max);
    if metric.ends_with("_percent") {
        (0.0, most.max(100.0))
    } else {
        (least, most * 1.05)
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_stays_in_its_frame_and_a_hole_is_a_hole() {
        let point = |time, mean: f32| Point {
            time,
            min: mean - 5.0,
            mean,
            max: mean + 5.0,
            last: mean,
        };
        let points = [
            point(0, 10.0),
            point(300, 95.0),
            point(3_000, 50.0),
            point(3_300, 50.0),
        ];
        let svg = svg("cpu.busy_percent<script>", &points, 0, 3_600);
        assert!(!svg.contains("<script>"));
        let line = svg
            .split("class=\"line\" d=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert_eq!(line.matches('M').count(), 2, "{line}");
        let numbers: Vec<f64> = line
            .split(['M', 'L', ' '])
            .filter(|s| !s.is_empty())
            .map(|s| s.parse().unwrap())
            .collect();
        assert!(
            numbers
                .chunks(2)
                .all(|p| (0.0..=WIDTH).contains(&p[0]) && (0.0..=HEIGHT).contains(&p[1])),
            "{line}"
        );
    }

    #[test]
    fn no_points_and_flat_lines_are_no_division_by_zero() {
        let flat = [Point {
            time: 0,
            min: 0.0,
            mean: 0.0,
            max: 0.0,
            last: 0.0,
        }];
        for points in [&[][..], &flat] {
            let svg = svg("process.count", points, 0, 0);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
