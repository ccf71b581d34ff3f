//! Batches: exactly once, whatever comes twice, late or from two sides.

use super::*;
use crate::values;

pub(super) fn post(agent_no: i64, sequence: i64, set_no: i64, value: f32) -> Post {
    let time = NOW - NOW % 300 + sequence * 300;
    Post {
        agent_no,
        epoch: 1,
        sequence,
        digest: [sequence as u8; 16],
        received_at: time,
        rows: Arc::new(vec![SampleRow {
            time,
            set_no,
            min: vec![value - 1.0, f32::NAN],
            mean: vec![value, f32::NAN],
            max: vec![value + 1.0, f32::NAN],
            last: vec![value + 0.5, f32::NAN],
        }]),
        steps: Arc::new([]),
    }
}

pub(super) async fn set(store: &dyn Store, names: &[&str]) -> i64 {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut digest = [0; 16];
    digest.copy_from_slice(&crate::auth::digest(&names.join("/"))[..16]);
    store.intern(&MetricSet { digest, names }).await.unwrap()
}

async fn count(store: &dyn Store, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    store.query(&sql, &[]).await.unwrap()[0].int(0).unwrap()
}

async fn a_batch_is_stored_once_and_the_same_key_with_other_bytes_is_told(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["cpu.busy_percent", "load.per_core"]).await;
    let posts = [
        post(agent_no, 2, set_no, 10.0),
        post(agent_no, 1, set_no, 20.0),
    ];
    assert_eq!(
        store.commit(&posts).await.unwrap(),
        [Stored::New, Stored::New]
    );
    assert_eq!(
        store.commit(&posts).await.unwrap(),
        [Stored::Again, Stored::Again]
    );
    let mut other = post(agent_no, 2, set_no, 99.0);
    other.digest = [77; 16];
    let mixed = [
        post(agent_no, 3, set_no, 30.0),
        other.clone(),
        post(agent_no, 3, set_no, 30.0),
    ];
    let stored = store.commit(&mixed).await.unwrap();
    assert_eq!(stored, [Stored::New, Stored::Conflict, Stored::Again]);
    // a new life of the state directory counts anew
    other.epoch = 2;
    assert_eq!(store.commit(&[other]).await.unwrap(), [Stored::New]);
    assert_eq!(
        (
            count(&*store, "batch").await,
            count(&*store, "sample").await
        ),
        (4, 4)
    );
}

async fn two_different_batches_of_one_key_in_one_group_are_one_and_a_conflict(
    store: Arc<dyn Store>,
) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    let mut twin = post(agent_no, 1, set_no, 5.0);
    twin.digest = [88; 16];
    let mut stored = store
        .commit(&[post(agent_no, 1, set_no, 1.0), twin])
        .await
        .unwrap();
    stored.sort_by_key(|s| *s == Stored::Conflict);
    assert_eq!(stored, [Stored::New, Stored::Conflict]);
    assert_eq!(count(&*store, "sample").await, 1);
}

async fn everything_shuffled_and_up_to_five_times_from_two_hubs_is_stored_once(
    store: Arc<dyn Store>,
) {
    let mut agents = Vec::new();
    for n in 1..=10 {
        agents.push(agent(&*store, n).await);
    }
    let set_no = set(&*store, &["a", "b"]).await;
    let mut all = Vec::new();
    for sequence in 1..=20 {
        for &agent_no in &agents {
            for _ in 0..=(sequence + agent_no) % 5 {
                all.push(post(agent_no, sequence, set_no, sequence as f32));
            }
        }
    }
    // a fixed shuffle (multiplication by a unit of the ring), so that a failure can be repeated
    let length = all.len();
    let shuffled: Vec<Post> = (0..length)
        .map(|i| all[(i * 7_919 + 13) % length].clone())
        .collect();
    assert_eq!(shuffled.len() % 7_919, length, "7919 does not divide it");
    let (left, right) = shuffled.split_at(length / 2);
    let hub = |posts: Vec<Post>| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut new = 0;
            for group in posts.chunks(37) {
                let stored = store.commit(group).await.unwrap();
                assert!(!stored.contains(&Stored::Conflict));
                new += stored.iter().filter(|s| **s == Stored::New).count();
            }
            new
        })
    };
    let (left, right) = (hub(left.to_vec()), hub(right.to_vec()));
    assert_eq!(left.await.unwrap() + right.await.unwrap(), 200);
    assert_eq!(
        (
            count(&*store, "batch").await,
            count(&*store, "sample").await
        ),
        (200, 200)
    );
}

async fn series_come_back_whatever_set_they_stood_in(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let before = set(&*store, &["disk.used_percent{/}", "b"]).await;
    let after = set(&*store, &["b", "disk.used_percent{/}"]).await;
    assert_ne!(before, after);
    assert_eq!(
        set(&*store, &["disk.used_percent{/}", "b"]).await,
        before,
        "interned once"
    );
    let first = post(agent_no, 1, before, 10.0);
    let mut second = post(agent_no, 2, after, 0.0);
    let row = &mut Arc::make_mut(&mut second.rows)[0];
    for column in [&mut row.min, &mut row.mean, &mut row.max, &mut row.last] {
        column[1] = 20.0;
    }
    store
        .commit(&[first.clone(), second.clone()])
        .await
        .unwrap();
    let (from, to) = (first.rows[0].time, second.rows[0].time + 1);
    let range = series::Range {
        agent_no,
        series: "disk.used_percent{/}",
        from,
        to,
        limit: 10,
    };
    let points = store.samples(&range).await.unwrap();
    let times: Vec<_> = points
        .iter()
        .map(|p| (p.time, p.min, p.mean, p.max, p.last))
        .collect();
    assert_eq!(
        times,
        [
            (from, 9.0, 10.0, 11.0, 10.5),
            (to - 1, 20.0, 20.0, 20.0, 20.0)
        ]
    );
    let half_open = series::Range {
        to: to - 1,
        ..range
    };
    assert_eq!(store.samples(&half_open).await.unwrap().len(), 1);
    let b = series::Range {
        series: "b",
        ..range
    };
    assert_eq!(
        store.samples(&b).await.unwrap().len(),
        1,
        "no value in the first bucket"
    );
    let unknown = series::Range {
        series: "c",
        ..range
    };
    assert_eq!(store.samples(&unknown).await.unwrap(), []);

    let (time, latest) = series::latest(&*store, agent_no).await.unwrap().unwrap();
    assert_eq!(time, second.rows[0].time);
    let latest: Vec<_> = latest
        .iter()
        .map(|l| (l.series.as_str(), l.value))
        .collect();
    assert_eq!(
        latest,
        [("b", Some(0.5)), ("disk.used_percent{/}", Some(20.0))]
    );
}

async fn a_late_batch_does_not_become_the_latest(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    store
        .commit(&[post(agent_no, 9, set_no, 9.0)])
        .await
        .unwrap();
    let mut late = post(agent_no, 2, set_no, 2.0);
    late.received_at = NOW + 10_000;
    store.commit(&[late]).await.unwrap();
    let (_, latest) = series::latest(&*store, agent_no).await.unwrap().unwrap();
    assert_eq!(latest[0].value, Some(9.5));
    let seen = agents::by_id(&*store, &[1; 16])
        .await
        .unwrap()
        .unwrap()
        .seen_at;
    assert_eq!(seen, Some(NOW + 10_000), "but it was heard");
}

async fn what_an_event_changes_is_done_with_its_batch_or_not_at_all(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    let note = |name: &str| {
        Step::new(
            "INSERT INTO setting (name, value) VALUES ($1, $2)",
            values![name, [1_u8; 1]],
        )
    };
    let mut with = post(agent_no, 1, set_no, 1.0);
    with.steps = Arc::new([note("first")]);
    store.commit(std::slice::from_ref(&with)).await.unwrap();
    assert_eq!(
        store.commit(&[with]).await.unwrap(),
        [Stored::Again],
        "its steps are not run again"
    );
    // the second step fails: neither the batch nor the first step may stay
    let mut broken = post(agent_no, 2, set_no, 1.0);
    broken.steps = Arc::new([note("second"), note("first")]);
    store.commit(&[broken.clone()]).await.unwrap_err();
    assert_eq!(settings::get(&*store, "second").await.unwrap(), None);
    broken.steps = Arc::new([]);
    assert_eq!(store.commit(&[broken]).await.unwrap(), [Stored::New]);
}

async fn what_is_older_than_the_retention_goes(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    let mut old = post(agent_no, 1, set_no, 1.0);
    // more than one bite, and an agent whose clock was ahead left younger ones among them
    let row = old.rows[0].clone();
    let is_young = |n: usize| n.is_multiple_of(100);
    let rows: Vec<SampleRow> = (0..12_000)
        .map(|n| {
            let time = if is_young(n) { NOW } else { NOW - 10 * 86_400 };
            SampleRow {
                time,
                ..row.clone()
            }
        })
        .collect();
    old.rows = rows.into();
    store
        .commit(&[old, post(agent_no, 2, set_no, 2.0)])
        .await
        .unwrap();
    let retention = Retention {
        samples_before: NOW - 5 * 86_400,
        hours_before: NOW - 5 * 86_400,
        events_before: 0,
    };
    store.maintain(retention, NOW).await.unwrap();
    assert_eq!(count(&*store, "sample").await, 121);
    store
        .commit(&[post(agent_no, 3, set_no, 3.0)])
        .await
        .unwrap();
    assert_eq!(
        count(&*store, "batch").await,
        3,
        "what was stored once is remembered for ever"
    );
}

async fn a_schema_that_is_newer_is_refused(store: Arc<dyn Store>) {
    // through the store's own statement, as a newer hub would
    let sql = "INSERT INTO schema_version (version, applied_at) VALUES ($1, $2)";
    store
        .query(sql, &values![schema::KNOWN + 1, NOW])
        .await
        .unwrap();
    assert_eq!(count(&*store, "schema_version").await, schema::KNOWN + 1);
}

on_every_store!(
    a_batch_is_stored_once_and_the_same_key_with_other_bytes_is_told,
    two_different_batches_of_one_key_in_one_group_are_one_and_a_conflict,
    everything_shuffled_and_up_to_five_times_from_two_hubs_is_stored_once,
    series_come_back_whatever_set_they_stood_in,
    a_late_batch_does_not_become_the_latest,
    what_an_event_changes_is_done_with_its_batch_or_not_at_all,
    what_is_older_than_the_retention_goes,
    a_schema_that_is_newer_is_refused,
);

#[tokio::test]
async fn a_newer_sqlite_file_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/hub.db", folder.path().display());
    newer(&url).await;
}

#[tokio::test]
async fn a_newer_postgres_database_is_refused_and_many_hubs_may_start_at_once() {
    let Some(url) = server::database().await else {
        return;
    };
    let starts: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn({
                let url = url.clone();
                async move { open(&url).await }
            })
        })
        .collect();
    for start in starts {
        assert_ne!(start.await.unwrap().edition(), Edition::Sqlite);
    }
    newer(&url).await;
}

async fn newer(url: &str) {
    a_schema_that_is_newer_is_refused(open(url).await).await;
    let database = Database {
        url: url.to_owned(),
        ..Database::default()
    };
    let error = super::super::open(&database, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
}
