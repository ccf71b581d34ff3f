//! Where values are on the page, and at which of them there is a tick.

use crate::replay::report::Style;
use arki_model::clock::UnixSeconds;

/// A linear axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// `low` is at pixel `from`, `high` at pixel `to`.
    pub(super) fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self {
            low,
            high,
            from,
            to,
        }
    }

    /// The pixel of `value`; far outside it stays within what a viewer can draw.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.from + share.clamp(-10.0, 10.0) * (self.to - self.from)
    }
}

/// Four to nine round values from `low` to `high` (Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990).
pub(super) fn value_ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 6.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = match rough / power {
        part if part < 1.5 => power,
        part if part < 3.0 => 2.0 * power,
        part if part < 7.0 => 5.0 * power,
        _ => 10.0 * power,
    };
    let first = (low / step).ceil();
    (0..12)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|&tick| tick <= high)
        .collect()
}

/// Steps of time that a person reads at a glance, in seconds.
const STEPS_S: [i64; 16] = [
    30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000,
    864_000,
];

/// At most nine round local times from `from` to `to`, with their labels.
pub(super) fn time_ticks(from: UnixSeconds, to: UnixSeconds, style: &Style) -> Vec<(i64, String)> {
    let fits = |step: &i64| (to - from) / step <= 8;
    let step = STEPS_S.into_iter().find(fits).unwrap_or(2_592_000);
    let offset_s = jiff::Timestamp::from_second(from)
        .map_or(0, |time| i64::from(style.zone.to_offset(time).seconds()));
    let first = (from + offset_s + step - 1).div_euclid(step) * step - offset_s;
    let mut day = String::new();
    (0..9)
        .map(|i| first + i * step)
        .take_while(|&at| at <= to)
        .map(|at| {
            let this_day = style.format(at, "%a %d");
            let text = match step {
                _ if step >= 86_400 => this_day.clone(),
                _ if day != this_day => style.format(at, "%a %d, %H:%M"),
                _ if step < 60 => style.format(at, "%H:%M:%S"),
                _ => style.format(at, "%H:%M"),
            };
            day = this_day;
            (at, text)
        })
        .collect()
}
