//! A real Chromium, driven by `chromedriver` over the protocol of the W3C (<https://www.w3.org/TR/webdriver2/>).
//!
//! Both are packages of Debian (`chromium`, `chromium-driver`); where they are missing the tests say so aloud, and in
//! CI that is an error.

use crate::program::wait;
use base64::Engine;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// The script that returns what a person reads.
const TEXT: &str = "return document.body.innerText";

/// A browser with one window.
pub(crate) struct Browser {
    session: String,
    client: reqwest::Client,
    profile: tempfile::TempDir,
    _driver: Child,
}

impl Browser {
    /// Starts one; `None` where there is none.
    pub(crate) async fn start() -> Option<Self> {
        let programs = ["/usr/bin/chromium", "/usr/bin/chromedriver"];
        if let Some(missing) = programs.iter().find(|program| !Path::new(program).exists()) {
            let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!is_ci, "in CI nothing is skipped: {missing} is missing");
            println!("SKIPPED: no browser here ({missing}; packages chromium, chromium-driver)");
            return None;
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let profile = tempfile::tempdir().unwrap();
        let driver = Command::new(programs[1])
            .arg(format!("--port={port}"))
            .env("HOME", profile.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(arki_hub::tls::client().unwrap())
            .no_proxy()
            .build()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let ready = async || client.get(format!("{url}/status")).send().await.is_ok();
        wait("chromedriver", ready, String::new).await;
        let data = format!("--user-data-dir={}", profile.path().display());
        // Tests run as root in a container: there Chromium has no sandbox of its own and a small /dev/shm.
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &data,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "pageLoad": 60_000, "script": 60_000 }
        }}});
        let mut browser = Self {
            session: format!("{url}/session"),
            client,
            profile,
            _driver: driver,
        };
        let id = browser.call("", wanted).await["sessionId"].clone();
        browser.session = format!("{url}/session/{}", id.as_str().unwrap());
        Some(browser)
    }

    async fn call(&self, path: &str, body: Value) -> Value {
        let answer = self.dare(path, body).await;
        answer.unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    /// What the driver answers, or why it does not.
    async fn dare(&self, path: &str, body: Value) -> Result<Value, Value> {
        let request = self.client.post(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        let status = response.status();
        let mut answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let value = answer["value"].take();
        if status.is_success() {
            Ok(value)
        } else {
            Err(value)
        }
    }

    /// Goes to `url` and waits until it is there.
    pub(crate) async fn open(&self, url: &str) {
        self.call("/url", json!({ "url": url })).await;
    }

    /// What a script of the test returns.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.call("/execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// The text of the page.
    pub(crate) async fn text(&self) -> String {
        let text = self.ask(TEXT).await;
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the page says so: after a click the driver answers before the next page is there, and scripts fail
    /// between the two.
    pub(crate) async fn until(&self, part: &str) {
        let script = json!({ "script": TEXT, "args": [] });
        let says = async || {
            let text = self.dare("/execute/sync", script.clone()).await;
            text.is_ok_and(|text| text.as_str().is_some_and(|text| text.contains(part)))
        };
        wait(part, says, String::new).await;
    }

    /// Types `text` into the element that `css` names.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let path = format!("{}/value", self.element(css).await);
        self.call(&path, json!({ "text": text })).await;
    }

    /// Clicks at it.
    pub(crate) async fn click(&self, css: &str) {
        let path = format!("{}/click", self.element(css).await);
        self.call(&path, json!({})).await;
    }

    async fn element(&self, css: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.call("/element", wanted).await;
        let id = found.as_object().and_then(|found| found.values().next());
        format!("/element/{}", id.and_then(Value::as_str).unwrap())
    }

    /// A window of that size, and the colours that its owner likes: `light` or `dark`.
    pub(crate) async fn look(&self, width: u32, height: u32, colours: &str) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": colours }] });
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    async fn cdp(&self, cmd: &str, params: Value) {
        self.call("/goog/cdp/execute", json!({ "cmd": cmd, "params": params }))
            .await;
    }

    /// What the browser complained about since it was last asked: errors of scripts, what the page's policy forbade.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.call("/se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().cloned().unwrap_or_default();
        let text = |entry: Value| entry["message"].as_str().unwrap_or_default().to_owned();
        let is_complaint =
            |entry: &Value| matches!(entry["level"].as_str(), Some("WARNING" | "SEVERE"));
        entries.into_iter().filter(is_complaint).map(text).collect()
    }

    /// Keeps a picture of the window in `ARKI_TEST_SHOTS`, if that is set: for people.
    pub(crate) async fn shoot(&self, name: &str) {
        let Some(folder) = std::env::var_os("ARKI_TEST_SHOTS") else {
            return;
        };
        let shot = self.client.get(format!("{}/screenshot", self.session));
        let text = shot.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let coded = answer["value"].as_str().unwrap();
        let picture = base64::engine::general_purpose::STANDARD
            .decode(coded)
            .unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
    }

    /// Ends the session, so that no browser stays behind.
    pub(crate) async fn close(self) {
        self.client.delete(&self.session).send().await.unwrap();
        drop(self.profile);
    }
}
