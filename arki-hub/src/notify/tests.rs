//! Channels against listeners that fail in every way, and the way from an event to one message.

use super::*;
use crate::auth::Scope;
use crate::config::Config;
use crate::testing::{NOW, Running, start_with};
use arki_model::wire::Kind;
use std::sync::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

mod hostile;

/// What a listener got.
type Got = Arc<Mutex<Vec<String>>>;

/// An HTTP listener that gives the answers in turn, the last one for ever; "" closes the connection half-way.
async fn http(answers: &'static [&'static str]) -> (String, Got) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let got = Got::default();
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        for n in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let whole = request(&mut stream).await;
            kept.lock().unwrap().push(whole);
            let answer = answers[n.min(answers.len() - 1)];
            if answer.is_empty() {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Le")
                    .await
                    .unwrap();
            } else {
                let whole =
                    format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(whole.as_bytes()).await.unwrap();
            }
        }
    });
    (address, got)
}

async fn request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line == "\r\n" || line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

async fn hub(settings: &str) -> Running {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "canary:secret\n").unwrap();
    let settings = settings.replace(
        "SECRET",
        &folder.path().join("secret").display().to_string(),
    );
    let mut config = Config::parse(&settings, "test", []).unwrap();
    config.database.url = format!("sqlite://{}/hub.db", folder.path().display());
    start_with(config, folder).await
}

fn test_message(hub: &Running) -> Message {
    Message::test(&hub.hub, NOW)
}

#[tokio::test]
async fn a_webhook_is_signed_over_its_time_and_body() {
    let (address, got) = http(&["204 No Content"]).await;
    let settings = format!(
        "[notify]\nallow_networks = ['127.0.0.0/8']\n[[notify.webhook]]\nname = 'a'\nurl = 'http://{address}/x'\nsecret_file = 'SECRET'"
    );
    let hub = hub(&settings).await;
    send(&hub.hub, "webhook:a", 5, &test_message(&hub))
        .await
        .unwrap();
    let request = got.lock().unwrap()[0].clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let value = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        (value("x-arki-timestamp"), value("x-arki-delivery")),
        (NOW.to_string(), "5".into())
    );
    assert_eq!(
        value("x-arki-signature"),
        webhook::signature("canary:secret", NOW, body.as_bytes())
    );
    assert_ne!(
        value("x-arki-signature"),
        webhook::signature("canary:secret", NOW + 1, body.as_bytes())
    );
    assert!(!request.contains("canary"), "the secret itself stays here");
    let message: Message = serde_json::from_str(body).unwrap();
    assert_eq!(message.kind, "test");
}

#[tokio::test]
async fn targets_inside_the_own_network_are_refused_however_they_are_written() {
    for url in [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://10.0.0.1/",
    ] {
        let hub = hub(&format!("[[notify.webhook]]\nname = 'a'\nurl = '{url}'")).await;
        let error = send(&hub.hub, "webhook:a", 1, &test_message(&hub))
            .await
            .unwrap_err();
        assert!(matches!(error, SendError::Never(_)), "{url}: {error}");
        assert!(
            error.to_string().contains("allow_networks"),
            "{url}: {error}"
        );
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_refusals_are_final() {
    static REDIRECT: [&str; 1] = ["302 Found\r\nLocation: http://169.254.169.254/"];
    for (answers, is_final) in [
        (&REDIRECT[..], true),
        (&["404 Not Found"], true),
        (&["500 Oh"], false),
        (&["429 Slow"], false),
        (&[""], false),
    ] {
        let (address, got) = http(answers).await;
        let settings = format!(
            "[notify]\nallow_networks = ['127.0.0.0/8']\n[[notify.webhook]]\nname = 'a'\nurl = 'http://{address}/'"
        );
        let hub = hub(&settings).await;
        let error = send(&hub.hub, "webhook:a", 1, &test_message(&hub))
            .await
            .unwrap_err();
        assert_eq!(
            matches!(error, SendError::Never(_)),
            is_final,
            "{answers:?}: {error}"
        );
        assert_eq!(got.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn telegram_gets_plain_text_and_no_error_shows_the_token() {
    let (address, got) = http(&["200 OK", "401 Unauthorized", ""]).await;
    let settings = format!(
        "[notify]\nallow_networks = ['127.0.0.0/8']\n[notify.telegram]\ntoken_file = 'SECRET'\nchat = '-100'\nurl = 'http://{address}'"
    );
    let hub = hub(&settings).await;
    send(&hub.hub, "telegram", 1, &test_message(&hub))
        .await
        .unwrap();
    let request = got.lock().unwrap()[0].clone();
    assert!(
        request.starts_with("POST /botcanary:secret/sendMessage "),
        "{request}"
    );
    assert!(
        request.contains("\"chat_id\":\"-100\"") && !request.contains("parse_mode"),
        "{request}"
    );
    for _ in 0..2 {
        let error = send(&hub.hub, "telegram", 1, &test_message(&hub))
            .await
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

/// A mail server that takes one mail a connection.
async fn smtp() -> (u16, Got) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Got::default();
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mail = mail(stream).await;
            kept.lock().unwrap().push(mail);
        }
    });
    (port, got)
}

async fn mail(stream: TcpStream) -> String {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut all, mut is_data) = (String::new(), false);
    write.write_all(b"220 test\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        all.push_str(&line);
        all.push('\n');
        let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
            "." => {
                is_data = false;
                b"250 taken\r\n"
            }
            _ if is_data => continue,
            "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
            "DATA" => {
                is_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        if write.write_all(answer).await.is_err() {
            break;
        }
    }
    all
}

#[tokio::test]
async fn mail_goes_to_all_and_a_server_without_tls_is_refused_unless_meant() {
    let (port, got) = smtp().await;
    let settings = |security: &str| {
        format!(
            "[notify.smtp]\nhost = '127.0.0.1'\nport = {port}\nsecurity = '{security}'\nfrom = 'Arki <a@example.org>'\nto = ['b@example.org', 'c@example.org']"
        )
    };
    let hub = hub(&settings("none")).await;
    send(&hub.hub, "smtp", 3, &test_message(&hub))
        .await
        .unwrap();
    while got.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mail = got.lock().unwrap()[0].clone();
    for part in [
        "RCPT TO:<b@example.org>",
        "RCPT TO:<c@example.org>",
        "Subject: Arki: a test message",
        "This channel works.",
    ] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    let hub = self::hub(&settings("starttls")).await;
    let error = send(&hub.hub, "smtp", 3, &test_message(&hub))
        .await
        .unwrap_err();
    assert!(!error.to_string().is_empty(), "no mail without TLS");
    assert!(
        !got.lock()
            .unwrap()
            .iter()
            .skip(1)
            .any(|mail| mail.contains("Subject"))
    );
}

#[tokio::test]
async fn the_same_prediction_on_many_hosts_is_one_message_that_is_tried_until_it_is_taken() {
    let (address, got) = http(&["500 Oh", "", "200 OK"]).await;
    let settings = format!(
        "public_url = 'https://arki.example'\n[notify]\nallow_networks = ['127.0.0.0/8']\n[[notify.webhook]]\nname = 'a'\nurl = 'http://{address}/'"
    );
    let hub = hub(&settings).await;
    for n in 1..=5 {
        let mut agent = hub.agent(n, &format!("web-{n}")).await;
        let event = agent.event("disk.used_percent{/}", NOW, 1_000.0 * f64::from(n));
        assert_eq!(
            hub.ship(agent.seal(Kind::Events, 1, &[event])).await.status,
            200
        );
    }
    work(&hub.hub).await.unwrap();
    assert_eq!(got.lock().unwrap().len(), 0, "others like it may come");
    hub.clock.advance(10);
    work(&hub.hub).await.unwrap();
    assert_eq!(got.lock().unwrap().len(), 1);
    for wait in [30, 60] {
        work(&hub.hub).await.unwrap();
        hub.clock.advance(wait);
        work(&hub.hub).await.unwrap();
    }
    hub.clock.advance(86_400);
    work(&hub.hub).await.unwrap();
    let all = got.lock().unwrap().clone();
    assert_eq!(
        all.len(),
        3,
        "500, closed half-way, taken: then never again"
    );
    let message: Message = serde_json::from_str(all[2].split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(message.hosts, ["web-1", "web-2", "web-3", "web-4", "web-5"]);
    assert_eq!(
        message.title,
        "[critical] 5 hosts: disk.used_percent{/} reaches its bound in 17 min"
    );
    assert_eq!(message.fails_at, Some(NOW + 1_000));
    assert_eq!(
        message.evidence,
        ["trend: yes, rises 3.1 points an hour for 2 h 10 min"]
    );
    assert_eq!(message.link, "https://arki.example/");
    let key = hub.key(Scope::Read).await;
    let alerts = hub.get("/v1/alerts?state=notified", &key).await.json();
    assert!(
        alerts["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|alert| alert["hosts"] == 5),
        "{alerts}"
    );
}

#[tokio::test]
async fn a_dead_channel_holds_up_neither_the_other_one_nor_the_end() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hole = dead.local_addr().unwrap();
    let (address, got) = http(&["200 OK"]).await;
    let hub = hub(&format!(
        "[notify]\nallow_networks = ['127.0.0.0/8']\n[[notify.webhook]]\nname = 'dead'\nurl = 'http://{hole}/'\n\
         [[notify.webhook]]\nname = 'live'\nurl = 'http://{address}/'"
    ))
    .await;
    let body = serde_json::to_string(&test_message(&hub)).unwrap();
    let queue = async |channel: &str| {
        let step = queue::enqueue(channel, &body, NOW);
        hub.hub.store.transact(&[step]).await.unwrap();
    };
    queue("webhook:dead").await;
    queue("webhook:dead").await;
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(Arc::clone(&hub.hub), stopped));
    let (stream, _) = dead.accept().await.unwrap();
    // the dead one is in the middle of its try from here on
    queue("webhook:live").await;
    while got.lock().unwrap().is_empty() {
        let failed = hub.hub.counters.messages_failed_total.get();
        assert_eq!(failed, 0, "the live one waited for the dead one");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    hub.clock.advance(25);
    stop.send_replace(true);
    drop(stream);
    running.await.unwrap();
    let sql =
        "SELECT attempts, due_at FROM message WHERE channel = 'webhook:dead' ORDER BY message_no";
    let rows = hub.hub.store.query(sql, &[]).await.unwrap();
    let tried: Vec<_> = rows
        .iter()
        .map(|row| (row.int(0).unwrap(), row.int(1).unwrap()))
        .collect();
    assert_eq!(
        tried,
        [(1, NOW + 25 + 30), (0, NOW)],
        "the pause begins after the try, and none began after the stop"
    );
}

#[tokio::test]
async fn without_a_channel_it_is_said_why_nobody_was_told_and_a_rate_holds_back() {
    let quiet = hub("").await;
    let mut agent = quiet.agent(1, "web-1").await;
    let event = agent.event("disk.used_percent{/}", NOW, 1_000.0);
    quiet.ship(agent.seal(Kind::Events, 1, &[event])).await;
    quiet.clock.advance(10);
    work(&quiet.hub).await.unwrap();
    let all = alerts::list(&*quiet.hub.store, "quieted", "", i64::MAX, 9)
        .await
        .unwrap();
    assert!(all[0].reason.contains("no channel"), "{all:?}");

    let (address, got) = http(&["200 OK"]).await;
    let settings = format!(
        "[notify]\nmessages_per_hour = 2\nallow_networks = ['127.0.0.0/8']\n[[notify.webhook]]\nname = 'a'\nurl = 'http://{address}/'"
    );
    let busy = hub(&settings).await;
    let body = serde_json::to_string(&test_message(&busy)).unwrap();
    let steps: Vec<_> = (0..5)
        .map(|_| queue::enqueue("webhook:a", &body, NOW))
        .collect();
    busy.hub.store.transact(&steps).await.unwrap();
    for (advance, sent) in [(0, 2), (1_800, 2), (1_800, 4), (3_600, 5)] {
        busy.clock.advance(advance);
        work(&busy.hub).await.unwrap();
        assert_eq!(got.lock().unwrap().len(), sent);
    }
}

#[test]
fn an_error_is_cut_and_has_no_control_characters() {
    let text = shortened(&format!("a\nb\x1b{}", "é".repeat(400)));
    assert!(
        text.len() <= ERROR_BYTES_MAX && text.starts_with("a b "),
        "{text}"
    );
}
