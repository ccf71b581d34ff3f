//! Silence, its end, its cool-down, and a hub that was away.

#![expect(clippy::too_many_lines, reason = "one story a test")]

use super::*;
use crate::testing::{NOW, Running, start, start_on_postgres, summary};
use arki_model::wire::Kind as Records;

const QUARTER: i64 = 900;

async fn heard(hub: &Running, agent: &crate::testing::Agent, sequence: u64) {
    let record = summary(&["load.per_core"], NOW, 1.0);
    assert_eq!(
        hub.ship(agent.seal(Records::Summaries, sequence, &[record]))
            .await
            .status,
        200
    );
}

async fn pass(hub: &Running, seconds: i64) {
    for _ in 0..seconds / 60 {
        hub.clock.advance(60);
        look(&*hub.hub.store, QUARTER, hub.hub.clock.now_s())
            .await
            .unwrap();
    }
}

async fn told(hub: &Running) -> Vec<(String, String)> {
    let all = alerts::list(&*hub.hub.store, "", "", i64::MAX, 100)
        .await
        .unwrap();
    all.into_iter()
        .rev()
        .map(|alert| (alert.kind, alert.state))
        .collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|&(kind, state)| (kind.to_owned(), state.to_owned()))
        .collect()
}

#[tokio::test]
async fn an_agent_that_falls_silent_is_told_once_and_its_return_too() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    hub.agent(2, "never-began").await;
    pass(&hub, 3_600).await;
    assert_eq!(told(&hub).await, [], "who never shipped is not silent");
    heard(&hub, &agent, 1).await;
    pass(&hub, QUARTER).await;
    assert_eq!(told(&hub).await, []);
    pass(&hub, 3_600).await;
    assert_eq!(told(&hub).await, pairs(&[("silent", "pending")]));
    let seen = crate::store::agents::by_id(&*hub.hub.store, &agent.id.0)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.state(), "silent");
    heard(&hub, &agent, 2).await;
    pass(&hub, 60).await;
    assert_eq!(
        told(&hub).await,
        pairs(&[("silent", "pending"), ("returned", "pending")])
    );
}

#[tokio::test]
async fn an_agent_that_comes_and_goes_is_told_once_in_half_an_hour() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    pass(&hub, 1_200).await;
    heard(&hub, &agent, 1).await;
    pass(&hub, QUARTER + 60).await;
    heard(&hub, &agent, 2).await;
    pass(&hub, QUARTER + 120).await;
    let expected = [
        ("silent", "pending"),
        ("returned", "pending"),
        ("silent", "quieted"),
    ];
    assert_eq!(told(&hub).await, pairs(&expected));
}

#[tokio::test]
async fn after_the_hub_was_away_everybody_gets_their_time_again() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    pass(&hub, 1_200).await;
    heard(&hub, &agent, 1).await;
    hub.clock.advance(86_400);
    pass(&hub, QUARTER - 60).await;
    assert_eq!(told(&hub).await, [], "it was the hub that was away");
    pass(&hub, 180).await;
    assert_eq!(told(&hub).await, pairs(&[("silent", "pending")]));
}

#[tokio::test]
async fn old_rows_go_and_what_is_referred_to_stays() {
    let hub = start("[retention]\nevents = '30d'\nsamples = '5d'").await;
    let mut agent = hub.agent(1, "web-1").await;
    let event = agent.event("disk.used_percent{/}", NOW, 9_000.0);
    assert_eq!(
        hub.ship(agent.seal(Records::Events, 1, &[event]))
            .await
            .status,
        200
    );
    maintain(&hub.hub, NOW + 40 * 86_400).await.unwrap();
    let left = hub
        .hub
        .store
        .query("SELECT count(*) FROM event", &[])
        .await
        .unwrap();
    assert_eq!(left[0].int(0).unwrap(), 1, "its prediction is still active");
    let end = "UPDATE prediction SET ended_at = $1, state = 'expired' WHERE ended_at IS NULL";
    hub.hub.store.query(end, &values![NOW]).await.unwrap();
    maintain(&hub.hub, NOW + 40 * 86_400).await.unwrap();
    let left = hub
        .hub
        .store
        .query("SELECT count(*) FROM event", &[])
        .await
        .unwrap();
    assert_eq!(left[0].int(0).unwrap(), 0);
}

#[tokio::test]
async fn predictions_behind_a_thousand_others_end_too() {
    let hub = start("").await;
    hub.agent(1, "web-1").await;
    // one more than a look takes; only the last one was given no time, and ends when it is not said again
    let sql = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x <= 1000) \
               INSERT INTO prediction (agent_no, series, event_id, last_event_id, sequence, events, first_at, raised_at, \
                 value, eta_high_s, severity, state) \
               SELECT agent_no, 'series' || x, randomblob(16), randomblob(16), x, 1, $1, $1, 1.0, \
                 CASE WHEN x <= 1000 THEN 1e6 END, 1, 'active' FROM agent, n";
    hub.hub.store.query(sql, &values![NOW]).await.unwrap();
    let ended = async || {
        let sql = "SELECT sequence, state FROM prediction WHERE ended_at IS NOT NULL";
        let rows = hub.hub.store.query(sql, &[]).await.unwrap();
        rows.iter()
            .map(|row| (row.int(0).unwrap(), row.text(1).unwrap()))
            .collect::<Vec<_>>()
    };
    pass(&hub, 7_200).await;
    assert_eq!(ended().await, []);
    pass(&hub, 120).await;
    assert_eq!(ended().await, [(1_001, "expired".to_owned())]);
}

#[tokio::test]
async fn every_event_leads_to_its_prediction() {
    every_event(start("").await).await;
}

#[tokio::test]
async fn every_event_leads_to_its_prediction_on_postgres() {
    if let Some(hub) = start_on_postgres().await {
        every_event(hub).await;
    }
}

async fn every_event(hub: Running) {
    let mut agent = hub.agent(1, "web-1").await;
    let words = [("a", 0), ("a", 600), ("b", 600), ("a", 1_200)];
    let events: Vec<_> = words
        .iter()
        .map(|(series, later)| agent.event(series, NOW - 1_200 + later, 3_600.0))
        .collect();
    let body = agent.seal(Records::Events, 1, &events);
    assert_eq!(hub.ship(body).await.status, 200);
    let store = &*hub.hub.store;
    let sql = "SELECT event_id, series FROM event ORDER BY sequence";
    let rows = store.query(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), words.len());
    for row in rows {
        let id = row.bytes(0).unwrap();
        let found = crate::store::predictions::by_event(store, &id).await;
        let found = found.unwrap().expect("no link leads nowhere");
        assert_eq!(found.series, row.text(1).unwrap());
    }
    let unknown = crate::store::predictions::by_event(store, &[0; 16]).await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test]
async fn predictions_end_as_what_came_says() {
    ended(start("").await).await;
}

#[tokio::test]
async fn predictions_end_as_what_came_says_on_postgres() {
    if let Some(hub) = start_on_postgres().await {
        ended(hub).await;
    }
}

async fn ended(hub: Running) {
    let series = [
        "disk.used_percent{/a}",
        "disk.used_percent{/b}",
        "disk.used_percent{/c}",
    ];
    let mut agent = hub.agent(1, "web-1").await;
    let events: Vec<_> = series
        .iter()
        .map(|series| agent.event(series, NOW, 3_600.0))
        .collect();
    assert_eq!(
        hub.ship(agent.seal(Records::Events, 1, &events))
            .await
            .status,
        200
    );
    agent.epoch = arki_model::wire::Epoch(8);
    // at the word all stood at 87.5; then one is full, one has half its room back, one goes on
    let next = NOW - NOW % 300 + 300;
    let records = [
        summary(&series[..1], next, 99.5),
        summary(&series[1..2], next, 50.0),
        summary(&series[2..], next, 88.0),
    ];
    assert_eq!(
        hub.ship(agent.seal(Records::Summaries, 1, &records))
            .await
            .status,
        200
    );
    let states = async || {
        let all = crate::store::predictions::list(
            &*hub.hub.store,
            crate::store::predictions::Which::All,
            "",
            i64::MAX,
            9,
        );
        let all = all.await.unwrap();
        all.into_iter()
            .rev()
            .map(|one| one.state)
            .collect::<Vec<_>>()
    };
    pass(&hub, 600).await;
    assert_eq!(
        states().await,
        ["happened", "active", "active"],
        "averted only after half an hour of calm"
    );
    pass(&hub, 1_800).await;
    assert_eq!(
        states().await,
        ["happened", "active", "active"],
        "the agent may say so itself"
    );
    pass(&hub, 3_600).await;
    assert_eq!(states().await, ["happened", "averted", "active"]);
    // p90 was said to be 1.3 hours
    pass(&hub, 2 * 4_680 - 2_400).await; // and the hour for the agent
    assert_eq!(states().await, ["happened", "averted", "active"]);
    pass(&hub, 60).await;
    assert_eq!(states().await, ["happened", "averted", "expired"]);
    let ended: Vec<_> = told(&hub)
        .await
        .into_iter()
        .filter(|(kind, _)| kind == "ended")
        .collect();
    assert_eq!(
        ended,
        pairs(&[
            ("ended", "pending"),
            ("ended", "pending"),
            ("ended", "quieted")
        ])
    );
    maintain(&hub.hub, NOW).await.unwrap();
    crate::notify::work(&hub.hub).await.unwrap();
    // the next word on the same series is a new prediction
    let again = agent.event(series[0], NOW + 20_000, 3_600.0);
    agent.epoch = arki_model::wire::Epoch(7);
    assert_eq!(
        hub.ship(agent.seal(Records::Events, 4, &[again]))
            .await
            .status,
        200
    );
    assert_eq!(states().await, ["happened", "averted", "expired", "active"]);
}
