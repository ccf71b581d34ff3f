//! The API for people and programs: JSON, described by an OpenAPI document, problems as RFC 9457 has them.
//!
//! Lists are pages: `limit` (1 to 1,000, by default 100) and `after`, the `next` of the page before.

use crate::server::problem::Problem;
use serde::{Deserialize, Serialize};

pub mod agents;
pub mod alerts;
pub mod answers;
pub mod health;
pub mod metrics;
pub mod openapi;
pub mod predictions;
pub mod sandbox;
pub mod snapshots;
pub mod tokens;

/// A page's size at most, and by default.
const LIMIT_MAX: i64 = 1_000;
const LIMIT_DEFAULT: i64 = 100;

/// Which page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Paging {
    limit: Option<i64>,
    after: Option<String>,
}

impl Paging {
    /// Rows on the page, and the number of the row before it (`first` on the first page).
    fn bounds(&self, first: i64) -> Result<(i64, i64), Problem> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Problem::bad(format!("`limit` is 1 to {LIMIT_MAX}")));
        }
        let after = match &self.after {
            None => first,
            Some(text) => text
                .parse()
                .map_err(|_| Problem::bad("`after` takes the `next` of the page before"))?,
        };
        Ok((limit, after))
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What `after` takes for the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of rows that were read with `limit`; `number` tells the number of a row.
    fn of<R>(rows: Vec<R>, limit: i64, number: impl Fn(&R) -> i64, show: impl Fn(R) -> T) -> Self {
        let is_full = rows.len() as i64 == limit;
        let next = rows
            .last()
            .filter(|_| is_full)
            .map(|row| number(row).to_string());
        let items = rows.into_iter().map(show).collect();
        Self { items, next }
    }
}

/// Sixteen bytes from their hexadecimal form, as agents and events have them in paths.
fn identifier(text: &str, what: &str) -> Result<[u8; 16], Problem> {
    let digits = text.replace('-', "");
    arki_model::hex::decode(&digits).ok_or_else(|| Problem::missing(what))
}
