//! Predictions: from the first event on a series until it is known how it ended.

use super::{Row, Step, Store, StoreError};
use crate::values;
use arki_model::clock::UnixSeconds;
use arki_model::event::Event;
use arki_model::prediction::Severity;

/// One prediction as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Its number, which orders them.
    pub prediction_no: i64,
    /// The agent's identifier on the wire.
    pub agent_id: Vec<u8>,
    /// The host's name.
    pub host: String,
    /// The series in trouble.
    pub series: String,
    /// The first event.
    pub event_id: Vec<u8>,
    /// How many events it has.
    pub events: i64,
    /// When it was said first.
    pub first_at: UnixSeconds,
    /// When it was said last.
    pub raised_at: UnixSeconds,
    /// The value then.
    pub value: f64,
    /// Where the series fails.
    pub bound: Option<f64>,
    /// The time left then (p10, p50, p90), in seconds.
    pub eta_s: Option<[f64; 3]>,
    /// 0 info, 1 warning, 2 critical.
    pub severity: i64,
    /// `active`, `happened`, `averted` or `expired`.
    pub state: String,
    /// When it ended.
    pub ended_at: Option<UnixSeconds>,
    /// Who found out: `agent` by its ledger, `hub` by the summaries.
    pub settled_by: Option<String>,
    /// The last event as JSON: votes with their evidence, processes, context.
    pub body: String,
}

impl Prediction {
    /// When it fails, by the median of the last word; `None` where it has no bound.
    pub fn fails_at(&self) -> Option<UnixSeconds> {
        let [_, median_s, _] = self.eta_s?;
        Some(self.raised_at.saturating_add(median_s as i64))
    }
}

const SELECT: &str = "SELECT p.prediction_no, a.agent_id, a.host, p.series, p.event_id, p.events, p.first_at, \
    p.raised_at, p.value, p.bound, p.eta_low_s, p.eta_median_s, p.eta_high_s, p.severity, p.state, p.ended_at, p.settled_by, e.body \
    FROM prediction p JOIN agent a ON a.agent_no = p.agent_no JOIN event e ON e.event_id = p.last_event_id";

fn from(row: &Row) -> Result<Prediction, StoreError> {
    let eta = [
        row.maybe_real(10)?,
        row.maybe_real(11)?,
        row.maybe_real(12)?,
    ];
    Ok(Prediction {
        prediction_no: row.int(0)?,
        agent_id: row.bytes(1)?,
        host: row.text(2)?,
        series: row.text(3)?,
        event_id: row.bytes(4)?,
        events: row.int(5)?,
        first_at: row.time(6)?,
        raised_at: row.time(7)?,
        value: row.real(8)?,
        bound: row.maybe_real(9)?,
        eta_s: match eta {
            [Some(low), Some(median), Some(high)] => Some([low, median, high]),
            _ => None,
        },
        severity: row.int(13)?,
        state: row.text(14)?,
        ended_at: row.maybe_int(15)?,
        settled_by: row.maybe_text(16)?,
        body: row.text(17)?,
    })
}

/// Which ones are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The ones that still run.
    Active,
    /// The ones that ended.
    Past,
    /// Both.
    All,
}

/// Predictions before the number `before` (newest first), at most `limit`; of one host unless that is empty.
pub async fn list(
    store: &dyn Store,
    which: Which,
    host: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Prediction>, StoreError> {
    let state = match which {
        Which::Active => "AND p.ended_at IS NULL",
        Which::Past => "AND p.ended_at IS NOT NULL",
        Which::All => "",
    };
    let sql = format!(
        "{SELECT} WHERE p.prediction_no < $1 AND ($2 = '' OR a.host = $2) {state} \
         ORDER BY p.prediction_no DESC LIMIT $3"
    );
    store
        .query(&sql, &values![before, host, limit])
        .await?
        .iter()
        .map(from)
        .collect()
}

/// The prediction that the event `event_id` began or went on with.
pub async fn by_event(
    store: &dyn Store,
    event_id: &[u8],
) -> Result<Option<Prediction>, StoreError> {
    let sql = format!("{SELECT} WHERE p.event_id = $1 OR p.last_event_id = $1");
    let mut rows = store.query(&sql, &values![event_id]).await?;
    if rows.is_empty() {
        // one between the first and the last: what an alert or a message of that time links to
        let sql = format!(
            "{SELECT} JOIN event x ON x.agent_no = p.agent_no AND x.series = p.series \
               AND x.time >= p.first_at AND x.time <= p.raised_at \
             WHERE x.event_id = $1 ORDER BY p.prediction_no DESC LIMIT 1"
        );
        rows = store.query(&sql, &values![event_id]).await?;
    }
    rows.first().map(from).transpose()
}

/// An event as it was signed: what `arki-hub verify` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEvent {
    /// Its number in the agent's chain.
    pub sequence: i64,
    /// The payload.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// An agent's events after the number `after`, as they were signed.
pub async fn signed(
    store: &dyn Store,
    agent_no: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<SignedEvent>, StoreError> {
    let sql = "SELECT sequence, payload, signature FROM event \
               WHERE agent_no = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
    let rows = store.query(sql, &values![agent_no, after, limit]).await?;
    let one = |row: &Row| {
        Ok(SignedEvent {
            sequence: row.int(0)?,
            payload: row.bytes(1)?,
            signature: row.bytes(2)?,
        })
    };
    rows.iter().map(one).collect()
}

/// 0 info, 1 warning, 2 critical: as they are stored and sorted.
pub fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

/// The name of a stored severity.
pub fn severity_name(number: i64) -> &'static str {
    match number {
        2 => "critical",
        1 => "warning",
        _ => "info",
    }
}

/// An event to be stored, with the bytes that were signed.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// Whose.
    pub agent_no: i64,
    /// The event.
    pub event: &'a Event,
    /// The bytes that were signed.
    pub payload: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
    /// The event as JSON.
    pub body: &'a str,
    /// When it came.
    pub received_at: UnixSeconds,
}

/// What storing an event does: the event itself and the prediction that it begins or renews. An event that is there
/// already changes nothing, and one that comes late does not undo a later one.
pub fn steps(arrived: &Arrived<'_>) -> [Step; 2] {
    let Arrived {
        agent_no,
        event,
        payload,
        signature,
        body,
        received_at,
    } = *arrived;
    let said = &event.prediction;
    let severity = severity_number(said.severity);
    let (id, sequence) = (event.id.as_bytes().as_slice(), event.sequence as i64);
    let eta = |pick: fn(&arki_model::prediction::Eta) -> f64| said.eta.as_ref().map(pick);
    let prediction = Step::new(
        "INSERT INTO prediction (agent_no, series, event_id, last_event_id, sequence, events, first_at, raised_at, \
           value, bound, eta_low_s, eta_median_s, eta_high_s, severity, state) \
         SELECT $1, $2, $3, $3, $4, 1, $5, $5, $6, $7, $8, $9, $10, $11, 'active' \
         WHERE NOT EXISTS (SELECT 1 FROM event WHERE event_id = $3) \
           AND NOT EXISTS (SELECT 1 FROM prediction WHERE agent_no = $1 AND series = $2 AND sequence >= $4 AND raised_at >= $5) \
         ON CONFLICT (agent_no, series) WHERE ended_at IS NULL DO UPDATE SET \
           last_event_id = excluded.last_event_id, sequence = excluded.sequence, events = prediction.events + 1, \
           raised_at = excluded.raised_at, value = excluded.value, bound = excluded.bound, \
           eta_low_s = excluded.eta_low_s, eta_median_s = excluded.eta_median_s, eta_high_s = excluded.eta_high_s, \
           severity = excluded.severity",
        values![
            agent_no,
            said.series.as_str(),
            id,
            sequence,
            said.raised_at,
            said.value,
            said.bound,
            eta(|eta| eta.low_s),
            eta(|eta| eta.median_s),
            eta(|eta| eta.high_s),
            severity
        ],
    );
    let event = Step::new(
        "INSERT INTO event (event_id, agent_no, time, sequence, series, severity, payload, signature, body, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        values![
            id,
            agent_no,
            said.raised_at,
            sequence,
            said.series.as_str(),
            severity,
            payload,
            signature,
            body,
            received_at
        ],
    );
    // the prediction first: it asks whether the event is new
    [prediction, event]
}

/// What the agent's ledger says of a prediction: it has the last word. What the hub had ended before its time and the
/// agent went on with ends too.
pub fn ended_step(
    agent_no: i64,
    series: &str,
    first_at: UnixSeconds,
    state: &str,
    ended_at: UnixSeconds,
) -> Step {
    Step::new(
        "UPDATE prediction SET state = $4, ended_at = $5, settled_by = 'agent' \
         WHERE agent_no = $1 AND series = $2 AND first_at >= $3 AND first_at <= $5 \
           AND (ended_at IS NULL OR first_at = $3)",
        values![agent_no, series, first_at, state, ended_at],
    )
}

/// How an agent's predictions ended, as far as they are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Came true.
    pub happened: i64,
    /// Somebody or something averted them.
    pub averted: i64,
    /// Came to nothing.
    pub expired: i64,
    /// Failures that nothing had predicted.
    pub missed: i64,
}

/// The ledger of one agent.
pub async fn ledger(store: &dyn Store, agent_no: i64) -> Result<Ledger, StoreError> {
    let sql = "SELECT state, count(*) FROM prediction WHERE agent_no = $1 AND ended_at IS NOT NULL GROUP BY state \
               UNION ALL SELECT kind, count(*) FROM alert WHERE agent_no = $1 AND kind = 'missed' GROUP BY kind";
    let mut ledger = Ledger::default();
    for row in store.query(sql, &values![agent_no]).await? {
        let count = row.int(1)?;
        match row.text(0)?.as_str() {
            "happened" => ledger.happened = count,
            "averted" => ledger.averted = count,
            "expired" => ledger.expired = count,
            "missed" => ledger.missed = count,
            _ => {}
        }
    }
    Ok(ledger)
}
