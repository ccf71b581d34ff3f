//! What an agent reports beside its events: how they ended, and what was not told.

use crate::auth::Scope;
use crate::testing::{NOW, Running, start, start_on_postgres};
use arki_model::report::{Outcome, Report, What, Why};
use arki_model::signature::PrivateKey;
use arki_model::wire::{self, Kind};

#[tokio::test]
async fn the_ledger_and_what_was_quieted_are_stored_and_shown() {
    shown(start("").await).await;
}

#[tokio::test]
async fn the_ledger_and_what_was_quieted_are_stored_and_shown_from_postgres() {
    if let Some(hub) = start_on_postgres().await {
        shown(hub).await;
    }
}

fn record(key: &PrivateKey, what: What) -> Vec<u8> {
    wire::encode_event(&Report::new(what).sign(key).unwrap()).unwrap()
}

fn ended(series: &str, raised_at: i64, outcome: Outcome) -> What {
    What::Ended {
        series: series.into(),
        raised_at,
        ended_at: NOW + 600,
        outcome,
    }
}

fn quieted(last_at: i64) -> What {
    What::Quieted {
        series: "swap.used_percent".into(),
        first_at: NOW,
        last_at,
        eta_median_s: None,
        why: Why::Context,
        reason: "backup explains it (announced)".into(),
    }
}

async fn shown(hub: Running) {
    let key = hub.key(Scope::Read).await;
    let mut agent = hub.agent(1, "web-1").await;
    let (a, b) = ("disk.used_percent{/a}", "disk.used_percent{/b}");
    let records = [
        agent.event(a, NOW, 3_600.0),
        agent.event(b, NOW, 3_600.0),
        record(&agent.key, ended(a, NOW, Outcome::Averted)),
        record(&agent.key, ended("file.used_percent", NOW, Outcome::Missed)),
        record(&agent.key, quieted(NOW)),
        record(&agent.key, quieted(NOW + 1_260)),
        // said once more after a crash
        record(&agent.key, ended(a, NOW, Outcome::Averted)),
        record(&agent.key, ended("never.predicted", NOW, Outcome::Expired)),
    ];
    let answer = hub.ship(agent.seal(Kind::Events, 1, &records)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);

    let all = hub.get("/v1/predictions?state=all", &key).await.json();
    let states: Vec<_> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["series"].as_str().unwrap(),
                one["state"].as_str().unwrap(),
                one["settled_by"].as_str(),
            )
        })
        .collect();
    assert_eq!(states, [(b, "active", None), (a, "averted", Some("agent"))]);
    assert_eq!(all["items"][1]["ended_at"], NOW + 600);

    let alerts = hub.get("/v1/alerts", &key).await.json();
    let told: Vec<_> = alerts["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|one| {
            (
                one["kind"].as_str().unwrap(),
                one["state"].as_str().unwrap(),
                one["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("prediction", "pending", ""),
            ("prediction", "pending", ""),
            ("ended", "pending", "averted"),
            (
                "missed",
                "quieted",
                "reached its bound, and nothing had been predicted"
            ),
            (
                "hushed",
                "quieted",
                "backup explains it (announced); for 21 min"
            ),
        ]
    );
    let path = format!("/v1/agents/{}", agent.id);
    let ledger = hub.get(&path, &key).await.json()["ledger"].clone();
    assert_eq!(
        ledger,
        serde_json::json!({ "happened": 0, "averted": 1, "expired": 0, "missed": 1 })
    );
    let chain = hub.get(&format!("{path}/events"), &key).await.text;
    assert_eq!(chain.lines().count(), 2, "a report is no link of the chain");
}

#[tokio::test]
async fn a_report_is_believed_under_its_own_type_and_key_alone() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    let thief = PrivateKey::from_seed(&[99; 32]);
    let stolen = record(&thief, quieted(NOW));
    // signed as a report, said to be an event
    let mut signed = Report::new(quieted(NOW)).sign(&agent.key).unwrap();
    signed.payload_type = arki_model::signature::EVENT_TYPE.to_owned();
    let disguised = wire::encode_event(&signed).unwrap();
    let nameless = record(&agent.key, ended("\u{1b}[2J", NOW, Outcome::Missed));
    let timeless = record(&agent.key, ended("a", i64::MAX, Outcome::Missed));
    for bad in [stolen, disguised, nameless, timeless] {
        let answer = hub.ship(agent.seal(Kind::Events, 1, &[bad])).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "malformed")
        );
    }
    let key = hub.key(Scope::Read).await;
    let alerts = hub.get("/v1/alerts", &key).await.json();
    assert_eq!(alerts["items"], serde_json::json!([]));
}
