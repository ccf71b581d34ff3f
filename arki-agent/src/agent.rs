//! A running agent without its loop: what it holds, and what a pass, a question, a reload and a save do with it.
//!
//! Invariants: an event counts once it is in the log on disk; one that cannot be written waits, at most
//! [`WAITING_MAX`], and is tried again; the record (ledger, quiet, end of the chain) follows every event at once and
//! the memory every [`MEMORY_EVERY`], so that a crash costs half an hour of learning and no prediction.

mod answer;
mod apply;
mod hub;
mod report;
mod reports;
mod storage;

use crate::apply::journal::Journal;
use crate::collect::{CollectSettings, Collector, Collectors, Moment, Roots};
use crate::config::Config;
use crate::context::{Announced, Calendar, Contexts};
use crate::events::EventLog;
use crate::health::{Cost, Problems, Took};
use crate::identity::{self, IdentityError};
use crate::pipeline::Pipeline;
use crate::playback::Playback;
use crate::ship::Shipper;
use crate::state::{StateDir, StateError};
use crate::timekeeper::{JUMP_S, Timekeeper};
use arki_model::clock::Clock;
use arki_model::engine::Settings;
use arki_model::event::{EVENT_VERSION, Event, PROCESSES_MAX};
use arki_model::id::EventId;
use arki_model::kind::Kinds;
use arki_model::prediction::Prediction;
use arki_model::signature::PrivateKey;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// The memory is saved this often: 1.5 MB each time, 72 MB a day of writing; a crash loses at most that much
/// learning of fourteen days.
pub const MEMORY_EVERY: Duration = Duration::from_secs(30 * 60);
/// Events that wait for a disk that takes them: ten minutes of the worst storm that quiet lets through.
pub const WAITING_MAX: usize = 64;
/// Contexts that an event names: an event stays below 16 KiB.
const CONTEXTS_MAX: usize = 8;

/// Why an agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// What is to be written; stays until it is.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four things, each due or not"
)]
struct Due {
    record: bool,
    memory: bool,
    contexts: bool,
    ship: bool,
}

/// Everything that a running agent holds.
pub struct Agent {
    config: Config,
    host: String,
    clock: Rc<dyn Clock>,
    started: Duration,
    state: StateDir,
    key: PrivateKey,
    log: EventLog,
    pipeline: Pipeline,
    contexts: Contexts,
    /// Where the host is seen from.
    roots: Roots,
    time: Timekeeper,
    cost: Cost,
    problems: Problems,
    /// Events that are not on disk yet.
    waiting: VecDeque<Event>,
    due: Due,
    memory_saved: Duration,
    last_pass: Option<Moment>,
    /// A recorded host is watched, not this one.
    recorded: bool,
    /// Something was done that passes do not do.
    rare_work: bool,
    /// The way to the hub, where this agent is enrolled at one.
    shipper: Option<Rc<Shipper>>,
    /// The number of the last event that was recorded for the hub.
    shipped: u64,
    /// What was applied here.
    journal: Rc<Journal>,
    reports: reports::Reports,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Agent {
    /// Opens the state directory and goes on from what is there.
    pub fn start(config: Config, clock: Rc<dyn Clock>) -> Result<Self, StartError> {
        let state = StateDir::open(&config.state_dir)?;
        let key = identity::load_or_create(&config.state_dir)?;
        let mut problems = Problems::default();
        let now = Moment::now(&*clock);
        let (mut engine, log, notes) = storage::restore(&state, settings(&config));
        if !notes.is_empty() {
            problems.set("state", notes.join("; "));
        }
        let (announced, note) = state.load::<Announced>(storage::CONTEXTS);
        let announced = announced.unwrap_or_default();
        if let Some(note) = note {
            problems.set("contexts", note);
        }
        let (journal, note) = Journal::open(state.path(), now.now_s);
        if let Some(note) = note {
            problems.set("apply", note);
        }
        let mut time = Timekeeper::new(now);
        let mut set_back_s = 0;
        if let Some(last_at) = engine.last_at()
            && last_at - now.now_s >= JUMP_S
        {
            // The clock went back while nobody looked: what stood last stood one interval ago.
            let delta_s = now.now_s - config.interval.seconds() - last_at;
            engine.shift_time(delta_s);
            time.went_back(delta_s, now);
            set_back_s = delta_s;
        }
        let mut agent = Self {
            pipeline: Pipeline::new(collectors(&config), engine),
            contexts: contexts(&config, announced),
            roots: config.roots.roots(),
            host: host_name(&config),
            started: now.monotonic,
            memory_saved: now.monotonic,
            config,
            clock,
            state,
            key,
            log,
            time,
            cost: Cost::default(),
            problems,
            waiting: VecDeque::new(),
            due: Due::default(),
            last_pass: None,
            recorded: false,
            rare_work: true,
            shipper: None,
            shipped: 0,
            journal: Rc::new(journal),
            reports: reports::Reports::default(),
        };
        agent.open_hub();
        agent.reports.shift(set_back_s);
        Ok(agent)
    }

    /// Watches a recorded host in place of this one.
    pub fn watch_recording(&mut self, playback: Playback) {
        let all: Vec<Box<dyn Collector>> = vec![Box::new(playback)];
        self.pipeline
            .set_collectors(Collectors::of(Roots::default(), all));
        // What runs on this host explains nothing about that one.
        self.roots = Roots {
            proc: "/dev/null".into(),
            sys: "/dev/null".into(),
            root: "/dev/null".into(),
        };
        self.recorded = true;
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// True if something waits to be written, or rare work is to be cleaned up after.
    pub fn wants_upkeep(&self) -> bool {
        self.rare_work || self.is_unsettled()
    }

    /// True if something was done since the last call that passes do not do: the start, an answer, a save.
    pub fn take_rare_work(&mut self) -> bool {
        std::mem::take(&mut self.rare_work)
    }

    /// One pass, from the readings to what is written about them.
    pub fn pass(&mut self) {
        let moment = Moment::now(&*self.clock);
        let (at, jump) = self.time.tick(moment);
        if let Some(delta_s) = jump {
            tracing::warn!(
                delta_s,
                "the wall clock was set; what is remembered moves along"
            );
            self.pipeline.engine_mut().shift_time(delta_s);
            self.reports.shift(delta_s);
            // Windows and record must be of the same time on disk too.
            (self.due.memory, self.due.record) = (true, true);
        }
        let before = self.ledger_mark();
        let engine_moment = Moment {
            now_s: at,
            ..moment
        };
        let contexts = self.contexts.pass(&self.roots, engine_moment);
        let whole = self.cost.last().map(|took| took.all + took.writes);
        let told = self
            .pipeline
            .pass(&*self.clock, moment, at, whole, contexts);
        for prediction in told {
            self.raise(prediction);
        }
        let told_at = self.clock.monotonic();
        if self.ledger_mark() != before {
            self.due.record = true;
            self.watch_applied();
        }
        self.due.memory |= moment.monotonic.saturating_sub(self.memory_saved) >= MEMORY_EVERY;
        self.observe(at);
        self.note_problems();
        self.settle();
        if !self.is_unsettled() {
            // After the events that they are about.
            self.ship_reports(at);
        }
        self.last_pass = Some(moment);
        let ended = self.clock.monotonic();
        let took = Took {
            all: told_at.saturating_sub(moment.monotonic),
            votes: self.pipeline.judging(),
            writes: ended.saturating_sub(told_at),
        };
        self.cost.pass(took, ended);
    }

    /// Makes an event of a prediction and queues it for the disk.
    fn raise(&mut self, prediction: Prediction) {
        let mut random = [0; 10];
        if let Err(error) = getrandom::fill(&mut random) {
            // Without randomness ids of one millisecond could meet; the chain's number still tells events apart.
            tracing::warn!(%error, "no random bytes from the kernel");
        }
        let now_s = self.clock.now_s();
        tracing::info!(series = %prediction.series, severity = %prediction.severity, "predicted");
        let event = Event {
            version: EVENT_VERSION,
            id: EventId::new(now_s.unsigned_abs() * 1000, random),
            host: self.host.clone(),
            sequence: 0,
            previous: [0; 32],
            processes: self.pipeline.top_growth(&prediction.series, PROCESSES_MAX),
            context: self
                .contexts
                .active()
                .iter()
                .map(|context| context.name.clone())
                .take(CONTEXTS_MAX)
                .collect(),
            signed_at: now_s,
            prediction,
        };
        if self.waiting.len() == WAITING_MAX {
            self.problems.set(
                "events",
                format!(
                    "{WAITING_MAX} events wait for a disk that takes them; older ones are lost"
                ),
            );
            self.waiting.pop_front();
        }
        self.waiting.push_back(event);
    }

    /// What changes when the ledger does.
    fn ledger_mark(&self) -> (usize, arki_model::ledger::Counts) {
        let ledger = self.pipeline.engine().ledger();
        (ledger.active().len(), ledger.counts())
    }

    /// Takes a new configuration; says what of it needs a restart.
    pub fn reload(&mut self, config: Config) {
        let needs_restart = [
            ("interval", config.interval != self.config.interval),
            ("state_dir", config.state_dir != self.config.state_dir),
            ("socket", config.socket != self.config.socket),
        ];
        let names: Vec<&str> = needs_restart
            .iter()
            .filter(|(_, changed)| *changed)
            .map(|(name, _)| *name)
            .collect();
        self.problems.note(
            "config",
            (!names.is_empty()).then(|| {
                format!(
                    "changed, but in force only after a restart: {}",
                    names.join(", ")
                )
            }),
        );
        // New collectors begin anew: with rates, with what grows, with mounts that never answered.
        let is_collected_alike = config.service == self.config.service
            && config.log == self.config.log
            && config.roots == self.config.roots;
        let (interval, state_dir, socket) = (
            self.config.interval,
            self.config.state_dir.clone(),
            self.config.socket.clone(),
        );
        self.config = Config {
            interval,
            state_dir,
            socket,
            ..config
        };
        self.host = host_name(&self.config);
        let Settings {
            kinds, series_max, ..
        } = settings(&self.config);
        self.pipeline.engine_mut().reconfigure(kinds, series_max);
        if !self.recorded && !is_collected_alike {
            self.pipeline.set_collectors(collectors(&self.config));
            self.roots = self.config.roots.roots();
        }
        self.contexts = contexts(&self.config, self.contexts.announced().clone());
        // `enroll --new-key` may have given this agent another one.
        let key = identity::load(&self.config.state_dir);
        self.problems
            .note("key", key.as_ref().err().map(ToString::to_string));
        if let Ok(Some(key)) = key {
            self.key = key;
        }
        self.open_hub();
        tracing::info!("the configuration was read again");
    }

    /// Keeps the old configuration, and says why.
    pub fn refuse_reload(&mut self, error: &crate::config::ConfigError) {
        self.problems
            .set("config", format!("not taken, the old one stays: {error}"));
    }

    /// One line for the service manager.
    pub fn summary(&self) -> String {
        let engine = self.pipeline.engine();
        let problems = self.problems.iter().count();
        format!(
            "{} series, {} active predictions, {problems} problems",
            engine.registry().len(),
            engine.ledger().active().len()
        )
    }
}

fn settings(config: &Config) -> Settings {
    let rules = config
        .series
        .iter()
        .filter_map(|series| series.rule().ok())
        .collect();
    Settings {
        interval_s: config.interval.seconds(),
        series_max: config.series_max,
        kinds: Kinds::new(rules),
    }
}

pub(crate) fn collectors(config: &Config) -> Collectors {
    let settings = CollectSettings {
        services: config.service.clone(),
        logs: config.log.clone(),
        ..CollectSettings::default()
    };
    Collectors::new(config.roots.roots(), &settings)
}

/// The calendar is in local time. Its entries were checked when the configuration was read.
fn contexts(config: &Config, announced: Announced) -> Contexts {
    let calendar = Calendar::new(&config.context, jiff::tz::TimeZone::system());
    Contexts::new(calendar.unwrap_or_default(), announced)
}

pub(crate) fn host_name(config: &Config) -> String {
    if !config.host.is_empty() {
        return config.host.clone();
    }
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests;
