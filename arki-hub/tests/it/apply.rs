//! From a trial on a copy of a host's own configuration to the command on that host: real agent, hub and engine.

use crate::program::{Agent, Hub, wait};
use arki_hub::store::{Store, agents, requests, snapshots};
use arki_model::clock::{Clock, SystemClock};
use arki_model::receipt::Receipt;
use arki_model::request::{Order, Request, RequestId};
use arki_model::snapshot::What;
use arki_model::wire::AgentId;
use bollard::Docker;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

const SECRET: &str = "canary-7c1f0e5d";

/// A service whose configuration is the directory `configuration`, and two things that can be done to it.
fn profile(configuration: &str, mark: &str) -> String {
    format!(
        r#"
name = "demo"
title = "A service of this test"
user = "65534:65534"
start = ["sleep", "3600"]
ready = ["grep", "-q", "^workers", "{configuration}/app.conf"]
configuration = ["{configuration}"]

[image]
packages = ["procps"]

[[tmpfs]]
path = "/tmp"
mebibytes = 8

[[measure]]
name = "mark"
title = "The mark is there"
kind = "success"
argv = ["test", "-e", "{mark}"]

[[measure]]
name = "configuration"
title = "What the copy was given"
kind = "text"
argv = ["cat", "{configuration}/app.conf"]

[[action]]
name = "mark"
title = "Leave a mark"
argv = ["touch", "{mark}"]
proves = ["a mark can be left"]
does_not_prove = ["what it is good for"]
undo = "Remove it."
applicable = true

[[action.expect]]
measure = "mark"
change = "rises"

[[action]]
name = "other"
title = "Something that the host does not list"
argv = ["touch", "{mark}-other"]
proves = ["nothing"]
does_not_prove = ["anything"]
undo = "Remove it."
applicable = true
"#
    )
}

struct Story {
    hub: Hub,
    key: String,
    agent: Agent,
    id: String,
}

impl Story {
    async fn run(&self, path: &str) -> Value {
        let path = format!("/v1/sandbox/runs{path}");
        self.hub.get(&path, &self.key).await
    }

    fn log(&self) -> String {
        format!("{}\n{}", self.agent.home.log(), self.hub.home.log())
    }

    /// Tries `action` for the agent; the run, once it has ended.
    async fn tried(&self, action: &str) -> Value {
        let wish = json!({ "service": "demo", "action": action, "agent": self.id });
        let (status, made) = self.hub.post("/v1/sandbox/runs", &self.key, &wish).await;
        assert_eq!(status, 201, "{made}");
        let path = format!("/{}", made["id"].as_str().unwrap());
        let ended = async || !self.run(&path).await["finished_at"].is_null();
        wait("the trial", ended, || self.log()).await;
        self.run(&path).await
    }

    async fn decide(&self, run: &Value, word: &str) -> (u16, Value) {
        let path = format!("/v1/sandbox/runs/{}/decision", run["id"].as_str().unwrap());
        let said = json!({ "decision": word, "name": "Ada", "reason": "it worked on the copy" });
        self.hub.post(&path, &self.key, &said).await
    }

    /// Decides to apply `run`, and waits for what the agent says to that.
    async fn applied(&self, run: &Value) -> Value {
        let (status, decided) = self.decide(run, "apply").await;
        assert_eq!(status, 200, "{decided}");
        assert_eq!(decided["application"]["state"], "waiting", "{decided}");
        let path = format!("/{}", run["id"].as_str().unwrap());
        let answered = async || !self.run(&path).await["application"]["answered_at"].is_null();
        wait("the agent's answer", answered, || self.log()).await;
        self.run(&path).await["application"].clone()
    }
}

/// The hub's own store, opened beside it: to ask of the agent, with the hub's own key, what the hub never would.
async fn store(story: &Story) -> Arc<dyn Store> {
    let url = format!("sqlite://{}", story.hub.home.path("hub.db").display());
    let config = arki_hub::config::Database {
        url,
        ..Default::default()
    };
    let now_s = SystemClock::new().now_s();
    arki_hub::store::open(&config, now_s).await.unwrap()
}

/// Asks the agent to apply `receipt`, sealed by the hub's key; what it answers, in words.
async fn asked_with(story: &Story, store: &dyn Store, receipt: &Receipt, name: u8) -> String {
    let key = arki_hub::hub::own_key(store).await.unwrap();
    let id = arki_model::hex::decode::<16>(&story.id.replace('-', "")).unwrap();
    let agent = agents::by_id(store, &id).await.unwrap().unwrap();
    let (now_s, name) = (SystemClock::new().now_s(), RequestId([name; 16]));
    let order = Order::Apply {
        receipt: receipt.seal(&key).unwrap(),
        series: String::new(),
    };
    let request = Request::new(name, AgentId(id), now_s..now_s + 600, order);
    let new = requests::NewRequest {
        id: name,
        agent_no: agent.agent_no,
        kind: "apply",
        service: "demo",
        run: None,
        line: &request.seal(&key).unwrap(),
        expires_at: now_s + 600,
    };
    assert!(requests::create(store, new, now_s).await.unwrap());
    let answer = async || requests::by_id(store, name).await.unwrap().unwrap();
    let answered = async || answer().await.answered_at.is_some();
    wait("the agent's answer", answered, || story.log()).await;
    let answer = answer().await;
    assert_eq!(answer.outcome, "refused", "{answer:?}");
    answer.detail
}

/// `None` where there is no engine.
async fn story(configuration: &Path, mark: &str) -> Option<Story> {
    let Ok(socket) = std::env::var("ARKI_TEST_DOCKER") else {
        println!("SKIPPED: no container engine here (ARKI_TEST_DOCKER; .ci/docker starts one)");
        let in_ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!in_ci, "nothing is skipped in CI");
        return None;
    };
    let docker = Docker::connect_with_unix(&socket, 30, bollard::API_DEFAULT_VERSION).unwrap();
    let docker = docker.negotiate_version().await.unwrap();
    let image = docker.inspect_image("arki-sandbox/generic:latest").await;
    let image = image.unwrap().id.unwrap();
    let profiles = tempfile::tempdir().unwrap();
    let configuration = configuration.to_str().unwrap();
    let file = profiles.path().join("demo.toml");
    std::fs::write(file, profile(configuration, mark)).unwrap();
    let hub = Hub::start(&format!(
        "[sandbox]\ndocker = '{socket}'\nprofiles = '{}'\n[sandbox.images]\ndemo = '{image}'\n",
        profiles.path().display()
    ))
    .await;
    let key = hub.key("sandbox").await;
    let mut agent = Agent::new(
        "web-1",
        &format!(
            "[[service]]\nname = 'demo'\nsnapshot = ['{configuration}']\n[apply]\nenabled = true\n\
             [[apply.action]]\nservice = 'demo'\nname = 'mark'\nargv = ['touch', '{mark}']\n"
        ),
    );
    agent.enrol(&hub).await;
    agent.watch().await;
    let read = hub.key("read").await;
    let agents = hub.get("/v1/agents", &read).await;
    let id = agents["items"][0]["id"].as_str().unwrap().to_owned();
    Some(Story {
        hub,
        key,
        agent,
        id,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_worked_on_the_copy_is_applied_once_and_only_as_the_host_permits() {
    let host = tempfile::tempdir().unwrap();
    let configuration = host.path().join("etc");
    std::fs::create_dir(&configuration).unwrap();
    let file = configuration.join("app.conf");
    std::fs::write(&file, format!("workers = 4\npassword = {SECRET}\n")).unwrap();
    let mark = format!("/tmp/{}-mark", host.path().file_name().unwrap().display());
    let Some(story) = story(&configuration, &mark).await else {
        return;
    };

    let run = story.tried("mark").await;
    assert_eq!(run["state"], "done", "{run}\n{}", story.log());
    assert_eq!(run["fidelity"], "effect measured", "{run}");
    let with = &run["result"]["configuration"];
    assert_eq!(
        (&with["source"], &with["files"]),
        (&"snapshot".into(), &1.into()),
        "{run}"
    );
    assert_eq!(with["left_out"].as_array().map(Vec::len), Some(0), "{run}");
    assert_eq!(run["drift"]["changed"], false, "{run}");
    assert!(!Path::new(&mark).exists(), "the host was not touched");

    let done = story.applied(&run).await;
    assert_eq!(
        (&done["state"], &done["report"]["exit_code"]),
        (&"done".into(), &0.into()),
        "{done}"
    );
    assert!(Path::new(&mark).exists(), "{done}");
    std::fs::remove_file(&mark).unwrap();
    assert_eq!(story.decide(&run, "apply").await.0, 409, "once");

    // whoever has the hub's store and key gets no further: the agent itself remembers, and has a clock
    let store = store(&story).await;
    let key = arki_hub::hub::own_key(&*store).await.unwrap();
    let line = story
        .run(&format!("/{}", run["id"].as_str().unwrap()))
        .await["decision"]["receipt"]
        .clone();
    let used = Receipt::open(line.as_str().unwrap(), &key.public()).unwrap();
    let refused = asked_with(&story, &*store, &used, 1).await;
    assert!(refused.contains("a receipt works once"), "{refused}");
    let ended = Receipt {
        run: "00000000-0000-0000-0000-000000000000".into(),
        tried_at: used.tried_at - 7_200,
        expires_at: used.tried_at - 3_600,
        ..used
    };
    let refused = asked_with(&story, &*store, &ended, 2).await;
    assert!(refused.contains("the receipt ended"), "{refused}");
    assert!(!Path::new(&mark).exists(), "neither ran");

    let unlisted = story.tried("other").await;
    let refused = story.applied(&unlisted).await;
    assert_eq!(refused["state"], "refused", "{refused}");
    assert!(
        refused["detail"].as_str().unwrap().contains("not listed"),
        "{refused}"
    );
    assert!(!Path::new(&format!("{mark}-other")).exists());

    let old = story.tried("mark").await;
    std::fs::write(&file, "workers = 8\n").unwrap();
    let refused = story.applied(&old).await;
    assert_eq!(refused["state"], "refused", "{refused}");
    assert!(
        refused["detail"].as_str().unwrap().contains("has changed"),
        "{refused}"
    );
    assert!(!Path::new(&mark).exists(), "not again");

    let reader = story.hub.key("read").await;
    let cookie = story.hub.sign_in(&reader).await;
    let page = story
        .hub
        .page(
            &format!("/sandbox/{}", run["id"].as_str().unwrap()),
            &cookie,
        )
        .await;
    for part in [
        "Applied on the host",
        "the host's, taken ",
        "Ada decided to apply it",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let mut everything = page + &story.hub.home.log() + &story.run("").await.to_string();
    for name in ["hub.db", "hub.db-wal"] {
        let bytes = std::fs::read(story.hub.home.path(name)).unwrap_or_default();
        everything.push_str(&String::from_utf8_lossy(&bytes));
    }
    everything.push_str(&run.to_string());
    assert!(run.to_string().contains("workers = 4"), "{run}");
    // snapshots are compressed in the store: as they are decoded
    let id = arki_model::hex::decode::<16>(&story.id.replace('-', "")).unwrap();
    let agent = agents::by_id(&*store, &id).await.unwrap().unwrap();
    let kept = snapshots::latest(&*store, agent.agent_no, "demo").await;
    let mut found = 0;
    for entry in kept.unwrap().unwrap().snapshot.entries {
        if let What::File { bytes, .. } = entry.what {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            found += usize::from(text.contains("workers = "));
            everything.push_str(&text);
        }
    }
    assert_eq!(found, 1, "the snapshot is decoded");
    assert!(!everything.contains(SECRET), "a secret left the host");
}
