//! How good the predictions were, by labels.
//!
//! *Failures* (a series and the time at which it failed): caught by a word on that series between onset and the
//! last moment at which it is of use, half an hour or a third of the time before it fails, whichever is shorter; memory
//! and swap stand for each other, because the one runs out into the other. Every word outside of onset to half an
//! hour after the failure is a false alarm.
//!
//! *Incidents* (a span): words within half an hour are one alert. Caught by an alert from five minutes before
//! the start to the end; an alert in the half hour after is neither right nor wrong; every other is a false alarm.

use super::labels::{Label, Labels};
use arki_model::clock::UnixSeconds;
use arki_model::prediction::Prediction;

/// Half an hour: the aftermath of a failure, and what belongs to one alert.
const AFTERMATH_S: i64 = 1800;
/// Clocks and rounding of labels: so much before the start is not too early.
const EARLY_S: i64 = 300;

/// The score of one host, or of many.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// What happened.
    pub labels: u64,
    /// What of it was caught.
    pub caught: u64,
    /// Words about nothing.
    pub false_alarms: u64,
    /// Seconds from the word to the failure, or (incidents) from the word to the start: negative is a delay.
    pub leads_s: Vec<i64>,
    /// Failures whose time left was right within a quarter.
    pub eta_right: u64,
    /// Caught failures with an interval.
    pub intervals: u64,
    /// Of these, how many failed within it.
    pub inside: u64,
    /// True where the labels are failures.
    pub failures: bool,
}

impl Score {
    /// Adds the score of another host.
    pub fn add(&mut self, other: &Self) {
        self.labels += other.labels;
        self.caught += other.caught;
        self.false_alarms += other.false_alarms;
        self.leads_s.extend(&other.leads_s);
        self.eta_right += other.eta_right;
        self.intervals += other.intervals;
        self.inside += other.inside;
        self.failures |= other.failures;
    }

    /// The median of the leads.
    pub fn median_lead_s(&self) -> Option<i64> {
        median(&self.leads_s)
    }
}

/// The median, to the second; of an even number of values the mean of the two in the middle.
pub(super) fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let high = *sorted.get(sorted.len() / 2)?;
    let low = sorted[(sorted.len() - 1) / 2];
    Some(low + (high - low) / 2)
}

/// Scores one host as the words come, in the order of time.
#[derive(Debug)]
pub struct Scorer {
    labels: Vec<(Label, Caught)>,
    failures: bool,
    false_alarms: u64,
    alert_at: Option<UnixSeconds>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Caught {
    first_at: Option<UnixSeconds>,
    /// Of the first word on the failing series itself: when, and p10, p50 and p90 of the failure.
    own: Option<(UnixSeconds, Option<[f64; 3]>)>,
}

impl Scorer {
    /// No word yet on `host`.
    pub fn new(labels: &Labels, host: &str) -> Self {
        let labelled = labels.of(host).iter();
        Self {
            labels: labelled
                .map(|label| (label.clone(), Caught::default()))
                .collect(),
            failures: labels.failures,
            false_alarms: 0,
            alert_at: None,
        }
    }

    /// Takes in one word.
    pub fn word(&mut self, prediction: &Prediction) {
        let at = prediction.raised_at;
        let starts_alert = self
            .alert_at
            .is_none_or(|before| at - before >= AFTERMATH_S);
        if starts_alert {
            self.alert_at = Some(at);
        }
        let mut belongs = false;
        for (label, caught) in &mut self.labels {
            if let Some(series) = &label.series {
                belongs |= (label.start..=label.end + AFTERMATH_S).contains(&at);
                catch_failure(label, series, caught, prediction);
                continue;
            }
            let from = label.start - EARLY_S;
            belongs |= (from..=label.end + AFTERMATH_S).contains(&at);
            if starts_alert && (from..=label.end).contains(&at) {
                caught.first_at.get_or_insert(at);
            }
        }
        if !belongs && (self.failures || starts_alert) {
            self.false_alarms += 1;
        }
    }

    /// The score.
    pub fn score(&self) -> Score {
        let mut score = Score {
            labels: self.labels.len() as u64,
            false_alarms: self.false_alarms,
            failures: self.failures,
            ..Score::default()
        };
        for (label, caught) in &self.labels {
            let Some(first_at) = caught.first_at else {
                continue;
            };
            score.caught += 1;
            let until = if label.series.is_some() {
                label.end
            } else {
                label.start
            };
            score.leads_s.push(until - first_at);
            if let Some((at, Some([low, median, high]))) = caught.own {
                let fail = label.end as f64;
                let left_s = (label.end - at) as f64;
                score.eta_right += u64::from((median - fail).abs() <= 0.25 * left_s);
                score.intervals += 1;
                score.inside += u64::from((low..=high).contains(&fail));
            }
        }
        score
    }
}

fn catch_failure(label: &Label, series: &str, caught: &mut Caught, prediction: &Prediction) {
    let at = prediction.raised_at;
    let of_use_until = label.end - AFTERMATH_S.min((label.end - label.start) / 3);
    let related = prediction.series == series || stands_for(&prediction.series, series);
    if !related || !(label.start..=of_use_until).contains(&at) {
        return;
    }
    caught.first_at.get_or_insert(at);
    if prediction.series == series && caught.own.is_none() {
        let after = |left_s: f64| at as f64 + left_s;
        let eta = prediction.eta;
        let eta = eta.map(|eta| [eta.low_s, eta.median_s, eta.high_s].map(after));
        caught.own = Some((at, eta));
    }
}

fn stands_for(a: &str, b: &str) -> bool {
    const PAIR: [&str; 2] = ["memory.used_percent", "swap.used_percent"];
    PAIR.contains(&a) && PAIR.contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arki_model::prediction::{Eta, Severity};

    fn word(series: &str, at: i64, left_s: f64) -> Prediction {
        let eta = Some(Eta {
            low_s: left_s * 0.9,
            median_s: left_s,
            high_s: left_s * 1.2,
        });
        Prediction {
            series: series.into(),
            raised_at: at,
            value: 1.0,
            bound: Some(2.0),
            eta,
            severity: Severity::of(eta),
            votes: Vec::new(),
            also: Vec::new(),
        }
    }

    fn scored(labels: &str, words: &[Prediction]) -> Score {
        let labels = Labels::read(labels.as_bytes()).unwrap();
        let mut scorer = Scorer::new(&labels, "h");
        for prediction in words {
            scorer.word(prediction);
        }
        scorer.score()
    }

    #[test]
    fn a_failure_is_caught_in_time_on_its_series_only() {
        let failure = "host,series,onset,fail\nh,swap.used_percent,10000,20000\n";
        // fails at 20000: of use until 18200
        let late = scored(failure, &[word("swap.used_percent", 18_201, 1_799.0)]);
        assert_eq!((late.caught, late.false_alarms), (0, 0));
        let other = scored(failure, &[word("disk.used_percent{/}", 12_000, 8_000.0)]);
        assert_eq!((other.caught, other.false_alarms), (0, 0));
        let score = scored(
            failure,
            &[
                word("swap.used_percent", 9_000, 9_000.0),
                word("memory.used_percent", 11_000, 100.0),
                word("swap.used_percent", 12_000, 7_000.0),
                word("swap.used_percent", 21_801, 10.0),
            ],
        );
        assert_eq!((score.caught, score.false_alarms), (1, 2));
        assert_eq!(score.leads_s, [9_000]);
        assert_eq!((score.eta_right, score.intervals, score.inside), (1, 1, 1));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[5]), Some(5));
        assert_eq!(median(&[900, -100, 50]), Some(50));
        assert_eq!(median(&[40, 1, 20, 900]), Some(30));
    }

    #[test]
    fn words_within_half_an_hour_are_one_alert_of_an_incident() {
        let incident = "host,start,end\nh,10000,11000\n";
        let words = [5_000, 5_600, 9_800, 10_900, 12_700, 20_000].map(|at| word("x", at, 1.0));
        let score = scored(incident, &words);
        // 5000 and 20000 are false, 9800 catches it 200 s before, 12700 is in the aftermath
        assert_eq!((score.caught, score.false_alarms), (1, 2));
        assert_eq!(score.median_lead_s(), Some(200));
        assert_eq!(scored("host,start,end\n", &words).false_alarms, 4);
    }
}
