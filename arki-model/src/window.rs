//! The rolling windows: for each series four bounded rings, from the sampling interval up to half an hour.

mod ring;

pub use ring::Ring;

use crate::clock::UnixSeconds;
use crate::registry::SeriesId;
use serde::{Deserialize, Serialize};

/// The rings of one series. 864 cells of 4 bytes: 3.5 KB a series, 0.7 MB for 200.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Window {
    /// Every sample: 120 of them, an hour at 30 s.
    pub raw: Ring,
    /// Four intervals but 10 s to 60 s, 120 of them: two hours at 30 s, 20 minutes at 1 s.
    pub minute: Ring,
    /// Five minutes, 288 of them: a day.
    pub five_minutes: Ring,
    /// Half an hour, 336 of them: a week.
    pub half_hour: Ring,
}

impl Window {
    /// Empty rings for samples every `interval_s` seconds (1 to 3600).
    pub fn new(interval_s: i64) -> Self {
        let interval_s = interval_s.clamp(1, 3600);
        Self {
            raw: Ring::new(interval_s, 120),
            minute: Ring::new((4 * interval_s).clamp(10, 60).max(interval_s), 120),
            five_minutes: Ring::new(interval_s.max(300), 288),
            half_hour: Ring::new(interval_s.max(1800), 336),
        }
    }

    /// Adds one sample to every ring.
    pub fn push(&mut self, at: UnixSeconds, value: f64) {
        self.raw.push(at, value);
        self.minute.push(at, value);
        self.five_minutes.push(at, value);
        self.half_hour.push(at, value);
    }

    /// Moves the rings as if the newest sample, read at `last_at`, had been read `delta_s` seconds later.
    pub(crate) fn shift(&mut self, last_at: UnixSeconds, delta_s: i64) {
        for ring in [
            &mut self.raw,
            &mut self.minute,
            &mut self.five_minutes,
            &mut self.half_hour,
        ] {
            ring.shift(last_at, delta_s);
        }
    }

    /// The rings, finest first.
    pub fn rings(&self) -> [&Ring; 4] {
        [&self.raw, &self.minute, &self.five_minutes, &self.half_hour]
    }
}

/// The windows of all series of a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Windows {
    interval_s: i64,
    windows: Vec<Option<Box<Window>>>,
}

impl Windows {
    /// No windows yet; samples come every `interval_s` seconds.
    pub fn new(interval_s: i64) -> Self {
        Self {
            interval_s,
            windows: Vec::new(),
        }
    }

    /// Seconds between samples.
    pub fn interval_s(&self) -> i64 {
        self.interval_s
    }

    /// Adds one sample.
    pub fn push(&mut self, id: SeriesId, at: UnixSeconds, value: f64) {
        if id.index() >= self.windows.len() {
            self.windows.resize_with(id.index() + 1, || None);
        }
        let interval_s = self.interval_s;
        self.windows[id.index()]
            .get_or_insert_with(|| Box::new(Window::new(interval_s)))
            .push(at, value);
    }

    /// Moves all windows by `delta_s`: the wall clock was set. `last_at` is the time of the last pass by the old
    /// clock.
    pub fn shift(&mut self, last_at: UnixSeconds, delta_s: i64) {
        for window in self.windows.iter_mut().flatten() {
            window.shift(last_at, delta_s);
        }
    }

    /// The window of a series; `None` before its first sample.
    pub fn get(&self, id: SeriesId) -> Option<&Window> {
        self.windows.get(id.index())?.as_deref()
    }

    /// Drops the window of a series that is gone.
    pub fn forget(&mut self, id: SeriesId) {
        if let Some(slot) = self.windows.get_mut(id.index()) {
            *slot = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rings_fit_every_interval_that_is_allowed() {
        for (interval_s, steps) in [
            (1, [1, 10, 300, 1800]),
            (30, [30, 60, 300, 1800]),
            (3600, [3600; 4]),
        ] {
            assert_eq!(Window::new(interval_s).rings().map(Ring::step_s), steps);
        }
    }
}
