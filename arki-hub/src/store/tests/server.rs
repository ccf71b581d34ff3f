//! A real PostgreSQL for tests: started once a test run, on a Unix socket in a temporary folder, removed with it.
//!
//! `ARKI_TEST_POSTGRES_URL` names another server instead: a URL without a database, whose user may make some.
//! `ARKI_TEST_TIMESCALE_URL` names one with TimescaleDB (`.ci/with-timescale` starts one). Without them the tests
//! say aloud that they did not run; in CI that is an error.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

static SERVER: OnceCell<Option<String>> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The URL of a fresh database; `None` where there is no PostgreSQL.
pub(crate) async fn database() -> Option<String> {
    let server = SERVER
        .get_or_init(|| async {
            match given("ARKI_TEST_POSTGRES_URL") {
                None => started().await,
                server => server,
            }
        })
        .await
        .clone();
    match server {
        Some(server) => Some(fresh(&server).await),
        None => skipped("no PostgreSQL here (initdb, postgres); ARKI_TEST_POSTGRES_URL names one"),
    }
}

/// The URL of a fresh database with TimescaleDB; `None` where there is none.
pub(crate) async fn timescale() -> Option<String> {
    match given("ARKI_TEST_TIMESCALE_URL") {
        Some(server) => Some(fresh(&server).await),
        None => skipped("no TimescaleDB here; run the tests by .ci/with-timescale"),
    }
}

fn skipped(why: &str) -> Option<String> {
    let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!is_ci, "in CI nothing is skipped: {why}");
    println!("SKIPPED: {why}");
    None
}

async fn fresh(server: &str) -> String {
    let name = format!(
        "arki_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let config = format!("{server}&dbname=postgres");
    let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls)
        .await
        .unwrap();
    let running = tokio::spawn(connection);
    client
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    drop(client);
    drop(running.await);
    format!("{server}&dbname={name}")
}

fn given(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Starts a server that ends with this process.
async fn started() -> Option<String> {
    let programs = programs()?;
    // leaked on purpose: the server uses it until the process ends
    let folder = tempfile::Builder::new()
        .prefix("arki-pg")
        .tempdir()
        .unwrap()
        .keep();
    let (data, owner) = (folder.join("data"), owner());
    std::os::unix::fs::chown(&folder, Some(owner), Some(owner)).unwrap();
    let initdb = command(&programs.join("initdb"), owner, &folder)
        .args([
            "--no-sync",
            "-A",
            "trust",
            "-U",
            "arki",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-D",
        ])
        .arg(&data)
        .output()
        .await
        .unwrap();
    assert!(
        initdb.status.success(),
        "{}",
        String::from_utf8_lossy(&initdb.stderr)
    );
    let mut server = command(&programs.join("postgres"), owner, &folder);
    server.arg("-D").arg(&data).arg("-k").arg(&folder);
    server.args([
        "-c",
        "listen_addresses=",
        "-c",
        "fsync=off",
        "-c",
        "max_connections=200",
    ]);
    // it must not outlive the tests, however they end: the shell's pipe closes with this process
    let mut watch = watched(server.as_std(), owner, &folder);
    let child = watch.spawn().unwrap();
    std::mem::forget(child);
    let host = folder.display().to_string().replace('/', "%2F");
    let url = format!("postgres://arki@{host}/?connect_timeout=5");
    for _ in 0..200 {
        let config = format!("{url}&dbname=postgres");
        if tokio_postgres::connect(&config, tokio_postgres::NoTls)
            .await
            .is_ok()
        {
            return Some(url);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("PostgreSQL did not start in {}", folder.display());
}

fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let debian = (13..=20)
        .rev()
        .map(|v| PathBuf::from(format!("/usr/lib/postgresql/{v}/bin")));
    debian
        .chain(std::env::split_paths(&path))
        .find(|p| p.join("initdb").exists() && p.join("postgres").exists())
}

/// PostgreSQL refuses to run as root: then as `nobody`.
fn owner() -> u32 {
    let me = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    if me == 0 { 65_534 } else { me }
}

#[expect(clippy::disallowed_methods, reason = "a test starts a database")]
fn command(program: &Path, owner: u32, folder: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::from(std::process::Command::new(program));
    command
        .uid(owner)
        .gid(owner)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(false);
    command
}

/// `server`, killed and its folder removed when this process ends.
#[expect(clippy::disallowed_methods, reason = "a test starts a database")]
fn watched(server: &std::process::Command, owner: u32, folder: &Path) -> std::process::Command {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "folder=$1; shift; \"$@\" >\"$folder/log\" 2>&1 <&- & p=$!; read -r _; kill -INT $p; wait $p; rm -rf \"$folder\"", "sh"]);
    shell
        .arg(folder)
        .arg(server.get_program())
        .args(server.get_args());
    std::os::unix::process::CommandExt::uid(&mut shell, owner);
    std::os::unix::process::CommandExt::gid(&mut shell, owner);
    shell
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    shell
}
