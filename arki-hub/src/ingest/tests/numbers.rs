//! Numbers that nobody means: they are refused with their reason, and end no hub.

use crate::auth::Scope;
use crate::testing::{NOW, start};
use arki_model::wire::Kind;

const SERIES: &str = "disk.used_percent{/}";

#[tokio::test]
async fn an_event_whose_times_cannot_be_reckoned_with_is_refused() {
    let hub = start("").await;
    let mut agent = hub.agent(1, "web-1").await;
    for (raised_at, left_s, reason) in [
        (i64::MIN, 60.0, "the times of an event"),
        (-1, 60.0, "the times of an event"),
        (i64::MAX / 1_000, 60.0, "the times of an event"),
        (NOW, 1e300, "the time left of an event"),
        (NOW, f64::INFINITY, "the time left of an event"),
        (NOW, f64::NAN, "the time left of an event"),
        (NOW, -60.0, "the time left of an event"),
    ] {
        let event = agent.event(SERIES, raised_at, left_s);
        let answer = hub.ship(agent.seal(Kind::Events, 1, &[event])).await;
        let refused = answer.status == 400 && answer.text.contains("malformed");
        assert!(
            refused && answer.text.contains(reason),
            "{raised_at} {left_s}: {} {}",
            answer.status,
            answer.text
        );
    }
    let event = agent.event(SERIES, NOW, 60.0);
    let answer = hub.ship(agent.seal(Kind::Events, 1, &[event])).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn a_range_that_cannot_be_reckoned_with_is_refused() {
    let hub = start("").await;
    let key = hub.key(Scope::Read).await;
    let agent = hub.agent(1, "web-1").await;
    let (min, max) = (i64::MIN, i64::MAX);
    for (from, to) in [
        (min, min + 1_000_000_000),
        (min, max),
        (max - 1, max),
        (-10, 10),
        (NOW, NOW),
        (NOW, 0),
        (0, NOW),
    ] {
        let id = arki_model::hex::encode(&agent.id.0);
        let path = format!("/v1/metrics?agent={id}&series={SERIES}&from={from}&to={to}&points=1");
        let answer = hub.get(&path, &key).await;
        assert_eq!(answer.status, 400, "{from} {to}: {}", answer.text);
    }
}
