//! Sets of series names that were seen: a summary names them by their digest.
//!
//! What is kept here only saves the question to the database; another hub asks for itself. Sets are never forgotten by the
//! store: samples of years ago and other hubs refer to them. So an agent makes new ones at a bounded rate.

use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::agents::Known;
use crate::store::{MetricSet, StoreError, series};
use arki_model::clock::UnixSeconds;
use arki_model::wire::{Summary, problem};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Sets remembered at one time, 40 bytes each; past it all are forgotten and asked for again.
const REMEMBERED_MAX: usize = 50_000;

/// New sets of one agent a day. An agent whose series change in every bucket of five minutes makes 288, and may have
/// three such days to catch up with after an outage; more is no monitoring.
const NEW_A_DAY_MAX: u32 = 1_000;
const DAY_S: i64 = 86_400;
/// After it the agent comes again; what it has to tell waits in its spool.
const PAUSE_S: u64 = 3_600;

/// What was seen: the set's number and how many names it has.
#[derive(Debug, Default)]
pub(super) struct Sets {
    seen: Mutex<HashMap<[u8; 16], (i64, usize)>>,
    made: Mutex<Made>,
}

/// New sets of the present day, by the number of their agent.
#[derive(Debug, Default)]
struct Made {
    day: i64,
    by_agent: HashMap<i64, u32>,
}

impl Made {
    /// Counts one more; false where there were too many.
    fn one_more(&mut self, agent_no: i64, now_s: UnixSeconds) -> bool {
        let day = now_s.div_euclid(DAY_S);
        if self.day != day {
            *self = Self {
                day,
                by_agent: HashMap::new(),
            };
        }
        let count = self.by_agent.entry(agent_no).or_default();
        let fits = *count < NEW_A_DAY_MAX;
        *count += u32::from(fits);
        fits
    }
}

impl Sets {
    /// The number of the summary's set; stored now if its names came along and are new.
    pub(super) async fn number(
        &self,
        hub: &Hub,
        known: &Known,
        summary: &Summary,
    ) -> Result<i64, Problem> {
        let remembered = lock(&self.seen).get(&summary.digest).copied();
        let found = match remembered {
            None => series::find_set(&*hub.store, summary.digest).await?,
            found => found,
        };
        let (set_no, length) = match (found, &summary.names) {
            (Some(found), _) => found,
            (None, Some(names)) => {
                let now_s = hub.clock.now_s();
                if !lock(&self.made).one_more(known.agent_no, now_s) {
                    tracing::warn!(
                        agent_no = known.agent_no,
                        "an agent's series change too often"
                    );
                    let detail = format!(
                        "more than {NEW_A_DAY_MAX} different sets of series came from this agent in a day"
                    );
                    return Err(Problem::later(detail, PAUSE_S));
                }
                let names = names.names().iter().map(ToString::to_string).collect();
                intern(hub, summary.digest, names).await?
            }
            (None, None) => {
                return Err(Problem::new(
                    StatusCode::CONFLICT,
                    "the names of these series are not known here: send them along",
                )
                .of_kind(problem::SERIES_UNKNOWN));
            }
        };
        if length != summary.series {
            let detail = format!("a set of {length} names has no {} columns", summary.series);
            return Err(Problem::bad(detail).of_kind(problem::MALFORMED));
        }
        let mut all = lock(&self.seen);
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        all.insert(summary.digest, (set_no, length));
        Ok(set_no)
    }
}

async fn intern(
    hub: &Hub,
    digest: [u8; 16],
    names: Vec<String>,
) -> Result<(i64, usize), StoreError> {
    let length = names.len();
    let set_no = hub.store.intern(&MetricSet { digest, names }).await?;
    Ok((set_no, length))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_makes_so_many_sets_a_day_and_the_others_as_many() {
        let mut made = Made::default();
        for _ in 0..NEW_A_DAY_MAX {
            assert!(made.one_more(1, 1_000));
        }
        assert!(!made.one_more(1, DAY_S - 1));
        assert!(made.one_more(2, DAY_S - 1));
        assert!(made.one_more(1, DAY_S));
    }
}
