//! The real hub with a real engine: a run over HTTP, the documented webhook, and a hub that is killed in the middle.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use bollard::Docker;
use bollard::query_parameters::ListContainersOptionsBuilder;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A hub in a directory of its own.
struct Home {
    folder: tempfile::TempDir,
    docker: Docker,
    client: reqwest::Client,
    url: String,
    key: String,
}

impl Home {
    /// `None` where there is no engine.
    async fn new() -> Option<Self> {
        let Ok(socket) = std::env::var("ARKI_TEST_DOCKER") else {
            println!("SKIPPED: no container engine here (ARKI_TEST_DOCKER; .ci/docker starts one)");
            assert_ne!(
                std::env::var("CI").as_deref(),
                Ok("true"),
                "nothing is skipped in CI"
            );
            return None;
        };
        let docker = Docker::connect_with_unix(&socket, 30, bollard::API_DEFAULT_VERSION).unwrap();
        let docker = docker.negotiate_version().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let image = async |name: &str| {
            let found = docker
                .inspect_image(&format!("arki-sandbox/{name}:latest"))
                .await;
            found.unwrap().id.unwrap()
        };
        let (nginx, mariadb) = (image("nginx").await, image("mariadb").await);
        let path = folder.path().display();
        std::fs::write(folder.path().join("secret"), "a secret of the hook\n").unwrap();
        let config = format!(
            "listen = \"127.0.0.1:{port}\"\n[database]\nurl = \"sqlite://{path}/hub.db\"\n\
             [sandbox]\ndocker = \"{socket}\"\n[sandbox.images]\nnginx = \"{nginx}\"\nmariadb = \"{mariadb}\"\n\
             [[sandbox.hook]]\nname = \"deploy\"\nsecret_files = [\"{path}/secret\"]\n"
        );
        std::fs::write(folder.path().join("hub.toml"), config).unwrap();
        let mut home = Self {
            folder,
            docker,
            client: reqwest::Client::builder()
                .tls_backend_preconfigured(arki_hub::tls::client().unwrap())
                .no_proxy()
                .build()
                .unwrap(),
            url: format!("http://127.0.0.1:{port}"),
            key: String::new(),
        };
        home.key = home
            .ask(&["key", "create", "ops", "--scope", "sandbox"])
            .await;
        Some(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// From here on the hub itself has no engine; `runner.toml` has.
    fn take_the_engine_from_the_hub(&self) {
        let config = std::fs::read_to_string(self.path("hub.toml")).unwrap();
        std::fs::write(self.path("runner.toml"), &config).unwrap();
        let without = config.lines().filter(|line| !line.starts_with("docker = "));
        let without: Vec<&str> = without.collect();
        std::fs::write(self.path("hub.toml"), without.join("\n")).unwrap();
    }

    /// A process of its own that carries out trials.
    fn runner(&self) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut runner = Command::new(env!("CARGO_BIN_EXE_arki-hub"));
        runner
            .args(["runner", "--config"])
            .arg(self.path("runner.toml"))
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        runner.spawn().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arki-hub"));
        command
            .args(args)
            .arg("--config")
            .arg(self.path("hub.toml"))
            .stdin(Stdio::null());
        command.kill_on_drop(true);
        command
    }

    async fn ask(&self, args: &[&str]) -> String {
        let output = self.command(args).output().await.unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn serve(&self) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut serve = self.command(&["serve"]);
        let child = serve
            .env("ARKI_CANARY", "canary-in-the-environment")
            .stderr(log)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while self
            .client
            .get(format!("{}/healthz", self.url))
            .send()
            .await
            .is_err()
        {
            assert!(begun.elapsed() < PATIENCE, "{}", self.log());
            sleep(Duration::from_millis(50)).await;
        }
        child
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    async fn get(&self, id: &str) -> Value {
        let request = self
            .client
            .get(format!("{}/v1/sandbox/runs/{id}", self.url));
        let answer = request.bearer_auth(&self.key).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn create(&self, service: &str, action: &str) -> String {
        let body = json!({ "service": service, "action": action }).to_string();
        let request = self
            .client
            .post(format!("{}/v1/sandbox/runs", self.url))
            .bearer_auth(&self.key);
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        made["id"].as_str().unwrap().to_owned()
    }

    async fn until(&self, id: &str, states: &[&str]) -> Value {
        let begun = Instant::now();
        loop {
            let run = self.get(id).await;
            if states.contains(&run["state"].as_str().unwrap()) {
                return run;
            }
            assert!(begun.elapsed() < PATIENCE, "{run}\n{}", self.log());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The containers of the runs `ids`.
    async fn containers(&self, ids: &[&str]) -> usize {
        let labels = ids
            .iter()
            .map(|id| format!("io.arki.sandbox.run={}", id.replace('-', "")));
        let mut count = 0;
        for label in labels {
            let filters = HashMap::from([("label", vec![label])]);
            let options = ListContainersOptionsBuilder::new()
                .all(true)
                .filters(&filters)
                .build();
            count += self
                .docker
                .list_containers(Some(options))
                .await
                .unwrap()
                .len();
        }
        count
    }

    /// All of this installation, of runs at the terminal too.
    async fn own_containers(&self) -> usize {
        let known = self.ask(&["sandbox", "known"]).await;
        let known: Value = serde_json::from_str(&known).unwrap();
        let installation = known["installation"].as_str().unwrap();
        let label = format!("io.arki.sandbox={installation}");
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let listed = self.docker.list_containers(Some(options)).await;
        listed.unwrap().len()
    }

    async fn until_nothing_is_left(&self, id: &str) {
        let begun = Instant::now();
        while self.containers(&[id]).await > 0 {
            assert!(
                begun.elapsed() < PATIENCE,
                "a container was left\n{}",
                self.log()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test]
async fn a_run_over_http_tells_what_it_proves() {
    let Some(home) = Home::new().await else {
        return;
    };
    let _hub = home.serve().await;
    let id = home.create("nginx", "reload").await;
    let run = home.until(&id, &["done", "failed"]).await;
    assert_eq!(
        (&run["outcome"], &run["fidelity"]),
        (&json!("succeeded"), &json!("effect measured")),
        "{run}"
    );
    assert!(!run.to_string().contains("canary"), "{run}");
    home.until_nothing_is_left(&id).await;

    // the documented example, as it stands
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sandbox-hook.sh");
    let output = Command::new(example)
        .args(["nginx", "test"])
        .env("ARKI_HUB", &home.url)
        .env("ARKI_HOOK_SECRET_FILE", home.path("secret"))
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = home
        .until(made["id"].as_str().unwrap(), &["done", "failed"])
        .await;
    assert_eq!(
        (&run["outcome"], &run["requested_by"]),
        (&json!("succeeded"), &json!("deploy")),
        "{run}"
    );

    let told = home.ask(&["sandbox", "run", "nginx", "test"]).await;
    for part in [
        "nginx -t",
        "syntax is ok",
        "syntax proven",
        "does not prove:",
        "every copy is gone",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = home.ask(&["sandbox", "run", "nginx", "reload"]).await;
    assert!(told.contains("every copy is gone"), "{told}");
    assert_eq!(home.own_containers().await, 0, "when it says so");

    let refused = home
        .command(&["sandbox", "images", "build", "--from", "registry"])
        .args(["--service", "generic", "--suite", "no-such-suite"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("debian:no-such-suite-slim"),
        "{said}"
    );
    assert!(
        said.contains("--from packages"),
        "it names the other way: {said}"
    );
}

#[tokio::test]
async fn a_run_that_is_cancelled_leaves_nothing() {
    let Some(home) = Home::new().await else {
        return;
    };
    let _hub = home.serve().await;
    let id = home.create("mariadb", "restart").await;
    let begun = Instant::now();
    while home.containers(&[&id]).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        sleep(Duration::from_millis(20)).await;
    }
    let cancel = home
        .client
        .post(format!("{}/v1/sandbox/runs/{id}/cancel", home.url));
    assert_eq!(
        cancel.bearer_auth(&home.key).send().await.unwrap().status(),
        200
    );
    home.until_nothing_is_left(&id).await;
    assert_eq!(home.get(&id).await["state"], "cancelled");
}

#[tokio::test]
async fn a_hub_killed_in_the_middle_loses_no_run_and_leaves_nothing() {
    let Some(home) = Home::new().await else {
        return;
    };
    let mut hub = home.serve().await;
    let id = home.create("mariadb", "restart").await;
    let begun = Instant::now();
    while home.containers(&[&id]).await < 2 {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        sleep(Duration::from_millis(20)).await;
    }
    hub.kill().await.unwrap(); // SIGKILL
    assert_eq!(
        home.containers(&[&id]).await,
        2,
        "they outlive their runner"
    );
    let _hub = home.serve().await;
    let run = home.until(&id, &["done", "failed"]).await;
    assert_eq!(
        (&run["outcome"], &run["attempts"]),
        (&json!("succeeded"), &json!(2)),
        "{run}"
    );
    home.until_nothing_is_left(&id).await;
}

#[tokio::test]
async fn a_runner_of_its_own_that_is_killed_hands_its_run_to_another() {
    let Some(home) = Home::new().await else {
        return;
    };
    home.take_the_engine_from_the_hub();
    let _hub = home.serve().await;
    let id = home.create("mariadb", "restart").await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(home.get(&id).await["state"], "queued", "the hub has none");
    let mut first = home.runner();
    let begun = Instant::now();
    while home.containers(&[&id]).await < 2 {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        sleep(Duration::from_millis(20)).await;
    }
    let mut second = home.runner();
    sleep(Duration::from_millis(500)).await;
    let run = home.get(&id).await;
    assert_eq!(run["attempts"], 1, "who has claimed it keeps it: {run}");
    first.kill().await.unwrap(); // SIGKILL
    let run = home.until(&id, &["done", "failed"]).await;
    assert_eq!(
        (&run["outcome"], &run["attempts"]),
        (&json!("succeeded"), &json!(2)),
        "{run}\n{}",
        home.log()
    );
    home.until_nothing_is_left(&id).await;

    // asked to end, it ends by itself
    let pid = second.id().unwrap().to_string();
    let asked = Command::new("kill").args(["-s", "TERM", &pid]).status();
    assert!(asked.await.unwrap().success());
    assert_eq!(second.wait().await.unwrap().code(), Some(0));
}
