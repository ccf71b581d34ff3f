//! What is kept of one series with a bound, and how its three votes come about.

use super::day::Day;
use super::follow::Follow;
use super::gate::{Gate, gate, way};
use super::load::{Load, gone_through};
use super::look::Look;
use super::sight::{self, Scale, Seen};
use super::{Scratch, wording};
use crate::clock::UnixSeconds;
use crate::engine::View;
use crate::kind::{Bound, Direction};
use crate::prediction::Eta;
use crate::vote::Vote;
use crate::voter::pattern::{Climbs, Levels};
use crate::voter::trend::{self, Drive, Forecast};
use crate::window::Window;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;

/// Pattern speaks after two whole days: what was lived through twice is known.
pub(super) const PATTERN_READY_S: i64 = 2 * 86_400;
/// A series that has not climbed by this share of what is left is half as far as the gate asks of
/// the fastest-growing shape (a cube).
const CLIMB_MIN: f64 = 0.25;
/// A longer span that sees a climb less than this many times as high sees the same climb.
const SAME_CLIMB: f64 = 1.6;
/// A job does not end at the same level every day: this share of its climb more is the same.
const SAME_LEVEL: f64 = 0.1;
/// A series that lies this share of its climb below it has come down, if only just now.
const FALLEN: f64 = 0.3;
/// Half of the rate that is forecast, less what noise and pauses take.
const STILL_GROWS: f64 = 0.3;
/// Jobs end: one that is running counts as two climbs that stopped.
const JOB_STOPS: usize = 2;
/// A series at its bound may quiver: it has come back when it has left this share of the room below it.
const NEAR: f64 = 0.02;
/// A level that is known is looked at now and then, to be able to say so.
const KNOWN_PAUSE_S: i64 = 600;
/// Between two fits: a thirtieth of the time left, within these limits.
const FIT_EVERY_S: (f64, f64) = (10.0, 300.0);
/// The growth must fill at least this share of a sight and at most that: outside, another span sees it better.
const AGE_SHARE: (f64, f64) = (0.12, 0.8);

/// What is known of one series. About 2 KB.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    /// Older cells of the windows are of no use.
    since: UnixSeconds,
    first_at: UnixSeconds,
    levels: Levels,
    climbs: Climbs,
    follow: Follow,
    /// When the climb that has reached the bound began.
    failing: Option<UnixSeconds>,
    fit_at: UnixSeconds,
    outlook: Option<Outlook>,
    /// What the newest look came to. Not kept over a restart: the next look is seconds away.
    #[serde(skip)]
    look: Look,
    /// The votes where trend says yes and no other voter agrees; else empty.
    #[serde(skip)]
    alone: Vec<Vote>,
}

/// The newest forecast that passed the gate.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Outlook {
    at: UnixSeconds,
    left_s: [f64; 3],
    age_s: f64,
    votes: Vec<Vote>,
}

/// What a pass brings for one series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'a> {
    pub(super) at: UnixSeconds,
    pub(super) value: f64,
    pub(super) bound: Bound,
    pub(super) window: &'a Window,
    pub(super) started_at: UnixSeconds,
    pub(super) load: &'a Load,
    pub(super) view: &'a View<'a>,
}

impl Now<'_> {
    /// 1 or -1, so that the bound lies above.
    fn turn(&self) -> f64 {
        match self.bound.direction {
            Direction::Up => 1.0,
            Direction::Down => -1.0,
        }
    }

    fn bound_up(&self) -> f64 {
        self.turn() * self.bound.value
    }

    /// The value without spikes below two minutes, turned.
    fn cleaned(&self) -> f64 {
        let cells = [0, 1, 2, 3, 4].map(|age| f64::from(self.window.minute.back(age)));
        self.turn() * sight::median(cells)
    }

    fn known_s(&self) -> i64 {
        self.at - self.started_at
    }
}

impl State {
    pub(super) fn new(now: UnixSeconds) -> Self {
        Self {
            since: now,
            first_at: now,
            levels: Levels::default(),
            climbs: Climbs::default(),
            follow: Follow::default(),
            failing: None,
            fit_at: now,
            outlook: None,
            look: Look::Pending,
            alone: Vec::new(),
        }
    }

    pub(super) fn shift(&mut self, delta_s: i64) {
        self.since += delta_s;
        self.first_at += delta_s;
        self.fit_at += delta_s;
        self.failing = self.failing.map(|at| at + delta_s);
        self.levels.shift(delta_s);
        self.climbs.shift(delta_s);
        self.follow.shift(delta_s);
        if let Some(outlook) = &mut self.outlook {
            outlook.at += delta_s;
        }
    }

    /// The three votes and the time left, where they agree or pattern vetoes.
    pub(super) fn judge(
        &mut self,
        now: &Now<'_>,
        scratch: &mut Scratch,
    ) -> Option<(Vec<Vote>, Eta)> {
        let cleaned = now.cleaned();
        if !cleaned.is_finite() || self.at_bound(now, cleaned) {
            return None;
        }
        self.levels.push(now.at, cleaned);
        self.climbs.push(now.at, cleaned, now.bound_up());
        self.follow
            .push(&now.window.half_hour, &now.load.level.half_hour);
        if now.at >= self.fit_at {
            self.alone.clear();
            (self.outlook, self.look) = self.look(now, cleaned, scratch);
            self.fit_at = now.at + self.pause_s(now, cleaned);
        }
        let outlook = self.outlook.as_ref()?;
        let passed = (now.at - outlook.at) as f64;
        let [low_s, median_s, high_s] = outlook.left_s.map(|left| (left - passed).max(0.0));
        Some((
            outlook.votes.clone(),
            Eta {
                low_s,
                median_s,
                high_s,
            },
        ))
    }

    /// Seconds until the next look: a thirtieth of the time left; two steps of the fine ring where nothing was
    /// found; ten minutes where the level is known.
    fn pause_s(&self, now: &Now<'_>, cleaned: f64) -> i64 {
        let level = self.levels.at_this_hour(now.at, cleaned);
        if level.reached >= 2 || self.levels.days_reaching(now.at, cleaned) >= 2 {
            return KNOWN_PAUSE_S;
        }
        match &self.outlook {
            None => 2 * now.window.minute.step_s(),
            Some(outlook) => (outlook.left_s[1] / 30.0).clamp(FIT_EVERY_S.0, FIT_EVERY_S.1) as i64,
        }
    }

    /// Keeps track of failures; true while the series stands at its bound.
    fn at_bound(&mut self, now: &Now<'_>, cleaned: f64) -> bool {
        let crossed = now.bound.is_crossed_by(now.value);
        let foot = self.climbs.current().map_or(cleaned, |(_, foot)| foot);
        let near = cleaned >= now.bound_up() - NEAR * (now.bound_up() - foot).max(0.0);
        if self.failing.is_none() && (cleaned >= now.bound_up() || (crossed && near)) {
            let climb = self.climbs.current().map_or(now.at, |(at, _)| at);
            let told = self
                .outlook
                .as_ref()
                .map_or(now.at, |o| o.at - o.age_s as i64);
            self.failing = Some(climb.min(told));
        }
        if crossed || (near && self.failing.is_some()) {
            self.outlook = None;
            self.alone.clear();
            self.look = Look::AtBound;
            return true;
        }
        if let Some(began_at) = self.failing.take() {
            self.levels.erase_since(began_at);
            self.climbs.restart(now.at, cleaned);
            self.since = now.at;
            self.look = Look::Pending;
        }
        false
    }

    /// What is told if the other voters agree, and how far the look got.
    fn look(
        &mut self,
        now: &Now<'_>,
        cleaned: f64,
        scratch: &mut Scratch,
    ) -> (Option<Outlook>, Look) {
        let left = now.bound_up() - cleaned;
        let mut furthest = Look::Pending;
        let mut vetoed = None;
        let mut denied = 0.0_f64;
        let day = OnceCell::new();
        let scales: Vec<Scale> = sight::scales(now.window, now.at, self.since).collect();
        for (place, &scale) in scales.iter().enumerate() {
            furthest = furthest.max(Look::Level);
            if !scale.climbs(now.window, now.turn(), cleaned, CLIMB_MIN * left) {
                continue;
            }
            furthest = furthest.max(Look::Unfit);
            let Some(forecast) = self.forecast(now, scale, &day, scratch) else {
                continue;
            };
            let share = forecast.age_s / scale.span_s(now.window);
            let longest = place + 1 == scales.len();
            if share < AGE_SHARE.0 || (share > AGE_SHARE.1 && !longest) {
                continue;
            }
            if forecast.rise < SAME_CLIMB * denied {
                continue;
            }
            let fallen = cleaned - now.turn() * now.value;
            if fallen > FALLEN * forecast.rise || !grows(now, cleaned, &forecast) {
                denied = denied.max(forecast.rise);
                furthest = furthest.max(Look::Stopped);
                continue;
            }
            let known_s = now.known_s();
            // Growth whose beginning was not seen may be the rest of anything.
            let unseen = usize::from(share > AGE_SHARE.1);
            let stopped = self.stopped(&forecast) + unseen;
            let mut gated = gate(&forecast, known_s, stopped);
            if gated == Gate::Open && is_job(now, &forecast) {
                gated = gate(&forecast, known_s, stopped + JOB_STOPS);
            }
            match gated {
                Gate::Open => {}
                Gate::No => {
                    denied = denied.max(forecast.rise);
                    furthest = furthest.max(Look::Settles);
                    continue;
                }
                Gate::Early | Gate::Vague if self.known(now, cleaned, &forecast).climbs >= 2 => {
                    furthest = furthest.max(Look::Usual);
                    continue;
                }
                Gate::Early | Gate::Vague => {
                    let is_early = gated == Gate::Early;
                    furthest = furthest.max(if is_early { Look::Early } else { Look::Vague });
                    break;
                }
            }
            furthest = Look::Yes;
            let votes = self.votes(now, cleaned, &forecast);
            let outlook = Outlook {
                at: now.at,
                left_s: forecast.left_s,
                age_s: forecast.age_s,
                votes,
            };
            match wording::standing(&outlook.votes) {
                wording::Standing::Agreed => return (Some(outlook), Look::Yes),
                wording::Standing::Vetoed => {
                    vetoed.get_or_insert(outlook);
                }
                wording::Standing::Open => self.alone = outlook.votes,
            }
        }
        (vetoed, furthest)
    }

    /// How far the newest look got.
    pub(super) fn looked(&self) -> Look {
        self.look
    }

    /// The three votes as they stand, whether anything is told or not.
    pub(super) fn standing(&self, now: &Now<'_>) -> Vec<Vote> {
        if let Some(outlook) = &self.outlook {
            return outlook.votes.clone();
        }
        if !self.alone.is_empty() {
            return self.alone.clone();
        }
        let cleaned = now.cleaned();
        vec![
            self.look.vote(),
            wording::no_climb(now.load.series()),
            wording::level(&self.level(now, cleaned)),
        ]
    }

    /// What pattern knows of the level alone.
    fn level(&self, now: &Now<'_>, cleaned: f64) -> wording::Known {
        wording::Known {
            history_s: self.levels.span_s().min(now.known_s()),
            value: now.turn() * cleaned,
            level: self.levels.at_this_hour(now.at, cleaned),
            any_hour: self.levels.days_reaching(now.at, cleaned),
            turn: now.turn(),
            climbs: 0,
            climb_rise: 0.0,
        }
    }

    fn forecast(
        &self,
        now: &Now<'_>,
        scale: Scale,
        day: &OnceCell<Option<Day>>,
        scratch: &mut Scratch,
    ) -> Option<Forecast> {
        let day = day
            .get_or_init(|| Day::of(&now.window.half_hour, self.since, now.turn()))
            .as_ref();
        let seen = Seen {
            window: now.window,
            now: now.at,
            since: self.since,
            turn: now.turn(),
            load: (now.load.series() > 0).then_some((&now.load.index, &now.load.level)),
            per_load: now.turn() * self.follow.per_load(),
            day,
        };
        scale.fill(&seen, &mut scratch.sight, &mut scratch.cells);
        let step_s = scratch.sight.step_s;
        let ahead = |drive, sum: f64| {
            let left = match (drive, day) {
                (Drive::Day, Some(day)) => gone_through(now.at, sum * step_s, |at| day.usual(at)),
                _ => now.load.ahead_s(now.at, sum * step_s),
            };
            left / step_s
        };
        trend::forecast(&scratch.sight, now.bound_up(), &ahead, &mut scratch.trend)
    }

    /// How many climbs that were at least half as high as this one stopped by themselves.
    fn stopped(&self, forecast: &Forecast) -> usize {
        let high =
            |climb: &&crate::voter::pattern::Climb| f64::from(climb.rise) >= 0.5 * forecast.rise;
        self.climbs.ended().iter().filter(high).count().min(3)
    }

    fn votes(&self, now: &Now<'_>, cleaned: f64, forecast: &Forecast) -> Vec<Vote> {
        vec![
            wording::trend(forecast),
            wording::correlation(&self.companions(now, forecast), now.view.registry),
            wording::pattern(&self.known(now, cleaned, forecast)),
        ]
    }

    /// What of the climb the host's load explains.
    fn companions(&self, now: &Now<'_>, forecast: &Forecast) -> wording::Companions {
        let level = &now.load.level;
        let age = (forecast.age_s / level.five_minutes.step_s() as f64).round() as usize;
        let change =
            f64::from(level.five_minutes.back(0)) - f64::from(level.five_minutes.back(age));
        let per_load = now.turn() * self.follow.per_load();
        wording::Companions {
            series: now.load.series(),
            load_change: change,
            explained: per_load * change / forecast.rise.max(1e-9),
            follows: per_load != 0.0,
            driven: now.load.driven(now.view, forecast.age_s),
            age_s: forecast.age_s,
            way: way(forecast),
        }
    }

    /// What pattern knows of this level and this climb.
    fn known(&self, now: &Now<'_>, cleaned: f64, forecast: &Forecast) -> wording::Known {
        let like = self.climbs.like(forecast.rise, forecast.age_s);
        let (count, highest) = like.fold((0, 0.0_f64), |(n, top), climb| {
            (n + 1, top.max(f64::from(climb.rise)))
        });
        let foot = cleaned - forecast.rise;
        let is_known = foot + highest < now.bound_up();
        wording::Known {
            level: self
                .levels
                .at_this_hour(now.at, cleaned - SAME_LEVEL * forecast.rise),
            climbs: if is_known { count } else { 0 },
            climb_rise: highest,
            ..self.level(now, cleaned)
        }
    }
}

/// True if the series still climbs: over the last sixth of the climb, and over the last twelfth, by a good part of
/// what its mean rate, or the one that is forecast, would bring. Coarse steps blur the end of a climb that has
/// just stopped.
fn grows(now: &Now<'_>, cleaned: f64, forecast: &Forecast) -> bool {
    let left = now.bound_up() - cleaned;
    let rate = (forecast.rise / forecast.age_s).min(left / forecast.left_s[1]);
    [6.0, 12.0].into_iter().all(|part| {
        rise_over(now, cleaned, forecast.age_s / part)
            .is_none_or(|(rise, passed_s)| rise >= STILL_GROWS * rate * passed_s)
    })
}

/// How far the series has risen over about the last `span_s` seconds, and over how many exactly.
fn rise_over(now: &Now<'_>, cleaned: f64, span_s: f64) -> Option<(f64, f64)> {
    let rings = now.window.rings();
    let ring = rings.into_iter().skip(1).find(|ring| {
        let held_s = ring.len() as f64 * ring.step_s() as f64;
        held_s > span_s + 3.0 * ring.step_s() as f64
    })?;
    let steps = (span_s / ring.step_s() as f64).round().max(3.0);
    let cell = |age: usize| now.turn() * f64::from(ring.back(steps as usize + age));
    let then = sight::median([cell(0), cell(1), cell(2), f64::NAN, f64::NAN]);
    let passed_s = (steps + 1.0) * ring.step_s() as f64;
    then.is_finite().then_some((cleaned - then, passed_s))
}

/// Two or more other series doubled with the climb: a job is running.
fn is_job(now: &Now<'_>, forecast: &Forecast) -> bool {
    now.load.driven(now.view, forecast.age_s).len() >= wording::JOB_SERIES
}
