//! Agents: who is enrolled, with which keys, and when they were last heard.

use super::{Row, Step, Store, StoreError, Value};
use crate::values;
use arki_model::clock::UnixSeconds;

/// After a rotation the old key is believed for this long: what the agent had signed and not yet shipped.
pub const ROTATION_GRACE_S: i64 = 3_600;
/// How many agents one statement looks up; statements are prepared for each power of two up to it.
pub const LOOKUP_MAX: usize = 1_024;

/// One agent as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its number in the store.
    pub agent_no: i64,
    /// Its identifier on the wire.
    pub agent_id: Vec<u8>,
    /// Its host's name.
    pub host: String,
    /// The program's version.
    pub version: String,
    /// When it was enrolled.
    pub enrolled_at: UnixSeconds,
    /// When it was revoked.
    pub revoked_at: Option<UnixSeconds>,
    /// When its last batch came.
    pub seen_at: Option<UnixSeconds>,
    /// Since when it has been silent.
    pub silent_since: Option<UnixSeconds>,
    /// How many of its predictions are active.
    pub predictions: i64,
    /// The highest severity among them: 0 info, 1 warning, 2 critical.
    pub severity: Option<i64>,
    /// Summaries that it dropped because its outbox was full.
    pub summaries_dropped: i64,
}

impl Agent {
    /// `revoked`, `silent`, `waiting` (nothing came yet) or `active`.
    pub fn state(&self) -> &'static str {
        match self {
            Self {
                revoked_at: Some(_),
                ..
            } => "revoked",
            Self {
                silent_since: Some(_),
                ..
            } => "silent",
            Self { seen_at: None, .. } => "waiting",
            _ => "active",
        }
    }

    fn from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            agent_no: row.int(0)?,
            agent_id: row.bytes(1)?,
            host: row.text(2)?,
            version: row.text(3)?,
            enrolled_at: row.time(4)?,
            revoked_at: row.maybe_int(5)?,
            seen_at: row.maybe_int(6)?,
            silent_since: row.maybe_int(7)?,
            predictions: row.int(8)?,
            severity: row.maybe_int(9)?,
            summaries_dropped: row.int(10)?,
        })
    }
}

const SELECT: &str = "SELECT a.agent_no, a.agent_id, a.host, a.version, a.enrolled_at, a.revoked_at, \
    l.seen_at, l.silent_since, \
    (SELECT count(*) FROM prediction p WHERE p.agent_no = a.agent_no AND p.ended_at IS NULL), \
    (SELECT max(p.severity) FROM prediction p WHERE p.agent_no = a.agent_no AND p.ended_at IS NULL), \
    a.summaries_dropped \
    FROM agent a LEFT JOIN agent_latest l ON l.agent_no = a.agent_no";

/// Agents after the number `after`, at most `limit`; only the one called `host` unless that is empty.
pub async fn list(
    store: &dyn Store,
    host: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Agent>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE a.agent_no > $1 AND ($2 = '' OR a.host = $2) ORDER BY a.agent_no LIMIT $3"
    );
    store
        .query(&sql, &values![after, host, limit])
        .await?
        .iter()
        .map(Agent::from)
        .collect()
}

/// The agent with this identifier.
pub async fn by_id(store: &dyn Store, agent_id: &[u8]) -> Result<Option<Agent>, StoreError> {
    let sql = format!("{SELECT} WHERE a.agent_id = $1");
    let rows = store.query(&sql, &values![agent_id]).await?;
    rows.first().map(Agent::from).transpose()
}

/// What ingest needs to believe a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The agent's number in the store.
    pub agent_no: i64,
    /// Its identifier on the wire.
    pub agent_id: Vec<u8>,
    /// True if it was revoked.
    pub is_revoked: bool,
    /// Its public keys: one, or two shortly after a rotation.
    pub keys: Vec<[u8; 32]>,
    /// What it last said about itself.
    pub about: About,
    /// True if there is something to ask of it.
    pub requests_waiting: bool,
}

/// What an agent says about itself with each batch; written only when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its host's name.
    pub host: String,
    /// The program's version.
    pub version: String,
    /// Summaries that it dropped because its outbox was full.
    pub summaries_dropped: i64,
    /// Records that it set aside as damaged.
    pub records_set_aside: i64,
}

/// The step that keeps what the agent says about itself.
pub fn about_step(agent_no: i64, about: &About) -> Step {
    Step::new(
        "UPDATE agent SET host = $2, version = $3, summaries_dropped = $4, records_set_aside = $5 WHERE agent_no = $1",
        values![
            agent_no,
            about.host.as_str(),
            about.version.as_str(),
            about.summaries_dropped,
            about.records_set_aside
        ],
    )
}

/// Looks up many agents at one time, at most [`LOOKUP_MAX`]; who is not enrolled is not in the answer.
pub async fn known(
    store: &dyn Store,
    agent_ids: &[Vec<u8>],
    now_s: UnixSeconds,
) -> Result<Vec<Known>, StoreError> {
    let Some(last) = agent_ids.last() else {
        return Ok(Vec::new());
    };
    // a few sizes of statement, the rest filled with the last one
    let places = agent_ids.len().next_power_of_two();
    let list: Vec<String> = (2..places + 2).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT a.agent_no, a.agent_id, a.revoked_at, k.public_key, a.host, a.version, a.summaries_dropped, \
           a.records_set_aside, (SELECT count(*) FROM request r WHERE r.agent_no = a.agent_no \
             AND r.answered_at IS NULL AND r.expires_at > $1) FROM agent a \
         JOIN agent_key k ON k.agent_no = a.agent_no AND (k.retired_at IS NULL OR k.retired_at > $1) \
         WHERE a.agent_id IN ({}) ORDER BY a.agent_no",
        list.join(", ")
    );
    let mut parameters = vec![Value::from(now_s)];
    parameters.extend(agent_ids.iter().map(|id| Value::from(id.as_slice())));
    parameters.resize(places + 1, Value::from(last.as_slice()));
    let mut all: Vec<Known> = Vec::new();
    for row in store.query(&sql, &parameters).await? {
        let (agent_no, key) = (row.int(0)?, row.array(3)?);
        match all.last_mut() {
            Some(known) if known.agent_no == agent_no => known.keys.push(key),
            _ => all.push(Known {
                agent_no,
                agent_id: row.bytes(1)?,
                is_revoked: row.maybe_int(2)?.is_some(),
                keys: vec![key],
                about: About {
                    host: row.text(4)?,
                    version: row.text(5)?,
                    summaries_dropped: row.int(6)?,
                    records_set_aside: row.int(7)?,
                },
                requests_waiting: row.int(8)? > 0,
            }),
        }
    }
    Ok(all)
}

/// Every key that the agent ever had: old events were signed with old ones.
pub async fn keys_ever(store: &dyn Store, agent_no: i64) -> Result<Vec<[u8; 32]>, StoreError> {
    let sql = "SELECT public_key FROM agent_key WHERE agent_no = $1 ORDER BY added_at DESC";
    store
        .query(sql, &values![agent_no])
        .await?
        .iter()
        .map(|row| row.array(0))
        .collect()
}

/// Who enrols.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// The digest of the one-time token.
    pub token: [u8; 32],
    /// The identifier that it gets if it is new.
    pub agent_id: [u8; 16],
    /// The host's name.
    pub host: &'a str,
    /// The program's version.
    pub version: &'a str,
    /// The public key, whose possession was proven.
    pub public_key: [u8; 32],
}

/// Enrols a new agent, or gives a known one its next key where the token is for that; spends the token and returns
/// the agent's identifier. `None`: the token is unknown, spent, revoked or too old, or the key is taken; nothing was
/// changed. Whoever spent the token with this very key gets the same answer again: it may have been lost on its way.
pub async fn enrol(
    store: &dyn Store,
    newcomer: Newcomer<'_>,
    now_s: UnixSeconds,
) -> Result<Option<[u8; 16]>, StoreError> {
    let sql = "SELECT t.agent_no, a.agent_id, t.used_by, k.agent_no FROM token t \
               LEFT JOIN agent a ON a.agent_no = t.agent_no \
               LEFT JOIN agent u ON u.agent_id = t.used_by AND u.revoked_at IS NULL \
               LEFT JOIN agent_key k ON k.agent_no = u.agent_no AND k.public_key = $2 \
               WHERE t.digest = $1 AND t.expires_at > $3";
    let rows = store
        .query(sql, &values![newcomer.token, newcomer.public_key, now_s])
        .await?;
    let Some(token) = rows.first() else {
        return Ok(None);
    };
    if token.0.get(2) != Some(&Value::Null) {
        let is_same = token.maybe_int(3)?.is_some();
        return if is_same {
            token.array(2).map(Some)
        } else {
            Ok(None)
        };
    }
    let agent_id = match token.maybe_int(0)? {
        None => newcomer.agent_id,
        Some(_) => token.array(1)?,
    };
    let is_new = token.maybe_int(0)?.is_none();
    let steps = enrolment(&newcomer, agent_id, is_new, now_s);
    Ok(store.transact(&steps).await?.then_some(agent_id))
}

fn enrolment(
    newcomer: &Newcomer<'_>,
    agent_id: [u8; 16],
    is_new: bool,
    now_s: UnixSeconds,
) -> [Step; 3] {
    let make_room = if is_new {
        Step::must(
            "INSERT INTO agent (agent_id, host, version, enrolled_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            values![agent_id, newcomer.host, newcomer.version, now_s],
        )
    } else {
        Step::must(
            "UPDATE agent_key SET retired_at = $2 WHERE retired_at IS NULL \
             AND agent_no = (SELECT agent_no FROM agent WHERE agent_id = $1)",
            values![agent_id, now_s + ROTATION_GRACE_S],
        )
    };
    [
        Step::must(
            "UPDATE token SET used_at = $2, used_by = $3 WHERE digest = $1 AND used_at IS NULL AND expires_at > $2",
            values![newcomer.token, now_s, agent_id],
        ),
        make_room,
        Step::must(
            "INSERT INTO agent_key (public_key, agent_no, added_at) \
             SELECT $1, agent_no, $2 FROM agent WHERE agent_id = $3 AND revoked_at IS NULL ON CONFLICT DO NOTHING",
            values![newcomer.public_key, now_s, agent_id],
        ),
    ]
}

/// Revokes an agent: nothing of it is taken from now on. False if there is none, or it was revoked before.
pub async fn revoke(
    store: &dyn Store,
    agent_no: i64,
    now_s: UnixSeconds,
) -> Result<bool, StoreError> {
    let sql = "UPDATE agent SET revoked_at = $2 WHERE agent_no = $1 AND revoked_at IS NULL RETURNING agent_no";
    Ok(!store
        .query(sql, &values![agent_no, now_s])
        .await?
        .is_empty())
}
