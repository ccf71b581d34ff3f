//! Silence, its end, its cool-down, and a hub that was away.

use super::*;
use crate::testing::{NOW, Running, start, summary};
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
