//! The hub under everything that goes wrong: killed, swamped, starved, fed with too much.
//!
//! In CI at a size of seconds; `make faults` runs them at full size (`ARKI_FAULTS=full`).

use crate::program::{Hub, wait};
use crate::sender::{Sender, enrol, rotate, summary};
use arki_model::clock::{Clock, SystemClock};
use arki_model::dsse;
use arki_model::wire::{INGEST_PATH, Kind};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// `small` in CI, `full` by command.
fn size(small: usize, full: usize) -> usize {
    let is_full = std::env::var("ARKI_FAULTS").is_ok_and(|size| size == "full");
    if is_full { full } else { small }
}

/// A linear congruential generator (Knuth's MMIX constants): chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Every event one to five times, in any order, while the hub is killed again and again.
#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_every_event_is_one_row() {
    let mut hub = Hub::start("").await;
    let admin = hub.key("admin").await;
    let now_s = SystemClock::new().now_s();
    let (events, kills) = (size(60, 1_000), size(6, 100));
    let mut chance = Chance(4);
    let mut senders = Vec::new();
    let mut bodies = Vec::new();
    for n in 0..4 {
        let mut sender = enrol(&hub, &admin, n, &format!("host-{n}")).await;
        for number in 1..=events as u64 {
            let series = format!("disk.used_percent{{/mnt/{}}}", number % 7);
            let record = sender.event(&series, now_s - 3_600 + number as i64, 4_000.0);
            let body = sender.seal(Kind::Events, number, &[record]);
            bodies.extend(std::iter::repeat_n(body, 1 + chance.below(5)));
        }
        senders.push(sender);
    }
    for at in (1..bodies.len()).rev() {
        bodies.swap(at, chance.below(at + 1));
    }
    let total = bodies.len();
    let mut left: VecDeque<Vec<u8>> = bodies.into();
    for kill in 0..kills {
        let url = format!("{}{INGEST_PATH}", hub.url);
        let sending = tokio::spawn(send(url, left));
        // somewhere between two commits, in one, or before an answer
        tokio::time::sleep(Duration::from_millis(50 + chance.below(250) as u64)).await;
        hub.kill().await;
        left = sending.await.unwrap();
        hub.run().await;
        assert!(
            kill > 0 || left.len() < total,
            "something came through before the first kill"
        );
    }
    left = send(format!("{}{INGEST_PATH}", hub.url), left).await;
    assert!(left.is_empty());
    for sender in &senders {
        let id = arki_model::hex::encode(&sender.id.0);
        let (mut after, mut text) = (0, String::new());
        while after < events {
            let page = hub
                .text(
                    &format!("/v1/agents/{id}/events?limit=500&after={after}"),
                    &admin,
                )
                .await;
            assert!(!page.is_empty(), "events are missing after {after}");
            after += page.lines().count();
            text.push_str(&page);
        }
        let summary = dsse::verify(text.as_bytes(), vec![sender.key.public()]).unwrap();
        assert_eq!(
            (summary.events, summary.sequences),
            (events as u64, Some((1, events as u64)))
        );
    }
    let alerts = hub.get("/v1/alerts?limit=1000", &admin).await;
    let mut told: Vec<&str> = alerts["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|alert| alert["prediction"].as_str())
        .collect();
    let all = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), all, "each event is one alert");
}

/// Sends until all is acknowledged or the hub is gone; what is left then, the one under way included.
async fn send(url: String, mut left: VecDeque<Vec<u8>>) -> VecDeque<Vec<u8>> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(arki_hub::tls::client().unwrap())
        .no_proxy()
        .build()
        .unwrap();
    while let Some(body) = left.front() {
        let request = client
            .post(&url)
            .header("content-type", arki_model::wire::BATCH_TYPE);
        let Ok(response) = request.body(body.clone()).send().await else {
            break;
        };
        let status = response.status().as_u16();
        if status == 503 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        assert_eq!(status, 200, "{:?}", response.text().await);
        left.pop_front();
    }
    left
}

/// Reads until the other side closes; how many bytes came.
async fn closed(stream: &mut TcpStream) -> usize {
    let mut answer = Vec::new();
    // A reset is an end too.
    drop(stream.read_to_end(&mut answer).await);
    answer.len()
}

/// Another process (a command, a second hub) revokes: from the next batch on it is refused, without a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_elsewhere_holds_from_the_next_batch_on() {
    let hub = Hub::start("").await;
    let admin = hub.key("admin").await;
    let sender = enrol(&hub, &admin, 1, "web-1").await;
    let start_s = SystemClock::new().now_s() / 300 * 300 - 86_400;
    let batch = |sequence: u64| {
        let record = summary(&["cpu.busy_percent"], start_s + sequence as i64 * 300, 1.0);
        sender.seal(Kind::Summaries, sequence, &[record])
    };
    assert_eq!(hub.ship(INGEST_PATH, batch(1)).await.0, 200);
    hub.home.done(&["agent", "revoke", "web-1"]).await;
    let (status, problem) = hub.ship(INGEST_PATH, batch(2)).await;
    assert_eq!(status, 403, "{problem}");
    let stored = hub.text("/metrics", &admin).await;
    assert!(
        stored.contains("\narki_hub_records_stored_total 1\n"),
        "{stored}"
    );
}

/// Four agents ship all the time; each gets its next key in the middle of it, and one is revoked at the end.
#[tokio::test(flavor = "multi_thread")]
async fn keys_change_while_all_agents_ship() {
    let hub = Hub::start("").await;
    let admin = hub.key("admin").await;
    let each = size(40, 1_000) as u64;
    let start_s = SystemClock::new().now_s() / 300 * 300 - (each as i64 + 10) * 300;
    let ship = async |sender: &Sender, sequence: u64| {
        let record = summary(&["cpu.busy_percent"], start_s + sequence as i64 * 300, 1.0);
        let body = sender.seal(Kind::Summaries, sequence, &[record]);
        hub.ship(INGEST_PATH, body).await
    };
    let story = async |n: u32| {
        let old = enrol(&hub, &admin, n, &format!("web-{n}")).await;
        for sequence in 1..=each / 2 {
            let (status, said) = ship(&old, sequence).await;
            assert_eq!(status, 200, "web-{n} {sequence}: {said}");
        }
        let new = rotate(&hub, &admin, 100 + n, &old).await;
        for sequence in each / 2 + 1..=each {
            // what was signed before the rotation comes after it, now and then
            let by = if sequence % 7 == 0 { &old } else { &new };
            let (status, said) = ship(by, sequence).await;
            assert_eq!(status, 200, "web-{n} {sequence}: {said}");
        }
        new
    };
    let all = futures_util::future::join_all((0..4).map(story)).await;
    let stored = hub.text("/metrics", &admin).await;
    let expected = format!("\narki_hub_records_stored_total {}\n", 4 * each);
    assert!(stored.contains(&expected), "{stored}");

    hub.home.done(&["agent", "revoke", "web-2"]).await;
    for (n, sender) in all.iter().enumerate() {
        let (status, said) = ship(sender, each + 1).await;
        assert_eq!(status, if n == 2 { 403 } else { 200 }, "web-{n}: {said}");
    }
}

/// How long the 99th of a hundred posts takes, one after the other.
async fn p99(hub: &Hub, sender: &Sender, from: u64, posts: u64) -> Duration {
    let clock = SystemClock::new();
    let start_s = clock.now_s() / 300 * 300 - 86_400 * 2;
    let mut times = Vec::new();
    for sequence in from..from + posts {
        let record = summary(&["cpu.busy_percent"], start_s + sequence as i64 * 300, 1.0);
        let body = sender.seal(Kind::Summaries, sequence, &[record]);
        let began = clock.monotonic();
        assert_eq!(hub.ship(INGEST_PATH, body).await.0, 200);
        times.push(clock.monotonic().saturating_sub(began));
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

fn slow_body(path: &str, kind: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: {kind}\r\nContent-Length: 50000\r\n\r\nabc"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_hold_nobody_up_and_are_cut_off() {
    let hub = Hub::start("").await;
    let admin = hub.key("admin").await;
    let sender = enrol(&hub, &admin, 1, "web-1").await;
    let address = hub.url.trim_start_matches("http://").to_owned();
    let posts = size(20, 200) as u64;
    let alone = p99(&hub, &sender, 1, posts).await;
    let mut slow = Vec::new();
    // a head that does not end, and bodies on every route that reads one of whoever comes
    let pieces = [
        "POST /v1/ingest HTTP/1.1\r\nHost: hub\r\nX-Slow: ".to_owned(),
        slow_body("/v1/ingest", "application/vnd.arki.batch+msgpack"),
        slow_body("/v1/enroll", "application/vnd.arki.enrollment+msgpack"),
        slow_body("/v1/hooks/sandbox", "application/json"),
        slow_body("/sign-in", "application/x-www-form-urlencoded"),
    ];
    for n in 0..size(300, 4_400) {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let piece = &pieces[n % pieces.len()];
        stream.write_all(piece.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let among = p99(&hub, &sender, 1 + posts, posts).await;
    if size(0, 1) == 1 {
        println!("p99 of a post: {alone:?} alone, {among:?} among the slow ones");
        // a fsync more or less is the disk's
        assert!(
            among <= 2 * alone + Duration::from_millis(5),
            "{alone:?}, {among:?}"
        );
    }
    for stream in &mut slow {
        closed(stream).await;
    }
    assert!(hub.peak_bytes() < 100 << 20, "{} bytes", hub.peak_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_allowed_are_closed_and_room_comes_back() {
    let hub = Hub::start("[limits]\nconnections = 8\n").await;
    let address = hub.url.trim_start_matches("http://").to_owned();
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
            .await
            .unwrap();
        let mut piece = [0; 512];
        assert!(stream.read(&mut piece).await.unwrap() > 0);
        open.push(stream);
    }
    let mut ninth = TcpStream::connect(&address).await.unwrap();
    assert_eq!(closed(&mut ninth).await, 0);
    drop(open);
    let serves = async || {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let ask = b"GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n";
        stream.write_all(ask).await.is_ok() && closed(&mut stream).await > 0
    };
    wait("room", serves, || hub.home.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_refused_at_its_limit() {
    let hub = Hub::start("").await;
    let address = hub.url.trim_start_matches("http://").to_owned();
    let head = "POST /v1/ingest HTTP/1.1\r\nHost: hub\r\nContent-Type: application/vnd.arki.batch+msgpack\r\n";
    // announced: a gibibyte
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let announced = format!("{head}Content-Length: 1073741824\r\n\r\n");
    stream.write_all(announced.as_bytes()).await.unwrap();
    let mut piece = [0; 512];
    let read = stream.read(&mut piece).await.unwrap();
    let said = String::from_utf8_lossy(&piece[..read]).into_owned();
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    // not announced: chunks until the hub has had enough
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(chunked.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![0; 0x10000], b"\r\n".to_vec()].concat();
    let mut sent = 0_usize;
    while sent < 1 << 30 && stream.write_all(&chunk).await.is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    assert!(hub.peak_bytes() < 100 << 20, "{} bytes", hub.peak_bytes());
}

/// Secrets wherever one may stand; none may be found again in what the hub says or keeps.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_said_or_kept() {
    const CANARIES: [&str; 5] = [
        "canary-environment",
        "canary-webhook-path",
        "canary-hmac",
        "canary-bot",
        "canary-mail",
    ];
    let config = "public_url = 'http://hub.example.org'\n[notify]\nallow_networks = ['127.0.0.0/8']\n\
        [notify.smtp]\nhost = '127.0.0.1'\nport = 1\nsecurity = 'none'\nuser = 'arki'\npassword_file = 'DIR/mail'\nfrom = 'a@example.org'\nto = ['b@example.org']\n\
        [notify.telegram]\ntoken_file = 'DIR/bot'\nchat = '1'\nurl = 'http://127.0.0.1:1'\n\
        [[notify.webhook]]\nname = 'chat'\nurl = 'http://127.0.0.1:1/canary-webhook-path'\nsecret_file = 'DIR/hmac'\n";
    let mut hub = Hub::start_with(config, &[("AWS_SECRET_ACCESS_KEY", CANARIES[0])]).await;
    for (file, secret) in [
        ("hmac", CANARIES[2]),
        ("bot", CANARIES[3]),
        ("mail", CANARIES[4]),
    ] {
        let path = hub.home.write(file, secret);
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path, owner_only).unwrap();
    }
    let admin = hub.key("admin").await;
    let token = std::fs::read_to_string(hub.token().await).unwrap();
    let mut sender = enrol(&hub, &admin, 1, "web-1").await;
    let event = sender.event("disk.used_percent{/}", SystemClock::new().now_s(), 4_000.0);
    let body = sender.seal(Kind::Events, 1, &[event]);
    assert_eq!(hub.ship(INGEST_PATH, body).await.0, 200);
    let failed = async || hub.home.log().matches("a message was not sent").count() >= 3;
    wait("three failures", failed, || hub.home.log()).await;

    let tried = hub.home.ask(&["notify", "test"]).await;
    assert!(!tried.status.success());
    let doctor = hub.home.ask(&["doctor"]).await;
    let cookie = hub.sign_in(&admin).await;
    let mut said = hub.home.log().into_bytes();
    for output in [tried, doctor] {
        said.extend(output.stdout);
        said.extend(output.stderr);
    }
    for path in [
        "/v1/alerts",
        "/v1/agents",
        "/v1/tokens",
        "/metrics",
        "/v1/predictions",
    ] {
        said.extend(hub.text(path, &admin).await.into_bytes());
    }
    said.extend(hub.page("/", &cookie).await.into_bytes());
    assert_eq!(hub.stop().await, Some(0));
    for entry in std::fs::read_dir(hub.home.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("hub.db")
        {
            said.extend(std::fs::read(path).unwrap());
        }
    }
    assert!(said.len() > 50_000, "the database was looked at too");
    let keys = [admin.as_str(), token.as_str()];
    for secret in CANARIES.iter().copied().chain(keys) {
        let found = said
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "{secret} was found");
    }
}
