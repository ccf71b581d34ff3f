//! From a token to a message: enrol, ship, predict, tell, crash, rotate, revoke.

use crate::listener;
use crate::program::{Agent, Hub, filling_disk, wait};
use arki_model::dsse;
use arki_model::signature::PublicKey;
use serde_json::Value;

/// How many records of predictions, and of what, the hub has of its first agent.
async fn predicted(hub: &Hub, key: &str) -> Value {
    hub.get("/v1/predictions?state=all", key).await["items"][0].clone()
}

/// Numbers of the events that the hub has of the agent `id`; panics unless the chain is believed.
async fn chain(hub: &Hub, key: &str, id: &str, keys: &[PublicKey]) -> Option<(u64, u64)> {
    let path = format!("/v1/agents/{id}/events?limit=1000");
    let text = hub.text(&path, key).await;
    let summary = dsse::verify(text.as_bytes(), keys.to_vec());
    summary
        .unwrap_or_else(|error| panic!("{error:?}"))
        .sequences
}

async fn public_key(agent: &Agent) -> PublicKey {
    let status = agent.status().await;
    PublicKey::from_hex(status["key"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prediction_goes_all_the_way() {
    let (address, kept) = listener::listen().await;
    let hub = Hub::start(&format!(
        "public_url = 'http://hub.example.org'\n[notify]\nallow_networks = ['127.0.0.0/8']\n\
         [[notify.webhook]]\nname = 'chat'\nurl = 'http://{address}/in'\n"
    ))
    .await;
    let key = hub.key("read").await;
    let mut agent = Agent::new("web-1", "");
    let said = agent.enrol(&hub).await;
    assert!(said.contains("enrolled at http://127.0.0.1"), "{said}");
    let trace = filling_disk(agent.home.dir.path());
    agent.play(&trace).await;
    let log = || format!("{}\n{}", agent.home.log(), hub.home.log());

    let is_there = async || predicted(&hub, &key).await["series"] == "disk.used_percent{/var}";
    wait("the prediction", is_there, log).await;
    let found = predicted(&hub, &key).await;
    assert_eq!(
        (&found["host"], &found["bound"]),
        (&"web-1".into(), &100.0.into())
    );
    assert!(found["eta_seconds"].as_f64() > Some(600.0), "{found}");
    assert_eq!(found["votes"].as_array().map(Vec::len), Some(3), "{found}");

    let agents = hub.get("/v1/agents", &key).await;
    let id = agents["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(agents["items"][0]["state"], "active", "{agents}");
    let series = format!("/v1/metrics?agent={id}&series=disk.used_percent%7B%2Fvar%7D");
    let summaries = async || {
        let points = hub.get(&series, &key).await;
        points["series"][0]["time"].as_array().map(Vec::len) > Some(20)
    };
    wait("the summaries", summaries, log).await;

    wait("the webhook", async || !kept.all().is_empty(), log).await;
    let told = kept.all().remove(0);
    for part in [
        "POST /in ",
        "web-1",
        "disk.used_percent{/var}",
        "trend",
        "http://hub.example.org/predictions/",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let alerts = hub.get("/v1/alerts?state=notified", &key).await;
    assert_eq!(alerts["items"][0]["host"], "web-1", "{alerts}");

    let cookie = hub.sign_in(&key).await;
    let page = hub.page("/", &cookie).await;
    assert!(
        page.contains("web-1") && page.contains("disk.used_percent{/var}"),
        "{page}"
    );
    let page = hub.page(&format!("/hosts/{id}"), &cookie).await;
    assert!(
        page.contains("<svg") && page.contains("cpu.busy_percent"),
        "{page}"
    );
    assert!(
        agent.hub().await.contains("answered"),
        "{}",
        agent.hub().await
    );
    let shown = agent.home.done(&["status"]).await;
    assert!(shown.contains(&hub.url), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_programs_lose_nothing_and_tell_nothing_twice() {
    let mut hub = Hub::start("").await;
    let key = hub.key("read").await;
    let mut agent = Agent::new("web-1", "");
    agent.enrol(&hub).await;
    let trace = filling_disk(agent.home.dir.path());
    agent.play(&trace).await;
    let id = hub.get("/v1/agents", &key).await["items"][0]["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    let public = [public_key(&agent).await];

    hub.kill().await;
    let complains = async || agent.hub().await.contains("refused");
    wait("the agent's complaint", complains, || agent.home.log()).await;
    let raised = async || agent.home.log().contains("predicted");
    wait("the prediction", raised, || agent.home.log()).await;
    agent.kill().await;
    agent.play(&trace).await;
    let waits = agent.status().await["hub"]["spool"]["events_waiting"].as_u64();
    assert!(waits >= Some(1), "{waits:?}: {}", agent.hub().await);

    hub.run().await;
    let delivered = async || {
        chain(&hub, &key, &id, &public).await.is_some()
            && agent.status().await["hub"]["spool"]["events_waiting"] == 0
    };
    wait("the delivery", delivered, || {
        format!("{}{}", agent.home.log(), hub.home.log())
    })
    .await;
    let (first, last) = chain(&hub, &key, &id, &public).await.unwrap();
    let events = hub
        .text(&format!("/v1/agents/{id}/events?limit=1000"), &key)
        .await;
    assert_eq!(
        (first, last),
        (1, events.lines().count() as u64),
        "none missing, none twice"
    );
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_under_way_and_a_revoked_one_is_refused_at_once() {
    let hub = Hub::start("").await;
    let key = hub.key("admin").await;
    let mut agent = Agent::new("web-1", "");
    let token = hub.token().await;
    let args = ["enroll", "--hub", &hub.url];
    agent.home.done_with(&args, &token).await;
    let again = agent
        .home
        .ask(&[
            "enroll",
            "--new-key",
            "--hub",
            &hub.url,
            "--token-file",
            token.to_str().unwrap(),
        ])
        .await;
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && said.contains("token is unknown, used or too old"),
        "{said}"
    );

    let trace = filling_disk(agent.home.dir.path());
    agent.play(&trace).await;
    let old = public_key(&agent).await;
    let next = hub.home.done(&["agent", "rotate", "web-1"]).await;
    let next = hub.home.write("next", &next);
    let args = [
        "enroll",
        "--new-key",
        "--hub",
        &hub.url,
        "--token-file",
        next.to_str().unwrap(),
    ];
    agent.home.done(&args).await;
    agent.reload().await;
    wait(
        "the new key",
        async || public_key(&agent).await != old,
        || agent.home.log(),
    )
    .await;
    let new = public_key(&agent).await;
    let agents = hub.get("/v1/agents", &key).await;
    assert_eq!(
        agents["items"].as_array().map(Vec::len),
        Some(1),
        "the same agent: {agents}"
    );
    let id = agents["items"][0]["id"].as_str().unwrap().to_owned();
    let log = || format!("{}{}", agent.home.log(), hub.home.log());
    wait(
        "an event",
        async || chain(&hub, &key, &id, &[old, new]).await.is_some(),
        log,
    )
    .await;

    hub.home.done(&["agent", "revoke", "web-1"]).await;
    let refused = async || agent.hub().await.contains("was revoked");
    wait("the refusal", refused, log).await;
    let listed = hub.home.done(&["agent", "list"]).await;
    assert!(listed.contains("revoked"), "{listed}");
    let output = agent.home.ask(&["status"]).await;
    assert_eq!(output.status.code(), Some(1), "degraded");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_in_the_clear_beyond_this_host() {
    let agent = Agent::new("web-1", "");
    let token = agent.home.write("token", "arki-token");
    for url in ["http://192.0.2.1:8420", "http://hub.example.org"] {
        let args = [
            "enroll",
            "--hub",
            url,
            "--token-file",
            token.to_str().unwrap(),
        ];
        let output = agent.home.ask(&args).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("use https://"),
            "{said}"
        );
    }
    assert!(
        !agent.home.path("state").exists(),
        "refused before anything was made"
    );
}
