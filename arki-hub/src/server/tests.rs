//! Who may call what, and how the page and its session behave, over real connections.

#![expect(clippy::too_many_lines, reason = "one story a test")]

use super::route::{Access, table};
use crate::auth::Scope;
use crate::testing::{Running, start, summary};
use arki_model::wire::Kind;
use serde_json::json;

#[tokio::test]
async fn nobody_gets_in_without_a_key_and_a_key_gets_only_what_it_may() {
    let hub = start("[limits]\nsign_in_failures_per_minute = 1000").await;
    let read = hub.key(Scope::Read).await;
    for route in table() {
        let Access::Needs(scope) = route.access else {
            continue;
        };
        let url = format!("{}{}", hub.url, route.path.replace("{id}", "00"));
        let methods = [
            reqwest::Method::GET,
            reqwest::Method::POST,
            reqwest::Method::DELETE,
        ];
        for method in methods {
            let ask = |request: reqwest::RequestBuilder| hub.send(request);
            let nobody = ask(hub.client.request(method.clone(), &url)).await;
            assert!(
                matches!(nobody.status, 401 | 405),
                "{method} {url}: {}",
                nobody.status
            );
            nobody.problem();
            let wrong = ask(hub
                .client
                .request(method.clone(), &url)
                .bearer_auth("arki_key_wrong"))
            .await;
            assert!(
                matches!(wrong.status, 401 | 405),
                "{method} {url}: {}",
                wrong.status
            );
            let some = ask(hub.client.request(method.clone(), &url).bearer_auth(&read)).await;
            if scope == Scope::Admin && some.status != 405 {
                // another row of the table may let this method through with less
                let less = table()
                    .iter()
                    .any(|r| r.path == route.path && r.access == Access::Needs(Scope::Read));
                assert!(
                    some.status == 403 || less,
                    "{method} {url}: {}",
                    some.status
                );
            }
        }
    }
    let delete = hub
        .client
        .delete(format!("{}/v1/tokens/key-1", hub.url))
        .bearer_auth(&read);
    assert_eq!(hub.send(delete).await.status, 403);
    let health = hub
        .send(hub.client.get(format!("{}/healthz", hub.url)))
        .await;
    assert_eq!(
        (health.status, health.json()["status"].as_str()),
        (200, Some("ok"))
    );
    assert_eq!(hub.get("/nothing", &read).await.status, 404);
}

#[tokio::test]
async fn an_access_token_has_its_keys_rights_and_ends_with_it() {
    let hub = start("").await;
    let admin = hub.key(Scope::Admin).await;
    let made = hub
        .post_json(
            "/v1/tokens",
            &admin,
            &json!({ "kind": "key", "name": "grafana", "scope": "sandbox" }),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (key, id) = (
        made.json()["token"].as_str().unwrap().to_owned(),
        made.json()["id"].as_str().unwrap().to_owned(),
    );
    let access = |scope: &str| json!({ "kind": "access", "scope": scope });
    let more = hub
        .post_json("/v1/tokens", &key, &access("admin"))
        .await
        .json();
    let more = more["token"].as_str().unwrap();
    assert_eq!(
        hub.get("/v1/tokens", more).await.status,
        403,
        "asking for more gives no more"
    );
    assert_eq!(hub.get("/v1/agents", more).await.status, 200);
    let refused = hub
        .post_json("/v1/tokens", &key, &json!({ "kind": "enrolment" }))
        .await;
    assert_eq!(refused.status, 403);
    let whole = hub
        .post_json("/v1/tokens", &admin, &access("admin"))
        .await
        .json();
    let whole = whole["token"].as_str().unwrap();
    for wish in [
        access("admin"),
        json!({ "kind": "key", "name": "stays", "scope": "admin" }),
        json!({ "kind": "enrolment" }),
    ] {
        let refused = hub.post_json("/v1/tokens", whole, &wish).await;
        assert_eq!(refused.status, 403, "{wish}: {}", refused.text);
    }
    let listed = hub.get("/v1/tokens", &admin).await.text;
    assert!(
        listed.contains("grafana") && !listed.contains(&key),
        "a key is shown once"
    );

    hub.clock.advance(899);
    assert_eq!(hub.get("/v1/agents", more).await.status, 200);
    let fresh = hub
        .post_json("/v1/tokens", &key, &access("read"))
        .await
        .json();
    hub.clock.advance(1);
    assert_eq!(
        hub.get("/v1/agents", more).await.status,
        401,
        "a quarter of an hour is over"
    );
    let revoke = hub
        .client
        .delete(format!("{}/v1/tokens/{id}", hub.url))
        .bearer_auth(&admin);
    assert_eq!(hub.send(revoke).await.status, 204);
    assert_eq!(
        hub.get("/v1/agents", fresh["token"].as_str().unwrap())
            .await
            .status,
        401,
        "its key is revoked"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_a_problem_with_a_reason() {
    let hub = start("").await;
    let admin = hub.key(Scope::Admin).await;
    for path in [
        "/v1/agents?limit=0",
        "/v1/agents?limit=1001",
        "/v1/agents?limit=x",
        "/v1/agents?after=x",
        "/v1/predictions?state=maybe",
        "/v1/alerts?state=maybe",
        "/v1/metrics",
        "/v1/tokens?kind=x",
    ] {
        let answer = hub.get(path, &admin).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        answer.problem();
    }
    for path in [
        "/v1/agents/zz",
        "/v1/predictions/0000",
        "/v1/metrics?agent=00&series=a",
    ] {
        assert_eq!(hub.get(path, &admin).await.status, 404, "{path}");
    }
    for wish in [
        json!({}),
        json!({ "kind": "key", "name": "", "scope": "read" }),
        json!({ "kind": "enrolment", "ttl_seconds": 0 }),
    ] {
        let answer = hub.post_json("/v1/tokens", &admin, &wish).await;
        assert!(
            matches!(answer.status, 400 | 422),
            "{wish}: {}",
            answer.text
        );
        answer.problem();
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_miss_nothing() {
    let hub = start("").await;
    let key = hub.key(Scope::Read).await;
    for n in 1..=5 {
        hub.agent(n, &format!("web-{n}")).await;
    }
    let (mut hosts, mut path) = (Vec::new(), "/v1/agents?limit=2".to_owned());
    loop {
        let page = hub.get(&path, &key).await.json();
        hosts.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|a| a["host"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/agents?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(hosts, ["web-1", "web-2", "web-3", "web-4", "web-5"]);
}

async fn sign_in(hub: &Running, key: &str, from: Option<&str>) -> (u16, Option<String>) {
    let mut request = hub.client.post(format!("{}/sign-in", hub.url));
    if let Some(from) = from {
        request = request.header("origin", from);
    }
    let form = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("key={key}"));
    let response = form.send().await.unwrap();
    let cookie = response
        .headers()
        .get("set-cookie")
        .map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), cookie)
}

#[tokio::test]
async fn the_page_is_for_who_signed_in_and_shows_hostile_names_as_text() {
    let hub = start("").await;
    let key = hub.key(Scope::Read).await;
    let hostile = "<script>alert(1)</script>\"'{{7*7}}";
    let mut agent = hub.agent(1, hostile).await;
    let event = agent.event(
        "disk.used_percent{<img src=x onerror=alert(2)>}",
        crate::testing::NOW,
        9_000.0,
    );
    assert_eq!(
        hub.ship(agent.seal(Kind::Events, 1, &[event])).await.status,
        200
    );
    agent.epoch = arki_model::wire::Epoch(8);
    let record = summary(&["cpu.busy_percent{<b>}"], crate::testing::NOW - 300, 5.0);
    assert_eq!(
        hub.ship(agent.seal(Kind::Summaries, 1, &[record]))
            .await
            .status,
        200
    );

    let stranger = hub.client.get(&hub.url).send().await.unwrap();
    assert_eq!(
        (
            stranger.status().as_u16(),
            stranger.headers()["location"].to_str().unwrap()
        ),
        (303, "/sign-in")
    );
    assert_eq!(sign_in(&hub, "arki_key_wrong", None).await, (401, None));
    assert_eq!(
        sign_in(&hub, &key, Some("https://elsewhere.example")).await,
        (403, None)
    );
    let (status, cookie) = sign_in(&hub, &key, Some(&hub.url)).await;
    let cookie = cookie.unwrap();
    assert_eq!(status, 303);
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=900"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(
        !cookie.contains(&key),
        "the key itself stays out of the browser"
    );
    let session = cookie.split(';').next().unwrap();
    let all = crate::store::predictions::list(
        &*hub.hub.store,
        crate::store::predictions::Which::All,
        "",
        i64::MAX,
        9,
    )
    .await;
    let prediction = crate::api::predictions::uuid(&all.unwrap()[0].event_id);
    for path in [
        "/".to_owned(),
        format!("/hosts/{}", agent.id),
        format!("/predictions/{prediction}"),
    ] {
        let response = hub
            .client
            .get(format!("{}{path}", hub.url))
            .header("cookie", session)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(
            response.headers().contains_key("set-cookie"),
            "the session goes on while it is looked at"
        );
        let page = response.text().await.unwrap();
        for raw in ["<script>alert", "<img src=x", "<b>}", "\"'{{"] {
            assert!(!page.contains(raw), "{raw} in {path}");
        }
        assert!(
            page.contains("&lt;script&gt;alert(1)"),
            "{path} shows the name"
        );
        assert!(
            !page.contains("style=") && !page.contains("onclick"),
            "nothing inline"
        );
    }
    hub.clock.advance(900);
    let later = hub
        .client
        .get(&hub.url)
        .header("cookie", session)
        .send()
        .await
        .unwrap();
    assert_eq!(later.status().as_u16(), 303, "the session ended");
}

#[tokio::test]
async fn a_session_is_renewed_for_half_a_day_and_an_access_token_never() {
    let hub = start("").await;
    let key = hub.key(Scope::Read).await;
    let renewed = async |cookie: &str| -> Option<String> {
        let request = hub.client.get(&hub.url).header("cookie", cookie);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let fresh = response.headers().get("set-cookie")?.to_str().unwrap();
        Some(fresh.split(';').next().unwrap().to_owned())
    };
    let (_, cookie) = sign_in(&hub, &key, None).await;
    let mut cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
    let mut looks = 0;
    while let Some(fresh) = renewed(&cookie).await {
        cookie = fresh;
        hub.clock.advance(800);
        looks += 1;
        if looks * 800 >= 12 * 3_600 {
            break;
        }
    }
    assert_eq!(looks, 54, "12 hours of them");
    let over = hub.client.get(&hub.url).header("cookie", &cookie);
    assert_eq!(over.send().await.unwrap().status().as_u16(), 303);

    let made = hub
        .post_json("/v1/tokens", &key, &json!({ "kind": "access" }))
        .await;
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let cookie = format!("{}={token}", super::auth::COOKIE);
    assert_eq!(renewed(&cookie).await, None);
}

#[tokio::test]
async fn who_was_not_signed_in_comes_to_the_page_that_was_wanted() {
    let hub = start("").await;
    let key = hub.key(Scope::Read).await;
    let place =
        |response: &reqwest::Response| response.headers()["location"].to_str().unwrap().to_owned();
    let path = "/predictions/0f?x=<\"1";
    let response = hub.client.get(format!("{}{path}", hub.url)).send().await;
    let form = place(&response.unwrap());
    assert_eq!(form, "/sign-in?next=%2Fpredictions%2F0f%3Fx%3D%253C%25221");
    let shown = hub.client.get(format!("{}{form}", hub.url)).send().await;
    let shown = shown.unwrap().text().await.unwrap();
    assert!(
        shown.contains("name=\"next\" value=\"/predictions/0f?x=%3C%221\""),
        "{shown}"
    );
    for (next, goes) in [
        ("/predictions/0f?x=1", "/predictions/0f?x=1"),
        ("", "/"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x=y", "/"),
    ] {
        let form = reqwest::Url::parse_with_params("http://x/", [("key", &*key), ("next", next)]);
        let request = hub
            .client
            .post(format!("{}/sign-in", hub.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.unwrap().query().unwrap().to_owned());
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 303);
        assert_eq!(place(&response), goes, "{next}");
    }
}

#[tokio::test]
async fn guesses_from_an_address_lock_nobody_out_who_has_a_key() {
    let hub = start("[limits]\nsign_in_failures_per_minute = 3").await;
    let key = hub.key(Scope::Read).await;
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(hub.get("/v1/agents", "arki_key_wrong").await.status);
    }
    assert_eq!(said, [401, 401, 401, 429, 429]);
    assert_eq!(hub.get("/v1/agents", &key).await.status, 200);
    assert_eq!(sign_in(&hub, "arki_key_wrong", None).await.0, 429);
    assert_eq!(sign_in(&hub, &key, None).await.0, 303);
    let nobody = hub.client.get(format!("{}/v1/agents", hub.url));
    assert_eq!(hub.send(nobody).await.status, 429);
}
