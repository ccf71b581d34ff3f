//! The runner: claims runs, carries them out, keeps its claims alive, and clears up after runners that died.
//!
//! It needs the store and the engine's socket, nothing else; any number of runners share the queue. A run that was
//! cancelled, or that another runner took over, is stopped within [`LOOK`]. A container is an orphan when the claim
//! that its label names is over; one of a run that is not in this store (a trial at a terminal) when its own time is.

use super::container::{LABEL_ATTEMPT, LABEL_ENDS, LABEL_RUN};
use super::engine::{Engine, EngineError};
use super::trial::{Found, Trial};
use super::{hook, images, live};
use crate::hub::Hub;
use crate::store::sandbox::{self, Claimant, Ended, Run};
use crate::store::{StoreError, sandbox::LEASE_S};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{interval, sleep};

/// How often the queue is looked at, and claims are renewed.
const LOOK: Duration = Duration::from_millis(250);
const RENEW: Duration = Duration::from_secs(1);
/// How often orphans are looked for.
const REAP: Duration = Duration::from_secs(15);
/// A full queue (100 runs, two at one time, five seconds each) has its turn within this, and who makes an image after the
/// first run that lacks it is done.
const OTHERS_TIME_S: i64 = 15 * 60;
/// For the containers of the last runs to go, when this ends.
const REMOVAL_TIME: Duration = Duration::from_secs(10);
/// After the engine did not answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Why a runner does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The engine did not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries out runs until `stop` turns true; then ends what is under way.
pub async fn serve(hub: Arc<Hub>, name: String, mut stop: watch::Receiver<bool>) {
    let config = &hub.config.sandbox;
    let installation = installation(&hub);
    let engine = loop {
        match Engine::connect(&config.docker, config, &installation).await {
            Ok(engine) => break engine,
            Err(error) => tracing::error!(%error, "trials wait for the container engine"),
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    };
    tracing::info!(
        engine = engine.about(),
        runner = name,
        "trials are carried out here"
    );
    let reaping = tokio::spawn(reap_always(Arc::clone(&hub), engine.clone(), stop.clone()));
    let room = Arc::new(Semaphore::new(config.runs_at_one_time as usize));
    let (mut look, mut took_stock) = (interval(LOOK), interval(REAP));
    let mut stock = None;
    loop {
        let is_old = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            _ = took_stock.tick() => true,
            _ = look.tick() => false,
            () = hub.run_queued.notified() => false,
        };
        if is_old {
            match Stock::take(&hub, &engine).await {
                Ok(taken) => stock = Some(taken),
                Err(error) => tracing::warn!(%error, "the images could not be looked at"),
            }
        }
        let Some(stock) = &stock else { continue };
        while let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
            let claimed = claim(&hub, &name, stock).await;
            let run = match claimed {
                Ok(Some(run)) => run,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "trials wait for the database");
                    break;
                }
            };
            let (hub, engine) = (Arc::clone(&hub), engine.clone());
            tokio::spawn(async move {
                if let Err(error) = one(&hub, &engine, &run).await {
                    tracing::error!(%error, "a trial could not be recorded; it is tried again when its claim ends");
                }
                drop(permit);
            });
        }
    }
    // what is under way ends within its own time; the hub that ends now waits for as long as a claim
    let all = config.runs_at_one_time;
    let ended =
        tokio::time::timeout(Duration::from_secs(LEASE_S as u64), room.acquire_many(all)).await;
    if ended.is_err() {
        tracing::warn!("trials were left under way: another runner takes them over");
    }
    if !engine.cleared(REMOVAL_TIME).await {
        tracing::warn!("containers of the sandbox were left: they end by themselves");
    }
    reaping.abort();
}

/// What tells the containers of this installation from those of others on the same engine.
pub fn installation(hub: &Hub) -> String {
    hub.key.public().to_hex().chars().take(16).collect()
}

/// Which images this engine has of those that are allowed: made anew now and then, as images are made and removed by others.
#[derive(Debug, Default)]
struct Stock {
    /// Services that can be tried here.
    services: Vec<String>,
    /// The others, and why not.
    missing: Vec<(String, String)>,
}

impl Stock {
    async fn take(hub: &Hub, engine: &Engine) -> Result<Self, RunnerError> {
        let mut stock = Self::default();
        for profile in hub.profiles.iter() {
            let name = &profile.name;
            match images::allowed(&hub.config.sandbox, &*hub.store, engine, name).await {
                Ok(_) => stock.services.push(name.clone()),
                Err(RunnerError::Engine(error @ EngineError::NoImage { .. })) => {
                    stock.missing.push((name.clone(), error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(stock)
    }
}

/// Ends what killed its runners, and takes the next run. One whose image is not here is left to other runners, with a word
/// why it waits; after [`OTHERS_TIME_S`] it is taken, and fails with that word.
async fn claim(hub: &Hub, name: &str, stock: &Stock) -> Result<Option<Run>, StoreError> {
    let now_s = hub.clock.now_s();
    for run in sandbox::died(&*hub.store, now_s).await? {
        let ended = Ended {
            error: sandbox::died_error(),
            ..Ended::default()
        };
        let more = hook::told(hub, after(&run, &ended, now_s), now_s)?;
        sandbox::give_up(&*hub.store, &run, now_s, more).await?;
    }
    let config = &hub.config.sandbox;
    let who = Claimant {
        runner: name,
        running_max: i64::from(config.runs_at_one_time),
        services: Some(&stock.services),
        others_before: now_s - OTHERS_TIME_S,
    };
    let claimed = sandbox::claim(&*hub.store, who, now_s).await?;
    if claimed.is_none() && !stock.missing.is_empty() {
        let waiting = sandbox::unexplained(&*hub.store).await?;
        let missing = stock.missing.iter();
        for (service, why) in missing.filter(|(service, _)| waiting.contains(service)) {
            let why = format!("waits for a runner that has its image; on {name}: {why}");
            sandbox::explain(&*hub.store, service, &why).await?;
        }
    }
    Ok(claimed)
}

/// Carries out one run that was claimed, and records how it ended.
pub async fn one(hub: &Arc<Hub>, engine: &Engine, run: &Run) -> Result<(), StoreError> {
    let trial = trial(hub, engine, run);
    let ended = tokio::select! {
        found = trial => match found {
            Ok(found) => ended(&found)?,
            Err(error) => Ended { error: error.to_string(), ..Ended::default() },
        },
        lost = keep(hub, run) => return lost,
    };
    let now_s = hub.clock.now_s();
    let more = hook::told(hub, after(run, &ended, now_s), now_s)?;
    if !sandbox::finish(&*hub.store, run, &ended, now_s, more).await? {
        tracing::info!(run = %arki_model::hex::encode(&run.run_id), "the result of a run came too late: it was cancelled or taken over");
    }
    Ok(())
}

async fn trial(hub: &Arc<Hub>, engine: &Engine, run: &Run) -> Result<Found, RunnerError> {
    let gone = |what: &str| EngineError::Refused {
        what: format!("carry out {} of {}", run.action, run.service),
        reason: format!("this runner knows no such {what}"),
    };
    let profile = hub
        .profiles
        .get(&run.service)
        .ok_or_else(|| gone("service"))?;
    let action = profile.action(&run.action).ok_or_else(|| gone("action"))?;
    let image = images::allowed(&hub.config.sandbox, &*hub.store, engine, &run.service).await?;
    let configuration = live::configuration(hub, run).await?;
    let trial = Trial {
        profile,
        action,
        image: &image,
        configuration: &configuration,
        run: &arki_model::hex::encode(&run.run_id),
        attempt: run.attempts,
        time: hub.config.sandbox.run_time.duration(),
        now_s: hub.clock.now_s(),
    };
    Ok(trial.carry_out(engine).await?)
}

/// Renews the claim until it is no longer this runner's.
async fn keep(hub: &Hub, run: &Run) -> Result<(), StoreError> {
    let mut renew = interval(RENEW);
    let mut failed = 0;
    loop {
        renew.tick().await;
        match sandbox::renew(&*hub.store, run, hub.clock.now_s()).await {
            Ok(true) => failed = 0,
            Ok(false) => return Ok(()),
            Err(error) => {
                failed += 1;
                // past the lease another runner has it
                if failed * RENEW.as_secs() as i64 >= LEASE_S {
                    return Err(error);
                }
            }
        }
    }
}

fn ended(found: &Found) -> Result<Ended, StoreError> {
    let result = serde_json::to_string(&found.result);
    Ok(Ended {
        outcome: Some(found.result.outcome.name().into()),
        fidelity: Some(found.result.fidelity.name().into()),
        score: Some(found.score),
        // PostgreSQL takes no NUL in a text
        result: Some(result.map_err(|error| StoreError::Content(error.to_string()))?),
        error: String::new(),
    })
}

/// The run as it will be.
pub(super) fn after(run: &Run, ended: &Ended, now_s: i64) -> Run {
    let state = if ended.outcome.is_some() {
        sandbox::State::Done
    } else {
        sandbox::State::Failed
    };
    Run {
        state,
        finished_at: Some(now_s),
        started_at: run.started_at.or(Some(now_s)),
        outcome: ended.outcome.clone(),
        fidelity: ended.fidelity.clone(),
        score: ended.score,
        result: ended.result.clone(),
        error: ended.error.clone(),
        ..run.clone()
    }
}

async fn reap_always(hub: Arc<Hub>, engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut look = interval(REAP);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match reap(&hub, &engine).await {
            Ok(0) => {}
            Ok(removed) => tracing::warn!(removed, "containers were left by a runner that died"),
            Err(error) => tracing::warn!(%error, "could not look for containers that were left"),
        }
    }
}

/// Removes the containers whose claim is over; returns how many.
pub async fn reap(hub: &Hub, engine: &Engine) -> Result<usize, RunnerError> {
    let (mut removed, mut left) = (0, false);
    for container in engine.containers().await? {
        let labels = container.labels.unwrap_or_default();
        let Some(id) = container.id else { continue };
        if is_orphan(hub, &labels).await? {
            let is_gone = engine.remove(&id).await;
            removed += usize::from(is_gone);
            left |= !is_gone;
        }
    }
    if !left {
        engine.reaped();
    }
    Ok(removed)
}

async fn is_orphan(hub: &Hub, labels: &HashMap<String, String>) -> Result<bool, StoreError> {
    let now_s = hub.clock.now_s();
    let number = |label: &str| labels.get(label).and_then(|text| text.parse::<i64>().ok());
    if number(LABEL_ENDS).is_none_or(|ends| ends <= now_s) {
        return Ok(true);
    }
    let run_id = labels
        .get(LABEL_RUN)
        .and_then(|text| arki_model::hex::decode::<16>(text));
    let run = match run_id {
        Some(run_id) => sandbox::get(&*hub.store, &run_id).await?,
        None => None,
    };
    Ok(run.is_some_and(|run| {
        run.state.is_ended()
            || number(LABEL_ATTEMPT) != Some(run.attempts)
            || run.claimed_until <= now_s
    }))
}
