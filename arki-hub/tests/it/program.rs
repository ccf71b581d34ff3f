//! Starts the two programs in directories of their own and ends them whatever happens.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

/// Long enough for a loaded machine; a test that waits that long has failed.
const PATIENCE: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(100);

/// The agent stands beside the hub once both are built. Cargo tells a package only about its own programs.
fn agent_program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_arki-hub")).with_file_name("arki-agent");
    assert!(
        path.exists(),
        "{} is missing: `cargo build -p arki-agent` first (`make test` builds everything)",
        path.display()
    );
    path
}

/// A program's directory: configuration, state, log.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    program: PathBuf,
}

impl Home {
    fn new(program: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, program }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// What the program said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .args(args)
            .arg("--config")
            .arg(self.path("toml"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn ask(&self, args: &[&str]) -> Output {
        self.command(args).output().await.unwrap()
    }

    /// The same with an environment.
    pub(crate) async fn ask_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        command.output().await.unwrap()
    }

    /// Runs a command that must succeed; what it printed.
    pub(crate) async fn done(&self, args: &[&str]) -> String {
        let output = self.ask(args).await;
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The same with something on standard input.
    pub(crate) async fn done_with(&self, args: &[&str], input: &Path) -> String {
        let mut command = self.command(args);
        command.stdin(fs::File::open(input).unwrap());
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn start(&self, args: &[&str], environment: &[(&str, &str)]) -> Child {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }
}

/// A hub on a port of its own.
pub(crate) struct Hub {
    pub(crate) home: Home,
    pub(crate) url: String,
    child: Option<Child>,
    client: reqwest::Client,
}

impl Hub {
    /// Starts a hub over SQLite; `more` is added to its configuration.
    pub(crate) async fn start(more: &str) -> Self {
        Self::start_with(more, &[]).await
    }

    /// Starts a hub over the database at `url`.
    pub(crate) async fn start_over(url: &str, more: &str) -> Self {
        Self::start_all(url, more, &[]).await
    }

    /// Starts a hub over SQLite, with an environment.
    pub(crate) async fn start_with(more: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_all("sqlite://DIR/hub.db", more, environment).await
    }

    async fn start_all(url: &str, more: &str, environment: &[(&str, &str)]) -> Self {
        let home = Home::new(env!("CARGO_BIN_EXE_arki-hub").into());
        let dir = home.dir.path().display().to_string();
        // Nobody else is given the port that was just free.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let config = format!(
            "listen = '{address}'\n{}\n[database]\nurl = '{}'\n",
            more.replace("DIR", &dir),
            url.replace("DIR", &dir)
        );
        home.write("toml", &config);
        let scheme = if more.contains("[tls]") {
            "https"
        } else {
            "http"
        };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(arki_hub::tls::client().unwrap())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let mut hub = Self {
            home,
            url: format!("{scheme}://{address}"),
            child: None,
            client,
        };
        hub.run_with(environment).await;
        hub
    }

    /// Starts it again after [`Hub::kill`] or [`Hub::stop`].
    pub(crate) async fn run(&mut self) {
        self.run_with(&[]).await;
    }

    async fn run_with(&mut self, environment: &[(&str, &str)]) {
        let before = self.home.log().matches("serving").count();
        self.child = Some(self.home.start(&["serve"], environment));
        let serves = async || self.home.log().matches("serving").count() > before;
        wait("the hub", serves, || self.home.log()).await;
    }

    /// As a power cut does.
    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// As a service manager does; its exit code.
    pub(crate) async fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        signal(&child, "TERM").await;
        child.wait().await.unwrap().code()
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).unwrap()
    }

    /// The CPU time that it took so far, in seconds.
    pub(crate) fn cpu_s(&self) -> f64 {
        cpu_s(&self.pid().to_string())
    }

    /// Sends a body to the API; what it answered, and with which status.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Sends a body as an agent does.
    pub(crate) async fn ship(&self, path: &str, body: Vec<u8>) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request.header("content-type", arki_model::wire::BATCH_TYPE);
        let response = request.body(body).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Resident memory now, in bytes, as the kernel counts it page by page.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let pid = self.pid();
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        kib(&text, "Rss:") * 1024
    }

    /// Resident memory at the most, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let pid = self.pid();
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        kib(&text, "VmHWM:") * 1024
    }

    /// A fresh API key.
    pub(crate) async fn key(&self, scope: &str) -> String {
        let args = ["key", "create", "test", "--scope", scope];
        self.home.done(&args).await
    }

    /// A fresh token, in a file.
    pub(crate) async fn token(&self) -> PathBuf {
        let token = self.home.done(&["agent", "token", "--ttl", "5m"]).await;
        self.home.write("token", &token)
    }

    /// What the API answers.
    pub(crate) async fn get(&self, path: &str, key: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url));
        let response = request.bearer_auth(key).send().await.unwrap();
        let text = response.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// What stands at `path`, as it is.
    pub(crate) async fn text(&self, path: &str, key: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.url));
        let response = request.bearer_auth(key).send().await.unwrap();
        response.text().await.unwrap()
    }

    /// Signs in at the page; the cookie.
    pub(crate) async fn sign_in(&self, key: &str) -> String {
        let request = self.client.post(format!("{}/sign-in", self.url));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("key={key}"));
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 303);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// A page, with its cookie.
    pub(crate) async fn page(&self, path: &str, cookie: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.url));
        let response = request.header("cookie", cookie).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        response.text().await.unwrap()
    }
}

/// An agent.
pub(crate) struct Agent {
    pub(crate) home: Home,
    child: Option<Child>,
}

impl Agent {
    /// An agent that is not enrolled yet.
    pub(crate) fn new(host: &str, more: &str) -> Self {
        let home = Home::new(agent_program());
        let dir = home.dir.path().display().to_string();
        let config = format!(
            "interval = '30s'\nhost = '{host}'\nstate_dir = '{dir}/state'\nsocket = '{dir}/socket'\n{more}"
        );
        home.write("toml", &config);
        Self { home, child: None }
    }

    /// Enrols at `hub` with a token from a file.
    pub(crate) async fn enrol(&self, hub: &Hub) -> String {
        let token = hub.token().await;
        let token = token.to_str().unwrap();
        let args = ["enroll", "--hub", &hub.url, "--token-file", token];
        self.home.done(&args).await
    }

    /// Plays `trace`, 600 times as fast.
    pub(crate) async fn play(&mut self, trace: &Path) {
        let before = self.home.log().matches("predicting").count();
        let trace = trace.to_str().unwrap();
        let args = ["run", "--trace", trace, "--speed", "600"];
        self.child = Some(self.home.start(&args, &[]));
        let predicts = async || self.home.log().matches("predicting").count() > before;
        wait("the agent", predicts, || self.home.log()).await;
    }

    /// Watches the machine that this runs on.
    pub(crate) async fn watch(&mut self) {
        self.child = Some(self.home.start(&["run"], &[]));
        let predicts = async || self.home.log().contains("predicting");
        wait("the agent", predicts, || self.home.log()).await;
    }

    /// As a power cut does.
    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Has it read its configuration and enrolment again.
    pub(crate) async fn reload(&self) {
        signal(self.child.as_ref().unwrap(), "HUP").await;
    }

    /// Everything that `status` says.
    pub(crate) async fn status(&self) -> Value {
        let output = self.home.ask(&["status", "--json"]).await;
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// What `status` says about the hub.
    pub(crate) async fn hub(&self) -> String {
        let status = self.status().await;
        status["hub"]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// The figure after `name` in a file of /proc.
fn kib(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse().unwrap()
}

/// User and system time of a process, in seconds: the kernel counts hundredths.
pub(crate) fn cpu_s(pid: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let rest = text.rsplit_once(") ").unwrap().1;
    let field = |n: usize| rest.split(' ').nth(n).unwrap().parse::<f64>().unwrap();
    (field(11) + field(12)) / 100.0
}

async fn signal(child: &Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    let mut kill = Command::new("kill");
    let status = kill.args(["-s", name, &pid]).status().await.unwrap();
    assert!(status.success());
}

/// Waits until `done`; panics with what `log` says.
pub(crate) async fn wait(
    what: &str,
    mut done: impl AsyncFnMut() -> bool,
    log: impl Fn() -> String,
) {
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        if done().await {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    panic!("waited in vain for {what}\n{}", log());
}

/// A host of which a disk fills: two calm hours, then 15 points an hour; one row every 30 s.
pub(crate) fn filling_disk(dir: &Path) -> PathBuf {
    use std::fmt::Write;
    let mut text =
        "timestamp,cpu.busy_percent,disk.used_percent{/var},disk.write_bytes_per_second{sda}\n"
            .to_owned();
    let (calm, rows) = (240_u32, 700_u32);
    // a linear congruential generator is noise enough, and the same every time
    let mut state = 12_345_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 16) / 65_536.0 - 0.5
    };
    for row in 0..rows {
        let filling = f64::from(row.saturating_sub(calm));
        let (cpu, disk, write) = (
            12.0 + 3.0 * noise() + if filling > 0.0 { 8.0 } else { 0.0 },
            30.0 + filling * 15.0 / 120.0 + 0.02 * noise(),
            1e5 + 2e4 * noise() + if filling > 0.0 { 4e5 } else { 0.0 },
        );
        let at = 1_700_000_000 + i64::from(row) * 30;
        writeln!(text, "{at},{cpu:.2},{disk:.3},{write:.0}").unwrap();
    }
    let path = dir.join("web-1.csv");
    fs::write(&path, text).unwrap();
    path
}
