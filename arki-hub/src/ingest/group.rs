//! Groups: what came while the last group was committed is committed together.

use super::decode::{Agents, Decoders, claimed};
use super::keys::Keys;
use super::record;
use super::sets::Sets;
use super::{Job, Problem};
use crate::hub::Hub;
use crate::store::agents;
use crate::store::alerts::{self, Kind, NewAlert};
use crate::store::{Post, StoreError, Stored};
use crate::values;
use arki_model::clock::UnixSeconds;
use arki_model::wire::{Acknowledgement, Header, problem};
use axum::http::StatusCode;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

/// Batches in one group at most: 1,000 posts took 30 ms of the database in trials, and larger groups gained nothing.
const GROUP_MAX: usize = 1_000;
/// Records in one transaction at most; a group of large batches is committed in several.
const RECORDS_MAX: usize = 2_000;
/// Groups that are worked on at one time: one waits for the database while another is decoded. SQLite has one
/// writer, and two still overlap decoding with its fsync.
const WORKERS: usize = 2;

/// A batch on its way through its group.
struct Item {
    job: Job,
    header: Header,
    posts: std::ops::Range<usize>,
    requests_waiting: bool,
}

/// Starts the tasks.
pub(super) fn start(hub: &Arc<Hub>, waiting: mpsc::Receiver<Job>) {
    let waiting = Arc::new(Mutex::new(waiting));
    let sets = Arc::new(Sets::default());
    let keys = Arc::new(Keys::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..WORKERS {
        let (hub, waiting, sets) = (Arc::clone(hub), Arc::clone(&waiting), Arc::clone(&sets));
        let mut decoders = Decoders::new(cores, Arc::clone(&keys));
        tokio::spawn(async move {
            loop {
                let mut jobs = Vec::new();
                if waiting.lock().await.recv_many(&mut jobs, GROUP_MAX).await == 0 {
                    return;
                }
                // Large batches are stored in several turns: what they become in memory is bounded.
                while !jobs.is_empty() {
                    jobs = group(&hub, &sets, &mut decoders, jobs).await;
                }
            }
        });
    }
}

/// Stores what it can at once; returns the rest.
async fn group(hub: &Arc<Hub>, sets: &Sets, decoders: &mut Decoders, jobs: Vec<Job>) -> Vec<Job> {
    let now_s = hub.clock.now_s();
    let agents = match lookup(hub, &jobs, now_s).await {
        Ok(agents) => Arc::new(agents),
        Err(error) => {
            refuse_all(hub, jobs, &error.into());
            return Vec::new();
        }
    };
    let (decoded, left) = decoders.decode(jobs, &agents).await;
    let mut posts: Vec<Post> = Vec::new();
    let mut items: Vec<Item> = Vec::new();
    for (job, believed) in decoded {
        let ready = match believed {
            Ok(believed) => {
                let header = believed.header;
                match agents.get(&header.agent.0) {
                    Some(known) => record::posts(hub, sets, known, believed, now_s)
                        .await
                        .map(|posts| (header, posts, known.requests_waiting)),
                    None => Err(Problem::bad("the agent vanished")),
                }
            }
            Err(problem) => Err(problem),
        };
        match ready {
            Ok((header, new, requests_waiting)) => {
                let start = posts.len();
                posts.extend(new);
                items.push(Item {
                    job,
                    header,
                    posts: start..posts.len(),
                    requests_waiting,
                });
            }
            Err(problem) => answer(hub, job, Err(problem)),
        }
    }
    finish(hub, items, posts, now_s).await;
    left
}

async fn lookup(hub: &Hub, jobs: &[Job], now_s: UnixSeconds) -> Result<Agents, StoreError> {
    let ids: HashSet<[u8; 16]> = jobs
        .iter()
        .filter_map(|job| claimed(&job.body.bytes).ok())
        .map(|id| id.0)
        .collect();
    let mut ids: Vec<Vec<u8>> = ids.into_iter().map(|id| id.to_vec()).collect();
    ids.sort_unstable();
    let known = agents::known(&*hub.store, &ids, now_s).await?;
    let by_id = known
        .into_iter()
        .filter_map(|one| Some((one.agent_id.as_slice().try_into().ok()?, one)));
    Ok(by_id.collect())
}

async fn finish(hub: &Hub, items: Vec<Item>, posts: Vec<Post>, now_s: UnixSeconds) {
    match commit(hub, &posts).await {
        Ok(stored) => {
            for item in items {
                let stored = stored.get(item.posts.clone()).unwrap_or_default();
                let answered = acknowledge(hub, &item, &posts, stored, now_s).await;
                answer(hub, item.job, answered);
            }
        }
        // one batch may be what the database cannot take: it must not hold up the others
        Err(StoreError::Refused(reason)) if items.len() > 1 => {
            tracing::warn!(%reason, batches = items.len(), "a group was refused; trying its batches one by one");
            for item in items {
                let own = posts.get(item.posts.clone()).unwrap_or_default().to_vec();
                let item = Item {
                    posts: 0..own.len(),
                    ..item
                };
                Box::pin(finish(hub, vec![item], own, now_s)).await;
            }
        }
        Err(error) => refuse_all(
            hub,
            items.into_iter().map(|item| item.job).collect(),
            &error.into(),
        ),
    }
}

async fn commit(hub: &Hub, posts: &[Post]) -> Result<Vec<Stored>, StoreError> {
    let mut stored = Vec::with_capacity(posts.len());
    for part in posts.chunks(RECORDS_MAX) {
        stored.extend(hub.store.commit(part).await?);
        hub.counters.commits_total.add(1);
    }
    Ok(stored)
}

async fn acknowledge(
    hub: &Hub,
    item: &Item,
    posts: &[Post],
    stored: &[Stored],
    now_s: UnixSeconds,
) -> Result<Acknowledgement, Problem> {
    let count = |what| stored.iter().filter(|s| **s == what).count() as u64;
    let (new, again, conflicts) = (
        count(Stored::New),
        count(Stored::Again),
        count(Stored::Conflict),
    );
    hub.counters.records_stored_total.add(new);
    hub.counters.records_repeated_total.add(again);
    hub.counters.records_conflicting_total.add(conflicts);
    let Header {
        agent,
        epoch,
        sequence,
        ..
    } = item.header;
    let first = posts.get(item.posts.start);
    if conflicts > 0 {
        if let Some(post) = first {
            tell_conflict(hub, post.agent_no, epoch.0, now_s).await?;
        }
        let detail = format!(
            "agent {agent} has sent other content under these numbers of epoch {epoch} before: was its state directory copied?"
        );
        return Err(Problem::new(StatusCode::CONFLICT, detail).of_kind(problem::SEQUENCE_REUSED));
    }
    hub.counters.batches_stored_total.add(1);
    // sent in order, so what was new is the highest; a repetition may have been overtaken
    let highest = match first {
        Some(_) if again == 0 => sequence + new - 1,
        _ => highest(hub, agent.0, epoch.0).await?,
    };
    Ok(Acknowledgement {
        epoch,
        sequence: highest,
        requests_waiting: item.requests_waiting,
    })
}

async fn highest(hub: &Hub, agent_id: [u8; 16], epoch: u64) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(b.sequence), 0) FROM batch b JOIN agent a ON a.agent_no = b.agent_no \
               WHERE a.agent_id = $1 AND b.epoch = $2";
    let rows = hub
        .store
        .query(sql, &values![agent_id, epoch.cast_signed()])
        .await?;
    rows.first()
        .map_or(Ok(0), |row| Ok(row.int(0)?.cast_unsigned()))
}

async fn tell_conflict(
    hub: &Hub,
    agent_no: i64,
    epoch: u64,
    now_s: UnixSeconds,
) -> Result<(), StoreError> {
    let alert = NewAlert {
        kind: Kind::Conflict,
        agent_no,
        series: "",
        severity: 1,
        cause: format!("conflict:{agent_no}:{epoch:016x}"),
        event_id: None,
        reason: "two different records came under one number: somebody else has the agent's key, or its state directory was copied",
        now_s,
        quieted: None,
    };
    hub.store.transact(&[alerts::step(&alert)]).await.map(drop)
}

fn refuse_all(hub: &Hub, jobs: Vec<Job>, problem: &Problem) {
    for job in jobs {
        answer(hub, job, Err(problem.clone()));
    }
}

fn answer(hub: &Hub, job: Job, answered: Result<Acknowledgement, Problem>) {
    if answered
        .as_ref()
        .is_err_and(|problem| problem.retry_after_s.is_none())
    {
        hub.counters.batches_refused_total.add(1);
    }
    // who went away in the meantime will ask again
    drop(job.reply.send(answered));
}
