//! How far a level follows the host's load: a regression of its half-hourly changes on those of the load.

use crate::window::Ring;
use serde::{Deserialize, Serialize};

/// Changes older than two days (96 half hours) fade.
const KEEP: f64 = 1.0 - 1.0 / 96.0;
/// Half a day of changes before anything is believed.
const CHANGES_MIN: f64 = 20.0;
/// Below this share of explained variance the series does not follow the load.
const EXPLAINED_MIN: f64 = 0.15;

/// The regression of one series. Sums fade, so it follows a host that changes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Follow {
    closed_at: i64,
    n: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    /// Mean size of a change: one that is five times as large is a fault or a job, and counts as five.
    size: f64,
}

impl Follow {
    /// Takes in the half hour that has just closed, if one has. Both rings have the same steps.
    pub(super) fn push(&mut self, series: &Ring, load: &Ring) {
        if series.newest_at() <= self.closed_at {
            return;
        }
        self.closed_at = series.newest_at();
        let change = |ring: &Ring| f64::from(ring.back(1)) - f64::from(ring.back(2));
        let (y, x) = (change(series), change(load));
        if !y.is_finite() || !x.is_finite() {
            return;
        }
        let share = (1.0 / (self.n + 1.0)).max(1.0 - KEEP);
        let limit = if self.n < 4.0 {
            f64::INFINITY
        } else {
            5.0 * self.size
        };
        self.size += (y.abs().min(limit.max(1e-9)) - self.size) * share;
        let y = y.clamp(-limit, limit);
        self.n = self.n * KEEP + 1.0;
        self.xx = self.xx * KEEP + x * x;
        self.xy = self.xy * KEEP + x * y;
        self.yy = self.yy * KEEP + y * y;
    }

    /// Units of the series per unit of load; 0 where it does not follow.
    pub(super) fn per_load(&self) -> f64 {
        let explained = self.xy * self.xy / (self.xx * self.yy).max(1e-18);
        if self.n < CHANGES_MIN || explained < EXPLAINED_MIN {
            0.0
        } else {
            self.xy / self.xx
        }
    }

    pub(super) fn shift(&mut self, delta_s: i64) {
        self.closed_at += delta_s;
    }
}
