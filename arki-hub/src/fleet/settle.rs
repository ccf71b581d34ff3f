//! How predictions end, as far as the hub sees it from the summaries: nothing is predicted here, what was predicted is
//! held against what came.
//!
//! The same rules as the agent's ledger has: crossing the bound is *happened*; giving back an eighth of the room and
//! half an hour of calm is *averted*; twice the latest time that was said is *expired*. A prediction without a bound
//! ends when it has not been said for an hour.
//!
//! The agent's own ledger has the first word and comes as a report; but who crosses its bound may not come to say so.
//! What the hub cannot see as well as the agent (calm, patience) it leaves to it for [`LEDGER_S`].

use crate::store::alerts::{self, Ended};
use crate::store::series::Range;
use crate::store::{Row, Step, Store, StoreError, settings};
use crate::values;
use arki_model::clock::UnixSeconds;

/// Predictions in one look at most; the next one goes on behind them.
const PREDICTIONS_MAX: i64 = 1_000;
/// The setting that says where the next look begins; all hubs share it.
const LOOKED_UP_TO: &str = "settled_up_to";
/// What was not said for this long is over, where there is no time that was said.
const UNSAID_S: i64 = 3_600;
/// As the ledger has them.
const CALM_S: i64 = 1_800;
const TURNED_ROUND: f64 = 0.125;
/// For the agent to say by itself how it ended.
const LEDGER_S: i64 = 3_600;
/// Summaries are rounded to a hundredth of a point.
const ROUNDING: f64 = 0.005;
/// The length of a bucket: it is known at its end.
const BUCKET_S: i64 = 300;
/// Buckets looked at for one prediction: a fortnight.
const BUCKETS_MAX: usize = 14 * 288;

/// One active prediction.
struct Active {
    prediction_no: i64,
    agent_no: i64,
    series: String,
    first_at: UnixSeconds,
    raised_at: UnixSeconds,
    value: f64,
    bound: Option<f64>,
    high_s: Option<f64>,
}

impl Active {
    fn from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            prediction_no: row.int(0)?,
            agent_no: row.int(1)?,
            series: row.text(2)?,
            first_at: row.time(3)?,
            raised_at: row.time(4)?,
            value: row.real(5)?,
            bound: row.maybe_real(6)?,
            high_s: row.maybe_real(7)?,
        })
    }
}

/// Ends what has ended at `now_s`.
pub(super) async fn settle(store: &dyn Store, now_s: UnixSeconds) -> Result<(), StoreError> {
    let after = looked_up_to(store).await?;
    let sql = "SELECT prediction_no, agent_no, series, first_at, raised_at, value, bound, eta_high_s \
               FROM prediction WHERE ended_at IS NULL AND prediction_no > $1 ORDER BY prediction_no LIMIT $2";
    let rows = store.query(sql, &values![after, PREDICTIONS_MAX]).await?;
    let last = match rows.last() {
        Some(row) if rows.len() as i64 == PREDICTIONS_MAX => row.int(0)?,
        _ => 0, // all were looked at: from the beginning again
    };
    if last != after {
        // before the work: what cannot be settled now does not keep the others from it
        settings::set(store, LOOKED_UP_TO, &last.to_be_bytes()).await?;
    }
    for row in rows {
        let active = Active::from(&row)?;
        if let Some((state, ended_at)) = outcome(store, &active, now_s).await? {
            end(store, &active, state, ended_at, now_s).await?;
        }
    }
    Ok(())
}

/// The number of the prediction that the last full look of any hub ended with.
async fn looked_up_to(store: &dyn Store) -> Result<i64, StoreError> {
    let stored = settings::get(store, LOOKED_UP_TO).await?;
    Ok(stored
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, i64::from_be_bytes))
}

async fn outcome(
    store: &dyn Store,
    active: &Active,
    now_s: UnixSeconds,
) -> Result<Option<(&'static str, UnixSeconds)>, StoreError> {
    if let Some(bound) = active.bound {
        let range = Range {
            agent_no: active.agent_no,
            series: &active.series,
            // the bucket that began before the word may hold what came before it
            from: active.raised_at,
            to: now_s + 1,
            limit: BUCKETS_MAX,
        };
        let points = store.samples(&range).await?;
        let is_up = bound >= active.value;
        let crossed = points.iter().find(|point| {
            if is_up {
                f64::from(point.max) >= bound - ROUNDING
            } else {
                f64::from(point.min) <= bound + ROUNDING
            }
        });
        if let Some(point) = crossed {
            return Ok(Some(("happened", (point.time + BUCKET_S).min(now_s))));
        }
        let room = (bound - active.value).abs();
        let is_back = points
            .last()
            .is_some_and(|p| (bound - f64::from(p.last)).abs() > room * (1.0 + TURNED_ROUND));
        if is_back && now_s.saturating_sub(active.raised_at) > CALM_S + LEDGER_S {
            return Ok(Some(("averted", now_s)));
        }
    }
    let patience_s = active
        .high_s
        .map_or(UNSAID_S, |high_s| ((2.0 * high_s) as i64).max(CALM_S));
    let passed_s = now_s.saturating_sub(active.raised_at);
    Ok((passed_s > patience_s.saturating_add(LEDGER_S)).then_some(("expired", now_s)))
}

async fn end(
    store: &dyn Store,
    active: &Active,
    state: &'static str,
    ended_at: UnixSeconds,
    now_s: UnixSeconds,
) -> Result<(), StoreError> {
    let alert = Ended {
        agent_no: active.agent_no,
        series: &active.series,
        first_at: active.first_at,
        state,
        now_s,
        quieted: (state == "expired").then_some("it came to nothing"),
    };
    // a word that came in between renews it: then it has not ended
    let claim = Step::must(
        "UPDATE prediction SET state = $2, ended_at = $3, settled_by = 'hub' WHERE prediction_no = $1 AND ended_at IS NULL AND raised_at = $4",
        values![active.prediction_no, state, ended_at, active.raised_at],
    );
    store
        .transact(&[claim, alerts::ended_step(&alert)])
        .await
        .map(drop)
}
