//! The loop of `run`: one thread, one owner of everything.
//!
//! ```text
//! interval -> pass        socket -> answer        SIGHUP -> reload        SIGTERM, SIGINT -> save and leave
//! ```

use crate::agent::{Agent, StartError};
use crate::config::{Config, ConfigError};
use crate::notify::Notifier;
use crate::socket::server::{Asked, Server};
use arki_model::clock::{Clock, SystemClock};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval};

/// What could not be written is tried again this often: a disk that takes it again is noticed within 10 s.
const RETRY: Duration = Duration::from_secs(5);
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

/// Runs until a signal ends it. `reread` reads the configuration again.
pub fn run(
    config: Config,
    reread: &dyn Fn() -> Result<Config, ConfigError>,
) -> Result<(), DaemonError> {
    let clock: Rc<dyn Clock> = Rc::new(SystemClock::new());
    let agent = Agent::start(config, Rc::clone(&clock))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    LocalSet::new().block_on(&runtime, serve(agent, &*clock, reread))
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
    reread: &dyn Fn() -> Result<Config, ConfigError>,
) -> Result<(), DaemonError> {
    let path = agent.config().socket.clone();
    let server = Server::bind(&path).map_err(|source| DaemonError::Socket { path, source })?;
    let (requests, mut asked) = mpsc::channel::<Asked>(REQUESTS_MAX);
    let mut signals = Signals::new()?;
    let notifier = Notifier::from_environment();
    let mut passes = interval(agent.config().interval.duration());
    passes.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut upkeep = interval(notifier.every().map_or(RETRY, |every| every.min(RETRY)));
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Skip);
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
                    Ok(config) => agent.reload(config),
                    Err(error) => agent.refuse_reload(&error),
                }
                notifier.ready();
            }
            _ = upkeep.tick() => {
                if agent.is_unsettled() {
                    agent.settle();
                }
                notifier.alive(&agent.summary());
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
    agent.save();
    tracing::info!("saved, leaving");
    Ok(())
}
