//! Hours: folded from samples, read for long ranges, folded again when samples come late.

use super::ingest::{post, set};
use super::*;
use crate::store::hours::{self, HOUR_S};
use crate::store::series::{Point, Range};
use crate::values;

/// The whole hour in which [`NOW`] lies.
const HOUR: UnixSeconds = NOW - NOW % HOUR_S;
/// When that hour and two more are certainly folded.
const LATER: UnixSeconds = HOUR + 7 * HOUR_S;

/// A sample in the bucket number `n` of [`HOUR`] and later, received at once or `late_s` later.
fn at(agent_no: i64, set_no: i64, n: i64, value: f32, late_s: i64) -> Post {
    let mut post = post(agent_no, n + 1, set_no, value);
    let time = HOUR + n * 300;
    Arc::make_mut(&mut post.rows)[0].time = time;
    post.received_at = time + 300 + late_s;
    post
}

async fn folded(store: &dyn Store, now_s: UnixSeconds) {
    if store.folds_by_itself() {
        // what the policy does in the background, now
        let refresh = "CALL refresh_continuous_aggregate('sample_hour', NULL, NULL)";
        store.query(refresh, &[]).await.unwrap();
    } else {
        hours::fold(store, now_s).await.unwrap();
    }
}

async fn hours_of(store: &dyn Store, agent_no: i64, series: &str) -> Vec<Point> {
    let range = Range {
        agent_no,
        series,
        from: HOUR,
        to: LATER,
        limit: 100,
    };
    store.hours(&range).await.unwrap()
}

fn point(time: i64, min: f32, mean: f32, max: f32, last: f32) -> Point {
    Point {
        time,
        min,
        mean,
        max,
        last,
    }
}

async fn samples_are_folded_into_hours(store: Arc<dyn Store>) {
    let (first, second) = (agent(&*store, 1).await, agent(&*store, 2).await);
    let set_no = set(&*store, &["a", "b"]).await;
    let posts = [
        at(first, set_no, 0, 10.0, 0),
        at(first, set_no, 1, 40.0, 0),
        at(first, set_no, 11, 25.0, 0),
        at(first, set_no, 12, 7.0, 0),
        at(second, set_no, 3, 1.0, 0),
    ];
    store.commit(&posts).await.unwrap();
    folded(&*store, LATER).await;
    let expected = [
        point(HOUR, 9.0, 25.0, 41.0, 25.5),
        point(HOUR + HOUR_S, 6.0, 7.0, 8.0, 7.5),
    ];
    assert_eq!(hours_of(&*store, first, "a").await, expected);
    assert_eq!(hours_of(&*store, first, "b").await, [], "never a value");
    let other = [point(HOUR, 0.0, 1.0, 2.0, 1.5)];
    assert_eq!(hours_of(&*store, second, "a").await, other);
    // again, by this hub or another: nothing is there twice
    store
        .query("UPDATE hour_state SET folded_until = NULL", &[])
        .await
        .unwrap();
    folded(&*store, LATER).await;
    assert_eq!(hours_of(&*store, first, "a").await, expected);
}

async fn a_late_sample_has_its_hour_folded_again(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    store
        .commit(&[at(agent_no, set_no, 0, 10.0, 0)])
        .await
        .unwrap();
    folded(&*store, LATER).await;
    let late = at(agent_no, set_no, 5, 50.0, 20 * HOUR_S);
    store.commit(std::slice::from_ref(&late)).await.unwrap();
    store.commit(&[late]).await.unwrap();
    folded(&*store, LATER + 20 * HOUR_S).await;
    let expected = [point(HOUR, 9.0, 30.0, 51.0, 50.5)];
    assert_eq!(hours_of(&*store, agent_no, "a").await, expected);
    let left = "SELECT count(*) FROM hour_due";
    let left = store.query(left, &[]).await.unwrap();
    assert_eq!(left[0].int(0).unwrap(), 0, "no mark stays");
}

async fn one_hub_at_a_time_folds(store: Arc<dyn Store>) {
    if store.folds_by_itself() {
        return;
    }
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    store
        .commit(&[at(agent_no, set_no, 0, 10.0, 0)])
        .await
        .unwrap();
    let claim = "UPDATE hour_state SET claimed_until = $1";
    store.query(claim, &values![LATER + 60]).await.unwrap();
    hours::fold(&*store, LATER).await.unwrap();
    let until = hours::readable_until(&*store).await.unwrap();
    assert_eq!(until, i64::MIN, "nothing was folded");
    // the claim of a hub that died runs out
    hours::fold(&*store, LATER + 120).await.unwrap();
    assert!(hours::readable_until(&*store).await.unwrap() >= HOUR + 3 * HOUR_S);
}

async fn long_ranges_are_read_from_hours_and_their_end_from_samples(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    let posts: Vec<Post> = (0..72)
        .map(|n| at(agent_no, set_no, n, n as f32, 0))
        .collect();
    store.commit(&posts).await.unwrap();
    // three hours are over for long enough, the others are not
    folded(&*store, HOUR + 5 * HOUR_S + HOUR_S / 2).await;
    let until = hours::readable_until(&*store).await.unwrap();
    let range = Range {
        agent_no,
        series: "a",
        from: HOUR,
        to: HOUR + 6 * HOUR_S,
        limit: 1_000,
    };
    let points = hours::read(&*store, &range, until).await.unwrap();
    if !store.folds_by_itself() {
        assert_eq!(until, HOUR + 3 * HOUR_S);
        assert_eq!(points.len(), 3 + 36);
    }
    let of_hours = series::down_sample(&points, HOUR_S);
    let of_samples = series::down_sample(&store.samples(&range).await.unwrap(), HOUR_S);
    assert_eq!(of_hours.len(), 6);
    assert_eq!(of_hours, of_samples);
}

async fn hours_outlive_samples(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    let set_no = set(&*store, &["a", "b"]).await;
    store
        .commit(&[at(agent_no, set_no, 0, 10.0, 0)])
        .await
        .unwrap();
    folded(&*store, LATER).await;
    let now_s = NOW + 20 * 86_400;
    let mut retention = Retention {
        samples_before: now_s - 5 * 86_400,
        hours_before: now_s - 60 * 86_400,
        events_before: 0,
    };
    store.maintain(retention, now_s).await.unwrap();
    folded(&*store, now_s).await;
    let expected = [point(HOUR, 9.0, 10.0, 11.0, 10.5)];
    if !store.folds_by_itself() {
        assert_eq!(hours_of(&*store, agent_no, "a").await, expected);
    }
    // partitions of hours have 30 days
    retention.hours_before = now_s + 60 * 86_400;
    store.maintain(retention, now_s).await.unwrap();
    assert_eq!(hours_of(&*store, agent_no, "a").await, []);
}

on_every_store!(
    samples_are_folded_into_hours,
    a_late_sample_has_its_hour_folded_again,
    one_hub_at_a_time_folds,
    long_ranges_are_read_from_hours_and_their_end_from_samples,
    hours_outlive_samples,
);
