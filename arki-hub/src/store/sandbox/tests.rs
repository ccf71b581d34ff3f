//! The queue of runs, on every store.

use super::*;
use crate::store::tests::{NOW, agent, on_every_store};
use std::sync::Arc;

on_every_store!(
    a_run_goes_from_hand_to_hand_and_ends_once,
    what_waits_is_bounded_for_each_and_in_all,
    a_dead_runners_run_returns_and_gives_up_in_the_end,
    many_runners_never_share_a_run,
    no_more_run_than_may_however_many_runners_there_are,
    a_runner_without_the_image_leaves_a_run_to_others_for_a_while,
    a_call_is_taken_once,
    lists_are_filtered,
);

const ROOM: Room = Room { each: 10, all: 20 };

fn new(n: u8, owner: &str) -> NewRun<'_> {
    NewRun {
        run_id: [n; 16],
        owner,
        requested_by: "eva",
        service: "nginx",
        action: "reload",
        agent_no: None,
        prediction_id: None,
        now_s: NOW,
    }
}

fn any(runner: &str, running_max: i64) -> Claimant<'_> {
    Claimant {
        runner,
        running_max,
        services: None,
        others_before: 0,
    }
}

fn done() -> Ended {
    Ended {
        outcome: Some("succeeded".into()),
        fidelity: Some("effect measured".into()),
        score: Some(1.5),
        result: Some("{\"a\": 1}".into()),
        error: String::new(),
    }
}

fn decision(word: &str) -> Decision {
    Decision {
        decision: word.into(),
        at: NOW,
        by: "key-1".into(),
        name: "eva".into(),
        reason: "it works".into(),
        receipt: Some("{}".into()),
    }
}

async fn a_run_goes_from_hand_to_hand_and_ends_once(store: Arc<dyn Store>) {
    let store = &*store;
    let agent_no = agent(store, 3).await;
    let asked = NewRun {
        agent_no: Some(agent_no),
        prediction_id: Some(vec![9; 16]),
        ..new(1, "key:1")
    };
    assert!(create(store, &asked, ROOM).await.unwrap());
    assert!(
        !decide(store, &[1; 16], &decision("dismiss")).await.unwrap(),
        "not before it is done"
    );
    let run = claim(store, any("here", 2), NOW).await.unwrap().unwrap();
    assert_eq!(
        (run.state, run.attempts, run.run_id.as_slice()),
        (State::Claimed, 1, &[1; 16][..])
    );
    assert_eq!(run.agent.as_ref().unwrap().2, "web-3");
    assert!(claim(store, any("there", 2), NOW).await.unwrap().is_none());
    assert!(renew(store, &run, NOW + 5).await.unwrap());
    assert!(finish(store, &run, &done(), NOW + 6, vec![]).await.unwrap());
    assert!(
        !finish(store, &run, &done(), NOW + 7, vec![]).await.unwrap(),
        "it ended"
    );
    assert!(
        !cancel(store, &run.run_id, "eva", NOW + 7, vec![])
            .await
            .unwrap()
    );
    let read = get(store, &run.run_id).await.unwrap().unwrap();
    assert_eq!(
        (read.state, read.started_at, read.finished_at),
        (State::Done, Some(NOW + 5), Some(NOW + 6))
    );
    assert_eq!(
        (read.score, read.result.as_deref()),
        (Some(1.5), Some("{\"a\": 1}"))
    );
    assert!(
        decide(store, &run.run_id, &decision("apply"))
            .await
            .unwrap()
    );
    assert!(
        !decide(store, &run.run_id, &decision("dismiss"))
            .await
            .unwrap(),
        "decided once"
    );
    let read = get(store, &run.run_id).await.unwrap().unwrap();
    assert_eq!(read.decision, Some(decision("apply")));
    assert!(get(store, &[7; 16]).await.unwrap().is_none());
}

async fn what_waits_is_bounded_for_each_and_in_all(store: Arc<dyn Store>) {
    let store = &*store;
    let room = Room { each: 2, all: 3 };
    let mut taken = Vec::new();
    for (n, owner) in [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "b")] {
        taken.push(create(store, &new(n, owner), room).await.unwrap());
    }
    assert_eq!(taken, [true, true, false, true, false]);
    assert!(cancel(store, &[1; 16], "a", NOW, vec![]).await.unwrap());
    assert!(
        create(store, &new(6, "a"), room).await.unwrap(),
        "there is room again"
    );
    // many at one time see each other
    let tries = (10..30).map(|n| async move {
        create(store, &new(n, "c"), Room { each: 5, all: 100 })
            .await
            .unwrap()
    });
    let taken = futures_util::future::join_all(tries).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 5);
}

async fn a_dead_runners_run_returns_and_gives_up_in_the_end(store: Arc<dyn Store>) {
    let store = &*store;
    create(store, &new(1, "a"), ROOM).await.unwrap();
    let first = claim(store, any("one", 1), NOW).await.unwrap().unwrap();
    assert!(
        claim(store, any("two", 1), NOW + LEASE_S - 1)
            .await
            .unwrap()
            .is_none()
    );
    let second = claim(store, any("two", 1), NOW + LEASE_S)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((second.attempts, second.runner.as_str()), (2, "two"));
    assert!(
        !renew(store, &first, NOW + LEASE_S).await.unwrap(),
        "it is not the first one's any more"
    );
    assert!(
        !finish(store, &first, &done(), NOW + LEASE_S, vec![])
            .await
            .unwrap()
    );
    assert!(renew(store, &second, NOW + LEASE_S).await.unwrap());
    let mut now_s = NOW + LEASE_S;
    assert_eq!(died(store, now_s).await.unwrap(), []);
    for _ in 0..ATTEMPTS_MAX {
        now_s += LEASE_S;
        claim(store, any("three", 1), now_s).await.unwrap();
    }
    let dead = died(store, now_s).await.unwrap();
    assert_eq!(dead.len(), 1, "nobody claims it any more");
    let lives = Run {
        attempts: ATTEMPTS_MAX - 1,
        ..dead[0].clone()
    };
    assert!(!give_up(store, &lives, now_s, vec![]).await.unwrap());
    assert!(give_up(store, &dead[0], now_s, vec![]).await.unwrap());
    assert!(!give_up(store, &dead[0], now_s, vec![]).await.unwrap());
    let run = get(store, &[1; 16]).await.unwrap().unwrap();
    assert_eq!((run.state, run.attempts), (State::Failed, ATTEMPTS_MAX));
    assert!(run.error.contains("died 3 times"), "{}", run.error);
}

async fn many_runners_never_share_a_run(store: Arc<dyn Store>) {
    for n in 0..10 {
        create(&*store, &new(n, "a"), ROOM).await.unwrap();
    }
    let claims = (0..20).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            claim(&*store, any(&format!("r{n}"), 100), NOW)
                .await
                .unwrap()
        })
    });
    let mut got = Vec::new();
    for one in claims.collect::<Vec<_>>() {
        got.extend(one.await.unwrap().map(|run| run.run_id));
    }
    let all = got.len();
    got.sort();
    got.dedup();
    assert_eq!((all, got.len()), (10, 10));
}

async fn no_more_run_than_may_however_many_runners_there_are(store: Arc<dyn Store>) {
    for n in 0..10 {
        create(&*store, &new(n, "a"), ROOM).await.unwrap();
    }
    let claims = (0..12).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { claim(&*store, any(&format!("r{n}"), 3), NOW).await.unwrap() })
    });
    let mut got = 0;
    for one in claims.collect::<Vec<_>>() {
        got += usize::from(one.await.unwrap().is_some());
    }
    assert_eq!(got, 3);
}

async fn a_runner_without_the_image_leaves_a_run_to_others_for_a_while(store: Arc<dyn Store>) {
    let store = &*store;
    create(store, &new(1, "a"), ROOM).await.unwrap();
    let has = |services: &'static [&'static str]| -> Vec<String> {
        services.iter().map(ToString::to_string).collect()
    };
    let (none, other, both) = (has(&[]), has(&["apache"]), has(&["apache", "nginx"]));
    let asks = async |services: &[String], now_s: i64| {
        let who = Claimant {
            services: Some(services),
            others_before: now_s - 60,
            ..any("one", 9)
        };
        claim(store, who, now_s).await.unwrap()
    };
    assert!(asks(&none, NOW + 59).await.is_none());
    assert!(asks(&other, NOW + 59).await.is_none());
    assert_eq!(unexplained(store).await.unwrap(), ["nginx"]);
    explain(store, "apache", "not this one").await.unwrap();
    explain(store, "nginx", "no image here").await.unwrap();
    explain(store, "nginx", "nor there").await.unwrap();
    assert!(unexplained(store).await.unwrap().is_empty());
    let waits = get(store, &[1; 16]).await.unwrap().unwrap();
    assert_eq!(
        (waits.state, waits.error.as_str()),
        (State::Queued, "no image here")
    );
    let taken = asks(&both, NOW + 59).await.unwrap();
    assert_eq!((taken.error.as_str(), taken.attempts), ("", 1));
    create(store, &new(2, "a"), ROOM).await.unwrap();
    assert!(asks(&other, NOW + 60).await.is_some(), "to say why not");
}

async fn a_call_is_taken_once(store: Arc<dyn Store>) {
    let store = &*store;
    assert!(remember_call(store, [1; 32], NOW, NOW - 600).await.unwrap());
    assert!(
        !remember_call(store, [1; 32], NOW + 1, NOW - 599)
            .await
            .unwrap()
    );
    assert!(
        remember_call(store, [2; 32], NOW + 1, NOW - 599)
            .await
            .unwrap()
    );
    assert!(
        remember_call(store, [1; 32], NOW + 700, NOW + 100)
            .await
            .unwrap(),
        "forgotten"
    );
}

async fn lists_are_filtered(store: Arc<dyn Store>) {
    let store = &*store;
    let agent_no = agent(store, 1).await;
    for n in 1..=4 {
        let asked = NewRun {
            agent_no: (n % 2 == 0).then_some(agent_no),
            prediction_id: (n == 4).then(|| vec![4; 16]),
            ..new(n, "a")
        };
        create(store, &asked, ROOM).await.unwrap();
    }
    cancel(store, &[1; 16], "eva", NOW, vec![]).await.unwrap();
    let ids = async |filter: Filter, before, limit| -> Vec<u8> {
        let runs = list(store, &filter, before, limit).await.unwrap();
        runs.iter().map(|run| run.run_id[0]).collect()
    };
    let state = |state: &str| Filter {
        state: state.into(),
        ..Filter::default()
    };
    assert_eq!(ids(Filter::default(), i64::MAX, 9).await, [4, 3, 2, 1]);
    assert_eq!(ids(Filter::default(), 4, 2).await, [3, 2]);
    assert_eq!(ids(state("queued"), i64::MAX, 9).await, [4, 3, 2]);
    assert_eq!(ids(state("open"), i64::MAX, 9).await, [4, 3, 2]);
    assert_eq!(ids(state("cancelled"), i64::MAX, 9).await, [1]);
    assert!(ids(state("decided"), i64::MAX, 9).await.is_empty());
    let of = Filter {
        agent_no: Some(agent_no),
        ..Filter::default()
    };
    assert_eq!(ids(of, i64::MAX, 9).await, [4, 2]);
    let about = Filter {
        prediction_id: Some(vec![4; 16]),
        ..state("open")
    };
    assert_eq!(ids(about, i64::MAX, 9).await, [4]);
    // what was tried for a prediction automatically is not tried again
    let asked = NewRun {
        prediction_id: Some(vec![5; 16]),
        ..new(5, "automatic")
    };
    assert!(create(store, &asked, ROOM).await.unwrap());
    assert!(
        !create(
            store,
            &NewRun {
                run_id: [6; 16],
                ..asked
            },
            ROOM
        )
        .await
        .unwrap()
    );
}
