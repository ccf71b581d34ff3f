//! What a person wants to know of one host's replay: what was said and what became of it, what was quieted
//! and why, and what failed with no word.
//!
//! The engine keeps a bounded memory of what it quieted and of what ended; a replay is longer than that. So it is
//! taken over as it goes. Bounded by [`ALERTS_MAX`], [`MISSES_MAX`] and [`GROUPS_MAX`]; the counts go on past them.

use super::host::Pass;
use arki_model::clock::UnixSeconds;
use arki_model::context::Source;
use arki_model::engine::Engine;
use arki_model::ledger::{Counts, Entry, Outcome};
use arki_model::prediction::Prediction;
use arki_model::quiet::{Because, COOL_DOWN_S, Quieted};

/// How many alerts of a host are told in full.
pub const ALERTS_MAX: usize = 100;
/// How many failures without a word are named.
pub const MISSES_MAX: usize = 50;
/// How many kinds of quieting, by series and reason, are counted apart.
pub const GROUPS_MAX: usize = 200;

/// Half of the time in which a record still grows: none is missed, unless a host quiets more than the engine
/// keeps within it.
const HARVEST_EVERY_S: i64 = COOL_DOWN_S / 2;

/// One trouble of which somebody would have been told, once or several times.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The first word.
    pub first: Prediction,
    /// How often it was said.
    pub words: u32,
    /// What became of it, and when; `None` while it runs.
    pub ended: Option<(Outcome, UnixSeconds)>,
}

/// Everything of one kind that was quieted.
#[derive(Debug, Clone)]
pub struct Group {
    /// The series.
    pub series: String,
    /// The reason, the newest of its kind.
    pub because: Because,
    /// How often.
    pub count: u64,
    /// When first.
    pub first_at: UnixSeconds,
    /// When last.
    pub last_at: UnixSeconds,
}

/// The story of one host.
#[derive(Debug, Default)]
pub struct Story {
    /// The time of the first and the last pass.
    pub span: Option<(UnixSeconds, UnixSeconds)>,
    /// The alerts, oldest first.
    pub alerts: Vec<Alert>,
    /// How many there were.
    pub alerts_total: u64,
    /// How many words.
    pub words_total: u64,
    /// What was quieted.
    pub quieted: Vec<Group>,
    /// Failures with no word: series and time.
    pub missed: Vec<(String, UnixSeconds)>,
    /// The ledger's counts.
    pub counts: Counts,
    /// What is still active at the end.
    pub running: usize,
    /// Seconds from the word to the failure, of the alerts that are told in full.
    pub leads_s: Vec<i64>,
    harvest: Harvest,
}

#[derive(Debug, Default)]
struct Harvest {
    next_at: UnixSeconds,
    /// What the engine held the last time and may still change.
    open: Vec<Quieted>,
    /// What it holds and is counted already.
    counted: Vec<Quieted>,
    /// Which series were told since.
    told: Vec<String>,
}

impl Story {
    /// Takes in one pass.
    pub fn pass(&mut self, pass: &Pass<'_>) {
        let first = self.span.map_or(pass.at, |(first, _)| first);
        self.span = Some((first, pass.at));
        for prediction in pass.told {
            self.word(prediction, pass);
        }
        self.endings(pass.engine);
        if pass.at >= self.harvest.next_at {
            self.harvest(pass.at, pass.engine);
            self.harvest.next_at = pass.at + HARVEST_EVERY_S;
        }
        self.running = pass.engine.ledger().active().len();
    }

    /// After the last pass.
    pub fn finish(&mut self) {
        for quieted in std::mem::take(&mut self.harvest.open) {
            self.count(&quieted);
        }
        self.quieted
            .sort_by(|a, b| b.count.cmp(&a.count).then(a.first_at.cmp(&b.first_at)));
    }

    /// How long the host was watched, in seconds.
    pub fn seconds(&self) -> i64 {
        self.span.map_or(0, |(first, last)| last - first)
    }

    fn word(&mut self, prediction: &Prediction, pass: &Pass<'_>) {
        self.words_total += 1;
        self.harvest.told.push(prediction.series.clone());
        let first_at = pass.first_word_of(prediction);
        if first_at == prediction.raised_at {
            self.alerts_total += 1;
            if self.alerts.len() < ALERTS_MAX {
                self.alerts.push(Alert {
                    first: prediction.clone(),
                    words: 1,
                    ended: None,
                });
            }
        } else if let Some(alert) = self.alert(&prediction.series, first_at) {
            alert.words += 1;
        }
    }

    fn alert(&mut self, series: &str, first_at: UnixSeconds) -> Option<&mut Alert> {
        self.alerts
            .iter_mut()
            .rfind(|alert| alert.first.series == series && alert.first.raised_at == first_at)
    }

    fn endings(&mut self, engine: &Engine) {
        let counts = engine.ledger().counts();
        let new = total(counts) - total(self.counts);
        self.counts = counts;
        let entries: Vec<&Entry> = engine.ledger().ended().rev().take(new as usize).collect();
        for entry in entries.into_iter().rev() {
            if entry.outcome == Outcome::Missed {
                if self.missed.len() < MISSES_MAX {
                    self.missed.push((entry.series.clone(), entry.ended_at));
                }
            } else if let Some(alert) = self.alert(&entry.series, entry.raised_at) {
                alert.ended = Some((entry.outcome, entry.ended_at));
                if entry.outcome == Outcome::Happened {
                    self.leads_s.push(entry.ended_at - entry.raised_at);
                }
            }
        }
    }

    fn harvest(&mut self, at: UnixSeconds, engine: &Engine) {
        let now: Vec<Quieted> = engine.quieted().cloned().collect();
        let told = std::mem::take(&mut self.harvest.told);
        for gone in std::mem::take(&mut self.harvest.open) {
            // a consensus that was held back and then told was not quieted
            let was_told = gone.because == Because::Held && told.contains(&gone.series);
            if !was_told && !now.iter().any(|quieted| same(quieted, &gone)) {
                self.count(&gone);
            }
        }
        let counted = std::mem::take(&mut self.harvest.counted);
        for quieted in now {
            if counted.iter().any(|counted| same(counted, &quieted)) {
                self.harvest.counted.push(quieted);
            } else if at - quieted.last_at >= COOL_DOWN_S {
                self.count(&quieted);
                self.harvest.counted.push(quieted);
            } else {
                self.harvest.open.push(quieted);
            }
        }
    }

    fn count(&mut self, quieted: &Quieted) {
        let (first_at, last_at) = (quieted.first_at, quieted.last_at);
        let known = self.quieted.iter_mut().find(|group| {
            group.series == quieted.series && kind(&group.because) == kind(&quieted.because)
        });
        if let Some(group) = known {
            group.count += 1;
            group.last_at = group.last_at.max(last_at);
            group.because = quieted.because.clone();
        } else if self.quieted.len() < GROUPS_MAX {
            self.quieted.push(Group {
                series: quieted.series.clone(),
                because: quieted.because.clone(),
                count: 1,
                first_at,
                last_at,
            });
        }
    }
}

/// What of a reason makes it one of a kind.
fn kind(because: &Because) -> (u8, &str) {
    match because {
        Because::Held => (0, ""),
        Because::CoolDown { .. } => (1, ""),
        Because::Context { name, source } => match source {
            Source::Declared => (2, name),
            Source::Announced => (3, name),
            Source::Host => (4, name),
        },
        Because::Learned { .. } => (5, ""),
    }
}

fn same(a: &Quieted, b: &Quieted) -> bool {
    a.first_at == b.first_at && a.series == b.series && kind(&a.because).0 == kind(&b.because).0
}

fn total(counts: Counts) -> u32 {
    counts.happened + counts.averted + counts.expired + counts.missed
}
