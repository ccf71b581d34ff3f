//! How busy the host is: one figure, 1 on average, from every series that has no bound.
//!
//! Each such series is taken relative to its own two-day mean, and the median over the series is the load: a
//! backup that drives the disk alone does not bend it, and no series needs to be known by name.

use super::day::{SLOTS, slot_of};
use crate::clock::UnixSeconds;
use crate::engine::View;
use crate::registry::SeriesId;
use crate::window::Window;
use serde::{Deserialize, Serialize};

/// Means are taken over about this long.
const MEMORY_S: f64 = 2.0 * 86_400.0;
/// Levels (memory, queues) follow the load with about this delay.
const LEVEL_DELAY_S: f64 = 1_800.0;
/// A series that is zero more often than this says nothing about the load (errors, drops).
const BUSY_SHARE_MIN: f64 = 0.5;

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Usual {
    mean: f32,
    busy: f32,
    seen_s: f32,
}

/// The load of the host, its history and its usual course over the day.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Load {
    usual: Vec<Usual>,
    /// The load itself.
    pub(super) index: Window,
    /// The load as levels feel it: smoothed over half an hour.
    pub(super) level: Window,
    smooth: Option<f64>,
    day: Box<[f32]>,
    last_at: UnixSeconds,
    series: u32,
    #[serde(skip)]
    ratios: Vec<f64>,
}

impl Load {
    pub(super) fn new(interval_s: i64) -> Self {
        Self {
            usual: Vec::new(),
            index: Window::new(interval_s),
            level: Window::new(interval_s),
            smooth: None,
            day: vec![f32::NAN; SLOTS].into(),
            last_at: UnixSeconds::MIN,
            series: 0,
            ratios: Vec::new(),
        }
    }

    /// From how many series the load is taken.
    pub(super) fn series(&self) -> u32 {
        self.series
    }

    /// Takes in the values of a pass.
    pub(super) fn push(&mut self, view: &View<'_>, interval_s: i64) {
        let step_s = if self.last_at == UnixSeconds::MIN {
            interval_s as f64
        } else {
            ((view.at - self.last_at) as f64).clamp(1.0, MEMORY_S)
        };
        self.last_at = view.at;
        self.ratios.clear();
        for &(id, value) in view.values {
            if view.bound(id).is_none()
                && let Some(ratio) = self.ratio(id, value, step_s)
            {
                self.ratios.push(ratio);
            }
        }
        self.series = self.ratios.len() as u32;
        if self.ratios.is_empty() {
            return;
        }
        let middle = self.ratios.len() / 2;
        let (_, &mut load, _) = self.ratios.select_nth_unstable_by(middle, f64::total_cmp);
        // A host that was idle for two days and then works is not a thousand times as busy.
        let load = load.min(20.0);
        let smooth = self.smooth.get_or_insert(load);
        *smooth += (load - *smooth) * (step_s / LEVEL_DELAY_S).min(1.0);
        let smooth = *smooth;
        self.index.push(view.at, load);
        self.level.push(view.at, smooth);
        let slot = &mut self.day[slot_of(view.at)];
        let share = (step_s / (2.0 * 1_800.0)).min(1.0) as f32;
        *slot = if slot.is_nan() {
            load as f32
        } else {
            *slot + (load as f32 - *slot) * share
        };
    }

    /// Seconds from `at` until `sum` seconds of average load have come together, going by the usual day
    /// (and by the last hours where a time of day is not known yet).
    pub(super) fn ahead_s(&self, at: UnixSeconds, sum: f64) -> f64 {
        let recent = (0..4)
            .map(|age| self.index.half_hour.back(age))
            .filter(|v| v.is_finite());
        let (total, count) = recent.fold((0.0, 0.0), |(s, c), v| (s + f64::from(v), c + 1.0));
        let recent = if count > 0.0 { total / count } else { 1.0 };
        gone_through(at, sum, |at| {
            let usual = self.day[slot_of(at)];
            if usual.is_nan() {
                recent
            } else {
                f64::from(usual)
            }
        })
    }

    /// The series that have at least doubled since a climb began `age_s` ago, compared with as long before it and
    /// with their two-day mean, the load itself taken out: what a job drives while it runs. What is zero most of the time
    /// (zombies, time stolen, errors) doubles by itself.
    pub(super) fn driven(&self, view: &View<'_>, age_s: f64) -> Vec<SeriesId> {
        let Some(usual_change) = change(&self.index, age_s) else {
            return Vec::new();
        };
        let doubled = |&(id, _): &(SeriesId, f64)| {
            let usual = self.usual.get(id.index())?;
            let (after, before) = halves(view.windows.get(id)?, age_s)?;
            let mean = f64::from(usual.mean);
            let rose = after >= DRIVEN * usual_change.max(1.0) * before.max(0.0);
            // The two-day mean of a short history is mostly the climb itself.
            let unusual = f64::from(usual.seen_s) < 12.0 * age_s || after >= DRIVEN * mean;
            let speaks = mean > 1e-9 && f64::from(usual.busy) > BUSY_SHARE_MIN;
            (view.bound(id).is_none() && rose && unusual && speaks).then_some(id)
        };
        view.values.iter().filter_map(doubled).collect()
    }

    pub(super) fn forget(&mut self, id: SeriesId) {
        if let Some(usual) = self.usual.get_mut(id.index()) {
            *usual = Usual::default();
        }
    }

    pub(super) fn shift(&mut self, delta_s: i64) {
        if self.last_at != UnixSeconds::MIN {
            self.index.shift(self.last_at, delta_s);
            self.level.shift(self.last_at, delta_s);
            self.last_at += delta_s;
        }
    }

    fn ratio(&mut self, id: SeriesId, value: f64, step_s: f64) -> Option<f64> {
        if id.index() >= self.usual.len() {
            self.usual.resize(id.index() + 1, Usual::default());
        }
        let usual = &mut self.usual[id.index()];
        usual.seen_s = (f64::from(usual.seen_s) + step_s).min(MEMORY_S) as f32;
        let share = (step_s as f32 / usual.seen_s).min(1.0);
        usual.mean += (value as f32 - usual.mean) * share;
        let busy = if value > 0.0 { 1.0 } else { 0.0 };
        usual.busy += (busy - usual.busy) * share;
        let mean = f64::from(usual.mean);
        let says = value >= 0.0 && mean > 1e-9 && f64::from(usual.busy) > BUSY_SHARE_MIN;
        says.then(|| value / mean)
    }
}

/// A series that has at least doubled is driven by something.
const DRIVEN: f64 = 2.0;

/// Means over the last `age_s` seconds and over as long before that.
fn halves(window: &Window, age_s: f64) -> Option<(f64, f64)> {
    let ring = window.rings().into_iter().skip(1).find(|ring| {
        1.6 * age_s <= ring.len() as f64 * ring.step_s() as f64 || ring.step_s() >= 1_800
    })?;
    let steps = (age_s / ring.step_s() as f64).round().max(1.0) as usize;
    let mean = |from: usize| {
        let cells = (from..from + steps).map(|age| f64::from(ring.back(age)));
        let (sum, count) = cells
            .filter(|v| v.is_finite())
            .fold((0.0, 0.0), |(s, c), v| (s + v, c + 1.0));
        (count > 0.0).then(|| sum / count)
    };
    Some((mean(0)?, mean(steps)?))
}

/// By which factor the mean over the last `age_s` seconds is above the one over as long before that.
fn change(window: &Window, age_s: f64) -> Option<f64> {
    let (after, before) = halves(window, age_s)?;
    (before > 0.0).then(|| after / before)
}

/// Seconds from `at` until `sum` has come together at a rate that depends on the half hour; none for two weeks
/// is never.
pub(super) fn gone_through(at: UnixSeconds, sum: f64, rate_at: impl Fn(UnixSeconds) -> f64) -> f64 {
    const DAYS_MAX: usize = 14;
    let mut left = sum;
    let mut passed = 0.0;
    for half_hour in 0..SLOTS * DAYS_MAX {
        let rate = rate_at(at + 1_800 * half_hour as i64).max(0.01);
        if left <= rate * 1_800.0 {
            return passed + left / rate;
        }
        left -= rate * 1_800.0;
        passed += 1_800.0;
    }
    f64::INFINITY
}
