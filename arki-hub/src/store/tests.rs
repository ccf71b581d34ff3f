//! The same tests for all stores: SQLite in a temporary folder, PostgreSQL and TimescaleDB where there is a server.

use super::*;
use crate::config::Database;
use std::sync::Arc;

mod enrolment;
mod hours;
mod ingest;
mod people;
pub(crate) mod server;

/// A time within the partitions' and retention's reach.
pub(super) const NOW: UnixSeconds = 1_760_000_000;

/// Runs one test body on every store that is at hand.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}/hub.db", folder.path().display());
                let store = crate::store::tests::open(&url).await;
                super::$name(store).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let Some(database) = crate::store::tests::server::database().await else {
                    return;
                };
                let store = crate::store::tests::open(&database).await;
                super::$name(store).await;
            })*
        }
        mod timescale {
            $(#[tokio::test]
            async fn $name() {
                let Some(database) = crate::store::tests::server::timescale().await else {
                    return;
                };
                let store = crate::store::tests::open(&database).await;
                // the Apache edition in CI; the same tests hold for the Community edition
                assert_ne!(store.edition(), crate::store::Edition::Plain);
                super::$name(store).await;
            })*
        }
    };
}
pub(super) use on_every_store;

pub(super) async fn open(url: &str) -> Arc<dyn Store> {
    let database = Database {
        url: url.to_owned(),
        ..Database::default()
    };
    super::open(&database, NOW).await.unwrap()
}

/// An enrolled agent with the key `[n; 32]`; returns its number.
pub(super) async fn agent(store: &dyn Store, n: u8) -> i64 {
    let token = [n; 32];
    tokens::create(store, token, None, NOW + 60, NOW)
        .await
        .unwrap();
    let newcomer = agents::Newcomer {
        token,
        agent_id: [n; 16],
        host: &format!("web-{n}"),
        version: "0.1.0",
        public_key: [n; 32],
    };
    assert_eq!(
        agents::enrol(store, newcomer, NOW).await.unwrap(),
        Some([n; 16])
    );
    agents::by_id(store, &[n; 16])
        .await
        .unwrap()
        .unwrap()
        .agent_no
}
