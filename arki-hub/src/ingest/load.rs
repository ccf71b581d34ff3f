//! How many batches a second: real keys, real envelopes, real connections, 60 series a batch.
//!
//! ```text
//! cargo test -p arki-hub --profile quick --lib load -- --ignored --nocapture --test-threads 1
//! ```
//!
//! Generator, hub and database share the machine; bodies are sealed before the clock starts.

use crate::config::{Config, Database};
use crate::testing::{Agent, NOW, Running, start_with, summary};
use arki_model::clock::{Clock, SystemClock};
use arki_model::wire::{self, Kind};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const AGENTS: usize = 200;
const BATCHES: u64 = 25;
const CONNECTIONS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn load_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/hub.db", folder.path().display());
    measure("SQLite", url, folder).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn load_on_postgres() {
    let Some(url) = crate::store::tests::server::database().await else {
        return;
    };
    measure("PostgreSQL (fsync off)", url, tempfile::tempdir().unwrap()).await;
}

async fn measure(name: &str, url: String, folder: tempfile::TempDir) {
    let config = Config {
        database: Database {
            url,
            ..Database::default()
        },
        ..Config::default()
    };
    let hub = Arc::new(start_with(config, folder).await);
    let bodies = bodies(&hub).await;
    let total = bodies.len();
    let share = total.div_ceil(CONNECTIONS);
    let clock = SystemClock::new();
    let address = hub.url.trim_start_matches("http://").to_owned();
    let senders: Vec<_> = bodies
        .chunks(share)
        .map(|part| tokio::spawn(send_all(address.clone(), part.to_vec())))
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let seconds = clock.monotonic().as_secs_f64();
    let counters = &hub.hub.counters;
    assert_eq!(counters.records_stored_total.get(), total as u64 + 1);
    let (rate, commits) = (total as f64 / seconds, counters.commits_total.get());
    println!("{name}: {total} batches in {seconds:.2} s = {rate:.0} a second, {commits} commits");
}

/// Of each agent a few batches in order; agents take turns, as they would.
async fn bodies(hub: &Running) -> Vec<Vec<u8>> {
    let names: Vec<String> = (0..60)
        .map(|n| format!("disk.used_percent{{/mnt/{n}}}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut agents: Vec<Agent> = Vec::new();
    for n in 0..AGENTS {
        agents.push(hub.agent(n as u8, &format!("host-{n}")).await);
    }
    let start = NOW - NOW % 300 - 86_400;
    let mut all = Vec::new();
    for n in 1..=BATCHES {
        for agent in &agents {
            let record = summary(&names, start + n as i64 * 300, 30.0 + n as f64);
            let record = if n == 1 {
                record
            } else {
                wire::strip_names(&record).unwrap().1
            };
            all.push(agent.seal(Kind::Summaries, n, &[record]));
        }
    }
    // the names are known before the clock starts, as they are after an agent's first batch
    let first = hub.agent(255, "names").await;
    assert_eq!(
        hub.ship(first.seal(Kind::Summaries, 1, &[summary(&names, start, 1.0)]))
            .await
            .status,
        200
    );
    all
}

/// One connection: a batch, its answer, the next batch.
async fn send_all(address: String, bodies: Vec<Vec<u8>>) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 4_096];
    for body in bodies {
        let kind = wire::BATCH_TYPE;
        let length = body.len();
        let head = format!(
            "POST /v1/ingest HTTP/1.1\r\nHost: hub\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream
            .write_all(&[head.as_bytes(), &body].concat())
            .await
            .unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer[..read]);
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
}
