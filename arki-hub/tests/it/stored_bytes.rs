//! What a host costs in the store in a day: 60 series, 288 batches, everything that the hub keeps of them, indexes
//! included; before and after compression where the database has one.
//!
//! Run by `make bench-hub`. `ARKI_LOAD_DATABASE_URL` names the database (an empty one), SQLite without it.

use crate::program::Hub;
use crate::sender::enrol;
use crate::wire_bytes::records;
use arki_model::clock::{Clock, SystemClock};
use arki_model::wire::{INGEST_PATH, Kind};
use std::path::Path;

/// Enough that the pages of the tables count, not the tables.
const HOSTS: u32 = 40;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: make bench-hub"]
async fn stored_bytes() {
    let url = std::env::var("ARKI_LOAD_DATABASE_URL");
    let url = url.unwrap_or_else(|_| "sqlite://DIR/hub.db".into());
    let mut hub = Hub::start_over(&url, "").await;
    let admin = hub.key("admin").await;
    // yesterday, one chunk of the database: samples of today would stand in a second one
    let start_s = SystemClock::new().now_s() / 86_400 * 86_400 - 86_400;
    let records = records(start_s);
    let mut senders = Vec::new();
    for n in 0..HOSTS {
        senders.push(enrol(&hub, &admin, 10_000 + n, &format!("stored-{n}")).await);
    }
    // ended, so that SQLite's log is in its file
    assert_eq!(hub.stop().await, Some(0));
    let before = size(&url, hub.home.dir.path()).await;
    hub.run().await;
    let ships = senders.iter().map(async |sender| {
        for (sequence, record) in (1..).zip(&records) {
            let body = sender.seal(Kind::Summaries, sequence, std::slice::from_ref(record));
            assert_eq!(hub.ship(INGEST_PATH, body).await.0, 200);
        }
    });
    futures_util::future::join_all(ships).await;
    assert_eq!(hub.stop().await, Some(0));
    let after = size(&url, hub.home.dir.path()).await;
    let share = |bytes: i64| bytes / i64::from(HOSTS);
    println!(
        "stored                 {} KB a host and day, {} batches of 60 series each",
        share(after - before) / 1_000,
        records.len()
    );
    if !url.starts_with("sqlite") {
        for (table, bytes) in tables(&url).await {
            println!("  of it {table:16} {} KB", share(bytes) / 1_000);
        }
        match compressed(&url).await {
            Some((raw, packed)) => println!(
                "  compressed           samples {} -> {} KB a host and day",
                share(raw) / 1_000,
                share(packed) / 1_000
            ),
            None => println!("  compressed           not by this edition"),
        }
    }
}

/// Of the whole database, in bytes.
async fn size(url: &str, folder: &Path) -> i64 {
    if url.starts_with("sqlite") {
        let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let own = files.filter(|file| file.file_name().to_string_lossy().starts_with("hub.db"));
        return own.map(|file| file.metadata().unwrap().len() as i64).sum();
    }
    let client = connect(url).await;
    let row = client.query_one("SELECT pg_database_size(current_database())", &[]);
    row.await.unwrap().get(0)
}

/// The largest tables, with their indexes.
async fn tables(url: &str) -> Vec<(String, i64)> {
    let client = connect(url).await;
    let sql = "SELECT CASE WHEN n.nspname = '_timescaledb_internal' THEN 'sample' ELSE c.relname::text END AS t, \
               sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relkind = 'r' AND n.nspname IN ('public', '_timescaledb_internal') \
               GROUP BY 1 ORDER BY 2 DESC LIMIT 3";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Samples before and after the columnstore, in bytes; `None` where the edition has none.
async fn compressed(url: &str) -> Option<(i64, i64)> {
    let client = connect(url).await;
    let sql = "SELECT compress_chunk(c) FROM show_chunks('sample') c";
    client.query(sql, &[]).await.ok()?;
    let sql = "SELECT before_compression_total_bytes, after_compression_total_bytes \
               FROM hypertable_columnstore_stats('sample')";
    let row = client.query_one(sql, &[]).await.ok()?;
    Some((row.get(0), row.get(1)))
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}
