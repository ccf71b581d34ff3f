//! What the hub itself notices: agents that fall silent and are heard again, how predictions ended, and what time
//! does to the store.
//!
//! Every hub looks; the database decides who tells (`silent_since` is set once, and an alert's cause is unique).
//! After a time in which no hub was running all agents seem silent: they get their full time again first.

use crate::hub::Hub;
use crate::store::alerts::{self, Kind, NewAlert};
use crate::store::{Retention, Row, Step, Store, StoreError, settings};
use crate::values;
use arki_model::clock::UnixSeconds;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

mod settle;

/// How often is looked.
const LOOK: Duration = Duration::from_secs(15);
/// No look for this long, and no hub was running.
const GAP_S: i64 = 120;
/// How often old rows go.
const MAINTAIN_S: i64 = 3_600;
/// The cool-down of an agent's silence, as predictions have it.
const COOL_DOWN_S: i64 = 1_800;
/// Agents in one look at most; the rest comes with the next one.
const AGENTS_MAX: i64 = 10_000;

/// Looks until `stop` turns true.
pub async fn watch(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) {
    let mut maintained_at = None;
    loop {
        let now_s = hub.clock.now_s();
        if let Err(error) = look(&*hub.store, hub.config.fleet.silent_after.seconds(), now_s).await
        {
            tracing::warn!(%error, "could not look for silent agents");
        }
        if maintained_at.is_none_or(|at| now_s - at >= MAINTAIN_S) {
            match maintain(&hub, now_s).await {
                Ok(()) => maintained_at = Some(now_s),
                Err(error) => tracing::warn!(%error, "could not make room in the database"),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// One look at `now_s`.
pub async fn look(
    store: &dyn Store,
    silent_after_s: i64,
    now_s: UnixSeconds,
) -> Result<(), StoreError> {
    let since = listening_since(store, now_s).await?;
    // an agent that never shipped anything is not silent: it has not begun
    let sql = "SELECT l.agent_no, l.seen_at, l.silent_told_at FROM agent_latest l \
               JOIN agent a ON a.agent_no = l.agent_no \
               WHERE l.silent_since IS NULL AND l.seen_at < $1 AND a.revoked_at IS NULL LIMIT $2";
    if since <= now_s - silent_after_s {
        for row in store
            .query(sql, &values![now_s - silent_after_s, AGENTS_MAX])
            .await?
        {
            fell_silent(store, &row, now_s).await?;
        }
    }
    let sql = "SELECT agent_no, silent_since, silent_told_at FROM agent_latest \
               WHERE silent_since IS NOT NULL AND seen_at >= silent_since LIMIT $1";
    for row in store.query(sql, &values![AGENTS_MAX]).await? {
        returned(store, &row, now_s).await?;
    }
    settle::settle(store, now_s).await
}

/// Since when some hub has been listening without a gap.
async fn listening_since(store: &dyn Store, now_s: UnixSeconds) -> Result<UnixSeconds, StoreError> {
    let read = |bytes: Option<Vec<u8>>| {
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(i64::from_be_bytes)
    };
    let looked_at = read(settings::get(store, "looked_at").await?);
    let since = match (
        looked_at,
        read(settings::get(store, "listening_since").await?),
    ) {
        (Some(looked_at), Some(since)) if now_s - looked_at <= GAP_S => since,
        _ => {
            settings::set(store, "listening_since", &now_s.to_be_bytes()).await?;
            now_s
        }
    };
    settings::set(store, "looked_at", &now_s.to_be_bytes()).await?;
    Ok(since)
}

async fn fell_silent(store: &dyn Store, row: &Row, now_s: UnixSeconds) -> Result<(), StoreError> {
    let (agent_no, seen_at) = (row.int(0)?, row.time(1)?);
    let is_cool = row
        .maybe_int(2)?
        .is_none_or(|told_at| now_s - told_at >= COOL_DOWN_S);
    let reason = format!("nothing came for {} min", (now_s - seen_at) / 60);
    let alert = NewAlert {
        kind: Kind::Silent,
        agent_no,
        series: "",
        severity: 1,
        cause: format!("silent:{agent_no}:{seen_at}"),
        event_id: None,
        reason: &reason,
        now_s,
        quieted: (!is_cool).then_some("told less than 30 minutes ago"),
    };
    let told_at = if is_cool {
        Some(now_s)
    } else {
        row.maybe_int(2)?
    };
    let claim = Step::must(
        "UPDATE agent_latest SET silent_since = $2, silent_told_at = $3 \
         WHERE agent_no = $1 AND silent_since IS NULL AND seen_at = $4",
        values![agent_no, now_s, told_at, seen_at],
    );
    store
        .transact(&[claim, alerts::step(&alert)])
        .await
        .map(drop)
}

async fn returned(store: &dyn Store, row: &Row, now_s: UnixSeconds) -> Result<(), StoreError> {
    let (agent_no, silent_since) = (row.int(0)?, row.time(1)?);
    // who was not told of the silence is not told of its end
    let was_told = row.maybe_int(2)? == Some(silent_since);
    let reason = format!("silent for {} min", (now_s - silent_since) / 60);
    let alert = NewAlert {
        kind: Kind::Returned,
        agent_no,
        series: "",
        severity: 0,
        cause: format!("returned:{agent_no}:{silent_since}"),
        event_id: None,
        reason: &reason,
        now_s,
        quieted: (!was_told).then_some("the silence was not told either"),
    };
    let claim = Step::must(
        "UPDATE agent_latest SET silent_since = NULL WHERE agent_no = $1 AND silent_since = $2",
        values![agent_no, silent_since],
    );
    store
        .transact(&[claim, alerts::step(&alert)])
        .await
        .map(drop)
}

async fn maintain(hub: &Hub, now_s: UnixSeconds) -> Result<(), StoreError> {
    let keep = &hub.config.retention;
    let retention = Retention {
        samples_before: now_s - keep.samples.seconds(),
        hours_before: now_s - keep.hours.seconds(),
        events_before: now_s - keep.events.seconds(),
    };
    hub.store.maintain(retention, now_s).await?;
    let old = values![retention.events_before];
    let steps = [
        "DELETE FROM message WHERE (sent_at IS NOT NULL OR failed_at IS NOT NULL) AND created_at < $1",
        "DELETE FROM alert WHERE state <> 'pending' AND time < $1",
        "DELETE FROM prediction WHERE ended_at < $1",
        "DELETE FROM event WHERE time < $1 AND NOT EXISTS (SELECT 1 FROM prediction p \
           WHERE p.last_event_id = event.event_id OR p.event_id = event.event_id)",
        "DELETE FROM token WHERE expires_at < $1",
    ];
    let mut steps: Vec<Step> = steps
        .into_iter()
        .map(|sql| Step::new(sql, old.clone()))
        .collect();
    steps.push(crate::store::sandbox::forget(retention.events_before));
    hub.store.transact(&steps).await.map(drop)
}

#[cfg(test)]
mod tests;
