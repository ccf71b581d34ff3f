//! What is done in one copy, in order.
//!
//! ```text
//! configure -> prepare -> service, ready -> stage -> [before] -> action -> [after] -> probe
//! ```
//!
//! The control copy goes the same way without the action, and takes its "after" at the moment at which the tried copy
//! does. Whatever only looks goes by one exec (`look`).

use super::container::Container;
use super::engine::EngineError;
use super::exec::{End, Input, Ran};
use super::judge;
use super::look::{Look, Shell};
use super::profile::{Action, Argv, Kind, Measure, Profile};
use super::result::{COPY_BYTES_MAX, Copy, Figure, Measured, Phase, Step};
use super::usage::{self, Usage};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// For one step; the whole run has its own time.
const STEP_TIME: Duration = Duration::from_secs(30);
/// For one look: the probe and all measures.
const LOOK_TIME: Duration = Duration::from_secs(5);
/// Between two looks while something is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Characters of a text that is measured.
const TEXT_CHARS_MAX: usize = 500;

/// One copy at work.
pub(super) struct Worker<'a> {
    pub(super) container: &'a Container,
    pub(super) profile: &'a Profile,
    pub(super) action: &'a Action,
    /// The configuration, where it is not the image's.
    pub(super) archive: Option<Bytes>,
    service: Option<Service>,
    background: Vec<JoinHandle<Result<Ran, EngineError>>>,
    kept_bytes: usize,
    /// What was seen when the service got ready.
    seen: Option<Seen>,
    shell: Shell,
    /// The step that has not ended.
    under_way: Option<(Phase, Argv, Instant)>,
    copy: Copy,
}

/// The service's own process.
struct Service {
    task: JoinHandle<Result<Ran, EngineError>>,
}

/// What one look saw.
struct Seen {
    /// The probe.
    probe: Ran,
    figures: Vec<Option<Figure>>,
    usage: Option<Usage>,
}

/// Why a copy goes no further; what is known is in [`Worker::copy`].
enum Stop {
    /// A step did not end as it must.
    Here,
    /// The engine did not do it.
    Engine(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// Which side of a trial.
pub(super) enum Side {
    /// The action is tried; the other copy hears how far it is.
    Tried(watch::Sender<Turn>),
    /// It is left alone, and looked at when the other one is.
    Control(watch::Receiver<Turn>),
}

/// How far the tried copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Before the end of the action.
    Waits,
    /// Its first look after the action begins.
    Looks,
    /// Its effects have settled; `again` if that took another look.
    Settled { again: bool },
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        container: &'a Container,
        profile: &'a Profile,
        action: &'a Action,
        archive: Option<Bytes>,
    ) -> Self {
        Self {
            container,
            profile,
            action,
            archive,
            service: None,
            background: Vec::new(),
            kept_bytes: 0,
            seen: None,
            shell: Shell::default(),
            under_way: None,
            copy: Copy::default(),
        }
    }

    /// Does it all. What happened is in the copy, also where it went no further.
    pub(super) async fn work(&mut self, side: Side) -> Result<(), EngineError> {
        let went = self.steps(side).await;
        if let Err(Stop::Engine(error)) = went {
            return Err(error);
        }
        self.end().await;
        Ok(())
    }

    /// What happened; where it was left in the middle, with the step that had not ended.
    pub(super) async fn finish(mut self) -> Copy {
        if let Some((phase, argv, began)) = self.under_way.take() {
            self.push(Step {
                phase,
                argv,
                exit_code: None,
                output: String::new(),
                truncated: false,
                duration_ms: began.elapsed().as_millis() as u64,
            });
        }
        for task in self.background.drain(..) {
            task.abort();
        }
        if let Some(service) = self.service.take() {
            service.task.abort();
        }
        let (_, out_of_memory) = self.container.state().await;
        self.copy.out_of_memory = out_of_memory;
        self.copy
    }

    async fn steps(&mut self, side: Side) -> Result<(), Stop> {
        self.configure().await?;
        for argv in &self.profile.prepare {
            self.step(Phase::Prepare, argv).await?;
        }
        if !self.action.needs_service {
            if let Side::Tried(_) = side {
                self.step_ending_with(Phase::Action, &self.action.argv, self.action.exit_code)
                    .await?;
            }
            return Ok(());
        }
        self.start().await?;
        for argv in &self.action.stage {
            self.step(Phase::Stage, argv).await?;
        }
        self.stage_background().await?;
        self.before().await?;
        match side {
            Side::Tried(settled) => {
                self.act().await?;
                let turn = self.settle(&settled).await?;
                settled.send_replace(turn);
            }
            Side::Control(mut turn) => {
                // an error says that the other one has ended
                let goes_on = turn.wait_for(|turn| *turn != Turn::Waits).await.is_ok();
                let mut probed = self.look_after().await?;
                let settled = |turn: &Turn| matches!(turn, Turn::Settled { .. });
                let last = turn.wait_for(settled).await.map(|turn| *turn);
                if goes_on && !matches!(last, Ok(Turn::Settled { again: false })) {
                    probed = self.look_after().await?;
                }
                self.push(probed);
            }
        }
        Ok(())
    }

    async fn configure(&mut self) -> Result<(), Stop> {
        let Some(archive) = self.archive.take() else {
            return Ok(());
        };
        let words = ["tar", "-x", "-f", "-", "-C", "/", "--no-overwrite-dir"];
        let argv: Argv = words.map(Into::into).into();
        let ran = self
            .container
            .run(&argv, Input::Bytes(archive), STEP_TIME)
            .await?;
        self.keep(Phase::Configure, &argv, &ran, 0)
    }

    async fn step(&mut self, phase: Phase, argv: &Argv) -> Result<(), Stop> {
        self.step_ending_with(phase, argv, 0).await
    }

    async fn step_ending_with(&mut self, phase: Phase, argv: &Argv, code: i64) -> Result<(), Stop> {
        self.under_way = Some((phase, argv.clone(), Instant::now()));
        let ran = self.container.run(argv, Input::None, STEP_TIME).await?;
        self.under_way = None;
        self.keep(phase, argv, &ran, code)
    }

    /// Keeps a step; goes on only if it ended with `code`.
    fn keep(&mut self, phase: Phase, argv: &Argv, ran: &Ran, code: i64) -> Result<(), Stop> {
        self.push(ran.step(phase, argv));
        let name = argv.first().map(String::as_str).unwrap_or_default();
        self.copy.stopped = match ran.end {
            End::Exit(found) if found == code => return Ok(()),
            End::Exit(_) => None,
            End::Late => Some(format!(
                "{name} did not end within {} s",
                STEP_TIME.as_secs()
            )),
            End::Flood => Some(format!("{name} wrote without end")),
            End::Gone => Some(format!("its container ended while {name} ran")),
        };
        Err(Stop::Here)
    }

    fn push(&mut self, mut step: Step) {
        let room = COPY_BYTES_MAX.saturating_sub(self.kept_bytes);
        if step.output.len() > room {
            let end = (0..=room)
                .rev()
                .find(|end| step.output.is_char_boundary(*end));
            step.output.truncate(end.unwrap_or(0));
            step.truncated = true;
        }
        self.kept_bytes += step.output.len();
        self.copy.steps.push(step);
    }

    /// Starts the service and waits until it is ready, or has ended.
    async fn start(&mut self) -> Result<(), Stop> {
        let (container, argv) = (self.container.clone(), self.profile.start.clone());
        // as long as the container lives
        let task = tokio::spawn(async move {
            container
                .run(&argv, Input::None, Duration::from_secs(86_400))
                .await
        });
        self.service = Some(Service { task });
        let begun = Instant::now();
        self.seen = self.until_ready().await?;
        // a look while the service ended may have seen the last of it
        let is_healthy = self.seen.is_some() && !self.has_ended();
        self.copy.healthy_before = Some(is_healthy);
        let ready = &self.profile.ready;
        let mut step = if let Some(seen) = &self.seen {
            seen.probe.step(Phase::Ready, ready)
        } else {
            let ran = self.container.run(ready, Input::None, LOOK_TIME).await?;
            ran.step(Phase::Ready, ready)
        };
        step.duration_ms = begun.elapsed().as_millis() as u64;
        self.push(step);
        if is_healthy { Ok(()) } else { Err(Stop::Here) }
    }

    /// Waits until the service is ready, has ended, or its time is over; what was seen once it was ready.
    async fn until_ready(&mut self) -> Result<Option<Seen>, Stop> {
        let time = Duration::from_secs(self.profile.ready_seconds.into());
        let commands = self.commands();
        let look = Look {
            wait: Some(&self.profile.ready),
            commands: &commands.each(),
            time: time + LOOK_TIME,
        };
        let (mut shell, container) = (std::mem::take(&mut self.shell), self.container);
        let looking = async move { (shell.look(container, &look).await, shell) };
        let mut looking = std::pin::pin!(timeout(time, looking));
        let looked = loop {
            tokio::select! {
                looked = &mut looking => break looked,
                () = sleep(LOOK_AGAIN) => if self.has_ended() { return Ok(None) },
            }
        };
        let Ok(looked) = looked else { return Ok(None) };
        let (looked, shell) = looked;
        let (looked, end) = looked?;
        self.shell = shell;
        if matches!(end, End::Exit(126 | 127)) {
            self.copy.stopped = Some("its image has no sh, with which a copy is looked at".into());
            return Err(Stop::Here);
        }
        let seen = seen(self.container, self.profile, looked).await;
        Ok(Some(seen).filter(|seen| seen.probe.is(0)))
    }

    fn commands(&self) -> Commands<'a> {
        Commands {
            profile: self.profile,
            usage: usage::command(),
        }
    }

    /// Looks once.
    async fn look(&mut self) -> Result<Seen, EngineError> {
        let commands = self.commands();
        let look = Look {
            wait: None,
            commands: &commands.each(),
            time: LOOK_TIME,
        };
        let (looked, _) = self.shell.look(self.container, &look).await?;
        Ok(seen(self.container, self.profile, looked).await)
    }

    fn has_ended(&self) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(|service| service.task.is_finished())
    }

    async fn stage_background(&mut self) -> Result<(), Stop> {
        let before = self.background.len();
        for argv in &self.action.background {
            let (container, argv) = (self.container.clone(), argv.clone());
            self.background.push(tokio::spawn(async move {
                container
                    .run(&argv, Input::Open, Duration::from_secs(86_400))
                    .await
            }));
        }
        if self.background.len() > before {
            sleep(Duration::from_millis(500)).await; // they are up, or will not be
        }
        Ok(())
    }

    /// What is measured before: as it was when the service got ready, unless something was staged since.
    async fn before(&mut self) -> Result<(), Stop> {
        let is_staged = !(self.action.stage.is_empty() && self.action.background.is_empty());
        let seen = match self.seen.take() {
            Some(seen) if !is_staged => seen,
            _ => self.look().await?,
        };
        self.copy.memory_bytes_before = seen.usage.map(|usage| usage.memory_bytes);
        let measured = self.profile.measures.iter().zip(seen.figures);
        let measured = measured.map(|(measure, figure)| Measured {
            name: measure.name.clone(),
            title: measure.title.clone(),
            kind: measure.kind,
            unit: measure.unit.clone(),
            before: figure,
            after: None,
        });
        self.copy.measures = measured.collect();
        Ok(())
    }

    async fn act(&mut self) -> Result<(), Stop> {
        let action = self.action;
        self.step_ending_with(Phase::Action, &action.argv, action.exit_code)
            .await?;
        if action.restart {
            if let Some(service) = self.service.take() {
                self.ended(service).await;
            }
            self.start().await?;
        }
        Ok(())
    }

    /// Measures again and again until the expected effects show, or their time is over.
    async fn settle(&mut self, turn: &watch::Sender<Turn>) -> Result<Turn, Stop> {
        let begun = Instant::now();
        let time = Duration::from_secs(self.action.settle_seconds.into());
        let mut again = false;
        turn.send_replace(Turn::Looks);
        loop {
            let probed = self.look_after().await?;
            if judge::shows(&self.action.expects, &self.copy) || begun.elapsed() >= time {
                self.push(probed);
                return Ok(Turn::Settled { again });
            }
            again = true;
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Probes and measures; the probe as a step.
    async fn look_after(&mut self) -> Result<Step, Stop> {
        let seen = self.look().await?;
        self.copy.memory_bytes_after = seen.usage.map(|usage| usage.memory_bytes);
        self.copy.processes_after = seen.usage.map(|usage| usage.processes);
        for (measured, figure) in self.copy.measures.iter_mut().zip(seen.figures) {
            measured.after = figure;
        }
        self.copy.healthy_after = Some(seen.probe.is(0) && !self.has_ended());
        Ok(seen.probe.step(Phase::Probe, &self.profile.ready))
    }

    /// Takes what the service wrote. It is killed with its container, so its stream ends.
    async fn end(&mut self) {
        for task in self.background.drain(..) {
            task.abort();
        }
        if let Some(service) = self.service.take() {
            if !service.task.is_finished() {
                service.task.abort();
                return;
            }
            self.ended(service).await;
        }
    }

    async fn ended(&mut self, mut service: Service) {
        let ended = timeout(STEP_TIME, &mut service.task).await;
        let Ok(Ok(Ok(ran))) = ended else {
            service.task.abort();
            return;
        };
        if ran.end == End::Flood {
            self.copy.stopped = Some("the service wrote without end".into());
        }
        self.push(ran.step(Phase::Service, &self.profile.start));
    }
}

/// What every look runs: the probe, the measures, and what the copy uses.
struct Commands<'a> {
    profile: &'a Profile,
    usage: Argv,
}

impl Commands<'_> {
    fn each(&self) -> Vec<&Argv> {
        let measures = self.profile.measures.iter().map(|measure| &measure.argv);
        let probe = [&self.profile.ready].into_iter();
        probe.chain(measures).chain([&self.usage]).collect()
    }
}

/// What a look at [`Commands`] saw.
async fn seen(container: &Container, profile: &Profile, looked: Vec<Ran>) -> Seen {
    let mut all = looked.into_iter();
    let probe = all.next().expect("a look answers for every command");
    let figures = profile
        .measures
        .iter()
        .zip(all.by_ref())
        .map(|(measure, ran)| figure(measure, &ran))
        .collect();
    let files = all.next().map(|ran| ran.output).unwrap_or_default();
    let usage = match usage::of_files(&String::from_utf8_lossy(&files)) {
        None => container.statistics().await,
        usage => usage,
    };
    Seen {
        probe,
        figures,
        usage,
    }
}

fn figure(measure: &Measure, ran: &Ran) -> Option<Figure> {
    let text = String::from_utf8_lossy(&ran.output);
    let text = text.trim();
    match (measure.kind, &ran.end) {
        (Kind::Success, End::Exit(code)) => Some(Figure::Number(f64::from(u8::from(*code == 0)))),
        (Kind::Number, End::Exit(0)) => {
            let number: f64 = text.parse().ok()?;
            number.is_finite().then_some(Figure::Number(number))
        }
        (Kind::Text, End::Exit(_)) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            Some(Figure::Text(
                words.join(" ").chars().take(TEXT_CHARS_MAX).collect(),
            ))
        }
        _ => None,
    }
}
