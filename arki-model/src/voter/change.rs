//! Trend's side of an incident: has this series just left the level it had over the last hours?
//!
//! The deviation from an exponential mean of three hours, in units of its own usual size. The level is absorbed as
//! the mean follows, so a lasting shift is told once.

use super::smooth::{Mean, Scale, floor_of};
use super::surprise::Surprise;
use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

/// Three hours: longer than a job, shorter than the slopes of a day.
const LEVEL_S: f32 = 3.0 * 3600.0;
/// Three days: what is usual by day and by night alike.
const USUAL_S: f32 = 3.0 * 86_400.0;

/// What is known of the level of one series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    level: Mean,
    usual: Scale,
    surprise: Surprise,
    /// How many times its usual size the newest deviation was, negative if it was downwards.
    pub times: f32,
}

impl Change {
    /// Takes in the mean of a step of `step_s` seconds, `elapsed` steps after the one before, and says how rare
    /// its deviation is.
    pub fn rate(&mut self, at: UnixSeconds, value: f32, step_s: f32, elapsed: f32) -> f32 {
        let deviation = if self.level.is_known() {
            value - self.level.value
        } else {
            0.0
        };
        let floor = floor_of(self.level.value);
        self.level.push(value, LEVEL_S / step_s, elapsed);
        let times = self.usual.rate(deviation, floor, USUAL_S / step_s, elapsed);
        self.times = times.copysign(deviation);
        self.surprise.rate(at, times)
    }

    /// Moves the remembered times by `delta_s`.
    pub fn shift(&mut self, delta_s: i64) {
        self.surprise.shift(delta_s);
    }
}
