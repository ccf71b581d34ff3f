//! Starts the binary in a directory of its own and ends it whatever happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::Duration;

/// Long enough for a loaded machine; a test that waits that long has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(50);

/// A directory for one agent: configuration, state, log.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    /// An agent with a pass every second; `more` is added to its configuration.
    pub(crate) fn new(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Self { dir };
        home.configure(more);
        home
    }

    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "interval = '1s'\nstate_dir = '{}'\nhost = 'web-1'\n{more}",
            self.state().display()
        );
        fs::write(self.path("agent.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("state/agent.sock")
    }

    /// What the daemon said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Runs a command to its end.
    pub(crate) fn ask(&self, args: &[&str]) -> Output {
        command(&self.path("agent.toml"), args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    pub(crate) fn ask_json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.ask(args);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}\n{}", self.log()))
    }

    /// Asks with another configuration than the daemon's, which only names the socket.
    pub(crate) fn ask_without_file(&self, args: &[&str]) -> serde_json::Value {
        let path = self.path("client.toml");
        fs::write(&path, format!("state_dir = '{}'", self.state().display())).unwrap();
        let output = command(&path, args).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        self.ask_json(&["status", "--json"])
    }

    /// Starts the daemon and waits until it has made a pass.
    pub(crate) fn run(&self) -> Daemon {
        let daemon = self.start();
        wait("the first pass", || self.passes() > 0, || self.log());
        daemon
    }

    /// The same with other arguments.
    pub(crate) fn run_with(&self, args: &[&str]) -> Daemon {
        let daemon = self.start_with(command(&self.path("agent.toml"), args));
        wait("the first pass", || self.passes() > 0, || self.log());
        daemon
    }

    pub(crate) fn start(&self) -> Daemon {
        self.start_with(command(&self.path("agent.toml"), &["run"]))
    }

    /// Starts the daemon with a service manager that listens at `socket`.
    pub(crate) fn run_notifying(&self, socket: &Path) -> Daemon {
        let mut command = command(&self.path("agent.toml"), &["run"]);
        command.env("NOTIFY_SOCKET", socket);
        self.start_with(command)
    }

    fn start_with(&self, mut command: std::process::Command) -> Daemon {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Daemon(child)
    }

    /// How many passes the daemon has made; 0 if none runs.
    pub(crate) fn passes(&self) -> u64 {
        let output = self.ask(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        status["own"]["passes"].as_u64().unwrap_or(0)
    }

    /// Waits for the next pass.
    pub(crate) fn next_pass(&self) {
        let before = self.passes();
        wait("the next pass", || self.passes() > before, || self.log());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary itself is what is tested"
)]
fn command(config: &Path, args: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_arki-agent"));
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .args(args)
        .arg("--config")
        .arg(config);
    command
}

/// Starts a command without waiting for it.
pub(crate) fn spawn(config: &Path, args: &[&str]) -> Daemon {
    let mut command = command(config, args);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Daemon(command.spawn().unwrap())
}

/// A file system in memory, unmounted when dropped.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// Two mebibytes at `point`. Without the right to mount the test is skipped aloud, and fails in CI.
    pub(crate) fn tmpfs(point: &Path) -> Option<Self> {
        fs::create_dir_all(point).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs"];
        if run("/bin/mount", &options, point) {
            return Some(Self(point.to_owned()));
        }
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "CI cannot mount a tmpfs"
        );
        let said = "SKIPPED: a tmpfs cannot be mounted here (be root)";
        std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
        None
    }

    pub(crate) fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        assert!(run("/bin/mount", &["-o", &options], &self.0), "{options}");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Where it fails the directory cannot be removed either, and that is said.
        run("/bin/umount", &["--lazy"], &self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "there is no other way to mount")]
fn run(program: &str, args: &[&str], point: &Path) -> bool {
    let mut command = std::process::Command::new(program);
    let output = command.args(args).arg(point).output();
    output.is_ok_and(|output| output.status.success())
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.0.id() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Waits for its end and returns its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let mut code = None;
        let ended = || {
            code = self.0.try_wait().unwrap();
            code.is_some()
        };
        wait("the end of the daemon", ended, String::new);
        code.and_then(|status| status.code())
    }

    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        self.wait()
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already gone is as good.
        if self.0.kill().is_ok() && self.0.wait().is_err() {
            std::thread::yield_now();
        }
    }
}

/// Waits until `done`; panics with what `log` says.
pub(crate) fn wait(what: &str, mut done: impl FnMut() -> bool, log: impl Fn() -> String) {
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        if done() {
            return;
        }
        std::thread::sleep(STEP);
    }
    panic!("waited in vain for {what}\n{}", log());
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
