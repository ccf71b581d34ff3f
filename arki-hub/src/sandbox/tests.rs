//! Asking, listing, cancelling and deciding over real connections; webhooks with every kind of wrong signature.

mod docker;

use super::result::{Configuration, Copy, Fidelity, Outcome, TrialResult};
use crate::auth::Scope;
use crate::channel;
use crate::notify::webhook;
use crate::store::agents;
use crate::store::requests::{self, Answered};
use crate::store::sandbox::{self, Claimant, Ended, claim, finish, renew};
use crate::store::snapshots::NewSnapshot;
use crate::testing::{NOW, Running, start};
use arki_model::receipt::{Receipt, ReceiptError};
use arki_model::request;
use serde_json::{Value, json};

fn result(source: &str) -> TrialResult {
    TrialResult {
        outcome: Outcome::Succeeded,
        summary: "It works.".into(),
        fidelity: Fidelity::Effect,
        proves: vec!["it".into()],
        does_not_prove: vec!["that".into()],
        undo: "none".into(),
        argv: ["nginx", "-s", "reload"].map(Into::into).into(),
        applicable: true,
        image: format!("sha256:{}", "a".repeat(64)),
        configuration: Configuration {
            source: source.into(),
            hash: "b".repeat(64),
            ..Configuration::default()
        },
        tried: Copy::default(),
        control: Copy::default(),
        duration_ms: 700,
    }
}

/// Carries out what waits, as a runner would.
async fn carry_out(hub: &Running, result: &TrialResult) {
    let store = &*hub.hub.store;
    let now_s = hub.hub.clock.now_s();
    let who = Claimant {
        runner: "test",
        running_max: 9,
        services: None,
        others_before: 0,
    };
    let run = claim(store, who, now_s).await.unwrap().unwrap();
    assert!(renew(store, &run, now_s).await.unwrap());
    let ended = Ended {
        outcome: Some(result.outcome.name().into()),
        fidelity: Some(result.fidelity.name().into()),
        score: None,
        result: Some(serde_json::to_string(result).unwrap()),
        error: String::new(),
    };
    let after = super::runner::after(&run, &ended, now_s);
    let more = super::hook::told(&hub.hub, after, now_s).unwrap();
    assert!(finish(store, &run, &ended, now_s, more).await.unwrap());
}

async fn asked(hub: &Running, key: &str, body: Value) -> Value {
    let made = hub.post_json("/v1/sandbox/runs", key, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

#[tokio::test]
async fn a_run_is_asked_for_shown_and_cancelled() {
    let hub = start("[sandbox]\nruns_waiting_each = 2").await;
    let (key, read) = (hub.key(Scope::Sandbox).await, hub.key(Scope::Read).await);
    let agent = hub.agent(1, "web-1").await;
    let services = hub.get("/v1/sandbox/services", &read).await.json();
    assert_eq!(services["items"][3]["name"], "nginx");
    assert_eq!(
        services["items"][3]["actions"][0]["argv"],
        json!(["nginx", "-t"])
    );

    let body = json!({ "service": "nginx", "action": "reload", "agent": agent.id.to_string() });
    assert_eq!(
        hub.post_json("/v1/sandbox/runs", &read, &body).await.status,
        403
    );
    let made = asked(&hub, &key, body.clone()).await;
    assert_eq!(
        (&made["state"], &made["host"]),
        (&json!("queued"), &json!("web-1"))
    );
    let path = format!("/v1/sandbox/runs/{}", made["id"].as_str().unwrap());
    assert_eq!(hub.get(&path, &read).await.json(), made);
    let listed = hub
        .get(
            &format!("/v1/sandbox/runs?agent={}&state=open", agent.id),
            &read,
        )
        .await
        .json();
    assert_eq!(listed["items"][0]["id"], made["id"]);

    for (body, status) in [
        (json!({ "service": "nginx" }), 422),
        (json!({ "service": "nginx", "action": "rm -rf /" }), 422),
        (json!({ "service": "none", "action": "test" }), 422),
        (
            json!({ "service": "nginx", "action": "test", "argv": ["sh"] }),
            422,
        ),
        (
            json!({ "service": "nginx", "action": "test", "agent": "00" }),
            422,
        ),
        (
            json!({ "service": "nginx", "action": "test", "prediction": "00" }),
            422,
        ),
    ] {
        let refused = hub.post_json("/v1/sandbox/runs", &key, &body).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text);
        refused.problem();
    }
    asked(&hub, &key, body.clone()).await;
    let full = hub.post_json("/v1/sandbox/runs", &key, &body).await;
    assert_eq!(full.status, 429, "{}", full.text);

    let cancel = format!("{path}/cancel");
    let cancelled = hub.post_json(&cancel, &key, &json!({})).await.json();
    assert_eq!(
        (&cancelled["state"], &cancelled["cancelled_by"]),
        (&json!("cancelled"), &json!("test"))
    );
    assert_eq!(hub.post_json(&cancel, &key, &json!({})).await.status, 409);
    asked(&hub, &key, body).await;
}

#[tokio::test]
async fn who_asks_through_grafana_is_named_and_decides_in_no_other_name() {
    let hub = start("").await;
    let key = hub.key(Scope::Sandbox).await;
    let agent = hub.agent(1, "web-1").await;
    let as_ana = async |path: &str, body: Value| {
        let url = format!("{}{path}", hub.url);
        let request = hub
            .client
            .post(url)
            .bearer_auth(&key)
            .body(body.to_string());
        let request = request.header("Content-Type", "application/json");
        hub.send(request.header("X-Grafana-User", "ana")).await
    };
    let wish = json!({ "service": "nginx", "action": "reload", "agent": agent.id.to_string() });
    let made = as_ana("/v1/sandbox/runs", wish).await.json();
    let asked_by = made["requested_by"].as_str().unwrap();
    assert!(asked_by.ends_with("/ana") && asked_by.len() > 4, "{made}");
    carry_out(&hub, &result("snapshot")).await;
    let path = format!("/v1/sandbox/runs/{}/decision", made["id"].as_str().unwrap());
    let apply = json!({ "decision": "apply", "name": "eva", "reason": "the disk fills" });
    let decided = as_ana(&path, apply).await.json();
    let line = decided["decision"]["receipt"].as_str().unwrap();
    let receipt = Receipt::open(line, &hub.hub.key.public()).unwrap();
    assert_eq!(receipt.name, "ana", "{decided}");
}

#[tokio::test]
async fn a_decision_is_taken_once_and_applying_makes_a_receipt() {
    let hub = start("").await;
    let key = hub.key(Scope::Sandbox).await;
    let agent = hub.agent(1, "web-1").await;
    let body = json!({ "service": "nginx", "action": "reload", "agent": agent.id.to_string() });
    let made = asked(&hub, &key, body.clone()).await;
    let path = format!("/v1/sandbox/runs/{}/decision", made["id"].as_str().unwrap());
    let apply = json!({ "decision": "apply", "name": "eva", "reason": "the disk fills" });
    assert_eq!(
        hub.post_json(&path, &key, &apply).await.status,
        409,
        "it is not done"
    );
    carry_out(&hub, &result("snapshot")).await;
    let unnamed = json!({ "decision": "apply", "name": "", "reason": "x" });
    assert_eq!(hub.post_json(&path, &key, &unnamed).await.status, 400);
    let decided = hub.post_json(&path, &key, &apply).await;
    assert_eq!(decided.status, 200, "{}", decided.text);
    let decided = decided.json();
    assert_eq!(
        decided["application"]["state"], "waiting",
        "the agent is asked"
    );
    let line = decided["decision"]["receipt"].as_str().unwrap();
    let receipt = Receipt::open(line, &hub.hub.key.public()).unwrap();
    assert_eq!(
        (receipt.run.as_str(), receipt.name.as_str()),
        (made["id"].as_str().unwrap(), "eva")
    );
    assert_eq!(
        (receipt.argv.len(), receipt.configuration.as_str()),
        (3, "b".repeat(64).as_str())
    );
    assert!(receipt.permits(agent.id, NOW + 3_599).is_ok());
    assert!(matches!(
        receipt.permits(agent.id, NOW + 3_600),
        Err(ReceiptError::Expired(0))
    ));
    let again = hub.post_json(&path, &key, &apply).await;
    assert!(
        again.status == 409 && again.text.contains("eva decided before"),
        "{}",
        again.text
    );
}

#[tokio::test]
async fn what_proves_too_little_gets_no_receipt() {
    let hub = start("").await;
    let key = hub.key(Scope::Sandbox).await;
    let agent = hub.agent(1, "web-1").await;
    let with = json!({ "service": "nginx", "action": "reload", "agent": agent.id.to_string() });
    let without = json!({ "service": "nginx", "action": "reload" });
    let failed = TrialResult {
        outcome: Outcome::Failed,
        ..result("snapshot")
    };
    let never = TrialResult {
        applicable: false,
        ..result("snapshot")
    };
    for (body, found, said) in [
        (&without, result("snapshot"), "not about an agent"),
        (&with, result("image"), "the image's configuration"),
        (&with, failed, "failed on the copy"),
        (&with, never, "its profile does not offer it"),
    ] {
        let made = asked(&hub, &key, body.clone()).await;
        carry_out(&hub, &found).await;
        let path = format!("/v1/sandbox/runs/{}/decision", made["id"].as_str().unwrap());
        let mut word = json!({ "decision": "apply", "name": "eva", "reason": "why not" });
        let refused = hub.post_json(&path, &key, &word).await;
        assert!(
            refused.status == 422 && refused.text.contains(said),
            "{}",
            refused.text
        );
        word["decision"] = "dismiss".into();
        assert_eq!(hub.post_json(&path, &key, &word).await.status, 200);
    }
    let made = asked(&hub, &key, with).await;
    carry_out(&hub, &result("snapshot")).await;
    hub.clock.advance(3_600);
    let path = format!("/v1/sandbox/runs/{}/decision", made["id"].as_str().unwrap());
    let late = json!({ "decision": "apply", "name": "eva", "reason": "late" });
    let refused = hub.post_json(&path, &key, &late).await;
    assert!(refused.text.contains("too long ago"), "{}", refused.text);
}

/// The agent sends a configuration of this hash.
async fn sent(hub: &Running, id: &[u8], configuration: [u8; 32]) {
    let agent = agents::by_id(&*hub.hub.store, id).await.unwrap().unwrap();
    let request = channel::ask_snapshot(&hub.hub, &agent, "nginx").await;
    let answered = Answered {
        id: request.unwrap(),
        agent_no: agent.agent_no,
        outcome: request::Outcome::Done,
        detail: "",
        report: "",
        snapshot: Some(NewSnapshot {
            service: "nginx".into(),
            taken_at: NOW,
            configuration,
            content: Vec::new(),
        }),
    };
    let stored = requests::answer(&*hub.hub.store, answered, NOW).await;
    assert!(stored.unwrap());
}

#[tokio::test]
async fn a_configuration_that_has_changed_since_is_said_and_gets_no_receipt() {
    let hub = start("").await;
    let key = hub.key(Scope::Sandbox).await;
    let agent = hub.agent(1, "web-1").await;
    let body = json!({ "service": "nginx", "action": "reload", "agent": agent.id.to_string() });
    let made = asked(&hub, &key, body).await;
    let mut found = result("snapshot");
    found.configuration.taken_at = Some(NOW);
    carry_out(&hub, &found).await;
    let path = format!("/v1/sandbox/runs/{}", made["id"].as_str().unwrap());
    let run = hub.get(&path, &key).await.json();
    assert!(run.get("drift").is_none(), "nothing is known of it: {run}");
    let known = agents::by_id(&*hub.hub.store, &agent.id.0)
        .await
        .unwrap()
        .unwrap();
    let asked = requests::snapshot_waiting(&*hub.hub.store, known.agent_no, "nginx", NOW).await;
    assert!(
        asked.unwrap().is_some(),
        "who looks at it makes the hub ask for the live one"
    );
    sent(&hub, &agent.id.0, [0xbb; 32]).await;
    let run = hub.get(&path, &key).await.json();
    assert_eq!(run["drift"]["changed"], false, "{run}");
    assert_eq!(
        run["drift"]["seen_since"], false,
        "it is the trial's own: {run}"
    );
    sent(&hub, &agent.id.0, [0xcc; 32]).await;
    let run = hub.get(&path, &key).await.json();
    assert_eq!(run["drift"]["changed"], true, "{run}");
    let apply = json!({ "decision": "apply", "name": "eva", "reason": "it worked" });
    let refused = hub
        .post_json(&format!("{path}/decision"), &key, &apply)
        .await;
    assert!(
        refused.status == 422 && refused.text.contains("has changed since"),
        "{}",
        refused.text
    );
}

struct Call<'a> {
    hub: &'a Running,
    at: i64,
    secret: &'a str,
    body: &'a str,
}

impl Call<'_> {
    async fn send(&self) -> u16 {
        let signature = webhook::signature(self.secret, self.at, self.body.as_bytes());
        self.send_signed(&signature).await
    }

    async fn send_signed(&self, signature: &str) -> u16 {
        let request = self
            .hub
            .client
            .post(format!("{}/v1/hooks/sandbox", self.hub.url));
        let request = request
            .header("x-arki-timestamp", self.at)
            .header("x-arki-signature", signature)
            .body(self.body.to_owned());
        self.hub.send(request).await.status
    }
}

#[tokio::test]
async fn a_hook_is_believed_once_in_its_window_and_with_each_of_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    std::fs::write(&old, "old secret\n").unwrap();
    std::fs::write(&new, "new secret\n").unwrap();
    let hub = start(&format!(
        "[[sandbox.hook]]\nname = \"deploy\"\nsecret_files = [{new:?}, {old:?}]\n"
    ))
    .await;
    let body = r#"{"service":"nginx","action":"test"}"#;
    let call = |at, secret: &'static str| Call {
        hub: &hub,
        at,
        secret,
        body,
    };
    assert_eq!(call(NOW, "new secret").send().await, 201);
    assert_eq!(call(NOW, "old secret").send().await, 201);
    assert_eq!(
        call(NOW, "new secret").send().await,
        409,
        "the very same call"
    );
    assert_eq!(call(NOW, "other").send().await, 401);
    assert_eq!(call(NOW + 301, "new secret").send().await, 401);
    assert_eq!(call(NOW - 301, "new secret").send().await, 401);
    assert_eq!(call(NOW - 300, "new secret").send().await, 201);
    let right = webhook::signature("new secret", NOW + 1, body.as_bytes());
    let moved = Call {
        hub: &hub,
        at: NOW + 2,
        secret: "",
        body,
    };
    assert_eq!(
        moved.send_signed(&right).await,
        401,
        "the time is signed too"
    );
    let other = Call {
        body: r#"{"service":"nginx","action":"reload"}"#,
        ..call(NOW + 1, "")
    };
    assert_eq!(other.send_signed(&right).await, 401, "the body is signed");
    for bad in [
        "",
        "sha256=",
        "sha256=zz",
        right.trim_start_matches("sha256="),
        "md5=00",
    ] {
        assert_eq!(call(NOW + 1, "").send_signed(bad).await, 401, "{bad}");
    }
    let broken = Call {
        body: "{",
        ..call(NOW, "new secret")
    };
    assert_eq!(broken.send().await, 400);
    // a window later the call is too old, so that forgetting it does no harm
    hub.clock.advance(601);
    assert_eq!(call(NOW, "new secret").send().await, 401);
    let runs = sandbox::list(&*hub.hub.store, &sandbox::Filter::default(), i64::MAX, 9)
        .await
        .unwrap();
    assert_eq!((runs.len(), runs[0].owner.as_str()), (3, "hook:deploy"));
}

#[tokio::test]
async fn a_hub_without_hooks_takes_no_call() {
    let hub = start("").await;
    let body = r#"{"service":"nginx","action":"test"}"#;
    let call = Call {
        hub: &hub,
        at: NOW,
        secret: "",
        body,
    };
    assert_eq!(call.send().await, 401);
}

/// The next request that comes: its head in small letters, and its body.
async fn heard(listener: &tokio::net::TcpListener) -> (String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut heard, mut part) = (String::new(), [0; 4_096]);
    loop {
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "it ended early: {heard}");
        heard.push_str(std::str::from_utf8(&part[..length]).unwrap());
        let Some((head, body)) = heard.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let all = head.split_once("content-length: ").unwrap().1;
        if body.len() == all.lines().next().unwrap().parse::<usize>().unwrap() {
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            return (head, body.to_owned());
        }
    }
}

#[tokio::test]
async fn how_a_run_ended_is_posted_back_signed() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s3cret").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let post_to = format!("http://{}/ci", listener.local_addr().unwrap());
    let hub = start(&format!(
        "[notify]\nallow_networks = [\"127.0.0.0/8\"]\n\
         [[sandbox.hook]]\nname = \"deploy\"\nsecret_files = [{secret:?}]\npost_to = {post_to:?}\n"
    ))
    .await;
    let ask = async |body: &str| {
        let call = Call {
            hub: &hub,
            at: NOW,
            secret: "s3cret",
            body,
        };
        assert_eq!(call.send().await, 201);
    };
    let told = async || {
        let ((head, body), worked) = tokio::join!(heard(&listener), crate::notify::work(&hub.hub));
        worked.unwrap();
        let signature = webhook::signature("s3cret", NOW, body.as_bytes());
        assert!(head.starts_with("post /ci "), "{head}");
        let signed = format!("x-arki-signature: {signature}");
        assert!(head.contains(&signed), "{head}");
        serde_json::from_str::<Value>(&body).unwrap()
    };
    ask(r#"{"service":"nginx","action":"test"}"#).await;
    carry_out(&hub, &result("image")).await;
    let run = told().await;
    assert_eq!(run["state"], "done", "{run}");
    assert_eq!(run["result"]["outcome"], "succeeded", "{run}");

    ask(r#"{"service":"nginx","action":"reload"}"#).await;
    let key = hub.key(Scope::Sandbox).await;
    let open = hub.get("/v1/sandbox/runs?state=open", &key).await.json();
    let id = open["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/sandbox/runs/{id}/cancel");
    let cancelled = hub.post_json(&path, &key, &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    let run = told().await;
    assert_eq!(
        (&run["state"], &run["id"]),
        (&"cancelled".into(), &id.into())
    );
    assert!(!run["cancelled_by"].is_null(), "{run}");
}
