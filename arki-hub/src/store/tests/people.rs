//! Keys, alerts and the queue of messages.

use super::*;
use crate::auth::Scope;
use alerts::{Kind, NewAlert};

async fn keys_open_until_they_are_revoked_or_end(store: Arc<dyn Store>) {
    let key_no = keys::create(&*store, [1; 32], ("grafana", Scope::Read), None, NOW)
        .await
        .unwrap();
    let ends = keys::create(
        &*store,
        [2; 32],
        ("visit", Scope::Admin),
        Some(NOW + 10),
        NOW,
    )
    .await
    .unwrap();
    assert!(
        keys::by_digest(&*store, [1; 32])
            .await
            .unwrap()
            .unwrap()
            .is_valid(NOW)
    );
    assert_eq!(keys::by_digest(&*store, [9; 32]).await.unwrap(), None);
    let visit = keys::by_number(&*store, ends).await.unwrap().unwrap();
    assert!(visit.is_valid(NOW + 9) && !visit.is_valid(NOW + 10) && visit.scope == Scope::Admin);
    assert!(keys::revoke(&*store, key_no, NOW).await.unwrap());
    assert!(!keys::revoke(&*store, key_no, NOW).await.unwrap());
    assert!(
        !keys::by_digest(&*store, [1; 32])
            .await
            .unwrap()
            .unwrap()
            .is_valid(NOW)
    );
    assert_eq!(keys::list(&*store, key_no, 10).await.unwrap().len(), 1);
}

fn alert(agent_no: i64, n: u8, severity: i64, now_s: i64) -> Step {
    alerts::step(&NewAlert {
        kind: Kind::Prediction,
        agent_no,
        series: "disk.used_percent{/}",
        severity,
        cause: format!("event:{n}"),
        event_id: Some(&[n; 16]),
        reason: "",
        now_s,
        quieted: None,
    })
}

async fn the_same_trouble_on_many_hosts_is_taken_as_one_group(store: Arc<dyn Store>) {
    let (a, b) = (agent(&*store, 1).await, agent(&*store, 2).await);
    let steps = [
        alert(a, 1, 2, NOW),
        alert(b, 2, 2, NOW + 5),
        alert(b, 3, 1, NOW),
        alert(a, 1, 2, NOW),
    ];
    assert!(store.transact(&steps).await.unwrap());
    assert_eq!(
        alerts::take_group(&*store, NOW + 9).await.unwrap(),
        [],
        "others may come"
    );
    let group = alerts::take_group(&*store, NOW + 10).await.unwrap();
    let hosts: Vec<_> = group.iter().map(|one| one.host.as_str()).collect();
    assert_eq!(hosts, ["web-1", "web-2"]);
    let other = alerts::take_group(&*store, NOW + 10).await.unwrap();
    assert_eq!(
        (other.len(), other[0].severity),
        (1, 1),
        "another severity is another group"
    );
    assert_eq!(
        alerts::take_group(&*store, NOW + 20).await.unwrap(),
        [],
        "all are taken"
    );
    let late = alerts::take_group(&*store, NOW + 71).await.unwrap();
    assert_eq!(late.len(), 2, "who took them died: another takes them");

    let mut steps = alerts::settle(&late, Ok(2));
    steps.push(queue::enqueue("smtp", "{}", NOW));
    assert!(store.transact(&steps).await.unwrap());
    assert!(
        !store.transact(&steps).await.unwrap(),
        "settled once: the second notifier's messages go with it"
    );
    assert!(
        store
            .transact(&alerts::settle(&other, Err("no channel")))
            .await
            .unwrap()
    );
    let all = alerts::list(&*store, "", "", i64::MAX, 10).await.unwrap();
    let states: Vec<_> = all
        .iter()
        .rev()
        .map(|one| (one.state.as_str(), one.hosts))
        .collect();
    assert_eq!(states, [("notified", 2), ("notified", 2), ("quieted", 1)]);
    assert_eq!(
        alerts::list(&*store, "quieted", "web-2", i64::MAX, 10)
            .await
            .unwrap()[0]
            .reason,
        "no channel"
    );
    assert_eq!(queue::counts(&*store).await.unwrap(), (1, 0));
}

async fn a_message_is_taken_by_one_sender_and_tried_again_later(store: Arc<dyn Store>) {
    let steps: Vec<Step> = (0..3)
        .map(|n| queue::enqueue("smtp", &n.to_string(), NOW))
        .collect();
    store.transact(&steps).await.unwrap();
    let senders: Vec<_> = (0..6)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { queue::take(&*store, "smtp", NOW).await.unwrap() })
        })
        .collect();
    let mut taken = Vec::new();
    for sender in senders {
        taken.extend(sender.await.unwrap());
    }
    taken.sort_by_key(|message| message.message_no);
    taken.dedup();
    assert_eq!(queue::take(&*store, "telegram", NOW).await.unwrap(), None);
    // a sender that met a row which another held finds it with its next try
    while let Some(message) = queue::take(&*store, "smtp", NOW).await.unwrap() {
        taken.push(message);
    }
    assert_eq!(taken.len(), 3);
    queue::sent(&*store, taken[0].message_no, NOW)
        .await
        .unwrap();
    queue::failed(&*store, &taken[1], "timed out", false, NOW)
        .await
        .unwrap();
    queue::failed(&*store, &taken[2], "refused", true, NOW)
        .await
        .unwrap();
    assert_eq!(queue::take(&*store, "smtp", NOW + 29).await.unwrap(), None);
    let again = queue::take(&*store, "smtp", NOW + 30)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.message_no, again.attempts), (taken[1].message_no, 2));
    assert_eq!(queue::counts(&*store).await.unwrap(), (1, 1));
    assert_eq!(
        queue::sent_last_hour(&*store, "smtp", NOW + 3_599)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        queue::sent_last_hour(&*store, "smtp", NOW + 3_600)
            .await
            .unwrap(),
        0
    );
    let after_lease = NOW + 30 + queue::LEASE_S;
    assert!(
        queue::take(&*store, "smtp", after_lease)
            .await
            .unwrap()
            .is_some(),
        "its sender died"
    );
}

async fn hostile_text_is_stored_as_it_is(store: Arc<dyn Store>) {
    for (n, text) in [
        "'; DROP TABLE agent; --",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "=cmd|' /C calc'!A0",
        "a\r\nSet-Cookie: x",
        "\x1b[31m",
        "$(id)",
        "%s%n",
    ]
    .iter()
    .enumerate()
    {
        let digest = [n as u8; 32];
        keys::create(&*store, digest, (text, Scope::Read), None, NOW)
            .await
            .unwrap();
        assert_eq!(
            keys::by_digest(&*store, digest)
                .await
                .unwrap()
                .unwrap()
                .name,
            *text
        );
    }
    assert_eq!(
        agents::list(&*store, "' OR '1'='1", 0, 10).await.unwrap(),
        []
    );
}

#[test]
fn tries_come_less_and_less_often() {
    let waits: Vec<i64> = [1, 2, 3, 7, 8, 9, 24].map(queue::backoff_s).to_vec();
    assert_eq!(waits, [30, 60, 120, 1_920, 3_600, 3_600, 3_600]);
}

on_every_store!(
    keys_open_until_they_are_revoked_or_end,
    the_same_trouble_on_many_hosts_is_taken_as_one_group,
    a_message_is_taken_by_one_sender_and_tried_again_later,
    hostile_text_is_stored_as_it_is,
);
