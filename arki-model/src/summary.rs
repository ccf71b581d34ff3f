//! Five minutes of a series in four figures: what is shipped instead of samples.
//!
//! The agent's half: [`Summariser`] takes every pass and gives a finished summary when the wall clock enters the next
//! bucket. Invariants: a bucket that was given is never given again with the same start unless the clock was set back;
//! names stand in order, so the same series give the same list (and digest) whatever order they were read in; a series
//! that comes and goes stays in the list for [`KEPT_BUCKETS`], so that the names need not be sent again. What of a bucket
//! was measured before a restart is not in its summary: a bucket has one.

use crate::clock::UnixSeconds;
use crate::series::SeriesName;
use crate::wire::{SERIES_MAX, SeriesSet, WireError, encode_summary};
use std::collections::BTreeMap;

/// The width of a bucket.
pub const BUCKET_S: u32 = 300;

/// An hour: longer than a service takes to be restarted or a disk to be mounted again.
pub const KEPT_BUCKETS: u8 = 12;

/// What is known of one series in one bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    /// The least.
    pub min: f64,
    /// The arithmetic mean of what was measured.
    pub mean: f64,
    /// The most.
    pub max: f64,
    /// The latest.
    pub last: f64,
}

impl Stats {
    /// The four, in their order.
    pub fn figures(&self) -> [f64; 4] {
        [self.min, self.mean, self.max, self.last]
    }

    /// Whether all four are numbers of at most `magnitude`.
    pub fn is_within(&self, magnitude: f64) -> bool {
        self.figures()
            .iter()
            .all(|figure| figure.abs() <= magnitude)
    }
}

/// One series' samples of the bucket that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    stats: Stats,
    sum: f64,
    count: u32,
    /// How many buckets went by without it.
    absent: u8,
}

/// Gathers passes into summaries.
#[derive(Debug, Default)]
pub struct Summariser {
    start_s: Option<UnixSeconds>,
    open: BTreeMap<SeriesName, Open>,
}

impl Summariser {
    /// Takes one pass. Returns the record of the bucket before, if the clock has left it; at a bucket's end there may
    /// be nothing to tell (`None`), and what is no number is left out.
    pub fn observe<'a>(
        &mut self,
        now_s: UnixSeconds,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Option<Vec<u8>>, WireError> {
        let start_s = now_s - now_s.rem_euclid(i64::from(BUCKET_S));
        let finished = match self.start_s {
            Some(before) if before != start_s => self.close(before),
            _ => Ok(None),
        };
        self.start_s = Some(start_s);
        for (name, value) in values {
            self.take(name, value);
        }
        finished
    }

    fn take(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        if let Some(open) = self.open.get_mut(name) {
            open.take(value);
        } else if self.open.len() < SERIES_MAX
            && let Ok(name) = SeriesName::new(name)
        {
            let mut open = Open::EMPTY;
            open.take(value);
            self.open.insert(name, open);
        }
    }

    fn close(&mut self, start_s: UnixSeconds) -> Result<Option<Vec<u8>>, WireError> {
        for open in self.open.values_mut() {
            open.absent = if open.count > 0 { 0 } else { open.absent + 1 };
        }
        self.open.retain(|_, open| open.absent < KEPT_BUCKETS);
        if self.open.values().all(|open| open.count == 0) {
            return Ok(None);
        }
        let samples: Vec<Option<Stats>> = self.open.values().map(Open::stats).collect();
        let set = SeriesSet::new(self.open.keys().cloned().collect())?;
        self.open.values_mut().for_each(Open::clear);
        encode_summary(&set, start_s, BUCKET_S, 1, &samples).map(Some)
    }
}

impl Open {
    const EMPTY: Self = Self {
        stats: Stats {
            min: 0.0,
            mean: 0.0,
            max: 0.0,
            last: 0.0,
        },
        sum: 0.0,
        count: 0,
        absent: 0,
    };

    fn take(&mut self, value: f64) {
        if self.count == 0 {
            self.stats.min = value;
            self.stats.max = value;
        }
        self.stats.min = self.stats.min.min(value);
        self.stats.max = self.stats.max.max(value);
        self.stats.last = value;
        self.sum += value;
        self.count += 1;
    }

    fn stats(&self) -> Option<Stats> {
        (self.count > 0).then(|| Stats {
            // Rounding may put the mean of equal values a bit beside them.
            mean: (self.sum / f64::from(self.count)).clamp(self.stats.min, self.stats.max),
            ..self.stats
        })
    }

    fn clear(&mut self) {
        *self = Self {
            absent: self.absent,
            ..Self::EMPTY
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{About, Batch, Kind, Records, Summary};

    fn read(record: Option<Vec<u8>>) -> Summary {
        let batch = Batch::encode(Kind::Summaries, &About::default(), &[record.unwrap()]).unwrap();
        match Batch::decode(&batch).unwrap().records {
            Records::Summaries(mut summaries) => summaries.remove(0),
            Records::Events(_) => panic!("no events here"),
        }
    }

    #[test]
    fn ten_passes_become_four_figures() {
        let mut summariser = Summariser::default();
        for pass in 0..10_i32 {
            let values = [
                ("load.per_core", f64::from(pass)),
                ("cpu.busy_percent", 50.0),
                ("net.rx_bytes_per_second{eth0}", f64::NAN),
            ];
            let given = summariser.observe(1_200 + i64::from(pass) * 30, values);
            assert_eq!(given, Ok(None));
        }
        let summary = read(summariser.observe(1_500, []).unwrap());
        assert_eq!((summary.start_s, summary.width_s), (1_200, 300));
        let set = summary.names.as_ref().unwrap();
        let names: Vec<_> = set.names().iter().map(SeriesName::as_str).collect();
        assert_eq!(names, ["cpu.busy_percent", "load.per_core"]);
        let load = Stats {
            min: 0.0,
            mean: 4.5,
            max: 9.0,
            last: 9.0,
        };
        assert_eq!(summary.column(1), [Some(load)]);
        let nothing = summariser.observe(1_800, []);
        assert_eq!(nothing, Ok(None), "an empty bucket is not sent");
    }

    #[test]
    fn a_series_that_comes_and_goes_keeps_its_place_for_an_hour() {
        let mut summariser = Summariser::default();
        let mut digests = Vec::new();
        for bucket in 0..20_i64 {
            let here = [("a", 1.0), ("b", 2.0)];
            let count = if bucket == 0 { 2 } else { 1 };
            if let Some(record) = summariser
                .observe(bucket * 300, here.into_iter().take(count))
                .unwrap()
            {
                let summary = read(Some(record));
                digests.push((summary.digest, summary.series));
            }
        }
        assert_eq!(digests[0].1, 2);
        assert_eq!(digests[11], digests[0], "still listed, though not measured");
        assert_eq!(digests[12].1, 1, "gone after an hour");
    }

    #[test]
    fn a_clock_that_is_set_closes_the_bucket_and_nothing_else() {
        let mut summariser = Summariser::default();
        summariser.observe(10_000, [("a", 1.0)]).unwrap();
        let before = read(summariser.observe(-5_000, [("a", 2.0)]).unwrap());
        assert_eq!(before.start_s, 9_900);
        // A bucket before 1970 is written, and refused by whoever reads it: the hub stores no such time.
        assert!(summariser.observe(10_000, [("a", 3.0)]).is_ok());
    }
}
