//! Trials on a real engine: every service, every bound, every way out.
//!
//! `ARKI_TEST_DOCKER` names its socket; `.ci/docker` starts one and makes the images. Without it these tests say aloud
//! that they did not run; in CI that is an error.

use super::super::ask::{Ask, Asker, ask};
use super::super::configuration::{Configuration, What};
use super::super::container::{Container, LABEL_RUN, Purpose};
use super::super::engine::Engine;
use super::super::profile::{Action, Profile};
use super::super::profiles::Profiles;
use super::super::result::{Copy, Fidelity, Outcome, Phase, TrialResult};
use super::super::runner::{installation, reap};
use super::super::trial::Trial;
use crate::config::Sandbox;
use std::path::Path;
use std::time::Duration;

/// The engine, and what tells this test's containers from others.
async fn engine() -> Option<(Engine, String)> {
    let Ok(socket) = std::env::var("ARKI_TEST_DOCKER") else {
        println!("SKIPPED: no container engine here (ARKI_TEST_DOCKER; .ci/docker starts one)");
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "nothing is skipped in CI"
        );
        return None;
    };
    let own = arki_model::hex::encode(&crate::random::bytes::<8>());
    Some((
        Engine::connect(&socket, &settings(), &own).await.unwrap(),
        own,
    ))
}

/// Podman finds the profile where it stands; Docker does not look.
fn settings() -> Sandbox {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/seccomp/sandbox.json");
    Sandbox {
        seccomp_file: file,
        ..Sandbox::default()
    }
}

fn profile(name: &str) -> Profile {
    Profiles::load(Path::new(""))
        .unwrap()
        .get(name)
        .unwrap()
        .clone()
}

async fn tried(
    engine: &Engine,
    profile: &Profile,
    action: &str,
    configuration: &Configuration,
    seconds: u64,
) -> TrialResult {
    let image = format!(
        "arki-sandbox/{}:latest",
        if profile.name == "probes" {
            "nginx"
        } else {
            &profile.name
        }
    );
    let image = engine.image_id(&profile.name, &image).await.unwrap();
    let trial = Trial {
        profile,
        action: profile.action(action).unwrap(),
        image: &image,
        configuration,
        run: "00",
        attempt: 1,
        time: Duration::from_secs(seconds),
        now_s: 1_760_000_000,
    };
    let found = trial.carry_out(engine).await.unwrap();
    for _ in 0..100 {
        if engine.containers().await.unwrap().is_empty() {
            return found.result;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "a container was left: {:?}",
        engine.containers().await.unwrap()
    );
}

fn said(copy: &Copy, phase: Phase) -> String {
    let of = copy.steps.iter().filter(|step| step.phase == phase);
    of.map(|step| step.output.as_str()).collect()
}

fn file(path: &str, text: &str) -> (String, What) {
    let bytes = text.as_bytes().to_vec();
    (path.to_owned(), What::File { mode: 0o644, bytes })
}

fn given(root: &str, files: Vec<(String, What)>) -> Configuration {
    Configuration {
        source: "given",
        roots: vec![root.to_owned()],
        entries: files,
        ..Configuration::default()
    }
}

/// Every action of a profile does what it promises.
async fn every_action(name: &str) {
    let Some((engine, _)) = engine().await else {
        return;
    };
    let profile = profile(name);
    for action in &profile.actions {
        let result = tried(
            &engine,
            &profile,
            &action.name,
            &Configuration::of_the_image(),
            60,
        )
        .await;
        let all = serde_json::to_string_pretty(&result).unwrap();
        assert_eq!(
            result.outcome,
            Outcome::Succeeded,
            "{name} {}: {all}",
            action.name
        );
        let expected = match action {
            Action {
                needs_service: false,
                ..
            } => Fidelity::Syntax,
            Action { expects, .. } if expects.is_empty() => Fidelity::Accepted,
            _ => Fidelity::Effect,
        };
        assert_eq!(result.fidelity, expected, "{name} {}: {all}", action.name);
        assert_eq!(result.argv, action.argv);
        if action.needs_service {
            assert!(result.tried.memory_bytes_after.unwrap() > 500_000, "{all}");
            assert_eq!(result.control.healthy_after, Some(true), "{all}");
            assert!(
                result
                    .control
                    .steps
                    .iter()
                    .all(|step| step.phase != Phase::Action)
            );
        }
    }
}

#[tokio::test]
async fn nginx_starts_reloads_and_restarts() {
    every_action("nginx").await;
}

#[tokio::test]
async fn apache_starts_reloads_and_restarts() {
    every_action("apache").await;
}

#[tokio::test]
async fn mariadb_starts_serves_and_restarts() {
    every_action("mariadb").await;
}

#[tokio::test]
async fn generic_starts_and_stays() {
    every_action("generic").await;
}

#[tokio::test]
async fn a_bad_configuration_fails_and_a_good_one_recovers() {
    let Some((engine, _)) = engine().await else {
        return;
    };
    let nginx = profile("nginx");
    let good = "pid /run/nginx.pid; events {} http { upstream app { server backend.internal:8080; } \
                server { listen 8080; location / { proxy_pass http://app; } } }";
    let bad = good.replace("events {}", "events { nonsense on; }");
    let with = |text: &str| given("/etc/nginx", vec![file("/etc/nginx/nginx.conf", text)]);
    for action in ["test", "reload"] {
        let result = tried(&engine, &nginx, action, &with(&bad), 60).await;
        assert_eq!(
            (result.outcome, result.fidelity),
            (Outcome::Failed, Fidelity::Nothing)
        );
        let phase = if action == "test" {
            Phase::Action
        } else {
            Phase::Service
        };
        let text = said(&result.tried, phase);
        assert!(text.contains("unknown directive \"nonsense\""), "{text}");
        assert!(result.proves.is_empty());
        let result = tried(&engine, &nginx, action, &with(good), 60).await;
        assert_eq!(result.outcome, Outcome::Succeeded, "{result:?}");
        assert_eq!(
            (
                result.configuration.source.as_str(),
                result.configuration.files
            ),
            ("given", 1)
        );
    }
    let apache = profile("apache");
    let bad = given(
        "/etc/apache2",
        vec![file("/etc/apache2/apache2.conf", "Nonsense On\n")],
    );
    let result = tried(&engine, &apache, "graceful", &bad, 60).await;
    assert!(
        result.outcome == Outcome::Failed && result.summary.contains("does not start"),
        "{result:?}"
    );
    let mariadb = profile("mariadb");
    let bad = given(
        "/etc/mysql",
        vec![file("/etc/mysql/my.cnf", "[mariadbd]\nnonsense = 1\n")],
    );
    let result = tried(&engine, &mariadb, "flush-logs", &bad, 60).await;
    assert!(
        result.outcome == Outcome::Failed && result.summary.ends_with("code 7."),
        "{result:?}"
    );
}

/// A profile whose only action is `argv` under the nginx image.
fn hostile(argv: &[&str]) -> Profile {
    let words: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let mut profile = profile("generic");
    profile.name = "probes".into();
    profile.actions[0].name = "try".into();
    profile.actions[0].argv = words;
    profile.actions[0].needs_service = false;
    profile
}

#[tokio::test]
async fn none_of_forty_two_ways_leads_out() {
    let Some((engine, _)) = engine().await else {
        return;
    };
    let mut profile = hostile(&["perl", "-e", "do '/run/probes/probes.pl'; die $@ if $@"]);
    profile.tmpfs[0].path = "/run/probes".into();
    let script = given(
        "/run/probes",
        vec![file("/run/probes/probes.pl", include_str!("probes.pl"))],
    );
    let result = tried(&engine, &profile, "try", &script, 60).await;
    let text = said(&result.tried, Phase::Action);
    assert!(text.starts_with("42 probes as 65534\n"), "{text}");
    let open: Vec<&str> = text
        .lines()
        .skip(1)
        .filter(|line| !line.ends_with(": refused"))
        .collect();
    assert!(open.is_empty() && text.lines().count() == 43, "{open:#?}");
}

#[tokio::test]
async fn what_would_take_everything_is_bounded_and_recorded() {
    let Some((engine, _)) = engine().await else {
        return;
    };
    let none = Configuration::of_the_image();
    let bomb = hostile(&[
        "perl",
        "-e",
        "my $n = 0; for (1..1000) { my $p = fork(); if (!defined $p) { print qq(stopped at $n\\n); exit 3 } if (!$p) { sleep 60; exit } $n++ }",
    ]);
    let result = tried(&engine, &bomb, "try", &none, 30).await;
    assert_eq!(result.outcome, Outcome::Failed);
    let text = said(&result.tried, Phase::Action);
    let count: u32 = text
        .trim()
        .strip_prefix("stopped at ")
        .unwrap_or_default()
        .parse()
        .unwrap_or(999);
    assert!((50..128).contains(&count), "{text}");

    let hog = hostile(&["perl", "-e", "my @a; push @a, 'x' x 1000000 while 1"]);
    let result = tried(&engine, &hog, "try", &none, 30).await;
    assert_eq!(
        (result.outcome, result.tried.steps[0].exit_code),
        (Outcome::Failed, Some(137)),
        "{result:?}"
    );

    let endless = hostile(&["yes"]);
    let result = tried(&engine, &endless, "try", &none, 30).await;
    let step = &result.tried.steps[0];
    assert_eq!((step.output.len(), step.truncated), (64 * 1024, true));
    assert!(
        result.summary.contains("wrote without end"),
        "{}",
        result.summary
    );

    let sleeper = hostile(&[
        "perl",
        "-e",
        "$SIG{TERM} = 'IGNORE'; $SIG{HUP} = 'IGNORE'; sleep 1000",
    ]);
    let result = tried(&engine, &sleeper, "try", &none, 3).await;
    assert_eq!(result.outcome, Outcome::Failed);
    assert!(
        result.summary.contains("its 3 s were over"),
        "{}",
        result.summary
    );
    let step = result.tried.steps.last().expect("the one under way");
    assert_eq!(
        (step.phase, step.exit_code, step.argv[0].as_str()),
        (Phase::Action, None, "perl")
    );
    assert!(step.duration_ms >= 1_000, "{step:?}");

    let filler = hostile(&[
        "sh",
        "-c",
        "cat /dev/zero > /run/full; echo full; ls /dev/shm /tmp",
    ]);
    let result = tried(&engine, &filler, "try", &none, 30).await;
    assert!(
        said(&result.tried, Phase::Action).contains("No space left"),
        "{result:?}"
    );
}

#[tokio::test]
async fn nothing_of_the_hub_is_in_a_copy() {
    let Some((engine, _)) = engine().await else {
        return;
    };
    let look = hostile(&[
        "sh",
        "-c",
        "env; cat /proc/1/environ /proc/self/mountinfo; ls /run/docker.sock /var/run/docker.sock",
    ]);
    let result = tried(&engine, &look, "try", &Configuration::of_the_image(), 30).await;
    let text = said(&result.tried, Phase::Action);
    let own =
        std::env::vars().filter(|(name, _)| name.starts_with("CARGO") || name.starts_with("ARKI"));
    for (name, value) in own {
        let is_told = value.len() > 8 && text.contains(&value);
        assert!(!is_told, "{name}: {text}");
        assert!(!text.contains(&format!("{name}=")), "{name}: {text}");
    }
    assert!(
        text.contains("PATH=/usr/local/sbin") && !text.contains("docker.sock\n"),
        "{text}"
    );
}

fn purpose<'a>(profile: &'a Profile, image: &'a str, run: &'a str, now_s: i64) -> Purpose<'a> {
    Purpose {
        profile,
        image,
        places: &[],
        hosts: &[],
        run,
        attempt: 1,
        role: "tried",
        now_s,
        time: Duration::from_secs(100),
    }
}

#[tokio::test]
async fn a_container_whose_claim_is_over_is_reaped_and_no_other() {
    let Some(_) = engine().await else {
        return;
    };
    let hub = crate::testing::start("").await;
    let store = &*hub.hub.store;
    let socket = std::env::var("ARKI_TEST_DOCKER").unwrap();
    let engine = Engine::connect(&socket, &settings(), &installation(&hub.hub))
        .await
        .unwrap();
    let asked = Ask {
        service: "nginx".into(),
        action: "test".into(),
        ..Ask::default()
    };
    let asker = Asker {
        owner: "key:1".into(),
        name: "eva".into(),
    };
    ask(&hub.hub, &asker, &asked).await.unwrap();
    let now_s = hub.hub.clock.now_s();
    let who = crate::store::sandbox::Claimant {
        runner: "dead",
        running_max: 9,
        services: None,
        others_before: 0,
    };
    let run = crate::store::sandbox::claim(store, who, now_s)
        .await
        .unwrap()
        .unwrap();
    let nginx = profile("nginx");
    let image = engine
        .image_id("nginx", "arki-sandbox/nginx:latest")
        .await
        .unwrap();
    let run_id = arki_model::hex::encode(&run.run_id);
    let _claimed = Container::start(&engine, &purpose(&nginx, &image, &run_id, now_s))
        .await
        .unwrap();
    let _at_a_terminal = Container::start(&engine, &purpose(&nginx, &image, "00", now_s))
        .await
        .unwrap();
    let left = async || -> Vec<String> {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let all = engine.containers().await.unwrap();
        all.into_iter()
            .map(|one| one.labels.unwrap()[LABEL_RUN].clone())
            .collect()
    };
    assert_eq!(reap(&hub.hub, &engine).await.unwrap(), 0, "both are alive");
    hub.clock.advance(crate::store::sandbox::LEASE_S);
    assert_eq!(
        reap(&hub.hub, &engine).await.unwrap(),
        1,
        "its claim is over"
    );
    assert_eq!(left().await, ["00"]);
    hub.clock.advance(200);
    assert_eq!(
        reap(&hub.hub, &engine).await.unwrap(),
        1,
        "its time is over"
    );
    assert!(left().await.is_empty());
}
