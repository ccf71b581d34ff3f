//! What trend looks at: the windows of a series as evenly spaced, cleaned points over one span of time.

use super::day::Day;
use crate::clock::UnixSeconds;
use crate::voter::trend::{Drive, Sight};
use crate::window::{Ring, Window};

/// One span of time to look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// Which ring of [`Window::rings`].
    ring: usize,
    /// Steps of the ring a point.
    stride: usize,
    /// Points.
    points: usize,
}

/// Spans that roughly double, from 24 steps of the fine ring to a week. Growth is seen best on a span that
/// is one and a half to four times its age.
const SCALES: [Scale; 11] = [
    scale(1, 1, 24),
    scale(1, 1, 60),
    scale(1, 2, 60),
    scale(2, 1, 16),
    scale(2, 1, 32),
    scale(2, 1, 60),
    scale(2, 2, 60),
    scale(2, 4, 72),
    scale(3, 1, 64),
    scale(3, 2, 64),
    scale(3, 5, 67),
];

/// The ring of half hours.
const HALF_HOURS: usize = 3;

const fn scale(ring: usize, stride: usize, points: usize) -> Scale {
    Scale {
        ring,
        stride,
        points,
    }
}

/// Two scales must differ by this factor to be worth two fits.
const APART: f64 = 1.4;
/// Fewer points than this carry no shape.
pub(super) const POINTS_MIN: usize = 10;

/// The scales of `window` that have data, each at least [`APART`] longer than the one before.
pub(super) fn scales(
    window: &Window,
    now: UnixSeconds,
    since: UnixSeconds,
) -> impl Iterator<Item = Scale> {
    let mut last_s = 0.0;
    SCALES.into_iter().filter_map(move |scale| {
        let ring = window.rings()[scale.ring];
        let held = ring
            .len()
            .min(((now - since) / ring.step_s()).max(0) as usize + 1);
        let points = scale.points.min(held / scale.stride);
        let span_s = (points * scale.stride) as f64 * ring.step_s() as f64;
        (points >= POINTS_MIN && span_s >= APART * last_s).then(|| {
            last_s = span_s;
            Scale { points, ..scale }
        })
    })
}

impl Scale {
    /// Seconds that the scale spans.
    pub(super) fn span_s(self, window: &Window) -> f64 {
        (self.points * self.stride) as f64 * window.rings()[self.ring].step_s() as f64
    }

    /// True if the series has climbed by at least `rise` somewhere in the span (seven looks, no fit).
    pub(super) fn climbs(self, window: &Window, sign: f64, now_value: f64, rise: f64) -> bool {
        let ring = window.rings()[self.ring];
        (1..8).any(|look| {
            let age = self.points * self.stride * look / 7 - 1;
            now_value - sign * f64::from(ring.back(age)) >= rise
        })
    }

    /// Fills `sight`. `turn` is 1 or -1 so that the bound lies above; `per_load` is how far the level
    /// follows the load, which is taken out.
    pub(super) fn fill(self, seen: &Seen<'_>, sight: &mut Sight, scratch: &mut Vec<f64>) {
        let ring = seen.window.rings()[self.ring];
        let step_s = ring.step_s() as f64;
        let cells = self.points * self.stride;
        scratch.clear();
        scratch.extend(
            (0..cells)
                .rev()
                .map(|age| seen.turn * f64::from(ring.back(age))),
        );
        let old = ring.newest_at() - seen.since;
        let keep = (old.div_euclid(ring.step_s()) + 1).clamp(0, cells as i64) as usize;
        scratch[..cells - keep].fill(f64::NAN);
        clean(scratch);
        sight.step_s = step_s * self.stride as f64;
        sight.values.clear();
        sight
            .values
            .extend(scratch.chunks_exact(self.stride).map(mean));
        // The newest step is not complete: its samples lie between its beginning and now.
        let newest = (seen.now - ring.newest_at()) as f64;
        sight.lag_s = newest / 2.0 + step_s * (self.stride - 1) as f64 / 2.0;
        sight.drives.clear();
        self.fill_day(seen, sight);
        if let Some((index, level)) = seen.load {
            self.take_load_out(seen, level.rings()[self.ring], sight);
            for point in (0..self.points).rev() {
                let load = self.point(index.rings()[self.ring], point);
                let load = if load.is_finite() { load } else { 1.0 };
                sight.drives.push(Drive::Load, load);
            }
        }
    }

    fn fill_day(self, seen: &Seen<'_>, sight: &mut Sight) {
        let ring = seen.window.rings()[self.ring];
        let Some(day) = seen.day.filter(|_| self.ring == HALF_HOURS) else {
            return;
        };
        for point in (0..self.points).rev() {
            let cells = (0..self.stride).map(|i| point * self.stride + i);
            let sum: f64 = cells
                .map(|age| day.of_other_days(ring, age, seen.turn))
                .sum();
            sight.drives.push(Drive::Day, sum / self.stride as f64);
        }
    }

    fn take_load_out(self, seen: &Seen<'_>, level: &Ring, sight: &mut Sight) {
        let now = self.point(level, 0);
        if seen.per_load == 0.0 || !now.is_finite() {
            return;
        }
        for (value, point) in sight.values.iter_mut().zip((0..self.points).rev()) {
            let then = self.point(level, point);
            if then.is_finite() {
                *value -= seen.per_load * (then - now);
            }
        }
    }

    /// Mean of the ring over one point, counted back from the newest.
    fn point(self, ring: &Ring, point: usize) -> f64 {
        let cells = (0..self.stride).map(|i| f64::from(ring.back(point * self.stride + i)));
        let (sum, count) = cells
            .filter(|v| v.is_finite())
            .fold((0.0, 0.0), |(s, c), v| (s + v, c + 1.0));
        sum / count
    }
}

/// What a sight is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) window: &'a Window,
    pub(super) now: UnixSeconds,
    pub(super) since: UnixSeconds,
    pub(super) turn: f64,
    pub(super) load: Option<(&'a Window, &'a Window)>,
    pub(super) per_load: f64,
    pub(super) day: Option<&'a Day>,
}

/// Running median of five (spikes below two minutes touch at most two steps of a minute), with Tukey's rule at
/// the newest end, so that a straight climb passes unchanged.
fn clean(values: &mut [f64]) {
    let n = values.len();
    if n < 5 {
        return;
    }
    let mut window = [values[0], values[1], values[2], values[3], values[4]];
    for i in 2..n - 2 {
        let next = values.get(i + 3).copied();
        if values[i].is_finite() {
            values[i] = median(window);
        }
        window.rotate_left(1);
        if let Some(next) = next {
            window[4] = next;
        }
    }
    let (y, before) = (values[n - 3], values[n - 4]);
    let slope = y - before;
    for (i, far) in [(n - 2, 1.0), (n - 1, 2.0)] {
        if values[i].is_finite() && slope.is_finite() {
            let last = values[i];
            let ahead = y + far * slope;
            values[i] = median3(last, y, ahead);
        }
    }
}

/// The median of the finite ones of five; NaN if there are none.
pub(super) fn median(mut values: [f64; 5]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    // NaN of either sign sorts to an end.
    let start = values.iter().position(|v| !v.is_nan()).unwrap_or(5);
    let finite = values.iter().filter(|v| !v.is_nan()).count();
    if finite == 0 {
        f64::NAN
    } else {
        values[start + finite / 2]
    }
}

fn median3(a: f64, b: f64, c: f64) -> f64 {
    a.max(b).min(a.min(b).max(c))
}

fn mean(values: &[f64]) -> f64 {
    let finite = values.iter().filter(|v| v.is_finite());
    let (sum, count) = finite.fold((0.0, 0.0), |(s, c), v| (s + v, c + 1.0));
    sum / count
}
