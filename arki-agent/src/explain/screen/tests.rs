use super::*;
use arki_model::prediction::Eta;
use arki_model::vote::Voter;

const NOW_S: i64 = 1_700_000_000;

fn event() -> EventView {
    let eta = Some(Eta {
        low_s: 15_000.0,
        median_s: 20_400.0,
        high_s: 28_800.0,
    });
    EventView {
        id: "018bcfe5-6800-7abc-9def-0123456789ab".to_owned(),
        sequence: 12,
        host: "web-1".to_owned(),
        prediction: Prediction {
            series: "disk.used_percent{/var}".to_owned(),
            raised_at: NOW_S - 3_600,
            value: 87.25,
            bound: Some(100.0),
            eta,
            severity: Severity::of(eta),
            votes: vec![
                Vote::new(
                    Voter::Trend,
                    Verdict::Yes,
                    "rises 3.1 points an hour for 2 h 10",
                )
                .with("rate_percent_per_hour", 3.1)
                .with("fit_r2", 0.987),
                Vote::new(
                    Voter::Correlation,
                    Verdict::Abstain,
                    "knows no relation of this series",
                ),
                Vote::new(Voter::Pattern, Verdict::Yes, "never so high on a Tuesday")
                    .naming("disk.write_bytes_per_second{sda}"),
            ],
            also: Vec::new(),
        },
        processes: vec![ProcessGrowth {
            pid: 4211,
            name: "mysqld\u{7}".to_owned(),
            resource: "written_bytes".to_owned(),
            value: 5e9,
            growth: 3.1e8,
            span_s: 3_600.0,
        }],
        context: vec!["backup".to_owned()],
        signed_at: NOW_S - 3_600,
        key: "9f3c".repeat(16),
        signature_valid: true,
        follows: Some(true),
        fate: Fate::Active,
        now_s: NOW_S,
        value_now: Some(90.4),
    }
}

fn shown(explanation: &Explanation) -> String {
    let text = render(explanation, Paint::PLAIN, &|at| {
        format!("T{:+}", at - NOW_S)
    });
    assert!(
        text.lines().all(|line| line.chars().count() <= COLUMNS),
        "{text}"
    );
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    text
}

#[test]
fn an_event_is_explained_like_this() {
    let expected = "\
Warning: disk.used_percent{/var} full in 5 h 40

When        told T-3600, 1 h 00 ago
Time left   5 h 40 when told: full at T+16800; in 8 cases of 10 within 4 h 10 to
            8 h 00
Value       87.2 then, 90.4 now
Became      still active

trend       yes: rises 3.1 points an hour for 2 h 10
            rate percent per hour 3.1, fit r2 0.987
correlation abstains: knows no relation of this series
pattern     yes: never so high on a Tuesday
            with disk.write_bytes_per_second{sda}
Who grew    mysqld? (4211) +295.6 MiB written in 1 h 00
Context     backup was active and did not explain it

Event       018bcfe5-6800-7abc-9def-0123456789ab, number 12 of web-1
Signature   valid, by ed25519:9f3c9f3c9f3c9f3c; follows the event before it
";
    assert_eq!(shown(&Explanation::Event(Box::new(event()))), expected);
}

#[test]
fn what_became_of_it_is_told_and_a_broken_proof_shouts() {
    let mut view = event();
    view.signature_valid = false;
    view.follows = Some(false);
    for (outcome, said) in [
        (
            Outcome::Happened,
            "happened T-600, 50 min after it was told",
        ),
        (Outcome::Averted, "averted: it turned round"),
        (Outcome::Expired, "expired: its time passed"),
    ] {
        view.fate = Fate::Ended {
            outcome,
            at: NOW_S - 600,
        };
        let text = shown(&Explanation::Event(Box::new(view.clone())));
        assert!(
            text.contains(said)
                && text.contains("DOES NOT FIT")
                && text.contains("DOES NOT FOLLOW"),
            "{text}"
        );
    }
}
