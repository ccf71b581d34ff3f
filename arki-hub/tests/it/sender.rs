//! Agents without their program, enrolled at a real hub.

use crate::program::Hub;
use arki_model::signature::PrivateKey;
use arki_model::wire::{self, enroll::Enrolled};

#[path = "../../src/testing/agent.rs"]
mod agent;

pub(crate) use agent::{Agent as Sender, summary};

/// Enrols the agent number `n` over the wire, with an administrator's key.
pub(crate) async fn enrol(hub: &Hub, admin: &str, n: u32, host: &str) -> Sender {
    let wish = serde_json::json!({ "kind": "enrolment" });
    introduce(hub, admin, n, host, &wish).await
}

/// The same agent with its next key, that of the number `n`.
pub(crate) async fn rotate(hub: &Hub, admin: &str, n: u32, old: &Sender) -> Sender {
    let wish = serde_json::json!({ "kind": "enrolment", "agent": old.id.to_string() });
    let new = introduce(hub, admin, n, &old.host, &wish).await;
    assert_eq!(new.id, old.id);
    new
}

async fn introduce(hub: &Hub, admin: &str, n: u32, host: &str, wish: &serde_json::Value) -> Sender {
    let (status, made) = hub.post("/v1/tokens", admin, wish).await;
    assert_eq!(status, 201, "{made}");
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&n.to_le_bytes());
    let key = PrivateKey::from_seed(&seed);
    let body = agent::enrollment(made["token"].as_str().unwrap(), &key, host);
    let (status, answer) = hub.ship(wire::ENROLL_PATH, body).await;
    assert_eq!(status, 200, "{answer}");
    let enrolled: Enrolled = serde_json::from_value(answer).unwrap();
    Sender::new(enrolled.agent_id, key, host)
}
