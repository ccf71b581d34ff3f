//! Alerts: what was decided about telling people, and why.
//!
//! An alert begins `pending` and waits a little, so that the same trouble on many hosts becomes one message; the
//! notifier makes it `notified`, or `quieted` with the reason. `cause` is unique: one alert for each event and
//! state change, whoever writes it how often.

use super::{Row, Step, Store, StoreError};
use crate::values;
use arki_model::clock::UnixSeconds;

/// How long an alert waits for others like it: agents ship an event at once, so hosts that fail together are heard
/// within seconds.
pub const GROUP_WAIT_S: i64 = 10;
/// While a notifier works on a group, no other takes it.
const LEASE_S: i64 = 60;
/// Alerts in one message at most; the rest of a group follows in the next one.
pub const GROUP_MAX: i64 = 1_000;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A prediction was raised or got worse.
    Prediction,
    /// A prediction ended.
    Ended,
    /// The agent did not tell of a prediction, and why.
    Hushed,
    /// Something failed and nothing had been predicted.
    Missed,
    /// An agent fell silent.
    Silent,
    /// A silent agent is heard again.
    Returned,
    /// Two different batches came under one key: somebody else has it, or a state directory was copied.
    Conflict,
}

impl Kind {
    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prediction => "prediction",
            Self::Ended => "ended",
            Self::Hushed => "hushed",
            Self::Missed => "missed",
            Self::Silent => "silent",
            Self::Returned => "returned",
            Self::Conflict => "conflict",
        }
    }
}

/// An alert that is to be stored.
#[derive(Debug, Clone)]
pub struct NewAlert<'a> {
    /// What it is about.
    pub kind: Kind,
    /// Whose.
    pub agent_no: i64,
    /// Which series; empty where it is about the agent.
    pub series: &'a str,
    /// 0 info, 1 warning, 2 critical.
    pub severity: i64,
    /// What makes it one: the same cause is stored once.
    pub cause: String,
    /// The event, where there is one.
    pub event_id: Option<&'a [u8]>,
    /// More about it, such as how a prediction ended.
    pub reason: &'a str,
    /// When.
    pub now_s: UnixSeconds,
    /// Why nobody is told; `None`: somebody is.
    pub quieted: Option<&'a str>,
}

/// The step that stores it.
pub fn step(alert: &NewAlert<'_>) -> Step {
    let kind = alert.kind.name();
    let group_key = match alert.kind {
        Kind::Prediction => format!("{kind}/{}/{}", alert.severity, alert.series),
        Kind::Ended => format!("{kind}/{}/{}", alert.reason, alert.series),
        Kind::Hushed | Kind::Missed | Kind::Silent | Kind::Returned | Kind::Conflict => {
            kind.to_owned()
        }
    };
    let (state, reason) = match alert.quieted {
        Some(why) => ("quieted", why),
        None => ("pending", alert.reason),
    };
    Step::new(
        "INSERT INTO alert (time, kind, state, reason, agent_no, series, severity, cause, event_id, group_key, due_at, hosts) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1) ON CONFLICT DO NOTHING",
        values![
            alert.now_s,
            kind,
            state,
            reason,
            alert.agent_no,
            alert.series,
            alert.severity,
            alert.cause.as_str(),
            alert.event_id,
            group_key,
            alert.now_s + GROUP_WAIT_S
        ],
    )
}

/// What the agent did not tell, and why; a later word on the same renews it.
pub fn hushed_step(alert: &NewAlert<'_>) -> Step {
    Step {
        sql: "INSERT INTO alert (time, kind, state, reason, agent_no, series, severity, cause, event_id, group_key, due_at, hosts) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1) \
              ON CONFLICT (cause) DO UPDATE SET reason = excluded.reason",
        ..step(alert)
    }
}

/// How a prediction ended, once for each: whoever finds it out first, the agent by its ledger or the hub by the
/// summaries, tells.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// Whose.
    pub agent_no: i64,
    /// Which series.
    pub series: &'a str,
    /// When it was predicted first.
    pub first_at: UnixSeconds,
    /// `happened`, `averted` or `expired`.
    pub state: &'a str,
    /// When.
    pub now_s: UnixSeconds,
    /// Why nobody is told; `None`: somebody is.
    pub quieted: Option<&'a str>,
}

/// The step that stores it, where there is such a prediction.
pub fn ended_step(ended: &Ended<'_>) -> Step {
    let Ended {
        agent_no,
        series,
        first_at,
        state,
        now_s,
        quieted,
    } = *ended;
    let kind = Kind::Ended.name();
    Step::new(
        "INSERT INTO alert (time, kind, state, reason, agent_no, series, severity, cause, event_id, group_key, due_at, hosts) \
         SELECT $1, $2, $3, $4, p.agent_no, p.series, CASE WHEN $5 = 'happened' THEN p.severity ELSE 0 END, $6, p.event_id, $7, $8, 1 \
         FROM prediction p WHERE p.agent_no = $9 AND p.series = $10 AND p.first_at = $11 ON CONFLICT DO NOTHING",
        values![
            now_s,
            kind,
            if quieted.is_some() {
                "quieted"
            } else {
                "pending"
            },
            quieted.unwrap_or(state),
            state,
            format!("ended:{agent_no}:{first_at}:{series}"),
            format!("{kind}/{state}/{series}"),
            now_s + GROUP_WAIT_S,
            agent_no,
            series,
            first_at
        ],
    )
}

/// One alert as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its number, which orders them.
    pub alert_no: i64,
    /// When.
    pub time: UnixSeconds,
    /// What it is about.
    pub kind: String,
    /// `pending`, `notified` or `quieted`.
    pub state: String,
    /// Why, or more about it.
    pub reason: String,
    /// The host's name.
    pub host: String,
    /// Which series; empty where it is about the agent.
    pub series: String,
    /// 0 info, 1 warning, 2 critical.
    pub severity: i64,
    /// The event, where there is one.
    pub event_id: Option<Vec<u8>>,
    /// How many hosts the message named.
    pub hosts: i64,
    /// Whose.
    pub agent_no: i64,
}

const COLUMNS: &str = "l.alert_no, l.time, l.kind, l.state, l.reason, a.host, l.series, l.severity, l.event_id, l.hosts, l.agent_no";

fn from(row: &Row) -> Result<Alert, StoreError> {
    let has_event = !matches!(row.0.get(8), Some(super::Value::Null));
    Ok(Alert {
        alert_no: row.int(0)?,
        time: row.time(1)?,
        kind: row.text(2)?,
        state: row.text(3)?,
        reason: row.text(4)?,
        host: row.text(5)?,
        series: row.text(6)?,
        severity: row.int(7)?,
        event_id: if has_event { Some(row.bytes(8)?) } else { None },
        hosts: row.int(9)?,
        agent_no: row.int(10)?,
    })
}

/// Alerts before the number `before` (newest first), at most `limit`; of one state or host unless that is empty.
pub async fn list(
    store: &dyn Store,
    state: &str,
    host: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Alert>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alert l JOIN agent a ON a.agent_no = l.agent_no \
         WHERE l.alert_no < $1 AND ($2 = '' OR l.state = $2) AND ($3 = '' OR a.host = $3) \
         ORDER BY l.alert_no DESC LIMIT $4"
    );
    store
        .query(&sql, &values![before, state, host, limit])
        .await?
        .iter()
        .map(from)
        .collect()
}

/// Takes one group of pending alerts that has waited long enough; empty if there is none. Who took it must settle it
/// with [`settle`] before the lease ends, or another notifier takes it.
pub async fn take_group(store: &dyn Store, now_s: UnixSeconds) -> Result<Vec<Alert>, StoreError> {
    let due = "SELECT group_key FROM alert WHERE state = 'pending' AND due_at <= $1 ORDER BY due_at, alert_no LIMIT 1";
    let rows = store.query(due, &values![now_s]).await?;
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let group = first.text(0)?;
    // younger ones of the same group come along
    let take = "UPDATE alert SET due_at = $1 WHERE alert_no IN ( \
                  SELECT alert_no FROM alert WHERE state = 'pending' AND group_key = $2 AND due_at <= $3 \
                  ORDER BY alert_no LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING alert_no";
    let until = now_s + GROUP_WAIT_S;
    let taken = store
        .query(take, &values![now_s + LEASE_S, group, until, GROUP_MAX])
        .await?;
    let numbers = taken
        .iter()
        .map(|row| row.int(0))
        .collect::<Result<Vec<_>, _>>()?;
    let (Some(least), Some(most)) = (numbers.iter().min(), numbers.iter().max()) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM alert l JOIN agent a ON a.agent_no = l.agent_no \
         WHERE l.alert_no >= $1 AND l.alert_no <= $2 ORDER BY l.alert_no"
    );
    let rows = store.query(&sql, &values![*least, *most]).await?;
    let all = rows.iter().map(from).collect::<Result<Vec<_>, _>>()?;
    Ok(all
        .into_iter()
        .filter(|alert| numbers.contains(&alert.alert_no))
        .collect())
}

/// The steps that settle alerts that were taken: `notified` with the number of hosts, or `quieted` with the reason.
/// They stand or fall together with the messages that are queued in the same transaction.
pub fn settle(alerts: &[Alert], outcome: Result<i64, &str>) -> Vec<Step> {
    let one = |alert: &Alert| match outcome {
        Ok(hosts) => Step::must(
            "UPDATE alert SET state = 'notified', hosts = $2 WHERE alert_no = $1 AND state = 'pending'",
            values![alert.alert_no, hosts],
        ),
        Err(reason) => Step::must(
            "UPDATE alert SET state = 'quieted', reason = $2 WHERE alert_no = $1 AND state = 'pending'",
            values![alert.alert_no, reason],
        ),
    };
    alerts.iter().map(one).collect()
}
