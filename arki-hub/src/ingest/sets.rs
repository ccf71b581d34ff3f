//! Sets of series names that were seen: a summary names them by their digest.
//!
//! What is kept here only saves the question to the database; another hub asks for itself.

use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::{MetricSet, series};
use arki_model::wire::{Summary, problem};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Sets remembered at one time, 40 bytes each; past it all are forgotten and asked for again.
const REMEMBERED_MAX: usize = 50_000;

/// What was seen: the set's number and how many names it has.
#[derive(Debug, Default)]
pub(super) struct Sets(Mutex<HashMap<[u8; 16], (i64, usize)>>);

impl Sets {
    /// The number of the summary's set; stored now if its names came along and are new.
    pub(super) async fn number(&self, hub: &Hub, summary: &Summary) -> Result<i64, Problem> {
        let remembered = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&summary.digest)
            .copied();
        let (set_no, length) = match (remembered, &summary.names) {
            (Some(found), _) => found,
            (None, Some(names)) => {
                let digest = summary.digest;
                let names: Vec<String> = names.names().iter().map(ToString::to_string).collect();
                let length = names.len();
                (
                    hub.store.intern(&MetricSet { digest, names }).await?,
                    length,
                )
            }
            (None, None) => series::find_set(&*hub.store, summary.digest)
                .await?
                .ok_or_else(|| {
                    Problem::new(
                        StatusCode::CONFLICT,
                        "the names of these series are not known here: send them along",
                    )
                    .of_kind(problem::SERIES_UNKNOWN)
                })?,
        };
        if length != summary.series {
            let detail = format!("a set of {length} names has no {} columns", summary.series);
            return Err(Problem::bad(detail).of_kind(problem::MALFORMED));
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        all.insert(summary.digest, (set_no, length));
        Ok(set_no)
    }
}
