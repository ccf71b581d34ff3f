//! How many batches a second, and what one costs: the real hub as a process of its own, real keys, real connections,
//! 60 series a batch, acknowledged only after the commit.
//!
//! Run by `make bench-hub`. `ARKI_LOAD_DATABASE_URL` names the database, SQLite without it. Bodies are sealed before
//! the clock starts, so that the generator takes little of the machine that it shares with hub and database. Every
//! connection has one batch under way, so how long an answer takes is what the queue of all of them takes.

use crate::program::{Hub, cpu_s};
use crate::sender::{Sender, enrol, summary};
use arki_model::clock::{Clock, SystemClock};
use arki_model::signature::PublicKey;
use arki_model::wire::{self, Decompressor, Envelope, Kind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a hub of 100 MB is to bear.
const RESIDENT_BYTES_MAX: u64 = 100 * 1024 * 1024;
const AGENTS: u32 = 400;
/// Of each agent: ten to twenty seconds in all, so that the start is not what is measured.
const BATCHES: u64 = 150;
const CONNECTIONS: usize = 256;
const SERIES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: make bench-hub"]
async fn load() {
    let url = std::env::var("ARKI_LOAD_DATABASE_URL");
    let url = url.unwrap_or_else(|_| "sqlite://DIR/hub.db".into());
    let hub = Hub::start_over(&url, "").await;
    let admin = hub.key("admin").await;
    let (senders, bodies) = prepared(&hub, &admin).await;
    let total = bodies.len();
    let bare_s = bare(&senders, &bodies) / total as f64;

    let clock = Arc::new(SystemClock::new());
    let (before_s, own_before_s) = (hub.cpu_s(), cpu_s("self"));
    let began = clock.monotonic();
    let address = hub.url.trim_start_matches("http://").to_owned();
    let share = total.div_ceil(CONNECTIONS);
    let tasks: Vec<_> = bodies
        .chunks(share)
        .map(|part| {
            let (clock, address) = (Arc::clone(&clock), address.clone());
            tokio::spawn(send_all(clock, address, part.to_vec()))
        })
        .collect();
    let mut times = Vec::with_capacity(total);
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let wall_s = clock.monotonic().saturating_sub(began).as_secs_f64();
    let hub_s = (hub.cpu_s() - before_s) / total as f64;
    times.sort_unstable();
    let at = |share: f64| times[((total - 1) as f64 * share) as usize].as_millis();

    let counters = hub.text("/metrics", &admin).await;
    let counter = |name: &str| -> f64 {
        let line = counters.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        value
            .unwrap_or_else(|| panic!("{name} in {counters}"))
            .parse()
            .unwrap()
    };
    assert_eq!(
        counter("arki_hub_records_stored_total") as usize,
        total + 1,
        "every batch once"
    );
    let own_s = (cpu_s("self") - own_before_s) / total as f64;
    let serving = hub.home.log();
    let edition = serving
        .split("edition=")
        .nth(1)
        .and_then(|rest| rest.split(" version").next());
    println!("store                  {}", edition.unwrap_or("?"));
    println!(
        "batches                {total} of {SERIES} series, {AGENTS} agents, {CONNECTIONS} connections"
    );
    println!(
        "rate                   {:.0} a second",
        total as f64 / wall_s
    );
    println!(
        "answered within        {} ms (median), {} ms (p99)",
        at(0.5),
        at(0.99)
    );
    println!(
        "commits                {}",
        counter("arki_hub_commits_total")
    );
    println!("hub CPU a batch        {:.0} us", hub_s * 1e6);
    println!(
        "  of it bare           {:.0} us (signature, decompression, decoding): {:.1} times that",
        bare_s * 1e6,
        hub_s / bare_s
    );
    println!("generator CPU a batch  {:.0} us", own_s * 1e6);
    println!(
        "hub memory             {} MB resident, {} MB at the most",
        hub.resident_bytes() >> 20,
        hub.peak_bytes() >> 20
    );
    let is_embedded = url.starts_with("sqlite");
    let goals = [
        (
            "rate",
            total as f64 / wall_s >= if is_embedded { 1_000.0 } else { 5_000.0 },
        ),
        ("CPU at most twice the bare work", hub_s / bare_s <= 2.0),
        ("memory", hub.peak_bytes() < RESIDENT_BYTES_MAX),
    ];
    for (what, is_met) in goals {
        println!(
            "{} {what}",
            if is_met {
                "within the goal:       "
            } else {
                "BEHIND THE GOAL:       "
            }
        );
    }
    assert!(hub.peak_bytes() < RESIDENT_BYTES_MAX);
}

/// Of each agent a few batches in order; agents take turns, as they would.
async fn prepared(hub: &Hub, admin: &str) -> (Vec<Sender>, Vec<(usize, Vec<u8>)>) {
    let names: Vec<String> = (0..SERIES)
        .map(|n| format!("disk.used_percent{{/mnt/{n}}}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut senders = Vec::new();
    for n in 0..AGENTS {
        senders.push(enrol(hub, admin, n, &format!("host-{n}")).await);
    }
    let now_s = SystemClock::new().now_s();
    let start_s = now_s - now_s % 300 - 86_400;
    // The names are known before the clock starts, as they are after an agent's first batch.
    let first = enrol(hub, admin, AGENTS, "names").await;
    let body = first.seal(Kind::Summaries, 1, &[summary(&names, start_s, 1.0)]);
    assert_eq!(hub.ship(wire::INGEST_PATH, body).await.0, 200);
    let mut bodies = Vec::new();
    for n in 1..=BATCHES {
        let record = summary(&names, start_s + n as i64 * 300, 30.0 + n as f64);
        let record = wire::strip_names(&record).unwrap().1;
        for (at, sender) in senders.iter().enumerate() {
            let records = [record.clone()];
            bodies.push((at, sender.seal(Kind::Summaries, n, &records)));
        }
    }
    // A connection carries the batches of some agents, in their order.
    bodies.sort_by_key(|(sender, _)| *sender);
    (senders, bodies)
}

/// What nobody can save: CPU seconds of checking (with the key's bytes, as a store has them), decompressing and
/// decoding everything once. On all cores at once, as the hub does it: two threads of one core take longer each.
fn bare(senders: &[Sender], bodies: &[(usize, Vec<u8>)]) -> f64 {
    let keys: Vec<[u8; 32]> = senders.iter().map(|s| *s.key.public().as_bytes()).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let before_s = cpu_s("self");
    std::thread::scope(|threads| {
        for part in bodies.chunks(bodies.len().div_ceil(cores)) {
            threads.spawn(|| believe_all(&keys, part));
        }
    });
    cpu_s("self") - before_s
}

fn believe_all(keys: &[[u8; 32]], bodies: &[(usize, Vec<u8>)]) {
    let mut decompressor = Decompressor::new().unwrap();
    for (sender, body) in bodies {
        let envelope = Envelope::read(body).unwrap();
        let key = PublicKey::from_bytes(&keys[*sender]).unwrap();
        let verified = envelope.verify(&key).unwrap();
        assert_eq!(verified.batch(&mut decompressor).unwrap().records.len(), 1);
    }
}

/// One connection: a batch, its answer, the next batch; how long each took.
async fn send_all(
    clock: Arc<SystemClock>,
    address: String,
    bodies: Vec<(usize, Vec<u8>)>,
) -> Vec<Duration> {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 4_096];
    let mut times = Vec::with_capacity(bodies.len());
    for (_, body) in bodies {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: hub\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            wire::INGEST_PATH,
            wire::BATCH_TYPE,
            body.len()
        );
        let began = clock.monotonic();
        let whole = [head.as_bytes(), &body].concat();
        stream.write_all(&whole).await.unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        times.push(clock.monotonic().saturating_sub(began));
        let text = String::from_utf8_lossy(&answer[..read]);
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
    times
}
