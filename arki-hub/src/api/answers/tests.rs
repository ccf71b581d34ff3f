//! An agent fetches what it is asked, answers, and fetches no more.

use super::*;
use crate::channel::{self, AskError};
use crate::hub::Hub;
use crate::store::snapshots;
use crate::testing::{self, Agent, Answer as Http, NOW, Running, start, summary};
use arki_model::receipt::{self, RECEIPT_VERSION, Receipt};
use arki_model::request::{ANSWERS_PATH, Answer, Order, Request, RequestId};
use arki_model::snapshot::Encoder;
use arki_model::wire::{Acknowledgement, Kind};

async fn send(hub: &Running, agent: &Agent, reply: Option<Reply>) -> Http {
    let answer = Answer {
        agent: agent.id,
        sent_at_s: NOW,
        reply,
    };
    let body = answer.seal(&agent.key).unwrap();
    post(hub, body).await
}

async fn post(hub: &Running, body: Vec<u8>) -> Http {
    let request = hub.client.post(format!("{}{ANSWERS_PATH}", hub.url));
    hub.send(request.header("content-type", ANSWER_TYPE).body(body))
        .await
}

fn heard(answer: &Http) -> Heard {
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

async fn row(hub: &Hub, agent: &Agent) -> agents::Agent {
    agents::by_id(&*hub.store, &agent.id.0)
        .await
        .unwrap()
        .unwrap()
}

fn copy(service: &str) -> Vec<u8> {
    let mut encoder = Encoder::new(service, NOW - 5, &["/etc/nginx"], 1).unwrap();
    encoder
        .file("/etc/nginx/nginx.conf", 0o644, [4; 32], (b"user www;", 1))
        .unwrap();
    encoder.finish().unwrap().compressed
}

fn reply(request: RequestId, outcome: Outcome, content: Vec<u8>) -> Reply {
    Reply {
        request,
        outcome,
        text: "as it went".into(),
        content,
    }
}

#[tokio::test]
async fn a_snapshot_is_asked_for_with_the_next_batch_and_stored_once() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    let bucket = summary(&["cpu.busy_percent"], NOW / 300 * 300, 1.0);
    let batch = |number, start| {
        agent.seal(
            Kind::Summaries,
            number,
            &[summary(&["cpu.busy_percent"], start, 1.0)],
        )
    };
    let waiting = |answer: &Http| {
        serde_json::from_str::<Acknowledgement>(&answer.text)
            .unwrap()
            .requests_waiting
    };
    let before = hub.ship(agent.seal(Kind::Summaries, 1, &[bucket])).await;
    assert!(
        !waiting(&before) && !before.text.contains("requests"),
        "{}",
        before.text
    );

    let row = row(&hub.hub, &agent).await;
    let id = channel::ask_snapshot(&hub.hub, &row, "nginx")
        .await
        .unwrap();
    let same = channel::ask_snapshot(&hub.hub, &row, "nginx")
        .await
        .unwrap();
    assert_eq!(id, same, "one that waits is joined");
    assert!(waiting(&hub.ship(batch(2, NOW / 300 * 300 + 300)).await));

    let lines = heard(&send(&hub, &agent, None).await).requests;
    let opened = Request::open(&lines[0], &hub.hub.key.public(), agent.id, NOW).unwrap();
    assert_eq!((opened.id, lines.len()), (id, 1));
    assert_eq!(
        heard(&send(&hub, &agent, None).await).requests,
        lines,
        "until it is answered"
    );

    for _ in 0..2 {
        let said = heard(&send(&hub, &agent, Some(reply(id, Outcome::Done, copy("nginx")))).await);
        assert!(said.stored && said.requests.is_empty());
    }
    assert!(!waiting(&hub.ship(batch(3, NOW / 300 * 300 + 600)).await));
    let kept = snapshots::latest(&*hub.hub.store, row.agent_no, "nginx")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.configuration, kept.snapshot.configuration());
    assert_eq!(
        (kept.snapshot.entries.len(), kept.snapshot.taken_at_s),
        (1, NOW - 5)
    );
    let seen = snapshots::seen(&*hub.hub.store, row.agent_no, "nginx")
        .await
        .unwrap();
    assert_eq!((seen.len(), seen[0].configuration), (1, kept.configuration));
    let asked = requests::by_id(&*hub.hub.store, id).await.unwrap().unwrap();
    assert_eq!(
        (asked.state(NOW), asked.detail.as_str()),
        ("done", "as it went")
    );
}

#[tokio::test]
async fn nobody_answers_for_another_agent_and_nothing_unsigned_counts() {
    let hub = start("").await;
    let (one, two) = (hub.agent(1, "web-1").await, hub.agent(2, "web-2").await);
    let row_one = row(&hub.hub, &one).await;
    let id = channel::ask_snapshot(&hub.hub, &row_one, "nginx")
        .await
        .unwrap();
    assert!(heard(&send(&hub, &two, None).await).requests.is_empty());
    let foreign = heard(&send(&hub, &two, Some(reply(id, Outcome::Done, copy("nginx")))).await);
    assert!(!foreign.stored);

    let answer = Answer {
        agent: one.id,
        sent_at_s: NOW,
        reply: Some(reply(id, Outcome::Done, copy("nginx"))),
    };
    let forged = post(&hub, answer.seal(&two.key).unwrap()).await;
    assert_eq!(
        (forged.status, forged.problem().as_str()),
        (401, "signature")
    );
    let stranger = Answer {
        agent: AgentId([0; 16]),
        ..answer.clone()
    };
    let unknown = post(&hub, stranger.seal(&one.key).unwrap()).await;
    assert_eq!(
        (unknown.status, unknown.problem().as_str()),
        (401, "agent-unknown")
    );
    assert_eq!(post(&hub, b"nonsense".to_vec()).await.status, 400);
    assert_eq!(
        post(&hub, vec![0; ANSWER_BODY_BYTES_MAX + 1]).await.status,
        413
    );
    // Signed, but no snapshot.
    let broken = send(
        &hub,
        &one,
        Some(reply(id, Outcome::Done, b"nonsense".to_vec())),
    )
    .await;
    assert_eq!(broken.status, 400);
    let asked = requests::by_id(&*hub.hub.store, id).await.unwrap().unwrap();
    assert_eq!(asked.state(NOW), "waiting");

    agents::revoke(&*hub.hub.store, row_one.agent_no, NOW)
        .await
        .unwrap();
    let revoked = send(&hub, &one, None).await;
    assert_eq!(
        (revoked.status, revoked.problem().as_str()),
        (403, "agent-revoked")
    );
}

fn receipt(agent: &Agent, run: &str) -> Receipt {
    Receipt {
        version: RECEIPT_VERSION,
        run: run.into(),
        agent: agent.id,
        service: "nginx".into(),
        action: "reload".into(),
        argv: vec!["nginx".into(), "-s".into(), "reload".into()],
        image: "sha256:0".into(),
        configuration: "0".repeat(64),
        tried_at: NOW,
        expires_at: NOW + 3_600,
        outcome: receipt::Outcome::Succeeded,
        name: "eva".into(),
        reason: "tonight".into(),
    }
}

#[tokio::test]
async fn what_was_decided_is_asked_once_and_how_it_went_is_kept_with_the_run() {
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    let row = row(&hub.hub, &agent).await;
    let line = receipt(&agent, "run-1").seal(&hub.hub.key).unwrap();
    let id = channel::ask_apply(&hub.hub, &row, &line, "disk.used_percent{/}")
        .await
        .unwrap();
    let again = channel::ask_apply(&hub.hub, &row, &line, "").await;
    assert!(matches!(again, Err(AskError::Full)), "{again:?}");
    let lines = heard(&send(&hub, &agent, None).await).requests;
    let opened = Request::open(&lines[0], &hub.hub.key.public(), agent.id, NOW).unwrap();
    let Order::Apply {
        receipt: sent,
        series,
    } = opened.order
    else {
        panic!("{opened:?}");
    };
    assert_eq!((sent, series.as_str()), (line, "disk.used_percent{/}"));

    let report = Report {
        exit_code: Some(1),
        stderr: "no".into(),
        ..Report::default()
    };
    let failed = reply(id, Outcome::Failed, report.encode().unwrap());
    assert!(heard(&send(&hub, &agent, Some(failed)).await).stored);
    let asked = channel::applied(&hub.hub, "run-1").await.unwrap().unwrap();
    assert_eq!(asked.state(NOW), "failed");
    assert_eq!(
        serde_json::from_str::<Report>(&asked.report).unwrap(),
        report
    );
}

#[tokio::test]
async fn receipts_of_others_are_not_sent_and_requests_end() {
    let hub = start("").await;
    let (one, two) = (hub.agent(1, "web-1").await, hub.agent(2, "web-2").await);
    let row = row(&hub.hub, &one).await;
    let foreign = receipt(&two, "run-1").seal(&hub.hub.key).unwrap();
    assert!(
        channel::ask_apply(&hub.hub, &row, &foreign, "")
            .await
            .is_err()
    );
    let forged = receipt(&one, "run-1").seal(&one.key).unwrap();
    assert!(
        channel::ask_apply(&hub.hub, &row, &forged, "")
            .await
            .is_err()
    );

    for n in 0..requests::WAITING_MAX {
        channel::ask_snapshot(&hub.hub, &row, &format!("s{n}"))
            .await
            .unwrap();
    }
    let full = channel::ask_snapshot(&hub.hub, &row, "one-more").await;
    assert!(matches!(full, Err(AskError::Full)), "{full:?}");
    assert_eq!(heard(&send(&hub, &one, None).await).requests.len(), 4);
    hub.clock.advance(channel::SNAPSHOT_TTL_S);
    assert!(heard(&send(&hub, &one, None).await).requests.is_empty());
    assert!(
        channel::ask_snapshot(&hub.hub, &row, "one-more")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn on_postgresql_too() {
    let Some(hub) = testing::start_on_postgres().await else {
        return;
    };
    let agent = hub.agent(1, "web-1").await;
    let row = row(&hub.hub, &agent).await;
    for n in 0..6 {
        let id = channel::ask_snapshot(&hub.hub, &row, "nginx")
            .await
            .unwrap();
        let done = reply(id, Outcome::Done, copy("nginx"));
        assert!(heard(&send(&hub, &agent, Some(done)).await).stored, "{n}");
    }
    let seen = snapshots::seen(&*hub.hub.store, row.agent_no, "nginx")
        .await
        .unwrap();
    assert_eq!(seen.len(), 4, "the latest few");
    assert!(seen[0].snapshot_no > seen[3].snapshot_no);
    let line = receipt(&agent, "run-1").seal(&hub.hub.key).unwrap();
    let id = channel::ask_apply(&hub.hub, &row, &line, "").await.unwrap();
    let report = Report::default().encode().unwrap();
    assert!(heard(&send(&hub, &agent, Some(reply(id, Outcome::Failed, report))).await).stored);
    assert_eq!(
        channel::applied(&hub.hub, "run-1")
            .await
            .unwrap()
            .unwrap()
            .state(NOW),
        "failed"
    );
}

#[tokio::test]
async fn people_ask_and_see_over_the_api() {
    use crate::auth::Scope;
    let hub = start("").await;
    let agent = hub.agent(1, "web-1").await;
    let (read, sandbox) = (hub.key(Scope::Read).await, hub.key(Scope::Sandbox).await);
    let path = format!("/v1/agents/{}/snapshots", agent.id);
    let body = serde_json::json!({"service": "nginx"});
    assert_eq!(hub.post_json(&path, &read, &body).await.status, 403);
    let bad = serde_json::json!({"service": ""});
    assert_eq!(hub.post_json(&path, &sandbox, &bad).await.status, 400);
    let asked = hub.post_json(&path, &sandbox, &body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.json()["request"].as_str().unwrap().to_owned();
    let see = format!("/v1/requests/{id}");
    assert_eq!(hub.get(&see, &read).await.json()["state"], "waiting");
    let done = reply(id.parse().unwrap(), Outcome::Done, copy("nginx"));
    assert!(heard(&send(&hub, &agent, Some(done)).await).stored);
    assert_eq!(hub.get(&see, &read).await.json()["state"], "done");
    let listed = hub
        .get(&format!("{path}?service=nginx"), &read)
        .await
        .json();
    assert_eq!(
        (
            listed["items"].as_array().unwrap().len(),
            &listed["changed"]
        ),
        (1, &false.into())
    );
    assert_eq!(hub.get("/v1/requests/00", &read).await.status, 404);
}
