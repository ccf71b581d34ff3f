//! Enrolment, rotation and revocation.

#![expect(clippy::too_many_lines, reason = "one story a test")]

use super::*;

async fn a_token_works_once(store: Arc<dyn Store>) {
    let first = agent(&*store, 1).await;
    let again = agents::Newcomer {
        token: [1; 32],
        agent_id: [2; 16],
        host: "web-2",
        version: "0.1.0",
        public_key: [2; 32],
    };
    assert_eq!(
        agents::enrol(&*store, again, NOW).await.unwrap(),
        None,
        "spent"
    );
    let lost = agents::Newcomer {
        public_key: [1; 32],
        ..again
    };
    let answer = agents::enrol(&*store, lost, NOW).await.unwrap();
    assert_eq!(
        answer,
        Some([1; 16]),
        "the first answer was lost on its way"
    );
    assert_eq!(
        agents::by_id(&*store, &[2; 16]).await.unwrap(),
        None,
        "nothing of it is left"
    );

    tokens::create(&*store, [3; 32], None, NOW + 60, NOW)
        .await
        .unwrap();
    let late = agents::Newcomer {
        token: [3; 32],
        ..again
    };
    assert_eq!(
        agents::enrol(&*store, late, NOW + 60).await.unwrap(),
        None,
        "too old"
    );
    let taken_key = agents::Newcomer {
        token: [3; 32],
        public_key: [1; 32],
        ..again
    };
    assert_eq!(
        agents::enrol(&*store, taken_key, NOW).await.unwrap(),
        None,
        "another agent's key"
    );
    let taken_id = agents::Newcomer {
        token: [3; 32],
        agent_id: [1; 16],
        ..again
    };
    assert_eq!(
        agents::enrol(&*store, taken_id, NOW).await.unwrap(),
        None,
        "another agent's identifier"
    );
    assert!(
        agents::enrol(&*store, late, NOW).await.unwrap().is_some(),
        "none of these spent the token"
    );

    let known = agents::known(&*store, &[vec![1; 16], vec![9; 16], vec![2; 16]], NOW)
        .await
        .unwrap();
    assert_eq!(known.len(), 2);
    assert_eq!((known[0].agent_no, &known[0].keys), (first, &vec![[1; 32]]));
}

async fn one_of_many_at_the_same_moment_gets_the_token(store: Arc<dyn Store>) {
    tokens::create(&*store, [7; 32], None, NOW + 60, NOW)
        .await
        .unwrap();
    let tries: Vec<_> = (1..=8_u8)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let newcomer = agents::Newcomer {
                    token: [7; 32],
                    agent_id: [n; 16],
                    host: "h",
                    version: "v",
                    public_key: [n; 32],
                };
                agents::enrol(&*store, newcomer, NOW)
                    .await
                    .unwrap()
                    .is_some()
            })
        })
        .collect();
    let mut won = 0;
    for one in tries {
        won += u32::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(agents::list(&*store, "", 0, 100).await.unwrap().len(), 1);
}

async fn rotation_keeps_the_old_key_for_a_while_and_revocation_keeps_none(store: Arc<dyn Store>) {
    let agent_no = agent(&*store, 1).await;
    agent(&*store, 2).await;
    tokens::create(&*store, [5; 32], Some(agent_no), NOW + 60, NOW)
        .await
        .unwrap();
    let next = agents::Newcomer {
        token: [5; 32],
        agent_id: [7; 16],
        host: "web-1",
        version: "0.1.0",
        public_key: [2; 32],
    };
    assert_eq!(
        agents::enrol(&*store, next, NOW).await.unwrap(),
        None,
        "another agent's key"
    );
    let next = agents::Newcomer {
        public_key: [9; 32],
        ..next
    };
    let same_agent = agents::enrol(&*store, next, NOW).await.unwrap();
    assert_eq!(same_agent, Some([1; 16]), "it stays the same agent");
    let keys_at = async |now_s| {
        let known = agents::known(&*store, &[vec![1; 16]], now_s).await.unwrap();
        let mut keys = known[0].keys.clone();
        keys.sort_unstable();
        keys
    };
    assert_eq!(keys_at(NOW).await, [[1; 32], [9; 32]]);
    assert_eq!(keys_at(NOW + agents::ROTATION_GRACE_S).await, [[9; 32]]);
    assert_eq!(agents::keys_ever(&*store, agent_no).await.unwrap().len(), 2);

    assert!(agents::revoke(&*store, agent_no, NOW).await.unwrap());
    assert!(
        !agents::revoke(&*store, agent_no, NOW).await.unwrap(),
        "only once"
    );
    assert!(agents::known(&*store, &[vec![1; 16]], NOW).await.unwrap()[0].is_revoked);
    tokens::create(&*store, [6; 32], Some(agent_no), NOW + 60, NOW)
        .await
        .unwrap();
    let back = agents::Newcomer {
        token: [6; 32],
        public_key: [10; 32],
        ..next
    };
    assert_eq!(
        agents::enrol(&*store, back, NOW).await.unwrap(),
        None,
        "revoked is for good"
    );
}

async fn a_token_can_be_taken_back_until_it_is_used(store: Arc<dyn Store>) {
    let token_no = tokens::create(&*store, [1; 32], None, NOW + 60, NOW)
        .await
        .unwrap();
    assert!(tokens::revoke(&*store, token_no).await.unwrap());
    assert_eq!(tokens::list(&*store, 0, 10).await.unwrap(), []);
    agent(&*store, 2).await;
    let used = &tokens::list(&*store, 0, 10).await.unwrap()[0];
    assert_eq!((used.used_at, &used.host), (Some(NOW), &None));
    assert!(!tokens::revoke(&*store, used.token_no).await.unwrap());
}

on_every_store!(
    a_token_works_once,
    one_of_many_at_the_same_moment_gets_the_token,
    rotation_keeps_the_old_key_for_a_while_and_revocation_keeps_none,
    a_token_can_be_taken_back_until_it_is_used,
);
