//! `/v1/alerts`: who was told what, and what was quieted and why.

use super::{Page, Paging, predictions::uuid};
use crate::hub::Hub;
use crate::server::problem::Problem;
use crate::store::{alerts, predictions::severity_name};
use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One alert.
#[derive(Debug, Serialize)]
pub struct Alert {
    time: i64,
    kind: String,
    state: String,
    reason: String,
    host: String,
    series: String,
    severity: &'static str,
    prediction: Option<String>,
    /// How many hosts the message named.
    hosts: i64,
}

/// Which alerts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    state: String,
    host: String,
}

/// `GET /v1/alerts`
pub async fn list(
    State(hub): State<Arc<Hub>>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<Alert>>, Problem> {
    if !["", "pending", "notified", "quieted"].contains(&filter.state.as_str()) {
        return Err(Problem::bad("`state` is pending, notified or quieted"));
    }
    let (limit, before) = paging.bounds(i64::MAX)?;
    let rows = alerts::list(&*hub.store, &filter.state, &filter.host, before, limit).await?;
    Ok(Json(Page::of(rows, limit, |row| row.alert_no, show)))
}

fn show(alert: alerts::Alert) -> Alert {
    Alert {
        time: alert.time,
        kind: alert.kind,
        state: alert.state,
        reason: alert.reason,
        host: alert.host,
        series: alert.series,
        severity: severity_name(alert.severity),
        prediction: alert.event_id.as_deref().map(uuid),
        hosts: alert.hosts,
    }
}
