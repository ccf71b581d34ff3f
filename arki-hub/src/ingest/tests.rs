//! From a body on the wire to what is stored, told and shown.

#![expect(clippy::too_many_lines, reason = "one story a test")]

mod numbers;
mod reports;

use crate::auth::{Scope, digest};
use crate::store::tokens;
use crate::testing::{NOW, Running, start, start_on_postgres, summary};
use arki_model::signature::PrivateKey;
use arki_model::wire::{self, Kind};

const NAMES: [&str; 2] = ["disk.used_percent{/}", "load.per_core"];
const START: i64 = NOW - NOW % 300 - 300;

#[tokio::test]
async fn what_an_agent_ships_is_what_people_see() {
    shown(start("").await).await;
}

#[tokio::test]
async fn what_an_agent_ships_is_what_people_see_from_postgres() {
    if let Some(hub) = start_on_postgres().await {
        shown(hub).await;
    }
}

async fn shown(hub: Running) {
    let key = hub.key(Scope::Read).await;
    let mut agent = hub.agent(1, "web-1").await;
    let shipped = agent.seal(Kind::Summaries, 1, &[summary(&NAMES, START, 42.0)]);
    let answer = hub.ship(shipped).await;
    assert_eq!(
        (answer.status, answer.json()["sequence"].as_u64()),
        (200, Some(1)),
        "{}",
        answer.text
    );
    agent.epoch = wire::Epoch(8); // events have a spool of their own
    let events = [
        agent.event(NAMES[0], NOW, 9_000.0),
        agent.event(NAMES[0], NOW + 60, 3_600.0),
    ];
    let answer = hub.ship(agent.seal(Kind::Events, 1, &events)).await;
    assert_eq!(
        (answer.status, answer.json()["sequence"].as_u64()),
        (200, Some(2)),
        "{}",
        answer.text
    );

    let all = hub.get("/v1/predictions", &key).await.json();
    let items = all["items"].as_array().unwrap();
    assert_eq!(
        items.len(),
        1,
        "the second event goes on with the first's prediction: {all}"
    );
    let one = &items[0];
    assert_eq!(
        (one["host"].as_str(), one["severity"].as_str()),
        (Some("web-1"), Some("critical"))
    );
    assert_eq!(
        (one["events"].as_i64(), one["first_at"].as_i64()),
        (Some(2), Some(NOW))
    );
    assert_eq!(one["fails_at"].as_i64(), Some(NOW + 60 + 3_600));
    assert_eq!(
        one["votes"][0]["reason"],
        "rises 3.1 points an hour for 2 h 10 min"
    );
    let by_id = hub
        .get(
            &format!("/v1/predictions/{}", one["id"].as_str().unwrap()),
            &key,
        )
        .await;
    assert_eq!(by_id.json()["series"], NAMES[0]);

    let path = format!(
        "/v1/metrics?agent={}&series={}&from={START}&to={}",
        agent.id, "disk.used_percent%7B/%7D", NOW
    );
    let range = hub.get(&path, &key).await.json();
    assert_eq!(range["series"][0]["time"][0].as_i64(), Some(START));
    assert_eq!(range["series"][0]["mean"][0].as_f64(), Some(42.0));
    let chain = hub
        .get(&format!("/v1/agents/{}/events", agent.id), &key)
        .await
        .text;
    let summary = arki_model::dsse::verify(chain.as_bytes(), vec![agent.key.public()]).unwrap();
    assert_eq!(
        (summary.events, summary.sequences),
        (2, Some((1, 2))),
        "the chain is whole offline too"
    );
    let alerts = hub.get("/v1/alerts", &key).await.json();
    assert_eq!(
        alerts["items"].as_array().unwrap().len(),
        2,
        "each event is told: {alerts}"
    );
}

#[tokio::test]
async fn a_repetition_is_acknowledged_and_other_content_is_an_alarm() {
    let hub = start("").await;
    let key = hub.key(Scope::Read).await;
    let agent = hub.agent(1, "web-1").await;
    let at = |n: i64| summary(&NAMES, START + n * 300 - 3_000, n as f64);
    let all = [at(1), at(2), at(3)];
    assert_eq!(
        hub.ship(agent.seal(Kind::Summaries, 1, &all)).await.json()["sequence"],
        3
    );
    // the answer was lost; the agent halves its batch, and the names stay at home
    let stripped: Vec<Vec<u8>> = all[..2]
        .iter()
        .map(|record| wire::strip_names(record).unwrap().1)
        .collect();
    let again = hub.ship(agent.seal(Kind::Summaries, 1, &stripped)).await;
    assert_eq!(
        (again.status, again.json()["sequence"].as_u64()),
        (200, Some(3)),
        "{}",
        again.text
    );
    let other = hub.ship(agent.seal(Kind::Summaries, 2, &[at(7)])).await;
    assert_eq!(
        (other.status, other.problem().as_str()),
        (409, "sequence-reused")
    );
    let told = hub.get("/v1/alerts", &key).await.json();
    assert_eq!(told["items"][0]["kind"], "conflict");
    let counted = hub
        .hub
        .store
        .query("SELECT count(*) FROM sample", &[])
        .await
        .unwrap()[0]
        .int(0)
        .unwrap();
    assert_eq!(counted, 3);
}

#[tokio::test]
async fn names_that_are_not_known_are_asked_for() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    let whole = summary(&NAMES, START, 1.0);
    let (_, stripped) = wire::strip_names(&whole).unwrap();
    let asked = hub
        .ship(agent.seal(Kind::Summaries, 1, std::slice::from_ref(&stripped)))
        .await;
    assert_eq!(
        (asked.status, asked.problem().as_str()),
        (409, "series-unknown")
    );
    assert_eq!(
        hub.ship(agent.seal(Kind::Summaries, 1, &[whole]))
            .await
            .status,
        200
    );
    assert_eq!(
        hub.ship(agent.seal(Kind::Summaries, 2, &[stripped]))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_is_not_believed_is_stored_nowhere() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    let good = agent.seal(Kind::Summaries, 1, &[summary(&NAMES, START, 1.0)]);
    // one bit in each byte: every part of the envelope, the batch and the signature
    for at in (0..good.len()).step_by(3) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        let answer = hub.ship(bad).await;
        assert!(
            matches!(answer.status, 400 | 401 | 413 | 415),
            "byte {at}: {answer:?}"
        );
    }
    let mut thief = hub.agent(2, "web-2").await;
    thief.id = agent.id;
    let forged = hub
        .ship(thief.seal(Kind::Summaries, 1, &[summary(&NAMES, START, 1.0)]))
        .await;
    assert_eq!(
        (forged.status, forged.problem().as_str()),
        (401, "signature")
    );
    thief.id = wire::AgentId([9; 16]);
    let stranger = hub
        .ship(thief.seal(Kind::Summaries, 1, &[summary(&NAMES, START, 1.0)]))
        .await;
    assert_eq!(
        (stranger.status, stranger.problem().as_str()),
        (401, "agent-unknown")
    );

    // an event that somebody else signed, in a batch that is the agent's own
    let mut other = hub.agent(3, "web-3").await;
    let foreign = other.event(NAMES[0], NOW, 600.0);
    let answer = hub.ship(agent.seal(Kind::Events, 1, &[foreign])).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "malformed")
    );

    let long = hub.ship(vec![0xc4; wire::BODY_BYTES_MAX + 1]).await;
    assert_eq!((long.status, long.problem().as_str()), (413, "too-large"));
    let request = hub
        .client
        .post(format!("{}/v1/ingest", hub.url))
        .body(good.clone());
    assert_eq!(hub.send(request).await.status, 415);
    for table in ["batch", "sample", "event", "prediction", "alert"] {
        let rows = hub
            .hub
            .store
            .query(&format!("SELECT count(*) FROM {table}"), &[])
            .await
            .unwrap();
        assert_eq!(rows[0].int(0).unwrap(), 0, "{table}");
    }
    assert_eq!(
        hub.ship(good).await.status,
        200,
        "and the good one still is"
    );
}

#[tokio::test]
async fn a_bomb_stops_at_the_limit() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    // 64 MiB of zeros in a batch that is signed: the envelope is written by hand, as `seal` would refuse it
    let bomb = zstd_of_zeros();
    let signed = [
        &[0x96, 0x01, 0xc4, 16][..],
        &agent.id.0,
        &[0x07, 0x01, 0x00, 0xc5],
        &(bomb.len() as u16).to_be_bytes(),
        &bomb,
    ]
    .concat();
    let signature = agent.key.sign(wire::BATCH_TYPE, &signed);
    let length = (signed.len() as u16).to_be_bytes();
    let body = [&[0x92, 0xc5][..], &length, &signed, &[0xc4, 64], &signature].concat();
    let answer = hub.ship(body).await;
    assert!(
        matches!(
            (answer.status, answer.problem().as_str()),
            (413, "too-large") | (400, "malformed")
        ),
        "{answer:?}"
    );
}

/// 64 MiB of zeros as one zstd frame of run-length blocks, by hand (RFC 8878): 3 bytes of header and 1 of content
/// for each 128 KiB.
fn zstd_of_zeros() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]; // no content size, a window of 2 MiB
    for n in 1..=512_u32 {
        let header = u32::from(n == 512) | 1 << 1 | (128 << 10) << 3;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

#[tokio::test]
async fn a_revoked_agent_is_refused_at_once_and_a_rotated_one_loses_nothing() {
    let hub = start("").await;
    let admin = hub.key(Scope::Admin).await;
    let mut agent = hub.agent(1, "web-1").await;
    let old_event = agent.event(NAMES[0], NOW, 9_000.0);
    let wish = serde_json::json!({ "kind": "enrolment", "agent": agent.id.to_string() });
    let made = hub.post_json("/v1/tokens", &admin, &wish).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let next = PrivateKey::from_seed(&[99; 32]);
    let answer = hub.enrol(&token, &next, "web-1").await;
    assert_eq!(
        answer.json()["agent_id"],
        agent.id.to_string(),
        "it stays the same agent"
    );
    // what was under way with the old key still counts, for an hour
    let under_way = agent.seal(Kind::Summaries, 1, &[summary(&NAMES, START, 1.0)]);
    assert_eq!(hub.ship(under_way).await.status, 200);
    hub.clock.advance(3_600);
    let late = agent.seal(Kind::Summaries, 2, &[summary(&NAMES, START + 300, 1.0)]);
    assert_eq!(hub.ship(late).await.problem(), "signature");
    // an event that the old key signed is believed inside of a batch of the new key
    agent.key = next;
    agent.epoch = wire::Epoch(8);
    assert_eq!(
        hub.ship(agent.seal(Kind::Events, 1, &[old_event]))
            .await
            .status,
        200
    );

    let revoke = hub
        .client
        .delete(format!("{}/v1/agents/{}", hub.url, agent.id))
        .bearer_auth(&admin);
    assert_eq!(hub.send(revoke).await.status, 204);
    let refused = hub
        .ship(agent.seal(Kind::Summaries, 3, &[summary(&NAMES, START, 1.0)]))
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "agent-revoked")
    );
}

#[tokio::test]
async fn a_token_works_once_and_guesses_have_to_wait() {
    let hub = start("[limits]\nsign_in_failures_per_minute = 3").await;
    let agent = hub.agent(1, "web-1").await;
    let lost_answer = hub.enrol("token-1", &agent.key, "web-1").await;
    assert_eq!(lost_answer.json()["agent_id"], agent.id.to_string());
    for n in 2..5 {
        let answer = hub
            .enrol("token-1", &PrivateKey::from_seed(&[n; 32]), "x")
            .await;
        assert_eq!((answer.status, answer.problem().as_str()), (401, "token"));
    }
    tokens::create(&*hub.hub.store, digest("fresh"), None, NOW + 60, NOW)
        .await
        .unwrap();
    let key = PrivateKey::from_seed(&[9; 32]);
    assert_eq!(hub.enrol("fresh", &key, "x").await.status, 429);
    hub.clock.advance(59);
    assert_eq!(hub.enrol("fresh", &key, "x").await.status, 429);
    hub.clock.advance(1);
    assert_eq!(
        hub.enrol("fresh", &key, "x").await.status,
        401,
        "and the token is too old by now"
    );
}

#[tokio::test]
async fn many_agents_at_one_time_share_commits_and_all_are_acknowledged() {
    let hub = std::sync::Arc::new(start("").await);
    let mut all = Vec::new();
    for n in 1..=60 {
        all.push(hub.agent(n, &format!("web-{n}")).await);
    }
    let shipped: Vec<_> = all
        .iter()
        .map(|agent| {
            let (hub, body) = (
                std::sync::Arc::clone(&hub),
                agent.seal(Kind::Summaries, 1, &[summary(&NAMES, START, 1.0)]),
            );
            tokio::spawn(async move { hub.ship(body).await })
        })
        .collect();
    for one in shipped {
        let answer = one.await.unwrap();
        assert_eq!(
            (answer.status, answer.json()["sequence"].as_u64()),
            (200, Some(1)),
            "{}",
            answer.text
        );
    }
    let counters = &hub.hub.counters;
    assert_eq!(counters.records_stored_total.get(), 60);
    assert!(
        counters.commits_total.get() < 60,
        "{} commits",
        counters.commits_total.get()
    );
}

#[tokio::test]
async fn a_full_queue_says_later_and_takes_nothing() {
    let hub = start("[limits]\nbody_bytes_in_flight = 2097152").await;
    let agent = hub.agent(1, "web-1").await;
    let room = hub.hub.config.limits.body_bytes_in_flight;
    assert_eq!(room, 2 << 20);
    // three bodies that are never finished hold the room
    let mut held = Vec::new();
    for _ in 0..3 {
        use tokio::io::AsyncWriteExt;
        let mut stream = tokio::net::TcpStream::connect(hub.url.trim_start_matches("http://"))
            .await
            .unwrap();
        let head = format!(
            "POST /v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nContent-Length: 1000000\r\n\r\n",
            wire::BATCH_TYPE
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![0; 699_000]).await.unwrap();
        held.push(stream);
    }
    while hub.intake.room_bytes() > 1_000 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let answer = hub.ship(vec![0xc4; 2_000]).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "busy"));
    let small = agent.seal(Kind::Summaries, 1, &[summary(&NAMES, START, 1.0)]);
    drop(held);
    while hub.intake.room_bytes() < 2_000_000 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(hub.ship(small).await.status, 200, "the room came back");
}
