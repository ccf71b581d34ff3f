//! One run as it is stored.

use super::{Row, StoreError};
use arki_model::clock::UnixSeconds;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for a runner.
    Queued,
    /// A runner has it.
    Claimed,
    /// Its containers are up.
    Running,
    /// It was carried out.
    Done,
    /// It could not be carried out.
    Failed,
    /// Somebody did not want it any more.
    Cancelled,
}

impl State {
    const ALL: [Self; 6] = [
        Self::Queued,
        Self::Claimed,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`Self::name`] gives.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// True once nothing changes any more but the decision.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// `apply` or `dismiss`.
    pub decision: String,
    /// When.
    pub at: UnixSeconds,
    /// With which key.
    pub by: String,
    /// Who, by the name that was given.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The signed receipt, where it is to be applied.
    pub receipt: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number, which orders them.
    pub run_no: i64,
    /// Its identifier.
    pub run_id: Vec<u8>,
    /// When it was asked for.
    pub created_at: UnixSeconds,
    /// Whose share of the queue it takes.
    pub owner: String,
    /// Who asked.
    pub requested_by: String,
    /// The service's profile.
    pub service: String,
    /// The profile's action.
    pub action: String,
    /// The agent whose service is copied: its number, identifier and host.
    pub agent: Option<(i64, Vec<u8>, String)>,
    /// The first event of the prediction that it is about.
    pub prediction_id: Option<Vec<u8>>,
    /// Where it stands.
    pub state: State,
    /// Who has or had it.
    pub runner: String,
    /// How often it was claimed; also the number of the present claim.
    pub attempts: i64,
    /// When its claim ends, unless it is renewed.
    pub claimed_until: UnixSeconds,
    /// When its containers came up first.
    pub started_at: Option<UnixSeconds>,
    /// When it ended.
    pub finished_at: Option<UnixSeconds>,
    /// Who cancelled it.
    pub cancelled_by: Option<String>,
    /// `succeeded` or `failed`.
    pub outcome: Option<String>,
    /// What it proves, in a word.
    pub fidelity: Option<String>,
    /// Ranks automatic trials.
    pub score: Option<f64>,
    /// The result as JSON.
    pub result: Option<String>,
    /// Why it could not be carried out.
    pub error: String,
    /// What was decided.
    pub decision: Option<Decision>,
}

pub(super) const SELECT: &str = "SELECT r.run_no, r.run_id, r.created_at, r.owner, r.requested_by, r.service, r.action, \
    r.agent_no, a.agent_id, a.host, r.prediction_id, r.state, r.runner, r.attempts, r.started_at, r.finished_at, \
    r.cancelled_by, r.outcome, r.fidelity, r.score, r.result, r.error, r.decision, r.decided_at, r.decided_by, \
    r.decided_name, r.reason, r.receipt, r.claimed_until \
    FROM sandbox_run r LEFT JOIN agent a ON a.agent_no = r.agent_no";

impl Run {
    pub(super) fn from(row: &Row) -> Result<Self, StoreError> {
        let state = row.text(11)?;
        let state = State::from_name(&state)
            .ok_or_else(|| StoreError::Content(format!("a run in the state {state:?}")))?;
        let agent = match row.maybe_int(7)? {
            None => None,
            Some(agent_no) => Some((agent_no, row.bytes(8)?, row.text(9)?)),
        };
        Ok(Self {
            run_no: row.int(0)?,
            run_id: row.bytes(1)?,
            created_at: row.time(2)?,
            owner: row.text(3)?,
            requested_by: row.text(4)?,
            service: row.text(5)?,
            action: row.text(6)?,
            agent,
            prediction_id: row.maybe_bytes(10)?,
            state,
            runner: row.text(12)?,
            attempts: row.int(13)?,
            claimed_until: row.time(28)?,
            started_at: row.maybe_int(14)?,
            finished_at: row.maybe_int(15)?,
            cancelled_by: row.maybe_text(16)?,
            outcome: row.maybe_text(17)?,
            fidelity: row.maybe_text(18)?,
            score: row.maybe_real(19)?,
            result: row.maybe_text(20)?,
            error: row.text(21)?,
            decision: decision(row)?,
        })
    }
}

fn decision(row: &Row) -> Result<Option<Decision>, StoreError> {
    let Some(decision) = row.maybe_text(22)? else {
        return Ok(None);
    };
    Ok(Some(Decision {
        decision,
        at: row.time(23)?,
        by: row.text(24)?,
        name: row.text(25)?,
        reason: row.text(26)?,
        receipt: row.maybe_text(27)?,
    }))
}
