//! The loop of `run`: one thread, one owner of everything.
//!
//! ```text
//! interval -> pass        socket -> answer        SIGHUP -> reload        SIGTERM, SIGINT -> save and leave
//! ```

use crate::agent::{Agent, StartError};
use crate::config::{Config, ConfigError};
use crate::health::unmap;
use crate::notify::Notifier;
use crate::playback::{Playback, PlaybackClock};
use crate::replay::error::TraceError;
use crate::socket::server::{Asked, Server};
use arki_model::clock::{Clock, SystemClock};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval};

/// What could not be written is tried again this often: a disk that takes it again is noticed within 10 s. While
/// nothing waits, nothing wakes: an idle agent costs the host its passes alone.
const RETRY: Duration = Duration::from_secs(5);
/// In place of a watchdog's time where there is no watchdog.
const NEVER: Duration = Duration::from_secs(365 * 86_400);
/// Requests that wait for the loop; more clients wait in their own.
const REQUESTS_MAX: usize = 4;

/// Why the daemon ends early.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The agent cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The socket cannot be opened.
    #[error("{path}: cannot listen: {source}", path = path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kernel refuses something that every process needs.
    #[error("cannot set up the daemon: {0}")]
    Runtime(#[from] io::Error),
}

/// What the daemon watches, and by which clock.
pub struct Stage {
    clock: Rc<dyn Clock>,
    /// A recorded host in place of this one.
    playback: Option<Playback>,
    speed: u32,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("playback", &self.playback)
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// This host, now.
    pub fn live() -> Self {
        Self {
            clock: Rc::new(SystemClock::new()),
            playback: None,
            speed: 1,
        }
    }

    /// The host of a trace, `speed` times as fast, ending about now.
    pub fn recorded(trace: &Path, speed: u32) -> Result<Self, TraceError> {
        let (playback, start_s) = Playback::open(trace, SystemClock::new().now_s())?;
        Ok(Self {
            clock: Rc::new(PlaybackClock::new(start_s, speed)),
            playback: Some(playback),
            speed,
        })
    }
}

/// Runs until a signal ends it. `reread` reads the configuration again.
pub fn run(
    config: Config,
    stage: Stage,
    reread: &dyn Fn() -> Result<Config, ConfigError>,
) -> Result<(), DaemonError> {
    let clock = stage.clock;
    let mut agent = Agent::start(config, Rc::clone(&clock))?;
    if let Some(playback) = stage.playback {
        agent.watch_recording(playback);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Only to resolve the name of the hub, which takes no thread for longer than that.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_secs(1))
        .build()?;
    LocalSet::new().block_on(&runtime, serve(agent, &*clock, stage.speed, reread))
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

async fn serve(
    mut agent: Agent,
    clock: &dyn Clock,
    speed: u32,
    reread: &dyn Fn() -> Result<Config, ConfigError>,
) -> Result<(), DaemonError> {
    let path = agent.config().socket.clone();
    let server = Server::bind(&path).map_err(|source| DaemonError::Socket { path, source })?;
    let (requests, mut asked) = mpsc::channel::<Asked>(REQUESTS_MAX);
    let mut signals = Signals::new()?;
    let notifier = Notifier::from_environment();
    let mut passes = interval(agent.config().interval.duration() / speed);
    passes.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut upkeep = interval(RETRY);
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watchdog = interval(notifier.every().unwrap_or(NEVER));
    watchdog.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shipping = ship(&agent);
    notifier.ready();
    tracing::info!(interval_s = agent.config().interval.seconds(), "predicting");
    loop {
        tokio::select! {
            biased;
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = passes.tick() => agent.pass(),
            _ = signals.hang_up.recv() => {
                notifier.reloading(clock.monotonic());
                match reread() {
                    Ok(config) => {
                        stop(shipping.take());
                        agent.reload(config);
                        shipping = ship(&agent);
                    }
                    Err(error) => agent.refuse_reload(&error),
                }
                notifier.ready();
            }
            _ = watchdog.tick() => notifier.alive(&agent.summary()),
            _ = upkeep.tick(), if agent.wants_upkeep() => {
                if agent.is_unsettled() {
                    agent.settle();
                }
                if agent.take_rare_work() {
                    unmap();
                }
            }
            Some(asked) = asked.recv() => {
                let response = agent.answer(asked.request, asked.trusted);
                if asked.answer.send(response).is_err() {
                    tracing::debug!("a client left before its answer");
                }
            }
            () = server.accept(&requests) => {}
        }
    }
    notifier.stopping();
    stop(shipping);
    agent.save();
    tracing::info!("saved, leaving");
    Ok(())
}

/// Sends what waits for the hub, beside everything else.
fn ship(agent: &Agent) -> Option<JoinHandle<()>> {
    let shipper = agent.shipper()?;
    Some(spawn_local(async move {
        let work = async {
            match shipper.desk() {
                Some(desk) => desk.work().await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(shipper.run(), work);
    }))
}

fn stop(shipping: Option<JoinHandle<()>>) {
    if let Some(shipping) = shipping {
        shipping.abort();
    }
}
