//! What people are told: once as data (for webhooks), once as text (for mail and chat).

use crate::hub::Hub;
use crate::store::StoreError;
use crate::store::alerts::Alert;
use crate::store::predictions::{self, severity_name};
use arki_model::clock::UnixSeconds;
use arki_model::span::span;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Hosts that the text names; the rest is counted.
const HOSTS_SHOWN: usize = 20;
/// Reasons that the text quotes.
const REASON_BYTES_MAX: usize = 300;

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// `prediction`, `ended`, `silent`, `returned`, `conflict` or `test`.
    pub kind: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// One line.
    pub title: String,
    /// Some lines.
    pub text: String,
    /// Every host that it is about.
    pub hosts: Vec<String>,
    /// The series; empty where it is about the agents.
    pub series: String,
    /// The least time left, in seconds.
    pub eta_seconds: Option<f64>,
    /// When it fails, by that.
    pub fails_at: Option<UnixSeconds>,
    /// The votes of the leading prediction, with their evidence.
    pub evidence: Vec<String>,
    /// Where to look.
    pub link: String,
    /// When it was written.
    pub time: UnixSeconds,
}

impl Message {
    /// One message about a group of alerts of one kind.
    pub async fn about(
        hub: &Hub,
        alerts: &[Alert],
        now_s: UnixSeconds,
    ) -> Result<Self, StoreError> {
        let lead = alerts
            .first()
            .ok_or_else(|| StoreError::Content("a group without alerts".into()))?;
        let mut found = Vec::new();
        for id in alerts
            .iter()
            .filter_map(|alert| alert.event_id.as_deref())
            .take(HOSTS_SHOWN)
        {
            found.extend(predictions::by_event(&*hub.store, id).await?);
        }
        let fails_at =
            |p: &predictions::Prediction| p.eta_s.map(|[_, median, _]| p.raised_at as f64 + median);
        let soonest = found
            .iter()
            .filter(|p| p.eta_s.is_some())
            .min_by(|a, b| {
                fails_at(a)
                    .partial_cmp(&fails_at(b))
                    .unwrap_or(std::cmp::Ordering::Equal)
            })
            .or(found.first());
        let mut hosts: Vec<String> = alerts.iter().map(|alert| alert.host.clone()).collect();
        hosts.sort();
        hosts.dedup();
        let mut message = Self {
            kind: lead.kind.clone(),
            severity: severity_name(lead.severity).to_owned(),
            title: String::new(),
            text: String::new(),
            hosts,
            series: lead.series.clone(),
            eta_seconds: soonest
                .and_then(fails_at)
                .map(|at| (at - now_s as f64).max(0.0)),
            fails_at: soonest.and_then(fails_at).map(|at| at as i64),
            evidence: soonest.map(evidence).unwrap_or_default(),
            link: link(hub, alerts, soonest),
            time: now_s,
        };
        message.title = message.headline(&lead.reason);
        message.text = message.lines(&lead.reason, soonest);
        Ok(message)
    }

    /// What `arki-hub notify test` sends.
    pub fn test(hub: &Hub, now_s: UnixSeconds) -> Self {
        Self {
            kind: "test".into(),
            severity: "info".into(),
            title: "Arki: a test message".into(),
            text: "This channel works. Nothing is wrong.".into(),
            hosts: Vec::new(),
            series: String::new(),
            eta_seconds: None,
            fails_at: None,
            evidence: Vec::new(),
            link: hub.config.public_url.clone(),
            time: now_s,
        }
    }

    fn headline(&self, reason: &str) -> String {
        let who = match self.hosts.as_slice() {
            [one] => one.clone(),
            many => format!("{} hosts", many.len()),
        };
        let left = self
            .eta_seconds
            .map(|s| format!(" in {}", span(s)))
            .unwrap_or_default();
        match self.kind.as_str() {
            "prediction" if self.eta_seconds.is_some() => {
                format!(
                    "[{}] {who}: {} reaches its bound{left}",
                    self.severity, self.series
                )
            }
            "prediction" => format!(
                "[{}] {who}: {} behaves as never before",
                self.severity, self.series
            ),
            "ended" => format!("[{reason}] {who}: {}", self.series),
            "silent" => format!("[silent] {who}: nothing is heard"),
            "returned" => format!("[back] {who}: heard again"),
            _ => format!("[{}] {who}: {reason}", self.kind),
        }
    }

    fn lines(&self, reason: &str, lead: Option<&predictions::Prediction>) -> String {
        let mut text = String::new();
        let mut line = |content: String| {
            text.push_str(&content);
            text.push('\n');
        };
        if let Some(p) = lead {
            let bound = p
                .bound
                .map(|bound| format!(" of {bound:.1}"))
                .unwrap_or_default();
            line(format!(
                "{} on {} stands at {:.1}{bound}.",
                p.series, p.host, p.value
            ));
            if let Some([low, median, high]) = p.eta_s {
                line(format!(
                    "Time left: {} ({} to {}).",
                    span(median),
                    span(low),
                    span(high)
                ));
            }
        } else if !reason.is_empty() {
            line(format!("{reason}."));
        }
        for vote in &self.evidence {
            line(format!("- {vote}"));
        }
        if self.hosts.len() > 1 {
            let shown = self
                .hosts
                .iter()
                .take(HOSTS_SHOWN)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            let rest = self.hosts.len().saturating_sub(HOSTS_SHOWN);
            let more = if rest > 0 {
                format!(" and {rest} more")
            } else {
                String::new()
            };
            line(format!("{} hosts: {shown}{more}.", self.hosts.len()));
        }
        if !self.link.is_empty() {
            line(self.link.clone());
        }
        text
    }
}

/// Where it is told more: of one prediction, however often it was raised meanwhile, its own page.
fn link(hub: &Hub, alerts: &[Alert], lead: Option<&predictions::Prediction>) -> String {
    let base = hub.config.public_url.trim_end_matches('/');
    let subject = |alert: &Alert| (alert.agent_no, alert.series.clone());
    let is_one = alerts
        .windows(2)
        .all(|pair| subject(&pair[0]) == subject(&pair[1]));
    match (base, lead) {
        ("", _) => String::new(),
        (base, Some(p)) if is_one => format!(
            "{base}/predictions/{}",
            crate::api::predictions::uuid(&p.event_id)
        ),
        (base, _) => format!("{base}/"),
    }
}

/// The votes as one line each: `trend: yes, rises 3.1 points an hour for 2 h 10 min`.
fn evidence(prediction: &predictions::Prediction) -> Vec<String> {
    let body: Value = serde_json::from_str(&prediction.body).unwrap_or_default();
    let votes = body
        .pointer("/prediction/votes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let part = |vote: &Value, key: &str| {
        vote.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    votes
        .iter()
        .map(|vote| {
            let mut line = format!("{}: {}", part(vote, "voter"), part(vote, "verdict"));
            let reason: String = part(vote, "reason")
                .chars()
                .filter(|c| !c.is_control())
                .take(REASON_BYTES_MAX)
                .collect();
            if !reason.is_empty() {
                line.push_str(", ");
                line.push_str(&reason);
            }
            line
        })
        .collect()
}
