//! Asking for a run: what API, webhooks, the terminal and the hub itself do alike.

use super::live;
use super::profile::Profile;
use crate::hub::Hub;
use crate::random;
use crate::store::agents::Agent;
use crate::store::sandbox::{self, NewRun, Room, Run};
use crate::store::{StoreError, agents, predictions};
use arki_model::id::EventId;
use serde::Deserialize;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The service's profile.
    pub service: String,
    /// The profile's action.
    pub action: String,
    /// The agent whose service is copied: 32 hexadecimal digits.
    #[serde(default)]
    pub agent: Option<String>,
    /// The prediction that it is about: the UUID of one of its events.
    #[serde(default)]
    pub prediction: Option<String>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Whose share of the queue it takes: `key:7`, `hook:deploy`.
    pub owner: String,
    /// As people call them.
    pub name: String,
}

/// Why no run was made.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such profile.
    #[error("there is no profile {0:?}; `GET /v1/sandbox/services` lists them")]
    Service(String),
    /// The profile has no such action.
    #[error("the profile {service} has no action {action:?}; it has {known}")]
    Action {
        /// The profile.
        service: String,
        /// What was asked for.
        action: String,
        /// What there is.
        known: String,
    },
    /// There is no such agent.
    #[error("there is no agent {0:?}")]
    Agent(String),
    /// There is no such prediction.
    #[error("there is no prediction {0:?}")]
    Prediction(String),
    /// The prediction is another agent's.
    #[error("the prediction is about another agent")]
    Mismatch,
    /// Too much waits.
    #[error(
        "too many runs wait: {each} of one key and {all} in all at one time; cancel some, or wait"
    )]
    Full {
        /// Of one owner.
        each: i64,
        /// In all.
        all: i64,
    },
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Queues a run.
pub async fn ask(hub: &Hub, asker: &Asker, ask: &Ask) -> Result<Run, AskError> {
    let profile = hub
        .profiles
        .get(&ask.service)
        .ok_or_else(|| AskError::Service(ask.service.clone()))?;
    known_action(profile, &ask.action)?;
    let (agent, prediction_id) = about(hub, ask).await?;
    let now_s = hub.clock.now_s();
    let run_id = *EventId::new(now_s.unsigned_abs() * 1_000, random::bytes()).as_bytes();
    let new = NewRun {
        run_id,
        owner: &asker.owner,
        requested_by: &asker.name,
        service: &ask.service,
        action: &ask.action,
        agent_no: agent.as_ref().map(|agent| agent.agent_no),
        prediction_id,
        now_s,
    };
    let room = Room {
        each: i64::from(hub.config.sandbox.runs_waiting_each),
        all: i64::from(hub.config.sandbox.runs_waiting),
    };
    if !sandbox::create(&*hub.store, &new, room).await? {
        let Room { each, all } = room;
        return Err(AskError::Full { each, all });
    }
    hub.run_queued.notify_one();
    if let Some(agent) = &agent {
        // it comes while the run waits for its turn
        live::ask(hub, agent, &ask.service).await?;
    }
    let made = sandbox::get(&*hub.store, &run_id).await?;
    made.ok_or_else(|| StoreError::Content("a run vanished".into()).into())
}

fn known_action(profile: &Profile, name: &str) -> Result<(), AskError> {
    if profile.action(name).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = profile
        .actions
        .iter()
        .map(|action| action.name.as_str())
        .collect();
    Err(AskError::Action {
        service: profile.name.clone(),
        action: name.to_owned(),
        known: known.join(", "),
    })
}

/// The agent and the prediction that a run is about; a prediction names its agent.
async fn about(hub: &Hub, ask: &Ask) -> Result<(Option<Agent>, Option<Vec<u8>>), AskError> {
    let bytes = |text: &str| arki_model::hex::decode::<16>(&text.replace('-', ""));
    let mut agent_id = None;
    let mut prediction_id = None;
    if let Some(text) = ask.prediction.as_deref().filter(|text| !text.is_empty()) {
        let missing = || AskError::Prediction(text.to_owned());
        let id = bytes(text).ok_or_else(missing)?;
        let found = predictions::by_event(&*hub.store, &id)
            .await?
            .ok_or_else(missing)?;
        agent_id = Some(found.agent_id);
        prediction_id = Some(found.event_id);
    }
    if let Some(text) = ask.agent.as_deref().filter(|text| !text.is_empty()) {
        let id = bytes(text).ok_or_else(|| AskError::Agent(text.to_owned()))?;
        if agent_id.is_some_and(|known| known != id) {
            return Err(AskError::Mismatch);
        }
        agent_id = Some(id.to_vec());
    }
    let Some(agent_id) = agent_id else {
        return Ok((None, None));
    };
    let found = agents::by_id(&*hub.store, &agent_id).await?;
    let agent = found.ok_or_else(|| AskError::Agent(arki_model::hex::encode(&agent_id)))?;
    Ok((Some(agent), prediction_id))
}
