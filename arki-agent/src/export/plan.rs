//! Which ring is read for which time.
//!
//! ```text
//! half an hour   |----|----|----|
//! five minutes                  |-|-|-|-|
//! a minute                               |||||||
//! every sample                                  ::::::::
//! ```
//!
//! A step of a coarser ring is taken only if it is over when the finer one begins: one that reaches into it
//! would tell of values before they were read.

use super::Detail;
use arki_model::clock::UnixSeconds;
use arki_model::window::{Ring, Window};

/// Steps of one ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The ring's place among [`Window::rings`].
    pub(super) ring: usize,
    /// Seconds a step.
    pub(super) step_s: i64,
    /// The first step.
    pub(super) oldest_s: UnixSeconds,
    /// The last step.
    pub(super) newest_s: UnixSeconds,
}

impl Span {
    /// The ring, and the times of the steps that begin at `from_s` or later.
    pub(super) fn times_from(
        self,
        from_s: UnixSeconds,
    ) -> impl Iterator<Item = (usize, UnixSeconds)> {
        let from_s = from_s.clamp(self.oldest_s, self.newest_s.saturating_add(1));
        let skipped = (from_s - self.oldest_s + self.step_s - 1) / self.step_s;
        let first_s = self.oldest_s + skipped * self.step_s;
        std::iter::successors(Some(first_s), move |at| Some(at + self.step_s))
            .take_while(move |&at| at <= self.newest_s)
            .map(move |at| (self.ring, at))
    }
}

/// The spans for `detail`, oldest first.
pub(super) fn plan<'a>(
    windows: &(impl Iterator<Item = &'a Window> + Clone),
    detail: Detail,
) -> Vec<Span> {
    let rings: &[usize] = match detail {
        Detail::Auto => &[0, 1, 2, 3],
        Detail::Raw => &[0],
        Detail::Minute => &[1],
        Detail::FiveMinutes => &[2],
        Detail::HalfHour => &[3],
    };
    let mut spans: Vec<Span> = Vec::new();
    for &ring in rings {
        let Some(mut span) = span_of(windows.clone().map(|window| window.rings()[ring]), ring)
        else {
            continue;
        };
        if let Some(finer) = spans.last() {
            let over_s = finer.oldest_s - span.step_s;
            let steps = (over_s - span.oldest_s).div_euclid(span.step_s);
            span.newest_s = span.newest_s.min(span.oldest_s + steps * span.step_s);
        }
        if span.newest_s >= span.oldest_s {
            spans.push(span);
        }
    }
    spans.reverse();
    spans
}

/// The mean of the step that begins at `at`; NaN where there is none.
pub(super) fn value_at(ring: &Ring, at: UnixSeconds) -> f32 {
    usize::try_from((ring.newest_at() - at) / ring.step_s())
        .ok()
        .filter(|_| at <= ring.newest_at())
        .map_or(f32::NAN, |age| ring.back(age))
}

/// What one ring of all series covers: up to the newest step of any, no more steps than the longest has. A series
/// that is gone has older ones, which have fallen out of the others.
fn span_of<'a>(rings: impl Iterator<Item = &'a Ring>, ring: usize) -> Option<Span> {
    let mut span: Option<Span> = None;
    let mut steps_max = 0;
    for found in rings.filter(|ring| !ring.is_empty()) {
        let (step_s, newest_s) = (found.step_s(), found.newest_at());
        let oldest_s = newest_s - (found.len() as i64 - 1) * step_s;
        steps_max = steps_max.max(found.len() as i64);
        let span = span.get_or_insert(Span {
            ring,
            step_s,
            oldest_s,
            newest_s,
        });
        span.oldest_s = span.oldest_s.min(oldest_s);
        span.newest_s = span.newest_s.max(newest_s);
    }
    span.map(|span| Span {
        oldest_s: span
            .oldest_s
            .max(span.newest_s - (steps_max - 1) * span.step_s),
        ..span
    })
}
