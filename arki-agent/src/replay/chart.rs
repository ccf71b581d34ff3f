//! What is drawn of a prediction: the series before it, from the engine's windows, and what really came, until the
//! interval is over or the series has failed.
//!
//! Bounded: [`CHARTS_MAX`] at a time, each with the cells of one ring and at most [`POINTS_MAX`] points after.

use super::host::Pass;
use arki_model::clock::UnixSeconds;
use arki_model::ledger::{ACTIVE_MAX, Outcome};
use arki_model::prediction::Prediction;
use arki_model::registry::SeriesId;
use arki_model::window::{Ring, Window};

/// As many as predictions can be active.
pub const CHARTS_MAX: usize = ACTIVE_MAX;
/// One a pixel of the plot's right half.
pub const POINTS_MAX: usize = 512;

/// How much of the past is shown, in times left: the past and the cone share the plot.
const PAST_IN_ETAS: f64 = 1.2;
/// The past that is shown where there is no time left, or little of it, in seconds.
const PAST_MIN_S: f64 = 3600.0;
/// The longest past: what the coarsest ring holds.
const PAST_MAX_S: f64 = 7.0 * 86_400.0;
/// How far the plot goes past p90, and past p50 where p90 is far away, in parts of the time left.
const BEYOND_HIGH: f64 = 1.1;
const BEYOND_MEDIAN: f64 = 2.5;
/// What is shown after an incident, which has no time left, in seconds.
const AFTER_INCIDENT_S: f64 = 1800.0;

/// How long a chart that is complete waits for what became of its prediction: the ledger wants half an hour of calm.
const OUTCOME_S: i64 = 3600;

/// What is known of one prediction when it is drawn.
#[derive(Debug)]
pub struct Chart {
    /// The first word.
    pub prediction: Prediction,
    /// Before it, oldest first.
    pub history: Vec<(UnixSeconds, f64)>,
    /// What really came.
    pub after: Thinned,
    /// When it was said again.
    pub again: Vec<UnixSeconds>,
    /// What became of it.
    pub ended: Option<(Outcome, UnixSeconds)>,
    /// The right end of the plot.
    pub until: UnixSeconds,
    id: Option<SeriesId>,
}

impl Chart {
    fn new(prediction: &Prediction, pass: &Pass<'_>) -> Self {
        let at = prediction.raised_at;
        let (past_s, future_s) = match prediction.eta {
            Some(eta) => (
                (eta.median_s * PAST_IN_ETAS).clamp(PAST_MIN_S, PAST_MAX_S),
                (eta.high_s * BEYOND_HIGH)
                    .min(eta.median_s * BEYOND_MEDIAN)
                    .clamp(600.0, 4.0 * PAST_MAX_S),
            ),
            None => (2.0 * PAST_MIN_S, AFTER_INCIDENT_S),
        };
        let id = pass.engine.registry().find(&prediction.series);
        let window = id.and_then(|id| pass.engine.windows().get(id));
        let since = at - past_s as i64;
        Self {
            prediction: prediction.clone(),
            history: window.map_or_else(Vec::new, |window| history(window, since, at)),
            after: Thinned::default(),
            again: Vec::new(),
            ended: None,
            until: at + future_s as i64,
            id,
        }
    }
}

/// The finest ring that reaches back to `since`, or to the first sample, and what it holds from there to `at`.
fn history(window: &Window, since: UnixSeconds, at: UnixSeconds) -> Vec<(UnixSeconds, f64)> {
    let oldest = |ring: &Ring| ring.newest_at() - (ring.len() as i64 - 1) * ring.step_s();
    let begin = since.max(oldest(&window.half_hour));
    // an eighth that is missing is less of a loss than a coarser line
    let reaches = |ring: &&Ring| oldest(ring) <= begin + (at - since) / 8;
    let ring = window.rings().into_iter().find(reaches);
    ring.unwrap_or(&window.half_hour)
        .iter()
        .filter(|(time, mean)| *time >= since && !mean.is_nan())
        .map(|(time, mean)| (time.min(at), f64::from(mean)))
        .collect()
}

/// The charts of one host that are not drawn yet.
#[derive(Debug, Default)]
pub struct Charts {
    waiting: Vec<Chart>,
}

impl Charts {
    /// Takes in one pass; returns the charts that are complete.
    pub fn pass(&mut self, pass: &Pass<'_>) -> Vec<Chart> {
        let mut complete = Vec::new();
        for prediction in pass.told {
            let first_at = pass.first_word_of(prediction);
            if first_at < pass.at {
                let same = |chart: &&mut Chart| {
                    let drawn = &chart.prediction;
                    drawn.series == prediction.series && drawn.raised_at == first_at
                };
                let chart = self.waiting.iter_mut().find(same);
                if let Some(chart) = chart.filter(|chart| chart.again.len() < POINTS_MAX) {
                    chart.again.push(pass.at);
                }
                continue;
            }
            if self.waiting.len() == CHARTS_MAX {
                complete.push(self.waiting.remove(0));
            }
            self.waiting.push(Chart::new(prediction, pass));
        }
        if self.waiting.is_empty() {
            return complete;
        }
        for chart in &mut self.waiting {
            let value = pass.values.iter().find(|(id, _)| Some(*id) == chart.id);
            if let Some(&(_, value)) = value.filter(|_| pass.at <= chart.until) {
                chart.after.push(pass.at, value);
            }
            if chart.ended.is_none() {
                let raised_at = chart.prediction.raised_at;
                let mut ended = pass.engine.ledger().ended().rev();
                chart.ended = ended
                    .find(|e| e.raised_at == raised_at && e.series == chart.prediction.series)
                    .map(|entry| (entry.outcome, entry.ended_at));
            }
        }
        let done = |chart: &mut Chart| {
            let patience_s = if chart.ended.is_some() { 0 } else { OUTCOME_S };
            pass.at >= chart.until + patience_s
        };
        complete.extend(self.waiting.extract_if(.., done));
        complete
    }

    /// The rest, at the end of the trace.
    pub fn finish(&mut self) -> Vec<Chart> {
        std::mem::take(&mut self.waiting)
    }
}

/// Points that come without end: when there are too many, every second is dropped.
#[derive(Debug)]
pub struct Thinned {
    points: Vec<(UnixSeconds, f64)>,
    every: u64,
    seen: u64,
}

impl Default for Thinned {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            every: 1,
            seen: 0,
        }
    }
}

impl Thinned {
    /// The points, oldest first.
    pub fn points(&self) -> &[(UnixSeconds, f64)] {
        &self.points
    }

    fn push(&mut self, at: UnixSeconds, value: f64) {
        if self.seen.is_multiple_of(self.every) {
            if self.points.len() == POINTS_MAX {
                let mut keep = false;
                self.points.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.every *= 2;
            }
            self.points.push((at, value));
        }
        self.seen += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_thinned_evenly_and_never_more_than_the_limit() {
        let mut thinned = Thinned::default();
        for at in 0..100_000 {
            thinned.push(at, 0.0);
            assert!(thinned.points().len() <= POINTS_MAX);
        }
        let steps: Vec<i64> = thinned
            .points()
            .windows(2)
            .map(|pair| pair[1].0 - pair[0].0)
            .collect();
        assert!(steps.iter().all(|&step| step == 256), "{steps:?}");
    }
}
