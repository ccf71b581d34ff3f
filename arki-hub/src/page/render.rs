//! The pages' HTML. Everything from outside passes `html::text`.

#![expect(
    clippy::format_collect,
    reason = "a page of some hundred rows, read more easily this way"
)]

use super::{
    chart,
    html::{figure, text},
};
use crate::api::predictions::uuid;
use crate::auth::Caller;
use crate::server::problem::Problem;
use crate::store::agents::Agent;
use crate::store::alerts::Alert;
use crate::store::predictions::{Prediction, severity_name};
use crate::store::series::{Latest, Point};
use arki_model::span::span;
use serde_json::Value;

/// The frame of every page. `refresh_s`: it is loaded again by itself.
pub(super) fn frame(
    title: &str,
    caller: Option<&Caller>,
    refresh_s: Option<u32>,
    main: &str,
) -> String {
    let refresh = refresh_s
        .map(|s| format!("<meta http-equiv=\"refresh\" content=\"{s}\">"))
        .unwrap_or_default();
    let out = caller.map_or(String::new(), |caller| {
        format!(
            "<form method=\"post\" action=\"/sign-out\"><span>{}</span> <button>Sign out</button></form>",
            text(&caller.name)
        )
    });
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">{refresh}<title>{title} · Arki</title>\
         <link rel=\"icon\" href=\"/assets/icon.svg\"><link rel=\"stylesheet\" href=\"/assets/page.css\"><script src=\"/assets/page.js\" defer></script></head>\
         <body><header><a href=\"/\">Arki</a>{out}</header><main>{main}</main></body></html>",
        title = text(title)
    )
}

pub(super) fn home(
    caller: &Caller,
    active: &[Prediction],
    hosts: &[Agent],
    told: &[Alert],
    trials: &str,
    now_s: i64,
) -> String {
    let cards: String = active.iter().map(|p| card(p, now_s)).collect();
    let cards = if active.is_empty() {
        "<p class=\"calm\">No active prediction. Nothing is expected to fail.</p>".to_owned()
    } else {
        format!("<div class=\"cards\">{cards}</div>")
    };
    let main = format!(
        "<h1>{}</h1>{cards}{trials}<h2>Hosts <small>{}</small></h2>{}<h2>Last alerts</h2>{}",
        counted(active.len(), "active prediction"),
        hosts.len(),
        host_table(hosts, now_s),
        alert_table(told, now_s)
    );
    frame("Fleet", Some(caller), Some(30), &main)
}

fn host_table(hosts: &[Agent], now_s: i64) -> String {
    if hosts.is_empty() {
        return "<p class=\"calm\">No host yet. <code>arki-hub agent token</code> makes a token to enrol one.</p>".into();
    }
    let rows: String = hosts
        .iter()
        .map(|agent| {
            let worst = agent.severity.map(severity_name).unwrap_or_default();
            let predictions = if agent.predictions > 0 {
                format!("<b class=\"{worst}\">{}</b>", agent.predictions)
            } else {
                "–".to_owned()
            };
            format!(
                "<tr><td class=\"name\"><a href=\"/hosts/{id}\">{host}</a></td><td><span class=\"state {state}\">{state}</span></td>\
                 <td>{predictions}</td><td>{seen}</td><td class=\"wide\">{version}</td></tr>",
                id = arki_model::hex::encode(&agent.agent_id),
                host = text(&agent.host),
                state = agent.state(),
                seen = agent.seen_at.map_or("never".into(), |at| ago(at, now_s)),
                version = text(&agent.version),
            )
        })
        .collect();
    format!(
        "<table><thead><tr><th>Host<th>State<th>Predictions<th>Heard<th class=\"wide\">Agent</tr></thead>\
         <tbody>{rows}</tbody></table>"
    )
}

fn alert_table(told: &[Alert], now_s: i64) -> String {
    if told.is_empty() {
        return "<p class=\"calm\">Nobody had to be told anything.</p>".into();
    }
    let rows: String = told
        .iter()
        .map(|alert| {
            format!(
                "<tr><td>{}</td><td class=\"wide\">{}</td><td class=\"name\">{}</td><td><span class=\"state {state}\">{state}</span> {}</td></tr>",
                ago(alert.time, now_s),
                text(&alert.kind),
                text(&if alert.series.is_empty() { alert.host.clone() } else { format!("{} {}", alert.host, alert.series) }),
                text(&alert.reason),
                state = text(&alert.state),
            )
        })
        .collect();
    format!(
        "<table><thead><tr><th>When<th class=\"wide\">What<th>Where<th>Told</tr></thead><tbody>{rows}</tbody></table>"
    )
}

/// A prediction in short.
fn card(p: &Prediction, now_s: i64) -> String {
    format!(
        "<article class=\"{severity}\"><h3><a href=\"/predictions/{id}\">{host}</a> <span class=\"state {severity}\">{severity}</span></h3>\
         <p class=\"series\">{series}</p><p class=\"left\">{left}</p><p>{value}</p></article>",
        severity = severity_name(p.severity),
        id = uuid(&p.event_id),
        host = text(&p.host),
        series = text(&p.series),
        left = countdown(p, now_s),
        value = stands(p),
    )
}

fn stands(p: &Prediction) -> String {
    match p.bound {
        Some(bound) => format!("stands at {} of {}", figure(p.value), figure(bound)),
        None => format!("stands at {}", figure(p.value)),
    }
}

/// The time left, counted down by the page's script; without the script as it was when the page was made.
fn countdown(p: &Prediction, now_s: i64) -> String {
    if p.state != "active" {
        return text(&p.state);
    }
    match p.eta_s.zip(p.fails_at()) {
        None => "behaves as never before".into(),
        Some(([low, _, high], fails_at)) => {
            let left = fails_at.saturating_sub(now_s).max(0) as f64;
            format!(
                "<time data-left=\"{left}\">{}</time> <small>as said {}: {} to {}</small>",
                span(left),
                ago(p.raised_at, now_s),
                span(low),
                span(high)
            )
        }
    }
}

pub(super) fn host(
    caller: &Caller,
    agent: &Agent,
    own: &[Prediction],
    charts: &[(Latest, Vec<Point>)],
    now_s: i64,
) -> String {
    let cards: String = own.iter().map(|p| card(p, now_s)).collect();
    let figures: String = charts
        .iter()
        .map(|(latest, points)| {
            format!(
                "<figure><figcaption><span>{}</span><b>{}</b></figcaption>{}</figure>",
                text(&latest.series),
                latest
                    .value
                    .map_or("–".into(), |value| figure(f64::from(value))),
                chart::svg(&latest.series, points, now_s - super::CHART_S, now_s)
            )
        })
        .collect();
    let main = format!(
        "<h1>{host} <span class=\"state {state}\">{state}</span></h1>\
         <p>Heard {seen}. Agent {version}, enrolled {enrolled}.</p>{cards}<h2>Last 24 hours</h2>{figures}",
        host = text(&agent.host),
        state = agent.state(),
        seen = agent.seen_at.map_or("never".into(), |at| ago(at, now_s)),
        version = text(&agent.version),
        enrolled = ago(agent.enrolled_at, now_s),
        cards = if own.is_empty() {
            String::new()
        } else {
            format!("<div class=\"cards\">{cards}</div>")
        },
        figures = if charts.is_empty() {
            "<p class=\"calm\">Nothing was shipped yet.</p>".to_owned()
        } else {
            format!("<div class=\"charts\">{figures}</div>")
        },
    );
    frame(&agent.host, Some(caller), Some(60), &main)
}

pub(super) fn prediction(caller: &Caller, p: &Prediction, trials: &str, now_s: i64) -> String {
    let body: Value = serde_json::from_str(&p.body).unwrap_or_default();
    let list = |pointer: &str| {
        body.pointer(pointer)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let word =
        |value: &Value, key: &str| text(value.get(key).and_then(Value::as_str).unwrap_or_default());
    let number = |value: &Value, key: &str| {
        figure(value.get(key).and_then(Value::as_f64).unwrap_or_default())
    };
    let votes: String = list("/prediction/votes")
        .iter()
        .map(|vote| {
            format!(
                "<tr><td>{}</td><td><span class=\"state {verdict}\">{verdict}</span></td><td>{}</td></tr>",
                word(vote, "voter"),
                word(vote, "reason"),
                verdict = word(vote, "verdict")
            )
        })
        .collect();
    let processes: String = list("/processes")
        .iter()
        .map(|one| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>+{}</td></tr>",
                word(one, "name"),
                word(one, "resource"),
                number(one, "growth")
            )
        })
        .collect();
    let processes = if processes.is_empty() {
        String::new()
    } else {
        format!(
            "<h2>Grew most</h2><table><thead><tr><th>Process<th>What<th>Growth</tr></thead><tbody>{processes}</tbody></table>"
        )
    };
    let main = format!(
        "<h1>{host}</h1><article class=\"{severity}\"><p class=\"series\">{series}</p>\
         <p class=\"left\">{left}</p><p>{value}; said {events}, first {first}.</p></article>\
         <h2>Evidence</h2><table><thead><tr><th>Voter<th>Says<th>Because</tr></thead><tbody>{votes}</tbody></table>\
         {processes}{trials}<p><a href=\"/hosts/{agent}\">All series of this host</a></p>",
        host = text(&p.host),
        severity = severity_name(p.severity),
        series = text(&p.series),
        left = countdown(p, now_s),
        value = stands(p),
        events = counted(p.events as usize, "time"),
        first = ago(p.first_at, now_s),
        agent = arki_model::hex::encode(&p.agent_id),
    );
    frame(
        &format!("{} {}", p.host, p.series),
        Some(caller),
        Some(30),
        &main,
    )
}

/// The form; from it one goes on to `next`.
pub(super) fn sign_in(said: &str, next: &str) -> String {
    let said = if said.is_empty() {
        String::new()
    } else {
        format!("<p class=\"wrong\" role=\"alert\">{}</p>", text(said))
    };
    let main = format!(
        "<form class=\"sign-in\" method=\"post\" action=\"/sign-in\"><h1>Sign in</h1>{said}\
         <input type=\"hidden\" name=\"next\" value=\"{}\"><label for=\"key\">API key</label><input id=\"key\" name=\"key\" type=\"password\" autocomplete=\"current-password\" required autofocus>\
         <button>Sign in</button><p><small><code>arki-hub key create NAME --scope read</code> makes one.</small></p></form>",
        text(next)
    );
    frame("Sign in", None, None, &main)
}

pub(super) fn failed(problem: &Problem) -> String {
    let title = problem.status.canonical_reason().unwrap_or("Error");
    let main = format!(
        "<h1>{title}</h1><p>{}</p><p><a href=\"/\">Back to the fleet</a></p>",
        text(&problem.detail)
    );
    frame(title, None, None, &main)
}

pub(super) fn ago(at: i64, now_s: i64) -> String {
    let passed_s = now_s.saturating_sub(at);
    if passed_s < 1 {
        "now".into()
    } else {
        format!("{} ago", span(passed_s as f64))
    }
}

fn counted(n: usize, thing: &str) -> String {
    if n == 1 {
        format!("1 {thing}")
    } else {
        format!("{n} {thing}s")
    }
}
