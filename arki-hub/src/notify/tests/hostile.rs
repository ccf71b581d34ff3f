//! A thousand hostile texts as host, series and reason: stored as they are, shown as text, sent as text.

use super::*;
use serde_json::Value;
use std::collections::HashSet;

/// What is tried, in a thousand variations: SQL, shell, HTML, terminals, headers, spreadsheets, templates.
const SEEDS: [&str; 25] = [
    "'; DROP TABLE agent; --",
    "\" OR \"\"=\"",
    "$1 $2 ?1 :a @b",
    "$(touch /tmp/owned) `id` ; rm -rf / | tee && x",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title></style><iframe src=javascript:alert(1)>",
    "javascript:alert(1)//",
    "&lt;b&gt; &#60;i&#62; &amp;amp;",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{9b}31m",
    "a\r\nBcc: everybody@example.org\r\n\r\nbody",
    "a\nContent-Type: text/html",
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd",
    "+1-1\tx",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    "{{constructor.constructor('x')()}}",
    "%s%s%n %00 ..%2f..%2fetc/passwd",
    "../../../../etc/passwd",
    "\u{202e}gnp.exe\u{2066}",
    "\u{0}nul\u{0}",
    "[a](javascript:alert(1)) *b* _c_ <a href='x'>d</a>",
    "\\u003cscript\\u003e \\\" \\' \\",
];

fn payloads() -> Vec<String> {
    (0..1_000)
        .map(|n| {
            let seed = SEEDS[n % SEEDS.len()];
            match n / SEEDS.len() % 4 {
                0 => format!("{n} {seed}"),
                1 => format!("{seed} {n}"),
                2 => format!("'{seed}' {n}"),
                _ => format!("{n}\">{seed}<!--"),
            }
        })
        .collect()
}

/// What a name may hold: an agent never sends other series.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[expect(clippy::too_many_lines, reason = "one story")]
#[tokio::test]
async fn hostile_texts_are_stored_shown_and_sent_as_text() {
    let (hook, hooked) = http(&["200 OK"]).await;
    let (bot, chatted) = http(&["200 OK"]).await;
    let (port, mailed) = smtp().await;
    let hub = hub(&format!(
        "public_url = 'https://arki.example'\n[notify]\nmessages_per_hour = 100000\nallow_networks = ['127.0.0.0/8']\n\
         [[notify.webhook]]\nname = 'a'\nurl = 'http://{hook}/'\n\
         [notify.telegram]\ntoken_file = 'SECRET'\nchat = '1'\nurl = 'http://{bot}'\n\
         [notify.smtp]\nhost = '127.0.0.1'\nport = {port}\nsecurity = 'none'\nfrom = 'a@example.org'\nto = ['b@example.org']"
    ))
    .await;
    let key = hub.key(Scope::Read).await;
    let payloads = payloads();
    let mut agent = hub.agent(1, "web-1").await;
    for (n, part) in payloads.chunks(20).enumerate() {
        // the last ones are news, and told; the others only stored
        let raised_at = if n >= 46 { NOW } else { NOW - 86_400 };
        let records: Vec<_> = part
            .iter()
            .map(|text| {
                agent.said.clone_from(text);
                agent.event(&plain(text), raised_at, 3_600.0)
            })
            .collect();
        agent.host.clone_from(&part[0]);
        let body = agent.seal(Kind::Events, n as u64 * 20 + 1, &records);
        let answer = hub.ship(body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let host = hub.get("/v1/agents", &key).await.json()["items"][0]["host"].clone();
        assert_eq!(host, plain(&part[0]));
        let page = page(&hub, &key).await;
        assert_inert(&page, part);
    }

    let mut found: HashSet<(String, String)> = HashSet::new();
    let mut path = "/v1/predictions?state=all&limit=1000".to_owned();
    loop {
        let answer = hub.get(&path, &key).await.json();
        for one in answer["items"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.insert((text(&one["series"]), text(&one["votes"][0]["reason"])));
        }
        let Some(next) = answer["next"].as_str() else {
            break;
        };
        path = format!("/v1/predictions?state=all&limit=1000&after={next}");
    }
    for text in &payloads {
        let stored = (plain(text), text.replace('\0', "\u{fffd}"));
        assert!(found.contains(&stored), "{text:?}");
    }

    hub.clock.advance(20);
    work(&hub.hub).await.unwrap();
    let told = &payloads[920..];
    let hooked = hooked.lock().unwrap().clone();
    let chatted = chatted.lock().unwrap().clone();
    let mailed = mailed.lock().unwrap().clone();
    assert_eq!([hooked.len(), chatted.len(), mailed.len()], [told.len(); 3]);
    let series: HashSet<String> = hooked
        .iter()
        .map(|request| {
            serde_json::from_str::<Message>(request.split_once("\r\n\r\n").unwrap().1).unwrap()
        })
        .map(|message| {
            assert!(
                !message.title.chars().any(char::is_control),
                "{:?}",
                message.title
            );
            message.series
        })
        .collect();
    assert_eq!(series, told.iter().map(|text| plain(text)).collect());
    for request in &chatted {
        let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert!(
            body["text"].is_string() && body["parse_mode"].is_null(),
            "{body}"
        );
    }
    for mail in &mailed {
        let data = mail.split_once("DATA\n").unwrap().1;
        let (head, body) = data.split_once("\n\n").unwrap();
        for line in head.lines().filter(|line| !line.starts_with([' ', '\t'])) {
            let name = line.split(':').next().unwrap();
            let own = [
                "From",
                "To",
                "Subject",
                "Message-ID",
                "Content-Type",
                "Content-Transfer-Encoding",
                "Date",
            ];
            assert!(own.contains(&name), "{line:?}");
        }
        assert!(head.contains("text/plain"), "{head}");
        assert!(!body.contains('\u{1b}'), "{body:?}");
    }
}

async fn page(hub: &Running, key: &str) -> String {
    let form = format!("key={key}");
    let request = hub.client.post(format!("{}/sign-in", hub.url));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request.body(form).send().await.unwrap();
    let cookie = response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    let request = hub.client.get(format!("{}/", hub.url));
    let answer = hub
        .send(request.header("cookie", cookie.split(';').next().unwrap()))
        .await;
    assert_eq!(answer.status, 200);
    answer.text
}

/// Every tag is one that the page itself has, and no text stands in it as it came.
fn assert_inert(page: &str, payloads: &[String]) {
    const OWN: [&str; 33] = [
        "!doctype",
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "header",
        "a",
        "form",
        "span",
        "button",
        "main",
        "h1",
        "h2",
        "h3",
        "p",
        "small",
        "div",
        "article",
        "time",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "b",
        "code",
        "figure",
        "figcaption",
        "svg",
    ];
    for tag in page.split('<').skip(1) {
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '!')
            .collect();
        assert!(OWN.contains(&name.as_str()), "<{tag}");
        let inside = tag.split('>').next().unwrap();
        assert!(
            !inside.contains("onerror") && !inside.contains("javascript:"),
            "<{tag}"
        );
    }
    assert_eq!(page.matches("<script").count(), 1);
    for text in payloads
        .iter()
        .filter(|text| text.contains(['<', '"', '\'']))
    {
        assert!(!page.contains(text.as_str()), "{text}");
    }
}
