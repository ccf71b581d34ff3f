//! Trials that nobody asked for: on a prediction, the actions that may answer it are tried and ranked (off by default).
//!
//! A candidate is an action whose profile says so for the series (`candidate_for`), of a service that the host has:
//! the agent ships `service.up{NAME}` for it. Each is tried once for each prediction, however many hubs look.

use super::ask::{Ask, AskError, Asker, ask};
use crate::api::predictions::uuid;
use crate::hub::Hub;
use crate::store::predictions::{self, Prediction, Which};
use crate::store::sandbox::{self, Filter};
use crate::store::{StoreError, agents, series};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Whose share of the queue these runs take.
pub const OWNER: &str = "automatic";
/// How often is looked.
const LOOK: Duration = Duration::from_secs(5);
/// Predictions in one look; the most recent ones.
const PREDICTIONS_MAX: i64 = 100;

/// A candidate that finds no room waits for it as long as this after its prediction.
const ROOM_WITHIN_S: i64 = 1_800;

/// Looks until `stop` turns true.
pub async fn watch(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = look(&hub).await {
            tracing::warn!(%error, "automatic trials wait");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// One look: queues the candidates of every active prediction that has none yet.
pub async fn look(hub: &Hub) -> Result<(), AskError> {
    let store = &*hub.store;
    for prediction in predictions::list(store, Which::Active, "", i64::MAX, PREDICTIONS_MAX).await?
    {
        let filter = Filter {
            prediction_id: Some(prediction.event_id.clone()),
            ..Filter::default()
        };
        let mut tried = sandbox::list(store, &filter, i64::MAX, PREDICTIONS_MAX).await?;
        tried.retain(|run| run.owner == OWNER);
        // those that found no room are queued when there is some; after that the others have been tried for long
        let is_old = hub.clock.now_s().saturating_sub(prediction.first_at) > ROOM_WITHIN_S;
        if is_old && !tried.is_empty() {
            continue;
        }
        for (service, action) in candidates(hub, &prediction).await? {
            let is_tried = |run: &sandbox::Run| run.service == service && run.action == action;
            if tried.iter().any(is_tried) {
                continue;
            }
            let wish = Ask {
                service,
                action,
                agent: None,
                prediction: Some(uuid(&prediction.event_id)),
            };
            let asker = Asker {
                owner: OWNER.into(),
                name: OWNER.into(),
            };
            match ask(hub, &asker, &wish).await {
                // what finds no room, or was queued by another hub a moment ago
                Ok(_) | Err(AskError::Full { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The actions that may answer `prediction`, of the services that its host has.
async fn candidates(
    hub: &Hub,
    prediction: &Prediction,
) -> Result<Vec<(String, String)>, StoreError> {
    let agent = agents::by_id(&*hub.store, &prediction.agent_id).await?;
    let Some(agent) = agent else {
        return Ok(Vec::new());
    };
    let shipped = series::latest(&*hub.store, agent.agent_no).await?;
    let shipped = shipped.map(|(_, all)| all).unwrap_or_default();
    let has = |service: &str| {
        let head = format!("service.up{{{service}");
        let rest = |name: &str| {
            name.strip_prefix(&head)
                .is_some_and(|rest| rest.starts_with(['}', '.']))
        };
        shipped.iter().any(|one| rest(&one.series))
    };
    let mut found = Vec::new();
    for profile in hub.profiles.iter().filter(|profile| has(&profile.name)) {
        let answers = profile.actions.iter().filter(|action| {
            action
                .candidate_for
                .iter()
                .any(|pattern| fits(pattern, &prediction.series))
        });
        found.extend(answers.map(|action| (profile.name.clone(), action.name.clone())));
    }
    Ok(found)
}

/// True if `text` is `pattern`, in which a `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts
        .filter_map(|at| rest.get(at..))
        .any(|rest| fits(tail, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, start, summary};
    use arki_model::wire::{Epoch, Kind};

    #[test]
    fn patterns_fit_what_they_say() {
        for (pattern, text, expected) in [
            ("disk.used_percent*", "disk.used_percent{/var}", true),
            ("disk.used_percent*", "disk.inodes_used_percent{/}", false),
            ("log.*{nginx*}", "log.errors_per_minute{nginx}", true),
            ("log.*{nginx*}", "log.errors_per_minute{mysql}", false),
            ("a", "a", true),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[tokio::test]
    async fn the_candidates_of_a_prediction_are_queued_once() {
        let hub = start("").await;
        let mut agent = hub.agent(1, "web-1").await;
        let event = agent.event("disk.used_percent{/var}", NOW, 9_000.0);
        assert_eq!(
            hub.ship(agent.seal(Kind::Events, 1, &[event])).await.status,
            200
        );
        look(&hub.hub).await.unwrap();
        let runs = async || {
            let all = sandbox::list(&*hub.hub.store, &Filter::default(), i64::MAX, 99)
                .await
                .unwrap();
            let mut names: Vec<String> = all
                .iter()
                .map(|run| format!("{} {}", run.service, run.action))
                .collect();
            names.sort();
            names
        };
        assert!(
            runs().await.is_empty(),
            "nothing is known about its services"
        );
        agent.epoch = Epoch(9);
        let record = summary(
            &["service.up{nginx.service}", "service.up{mariadb}"],
            NOW - 300,
            1.0,
        );
        assert_eq!(
            hub.ship(agent.seal(Kind::Summaries, 1, &[record]))
                .await
                .status,
            200
        );
        for _ in 0..2 {
            look(&hub.hub).await.unwrap();
            assert_eq!(
                runs().await,
                [
                    "mariadb flush-logs",
                    "mariadb purge-binary-logs",
                    "nginx reopen-logs"
                ]
            );
        }
    }
}
