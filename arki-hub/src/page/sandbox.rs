//! Runs of the sandbox: the list, and one run with all that it found and what became of it.

use super::html::{figure, text};
use super::render::{ago, frame};
use super::{enter, leave};
use crate::api::predictions::uuid;
use crate::api::sandbox::run as find;
use crate::auth::Caller;
use crate::hub::Hub;
use crate::sandbox::live::{self, Application, Drift};
use crate::sandbox::result::{Configuration, Copy, Figure, Measured, Step, TrialResult};
use crate::server::{Peer, problem::Problem};
use crate::store::sandbox::{Decision, Filter, Run, list};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use std::fmt::Write;
use std::sync::Arc;

/// Runs in a list.
const RUNS_MAX: i64 = 20;

/// `GET /sandbox/{id}`
pub async fn run(
    State(hub): State<Arc<Hub>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match enter(&hub, peer, &uri, &headers).await {
        Err(response) => response,
        Ok(caller) => {
            let page = whole(&hub, &caller, &id).await;
            leave(&hub, &caller, page)
        }
    }
}

async fn whole(hub: &Hub, caller: &Caller, id: &str) -> Result<String, Problem> {
    let found = find(hub, id).await?;
    live::look_again(hub, &found).await?;
    let since = Since {
        drift: live::drift(hub, &found).await?,
        application: live::application(hub, &found).await?,
    };
    Ok(one(caller, &found, &since, hub.clock.now_s()))
}

/// What became of the live service since a run.
struct Since {
    drift: Option<Drift>,
    application: Option<Application>,
}

/// The newest runs that `filter` lets through, as a section of another page; empty where there are none.
pub(super) async fn section(hub: &Hub, filter: &Filter) -> Result<String, Problem> {
    let mut runs = list(&*hub.store, filter, i64::MAX, RUNS_MAX).await?;
    if filter.prediction_id.is_some() {
        // what proves most comes first
        runs.sort_by(|a, b| b.score.unwrap_or(-1.0).total_cmp(&a.score.unwrap_or(-1.0)));
    }
    if runs.is_empty() {
        return Ok(String::new());
    }
    let now_s = hub.clock.now_s();
    let rows: Vec<String> = runs.iter().map(|run| row(run, now_s)).collect();
    Ok(format!(
        "<h2>Trials</h2><table><thead><tr><th>When<th>What<th class=\"wide\">Host<th>State<th>Decision</tr></thead>\
         <tbody>{}</tbody></table>",
        rows.concat()
    ))
}

fn row(run: &Run, now_s: i64) -> String {
    let host = run.agent.as_ref().map_or("–", |(_, _, host)| host);
    let decision = run
        .decision
        .as_ref()
        .map_or("–", |decision| &decision.decision);
    format!(
        "<tr><td>{}</td><td class=\"name\"><a href=\"/sandbox/{}\">{} {}</a></td><td class=\"wide\">{}</td>\
         <td>{}</td><td>{}</td></tr>",
        ago(run.created_at, now_s),
        uuid(&run.run_id),
        text(&run.service),
        text(&run.action),
        text(host),
        text(&stands(run)),
        text(decision)
    )
}

fn stands(run: &Run) -> String {
    match (&run.outcome, &run.fidelity) {
        (Some(outcome), Some(fidelity)) => format!("{outcome}: {fidelity}"),
        _ => run.state.name().to_owned(),
    }
}

fn one(caller: &Caller, run: &Run, since: &Since, now_s: i64) -> String {
    let result: Option<TrialResult> = run
        .result
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    let host = run.agent.as_ref().map_or(String::new(), |(_, id, host)| {
        let id = arki_model::hex::encode(id);
        format!(" for <a href=\"/hosts/{id}\">{}</a>", text(host))
    });
    let about = run.prediction_id.as_deref().map_or(String::new(), |id| {
        format!(
            " about <a href=\"/predictions/{}\">a prediction</a>",
            uuid(id)
        )
    });
    let mut main = format!(
        "<h1>{} {} <span class=\"state\">{}</span></h1><p>Asked for by {} {}{host}{about}.</p>",
        text(&run.service),
        text(&run.action),
        text(run.state.name()),
        text(&run.requested_by),
        ago(run.created_at, now_s),
    );
    if !run.error.is_empty() {
        let _infallible = write!(main, "<p class=\"wrong\">{}</p>", text(&run.error));
    }
    if let Some(result) = &result {
        main.push_str(&verdict(result, now_s));
    }
    if let Some(decision) = &run.decision {
        main.push_str(&decided(decision, now_s));
    }
    if let Some(application) = &since.application {
        main.push_str(&applied(application, now_s));
    } else if let Some(drift) = &since.drift {
        main.push_str(&drifted(drift, run, now_s));
    }
    if let Some(result) = &result {
        main.push_str(&measures(result));
        main.push_str(&steps("On the copy that was tried on", &result.tried));
        main.push_str(&steps("On the control copy", &result.control));
    }
    let waits = since.application.as_ref();
    let waits = waits.is_some_and(|application| application.state == "waiting");
    let refresh = (waits || !run.state.is_ended()).then_some(2);
    frame(
        &format!("{} {}", run.service, run.action),
        Some(caller),
        refresh,
        &main,
    )
}

/// How the host's configuration stands to the one that was tried.
fn drifted(drift: &Drift, run: &Run, now_s: i64) -> String {
    let seen = ago(drift.taken_at, now_s);
    if drift.changed {
        return format!(
            "<p class=\"wrong\">The host's configuration has changed since this trial (seen {seen}): it cannot be applied; try it again.</p>"
        );
    }
    if run.decision.is_some() {
        return String::new();
    }
    let known = if drift.seen_since {
        format!("The host's configuration is as it was tried (seen {seen}).")
    } else {
        "Whether the host's configuration has changed since is not known yet: its agent is asked, and answers within five minutes."
            .to_owned()
    };
    format!("<p><small>{known}</small></p>")
}

fn verdict(result: &TrialResult, now_s: i64) -> String {
    let items = |title: &str, all: &[String]| {
        let all: Vec<String> = all
            .iter()
            .map(|one| format!("<li>{}</li>", text(one)))
            .collect();
        if all.is_empty() {
            String::new()
        } else {
            format!("<p>{title}</p><ul>{}</ul>", all.concat())
        }
    };
    format!(
        "<article><p class=\"series\">$ {}</p><p class=\"left\">{}</p><p>{}</p>{}{}{}<p>Undo: {}</p>\
         <p><small>Image {}. Configuration: {}. Took {} ms.</small></p></article>",
        text(&result.argv.join(" ")),
        text(result.fidelity.name()),
        text(&result.summary),
        items("It proves:", &result.proves),
        items("It does not prove:", &result.does_not_prove),
        items("Left out of the copy:", &result.configuration.left_out),
        text(&result.undo),
        text(&result.image),
        configured(&result.configuration, now_s),
        result.duration_ms
    )
}

/// With which configuration, from when, and why not with the host's own.
fn configured(tried: &Configuration, now_s: i64) -> String {
    let why = match tried.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({})", text(reason)),
    };
    let of = match tried.source.as_str() {
        "image" => return format!("the image's own{why}"),
        "snapshot" => "the host's",
        _ => "as given",
    };
    let taken = tried
        .taken_at
        .map_or(String::new(), |at| format!(", taken {}", ago(at, now_s)));
    let files = match tried.files {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    format!("{of}{taken}{why}, {files}, {}", text(&tried.hash))
}

/// What became of it at the agent.
fn applied(application: &Application, now_s: i64) -> String {
    let detail = text(&application.detail);
    let how = match application.state.as_str() {
        "waiting" => format!(
            "The agent was asked {} and has not come for it yet.",
            ago(application.asked_at, now_s)
        ),
        "expired" => "The agent did not come for it before its permission ended: nothing was done."
            .to_owned(),
        "done" => format!("Applied on the host: {detail}."),
        "failed" => format!("Applied on the host, and it failed: {detail}."),
        state => format!("The agent {} it: {detail}.", text(state)),
    };
    let class = if matches!(application.state.as_str(), "waiting" | "done") {
        "left"
    } else {
        "wrong"
    };
    let written: Vec<String> = ["stdout", "stderr"]
        .into_iter()
        .filter_map(|stream| application.report.as_ref()?.get(stream)?.as_str())
        .filter(|written| !written.is_empty())
        .map(|written| format!("<pre>{}</pre>", text(written)))
        .collect();
    let prediction = application
        .prediction
        .as_deref()
        .map_or(String::new(), |state| {
            let stands = match state {
                "active" => "still stands".to_owned(),
                "happened" => "came true all the same".to_owned(),
                other => format!("is over: {}", text(other)),
            };
            format!("<p>The prediction {stands}.</p>")
        });
    format!(
        "<article><p class=\"{class}\">{how}</p>{}{prediction}</article>",
        written.concat()
    )
}

fn decided(decision: &Decision, now_s: i64) -> String {
    let word = if decision.decision == "apply" {
        "to apply it"
    } else {
        "to dismiss it"
    };
    format!(
        "<p>{} decided {word} {}: “{}”</p>",
        text(&decision.name),
        ago(decision.at, now_s),
        text(&decision.reason)
    )
}

fn measures(result: &TrialResult) -> String {
    if result.tried.measures.is_empty() {
        return String::new();
    }
    let shown = |figure_: Option<&Figure>| match figure_ {
        None => "–".to_owned(),
        Some(Figure::Number(number)) => figure(*number),
        Some(Figure::Text(words)) => text(words),
    };
    let change = |measured: &Measured| {
        format!(
            "{} → {}",
            shown(measured.before.as_ref()),
            shown(measured.after.as_ref())
        )
    };
    let both = result.tried.measures.iter().zip(&result.control.measures);
    let mut rows: Vec<String> = both
        .map(|(tried, control)| {
            let unit = text(&tried.unit);
            format!(
                "<tr><td>{} <small>{unit}</small></td><td>{}</td><td>{}</td></tr>",
                text(&tried.title),
                change(tried),
                change(control)
            )
        })
        .collect();
    let bytes = |copy: &Copy| {
        let one = |bytes: Option<u64>| bytes.map_or("–".into(), |bytes| figure(bytes as f64));
        format!(
            "{} → {}",
            one(copy.memory_bytes_before),
            one(copy.memory_bytes_after)
        )
    };
    rows.push(format!(
        "<tr><td>Memory <small>bytes</small></td><td>{}</td><td>{}</td></tr>",
        bytes(&result.tried),
        bytes(&result.control)
    ));
    format!(
        "<h2>Before and after</h2><table><thead><tr><th>What<th>Tried<th>Control copy</tr></thead><tbody>{}</tbody></table>",
        rows.concat()
    )
}

fn steps(title: &str, copy: &Copy) -> String {
    if copy.steps.is_empty() {
        return String::new();
    }
    let all: Vec<String> = copy.steps.iter().map(step).collect();
    let stopped = copy.stopped.as_deref().map_or(String::new(), |why| {
        format!(
            "<p class=\"wrong\">It had to be stopped: {}.</p>",
            text(why)
        )
    });
    format!("<h2>{title}</h2>{stopped}{}", all.concat())
}

fn step(step: &Step) -> String {
    let code = step
        .exit_code
        .map_or("still ran".to_owned(), |code| format!("exit {code}"));
    let more = if step.truncated { "\n…" } else { "" };
    format!(
        "<details><summary><code>{}</code> <small>{code}, {} ms</small></summary><pre>{}{more}</pre></details>",
        text(&step.argv.join(" ")),
        step.duration_ms,
        text(&step.output)
    )
}
