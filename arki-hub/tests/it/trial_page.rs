//! The page of a trial, in Chromium: a result as a runner records it, with output wider than any window.

use crate::browser::Browser;
use crate::page::fits;
use crate::program::Hub;
use arki_hub::sandbox::profile::Kind;
use arki_hub::sandbox::result::{
    Configuration, Copy, Fidelity, Figure, Measured, Outcome, Phase, Step, TrialResult,
};
use arki_hub::store::sandbox::{self, Ended};
use arki_model::clock::{Clock, SystemClock};
use serde_json::json;

/// A trial as a runner records it, with output wider than any window.
fn trial() -> TrialResult {
    let argv: Vec<String> = ["nginx", "-s", "reload"].map(Into::into).into();
    let step = |phase, argv: &[String], output: &str| Step {
        phase,
        argv: argv.to_vec(),
        exit_code: Some(0),
        output: output.to_owned(),
        truncated: false,
        duration_ms: 48,
    };
    let measured = |after: &str| Measured {
        name: "workers".into(),
        title: "Process ids of the workers".into(),
        kind: Kind::Text,
        unit: String::new(),
        before: Some(Figure::Text("13 14".into())),
        after: Some(Figure::Text(after.into())),
    };
    let copy = |after: &str, steps| Copy {
        steps,
        measures: vec![measured(after)],
        healthy_before: Some(true),
        healthy_after: Some(true),
        memory_bytes_before: Some(4_812_800),
        memory_bytes_after: Some(5_095_424),
        processes_after: Some(5),
        ..Copy::default()
    };
    let probe: Vec<String> = ["pgrep", "-f", "nginx: worker process"]
        .map(Into::into)
        .into();
    let wide = format!(
        "2026/01/01 [notice] {}\n{}",
        "signal process started ".repeat(20),
        "x".repeat(400)
    );
    TrialResult {
        outcome: Outcome::Succeeded,
        summary: "nginx web server accepted it and stayed healthy; the effect was measured, and the control copy does not show it.".into(),
        fidelity: Fidelity::Effect,
        proves: vec!["new workers replace the old ones".into()],
        does_not_prove: vec!["how long old workers keep their connections".into()],
        undo: "Put the old configuration back and reload again.".into(),
        argv: argv.clone(),
        applicable: true,
        image: format!("sha256:{}", "a".repeat(64)),
        configuration: Configuration {
            source: "image".into(),
            hash: "b".repeat(64),
            ..Configuration::default()
        },
        tried: copy("27 28", vec![
            step(Phase::Ready, &probe, "13\n14\n"),
            step(Phase::Action, &argv, &wide),
            step(Phase::Probe, &probe, "27\n28\n"),
        ]),
        control: copy("13 14", vec![step(Phase::Ready, &probe, "13\n14\n")]),
        duration_ms: 812,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_shown_without_scrolling_sideways() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let hub = Hub::start("").await;
    let key = hub.key("sandbox").await;
    let wish = json!({ "service": "nginx", "action": "reload" });
    let (status, made) = hub.post("/v1/sandbox/runs", &key, &wish).await;
    assert_eq!(status, 201, "{made}");
    let database = arki_hub::config::Database {
        url: format!("sqlite://{}", hub.home.path("hub.db").display()),
        ..Default::default()
    };
    let now_s = SystemClock::new().now_s();
    let store = arki_hub::store::open(&database, now_s).await.unwrap();
    let who = sandbox::Claimant {
        runner: "test",
        running_max: 9,
        services: None,
        others_before: 0,
    };
    let run = sandbox::claim(&*store, who, now_s).await.unwrap();
    let result = trial();
    let ended = Ended {
        outcome: Some(result.outcome.name().into()),
        fidelity: Some(result.fidelity.name().into()),
        score: Some(3.2),
        result: Some(serde_json::to_string(&result).unwrap()),
        error: String::new(),
    };
    let kept = sandbox::finish(&*store, &run.unwrap(), &ended, now_s, Vec::new()).await;
    assert!(kept.unwrap());

    browser.look(1280, 900, "light").await;
    browser.open(&hub.url).await;
    browser.until("Sign in").await;
    browser.write("#key", &key).await;
    browser.click(".sign-in button").await;
    browser.until("No active prediction").await;
    for (name, width, height, colours) in [
        ("light", 1280, 2000, "light"),
        ("dark", 1280, 2000, "dark"),
        ("phone", 390, 2600, "dark"),
    ] {
        browser.look(width, height, colours).await;
        let path = format!("/sandbox/{}", made["id"].as_str().unwrap());
        browser.open(&format!("{}{path}", hub.url)).await;
        browser.until("effect was measured").await;
        // what is folded away is wide too
        let unfold = "for (const one of document.querySelectorAll('details')) one.open = true";
        browser.ask(unfold).await;
        assert!(fits(&browser).await, "{name}: wider than the window");
        browser.shoot(&format!("{name}-trial")).await;
    }
    let text = browser.text().await;
    for part in [
        "nginx -s reload",
        "signal process started",
        "13 14",
        "27 28",
        "effect measured",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.close().await;
}
