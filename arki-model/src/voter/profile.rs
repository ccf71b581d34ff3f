//! What is usual at an hour of the day: a half-hour profile for workdays and one for weekends.
//!
//! It holds the highest value of a score in each half hour, as an exponential mean over about a week of days of
//! that type. A recurring job moves its series every day at the same hour; here that becomes known. Days are
//! those of UTC: a profile only needs a day of 24 hours, and a weekend that is off by the time zone's hours
//! costs those hours alone. 480 bytes.

use crate::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

const BIN_S: i64 = 1_800;
const BINS: usize = 48;
/// A week of days: how fast a profile forgets.
const DAYS: f32 = 7.0;

/// The profile of one score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    bin: i64,
    peak: f32,
    /// Workdays, then weekends.
    usual: Vec<f32>,
    days: Vec<u8>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            bin: i64::MIN,
            peak: 0.0,
            usual: vec![0.0; 2 * BINS],
            days: vec![0; 2 * BINS],
        }
    }
}

impl Profile {
    /// Takes in a score, and returns the highest that is usual within half an hour of now.
    pub fn usual_at(&mut self, at: UnixSeconds, score: f32) -> f32 {
        let bin = at.div_euclid(BIN_S);
        if bin == self.bin {
            self.peak = self.peak.max(score);
        } else {
            if self.bin != i64::MIN {
                self.learn();
            }
            self.bin = bin;
            self.peak = score;
        }
        [-1, 0, 1]
            .into_iter()
            .map(|beside| self.known(bin + beside))
            .fold(0.0, f32::max)
    }

    /// Moves the remembered times by `delta_s`.
    pub fn shift(&mut self, delta_s: i64) {
        if self.bin != i64::MIN {
            self.bin += delta_s.div_euclid(BIN_S);
        }
    }

    fn learn(&mut self) {
        let place = place(self.bin);
        self.days[place] = self.days[place].saturating_add(1);
        let weight = 1.0 / f32::from(self.days[place]).min(DAYS);
        self.usual[place] += weight * (self.peak - self.usual[place]);
    }

    /// What is usual in a half hour; the other day type speaks for one that was not seen twice.
    fn known(&self, bin: i64) -> f32 {
        let place = place(bin);
        let other = (place + BINS) % (2 * BINS);
        if self.days[place] < 2 && self.days[other] > self.days[place] {
            self.usual[other]
        } else {
            self.usual[place]
        }
    }
}

/// Where a half hour since the epoch is kept.
fn place(bin: i64) -> usize {
    let of_day = bin.rem_euclid(BINS as i64) as usize;
    // 1970-01-01 was a Thursday: days 2 and 3 of the epoch's week are Saturday and Sunday
    let weekend = matches!(bin.div_euclid(BINS as i64).rem_euclid(7), 2 | 3);
    of_day + if weekend { BINS } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-01-01, a Monday.
    const MONDAY: i64 = 1_704_067_200;

    fn week(profile: &mut Profile, job: impl Fn(i64, i64) -> bool) {
        for minute in 0..14 * 1_440 {
            let (day, of_day) = (minute / 1_440, minute % 1_440);
            let score = if job(day % 7, of_day) { 20.0 } else { 1.0 };
            profile.usual_at(MONDAY + minute * 60, score);
        }
    }

    #[test]
    fn a_job_is_known_at_its_hour_and_only_there() {
        let mut profile = Profile::default();
        week(&mut profile, |_, minute| (180..200).contains(&minute));
        let monday = MONDAY + 14 * 86_400;
        assert!(profile.usual_at(monday + 185 * 60, 1.0) > 19.0);
        assert!(profile.usual_at(monday + 600 * 60, 1.0) < 1.1);
    }

    #[test]
    fn a_job_of_weekends_is_not_known_on_workdays() {
        let mut profile = Profile::default();
        week(&mut profile, |day, minute| day >= 5 && minute / 20 == 30);
        let next = MONDAY + 14 * 86_400 + 605 * 60;
        assert!(profile.usual_at(next, 1.0) < 1.1);
        assert!(profile.usual_at(next + 5 * 86_400, 1.0) > 19.0);
    }
}
