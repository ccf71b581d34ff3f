//! The built-in page as a person sees it, in Chromium.

use crate::browser::Browser;
use crate::program::Hub;
use crate::sender::{enrol, summary};
use arki_model::clock::{Clock, SystemClock};
use arki_model::wire::{INGEST_PATH, Kind};

/// Three hosts with a day of series; the disk of the first is about to be full.
async fn fleet(hub: &Hub, admin: &str) {
    let now_s = SystemClock::new().now_s();
    let names = [
        "cpu.busy_percent",
        "disk.used_percent{/var}",
        "memory.used_percent",
    ];
    for (n, host) in ["db-1.example.org", "web-1.example.org", "web-2.example.org"]
        .iter()
        .enumerate()
    {
        let mut sender = enrol(hub, admin, n as u32, host).await;
        let records: Vec<Vec<u8>> = (0..200_i64)
            .map(|bucket| {
                let angle = bucket as f64 / 30.0 + n as f64;
                let start_s = now_s - now_s % 300 - (200 - bucket) * 300;
                summary(
                    &names,
                    start_s,
                    40.0 + 20.0 * angle.sin() + bucket as f64 / 20.0,
                )
            })
            .collect();
        let body = sender.seal(Kind::Summaries, 1, &records);
        assert_eq!(hub.ship(INGEST_PATH, body).await.0, 200);
        if n == 0 {
            sender.epoch.0 += 1;
            let event = sender.event(names[1], now_s - 60, 4_000.0);
            let body = sender.seal(Kind::Events, 1, &[event]);
            assert_eq!(hub.ship(INGEST_PATH, body).await.0, 200);
        }
    }
}

/// Nothing wider than the window: no scrolling sideways.
pub(crate) async fn fits(browser: &Browser) -> bool {
    let script = "return document.documentElement.scrollWidth <= window.innerWidth";
    browser.ask(script).await == true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_sees_the_fleet() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let hub = Hub::start("").await;
    let admin = hub.key("admin").await;
    let key = hub.key("read").await;
    fleet(&hub, &admin).await;

    browser.look(1280, 900, "light").await;
    browser.open(&hub.url).await;
    browser.until("Sign in").await;
    browser.write("#key", "arki_key_wrong").await;
    browser.click(".sign-in button").await;
    browser.until("opens nothing").await;
    browser.shoot("sign-in").await;
    // The browser itself notes the refusal; nothing else is to be noted.
    let refusal = browser.complaints().await;
    assert!(
        refusal.iter().all(|said| said.contains("401")),
        "{refusal:?}"
    );
    browser.write("#key", &key).await;
    browser.click(".sign-in button").await;

    browser.until("1 active prediction").await;
    let text = browser.text().await;
    for part in [
        "db-1.example.org",
        "web-2.example.org",
        "disk.used_percent{/var}",
        "stands at 87.50 of 100",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(
        browser.ask("return document.cookie").await == "",
        "no script reads the cookie"
    );
    let left = async || {
        browser
            .ask("return document.querySelector('time[data-left]').textContent")
            .await
    };
    let first = left().await;
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_ne!(left().await, first, "the countdown runs");

    for (name, width, height, colours) in [
        ("light", 1280, 900, "light"),
        ("dark", 1280, 900, "dark"),
        ("phone", 390, 844, "dark"),
    ] {
        browser.look(width, height, colours).await;
        let background = "const c = getComputedStyle(document.body).backgroundColor.match(/\\d+/g); return +c[0] < 128";
        for (page, path) in [
            ("home", "/".to_owned()),
            ("host", link(&browser, &hub, "td a").await),
            ("prediction", link(&browser, &hub, "article a").await),
        ] {
            browser.open(&format!("{}{path}", hub.url)).await;
            assert!(
                fits(&browser).await,
                "{name} {page} is wider than the window"
            );
            assert_eq!(
                browser.ask(background).await,
                colours == "dark",
                "{name} {page}"
            );
            browser.shoot(&format!("{name}-{page}")).await;
        }
    }
    let text = browser.text().await;
    assert!(
        text.contains("rises 3.1 points an hour"),
        "the evidence: {text}"
    );
    browser
        .open(&format!(
            "{}{}",
            hub.url,
            link(&browser, &hub, "td a").await
        ))
        .await;
    let charts = browser
        .ask("return document.querySelectorAll('figure svg').length")
        .await;
    assert_eq!(charts, 3);
    let drawn = browser
        .ask("return document.querySelector('figure svg').getBoundingClientRect().height > 20")
        .await;
    assert_eq!(drawn, true);
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");

    browser.look(1280, 900, "light").await;
    browser.click("header button").await;
    browser.until("API key").await;
    browser.open(&hub.url).await;
    browser.until("API key").await;
    browser.close().await;
}

/// Where the first such link of the first page leads.
async fn link(browser: &Browser, hub: &Hub, css: &str) -> String {
    browser.open(&hub.url).await;
    let script = format!("return document.querySelector('{css}').getAttribute('href')");
    browser.ask(&script).await.as_str().unwrap().to_owned()
}
