//! Which receipts are applied, once, and what is remembered.

use super::*;
use arki_model::clock::ManualClock;
use arki_model::ledger::Outcome;
use arki_model::receipt::{Outcome as Tried, RECEIPT_VERSION};
use arki_model::request::Report;
use arki_model::signature::PrivateKey;
use std::path::Path;

const NOW: UnixSeconds = 1_760_000_000;
const AGENT: AgentId = AgentId([7; 16]);
const REQUEST: RequestId = RequestId([3; 16]);

fn hub() -> PrivateKey {
    PrivateKey::from_seed(&[5; 32])
}

fn receipt(run: &str) -> Receipt {
    Receipt {
        version: RECEIPT_VERSION,
        run: run.into(),
        agent: AGENT,
        service: "nginx".into(),
        action: "reload".into(),
        argv: ["true", "-s", "reload"].map(Into::into).into(),
        image: format!("sha256:{}", "a".repeat(64)),
        configuration: hex::encode(&[9; 32]),
        tried_at: NOW,
        expires_at: NOW + 3600,
        outcome: Tried::Succeeded,
        name: "eva".into(),
        reason: "the disk fills tonight".into(),
    }
}

fn settings() -> ApplySettings {
    let action = |argv: &[&str]| ActionSettings {
        service: "nginx".into(),
        name: "reload".into(),
        argv: argv.iter().map(ToString::to_string).collect(),
        sudo: false,
    };
    ApplySettings {
        enabled: true,
        action: vec![action(&["true", "-s", "reload"])],
    }
}

fn applier(dir: &Path) -> Applier {
    Applier {
        agent: AGENT,
        hub: hub().public(),
        settings: settings(),
        journal: Rc::new(Journal::open(dir, NOW - 10).0),
    }
}

fn said(applier: &Applier, receipt: &Receipt) -> String {
    let line = receipt.seal(&hub()).unwrap();
    applier
        .check(&line, NOW + 60)
        .map_or_else(|refusal| refusal.to_string(), |_| "permitted".into())
}

#[test]
fn only_a_receipt_of_the_hub_for_this_agent_and_a_listed_command_is_permitted() {
    let dir = tempfile::tempdir().unwrap();
    let applier = applier(dir.path());
    assert_eq!(said(&applier, &receipt("a")), "permitted");

    let forged = receipt("a").seal(&PrivateKey::from_seed(&[6; 32])).unwrap();
    let refused = applier.check(&forged, NOW + 60).unwrap_err().to_string();
    assert!(refused.contains("not signed by the hub"), "{refused}");

    let changed = |change: fn(&mut Receipt)| {
        let mut receipt = receipt("a");
        change(&mut receipt);
        said(&applier, &receipt)
    };
    for (text, why) in [
        (changed(|r| r.agent = AgentId([8; 16])), "agent 0808"),
        (changed(|r| r.expires_at = NOW + 60), "ended 0 s ago"),
        (changed(|r| r.outcome = Tried::Failed), "failed on the copy"),
        (changed(|r| r.tried_at = NOW + 1000), "in the future"),
        (
            changed(|r| r.tried_at = NOW - 11),
            "older than this agent's record",
        ),
        (changed(|r| r.argv.push("-x".into())), "not listed"),
        (changed(|r| r.argv = vec!["true".into()]), "not listed"),
        (changed(|r| r.service = "apache2".into()), "not listed"),
        (changed(|r| r.action = "restart".into()), "not listed"),
    ] {
        assert!(text.contains(why), "{text} / {why}");
    }
    let off = Applier {
        settings: ApplySettings {
            enabled: false,
            ..settings()
        },
        ..applier
    };
    assert!(said(&off, &receipt("a")).contains("applies nothing"));
}

#[test]
fn another_configuration_than_the_tried_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let applier = applier(dir.path());
    let line = receipt("a").seal(&hub()).unwrap();
    let permit = applier.check(&line, NOW + 60).unwrap();
    assert!(Applier::compare(&permit, &[9; 32]).is_ok());
    let refused = Applier::compare(&permit, &[8; 32]).unwrap_err().to_string();
    assert!(refused.contains("has changed since the trial"), "{refused}");
}

async fn run(applier: &Applier, receipt: &Receipt) -> Result<Entry, String> {
    let clock = ManualClock::at(NOW + 60);
    let line = receipt.seal(&hub()).unwrap();
    let permit = applier.check(&line, NOW + 60).map_err(|e| e.to_string())?;
    let ran = applier
        .run(permit, REQUEST, "disk.used_percent{/}".into(), &clock)
        .await;
    ran.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_receipt_works_once_over_restarts_too() {
    let dir = tempfile::tempdir().unwrap();
    let first = applier(dir.path());
    let entry = run(&first, &receipt("a")).await.unwrap();
    assert!(entry.ran.unwrap().succeeded());
    assert!(said(&first, &receipt("a")).contains("was applied here before"));
    drop(first);
    let after_restart = applier(dir.path());
    assert!(said(&after_restart, &receipt("a")).contains("was applied here before"));
    assert_eq!(said(&after_restart, &receipt("b")), "permitted");
    let audit = std::fs::read_to_string(dir.path().join(audit::FILE)).unwrap();
    let whats: Vec<String> = audit
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["what"].to_string())
        .collect();
    assert_eq!(whats, ["\"begun\"", "\"ended\""]);
}

#[test]
fn an_agent_that_ended_in_the_middle_does_not_run_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let first = applier(dir.path());
    first
        .journal
        .begin(&receipt("a"), REQUEST, String::new(), NOW)
        .unwrap();
    assert!(said(&first, &receipt("b")).contains("another command"));
    drop(first);
    let after_restart = applier(dir.path());
    assert!(said(&after_restart, &receipt("a")).contains("was applied here before"));
    let entry = after_restart.journal.by_request(REQUEST).unwrap();
    assert_eq!(entry.ran, None);
    assert_eq!(
        said(&after_restart, &receipt("b")),
        "permitted",
        "it is not running any more"
    );
}

#[tokio::test]
async fn nothing_runs_that_cannot_be_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let mut applier = applier(&state);
    let mark = dir.path().join("mark");
    let argv = vec!["touch".to_owned(), mark.display().to_string()];
    applier.settings.action[0].argv.clone_from(&argv);
    std::fs::remove_dir_all(&state).unwrap();
    let refused = run(
        &applier,
        &Receipt {
            argv,
            ..receipt("a")
        },
    )
    .await
    .unwrap_err();
    assert!(refused.contains("cannot remember"), "{refused}");
    assert!(!mark.exists());
}

#[test]
fn a_lost_or_damaged_journal_makes_no_old_receipt_good() {
    let dir = tempfile::tempdir().unwrap();
    let (first, note) = Journal::open(dir.path(), NOW - 10);
    assert_eq!(note, None);
    first
        .begin(&receipt("a"), REQUEST, String::new(), NOW)
        .unwrap();
    let path = dir.path().join(journal::FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (second, note) = Journal::open(dir.path(), NOW + 30);
    assert!(note.unwrap().contains("damaged"));
    assert!(matches!(
        second.check(&receipt("a"), NOW + 40),
        Err(JournalError::Older)
    ));
    std::fs::remove_file(&path).unwrap();
    let (third, _) = Journal::open(dir.path(), NOW + 50);
    assert!(third.check(&receipt("a"), NOW + 60).is_err());
}

#[test]
fn the_journal_is_bounded_and_keeps_what_could_be_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path(), NOW - 10);
    for n in 0..journal::ENTRIES_MAX {
        journal
            .begin(&receipt(&n.to_string()), REQUEST, String::new(), NOW)
            .unwrap();
        journal.end(&n.to_string(), &Report::default(), NOW);
    }
    assert!(matches!(
        journal.check(&receipt("new"), NOW + 60),
        Err(JournalError::Full)
    ));
    // An hour later the receipts have ended, and the oldest makes room.
    let later = Receipt {
        expires_at: NOW + 9000,
        ..receipt("new")
    };
    journal
        .begin(&later, REQUEST, String::new(), NOW + 3600)
        .unwrap();
    assert_eq!(journal.last().unwrap().run, "new");
    let bytes = std::fs::metadata(dir.path().join(journal::FILE))
        .unwrap()
        .len();
    assert!(bytes < 64 * 1024, "{bytes}");
}

#[test]
fn what_became_of_the_prediction_is_kept_with_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path(), NOW - 10);
    journal
        .begin(&receipt("a"), REQUEST, "disk.used_percent{/}".into(), NOW)
        .unwrap();
    journal.watch(NOW + 1, |_, _| Some(Outcome::Averted));
    assert_eq!(journal.last().unwrap().outcome, None, "it still runs");
    journal.end(
        "a",
        &Report {
            exit_code: Some(0),
            ..Report::default()
        },
        NOW + 1,
    );
    journal.watch(NOW + 2, |_, _| None);
    assert_eq!(journal.last().unwrap().outcome, None);
    journal.watch(NOW + 3, |series, at| {
        assert_eq!((series, at), ("disk.used_percent{/}", NOW));
        Some(Outcome::Averted)
    });
    drop(journal);
    let (journal, _) = Journal::open(dir.path(), NOW);
    assert_eq!(journal.last().unwrap().outcome, Some(Outcome::Averted));
}
