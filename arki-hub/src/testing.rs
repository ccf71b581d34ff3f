//! For tests: a whole hub on a port of its own, with a clock that is moved by hand, and an agent that speaks to it.

use crate::auth::{Scope, digest};
use crate::config::Config;
use crate::hub::Hub;
use crate::ingest::Intake;
use crate::server::{self, route};
use crate::store::{keys, tokens};
use arki_model::clock::{Clock, UnixSeconds};
use arki_model::signature::PrivateKey;
use arki_model::wire::{self, enroll::Enrolled};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

mod agent;

pub(crate) use agent::{Agent, summary};

/// When the tests' hub begins.
pub(crate) const NOW: UnixSeconds = 1_760_000_100;

/// A clock that a test moves by hand.
#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now_s(&self) -> UnixSeconds {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs((self.now_s() - NOW) as u64)
    }
}

/// A running hub; it ends when this is dropped.
pub(crate) struct Running {
    pub(crate) hub: Arc<Hub>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    pub(crate) intake: Intake,
    _stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The problem's type, after its prefix.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.kind, wire::PROBLEM_TYPE, "{}", self.text);
        let kind = self.json()["type"].as_str().unwrap().to_owned();
        kind.strip_prefix(wire::problem::PREFIX)
            .unwrap_or(&kind)
            .to_owned()
    }
}

/// Starts a hub over SQLite with `settings` (TOML).
pub(crate) async fn start(settings: &str) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::parse(settings, "test", []).unwrap();
    config.database.url = format!("sqlite://{}/hub.db", folder.path().display());
    start_with(config, folder).await
}

/// Starts a hub over PostgreSQL; `None` where there is none.
pub(crate) async fn start_on_postgres() -> Option<Running> {
    let mut config = Config::default();
    config.database.url = crate::store::tests::server::database().await?;
    Some(start_with(config, tempfile::tempdir().unwrap()).await)
}

/// Starts a hub with `config`.
pub(crate) async fn start_with(config: Config, folder: tempfile::TempDir) -> Running {
    let clock = Arc::new(HandClock(AtomicI64::new(NOW)));
    let store = crate::store::open(&config.database, NOW).await.unwrap();
    let hub = Hub::new(config, store, Arc::clone(&clock) as Arc<_>)
        .await
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = watch::channel(false);
    let intake = Intake::start(&hub);
    let router = route::router(&hub, intake.clone());
    tokio::spawn(server::serve(
        Arc::clone(&hub),
        router,
        listener,
        None,
        stopped,
    ));
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(crate::tls::client().unwrap())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    Running {
        hub,
        clock,
        url,
        client,
        intake,
        _stop: stop,
        _folder: folder,
    }
}

impl Running {
    /// A fresh API key.
    pub(crate) async fn key(&self, scope: Scope) -> String {
        let key = crate::random::token(crate::auth::KEY_PREFIX);
        keys::create(&*self.hub.store, digest(&key), ("test", scope), None, NOW)
            .await
            .unwrap();
        key
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let kind = response
            .headers()
            .get("content-type")
            .map_or("", |v| v.to_str().unwrap())
            .to_owned();
        let text = response.text().await.unwrap();
        Answer { status, kind, text }
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        self.send(
            self.client
                .get(format!("{}{path}", self.url))
                .bearer_auth(key),
        )
        .await
    }

    pub(crate) async fn post_json(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .bearer_auth(key);
        self.send(
            request
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }

    pub(crate) async fn ship(&self, body: Vec<u8>) -> Answer {
        let request = self
            .client
            .post(format!("{}{}", self.url, wire::INGEST_PATH));
        self.send(request.header("content-type", wire::BATCH_TYPE).body(body))
            .await
    }

    /// Enrols a new agent over the wire.
    pub(crate) async fn agent(&self, n: u8, host: &str) -> Agent {
        let token = format!("token-{n}");
        let now_s = self.clock.now_s();
        tokens::create(&*self.hub.store, digest(&token), None, now_s + 60, now_s)
            .await
            .unwrap();
        let key = PrivateKey::from_seed(&[n; 32]);
        let answer = self.enrol(&token, &key, host).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let enrolled: Enrolled = serde_json::from_str(&answer.text).unwrap();
        Agent::new(enrolled.agent_id, key, host)
    }

    pub(crate) async fn enrol(&self, token: &str, key: &PrivateKey, host: &str) -> Answer {
        let request = self
            .client
            .post(format!("{}{}", self.url, wire::ENROLL_PATH));
        self.send(request.body(agent::enrollment(token, key, host)))
            .await
    }
}
