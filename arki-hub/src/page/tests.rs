//! A hub to look at: for people and for screenshots.

use crate::auth::Scope;
use crate::testing::{NOW, start, summary};
use arki_model::wire::{Epoch, Kind};

/// Serves made-up data until it is stopped. `cargo test -p arki-hub --lib a_hub_to_look_at -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "for people: serves a hub with made-up data for ten minutes"]
async fn a_hub_to_look_at() {
    let hub = start("").await;
    let names = [
        "cpu.busy_percent",
        "disk.used_percent{/var}",
        "load.per_core",
        "memory.used_percent",
        "net.rx_bytes_per_second{eth0}",
        "process.count",
    ];
    for n in 1..=8_u8 {
        let mut agent = hub.agent(n, &format!("web-{n}.example.org")).await;
        let records: Vec<Vec<u8>> = (0..280_i64)
            .filter(|bucket| n != 3 || !(100..120).contains(bucket))
            .map(|bucket| {
                let angle = bucket as f64 / 40.0 + f64::from(n);
                summary(
                    &names,
                    NOW - NOW % 300 - (280 - bucket) * 300,
                    40.0 + 25.0 * angle.sin() + bucket as f64 / 20.0,
                )
            })
            .collect();
        assert_eq!(
            hub.ship(agent.seal(Kind::Summaries, 1, &records))
                .await
                .status,
            200
        );
        agent.epoch = Epoch(8);
        if n <= 3 {
            let series = [
                "disk.used_percent{/var}",
                "memory.used_percent",
                "file.used_percent",
            ][usize::from(n) - 1];
            let event = agent.event(series, NOW - 600, f64::from(n) * 5_000.0);
            assert_eq!(
                hub.ship(agent.seal(Kind::Events, 1, &[event])).await.status,
                200
            );
        }
    }
    hub.clock.advance(30);
    crate::notify::work(&hub.hub).await.unwrap();
    println!("LOOK {} {}", hub.url, hub.key(Scope::Read).await);
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
}
