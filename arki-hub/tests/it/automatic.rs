//! Trials that nobody asked for, on real copies: what may answer a prediction is tried by itself, and ranked.

use crate::program::{Hub, wait};
use crate::sender::{enrol, summary};
use arki_model::clock::{Clock, SystemClock};
use arki_model::wire::{self, Epoch, Kind};
use bollard::Docker;
use serde_json::Value;

/// A hub that tries by itself, over the engine's images; `None` where there is no engine.
async fn hub() -> Option<Hub> {
    let Ok(socket) = std::env::var("ARKI_TEST_DOCKER") else {
        println!("SKIPPED: no container engine here (ARKI_TEST_DOCKER; .ci/docker starts one)");
        let in_ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!in_ci, "nothing is skipped in CI");
        return None;
    };
    let docker = Docker::connect_with_unix(&socket, 30, bollard::API_DEFAULT_VERSION).unwrap();
    let docker = docker.negotiate_version().await.unwrap();
    let image = async |name: &str| {
        let found = docker
            .inspect_image(&format!("arki-sandbox/{name}:latest"))
            .await;
        found.unwrap().id.unwrap()
    };
    let images = format!(
        "nginx = '{}'\nmariadb = '{}'\n",
        image("nginx").await,
        image("mariadb").await
    );
    let settings =
        format!("[sandbox]\ndocker = '{socket}'\nautomatic = true\n[sandbox.images]\n{images}");
    Some(Hub::start(&settings).await)
}

/// Where `part` stands in `text`.
fn place(text: &str, part: &str) -> usize {
    let found = text.find(part);
    found.unwrap_or_else(|| panic!("no {part}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_answer_a_prediction_is_tried_by_itself_and_ranked() {
    let Some(hub) = hub().await else { return };
    let (admin, read) = (hub.key("admin").await, hub.key("sandbox").await);
    let mut agent = enrol(&hub, &admin, 1, "db-1").await;
    let now_s = SystemClock::new().now_s();
    let names = ["service.up{nginx.service}", "service.up{mariadb.service}"];
    let record = summary(&names, now_s / 300 * 300 - 300, 1.0);
    let body = agent.seal(Kind::Summaries, 1, &[record]);
    assert_eq!(hub.ship(wire::INGEST_PATH, body).await.0, 200);
    // events are numbered apart
    agent.epoch = Epoch(9);
    let event = agent.event("disk.used_percent{/var}", now_s, 9_000.0);
    let body = agent.seal(Kind::Events, 1, &[event]);
    assert_eq!(hub.ship(wire::INGEST_PATH, body).await.0, 200);

    let predictions = hub.get("/v1/predictions", &read).await;
    let id = predictions["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/sandbox/runs?prediction={id}");
    let runs = async || -> Vec<Value> {
        let listed = hub.get(&path, &read).await;
        listed["items"].as_array().unwrap().clone()
    };
    let ended = async || {
        let runs = runs().await;
        runs.len() == 3 && runs.iter().all(|run| !run["finished_at"].is_null())
    };
    wait("three trials", ended, || hub.home.log()).await;

    let mut runs = runs().await;
    let score = |run: &Value| run["score"].as_f64().unwrap();
    runs.sort_by(|a, b| score(b).total_cmp(&score(a)));
    for run in &runs {
        assert_eq!(run["requested_by"], "automatic", "{run}");
        assert_eq!(run["fidelity"], "effect measured", "{run}");
        assert!((3.0..4.0).contains(&score(run)), "{run}");
    }
    // Two of three binary logs went; the two others change all that they are measured by.
    let last = runs.last().unwrap();
    assert_eq!(last["action"], "purge-binary-logs", "{runs:?}");
    assert!((score(last) - 3.667).abs() < 0.01, "{last}");

    let cookie = hub.sign_in(&read).await;
    let page = hub.page(&format!("/predictions/{id}"), &cookie).await;
    let places: Vec<usize> = runs
        .iter()
        .map(|run| place(&page, &format!("/sandbox/{}", run["id"].as_str().unwrap())))
        .collect();
    assert!(places.is_sorted(), "the best stands first: {places:?}");
}
