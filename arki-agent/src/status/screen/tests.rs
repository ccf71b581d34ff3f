use super::*;
use crate::status::{
    ClockSet, Collect, Context, Hub, LastEvent, Ledger, Own, Problem, SCHEMA, Unread,
};
use arki_model::context::Source;
use arki_model::vote::Voter;
use arki_model::voter::Readiness;

const NOW_S: i64 = 1_700_000_000;

#[expect(clippy::too_many_lines, reason = "every field of a status, once")]
fn full() -> Status {
    let predicted = |series: &str, severity, hours: f64| Predicted {
        event: Some("018bcfe5-6800-7abc-9def-0123456789ab".to_owned()),
        sequence: Some(16),
        series: series.to_owned(),
        severity,
        value: 87.25,
        bound: Some(100.0),
        first_raised_at: NOW_S - 720,
        raised_at: NOW_S,
        fails_at: Some([0.75, 1.0, 1.5].map(|part| NOW_S as f64 + part * hours * 3600.0)),
        voters: vec![Voter::Trend, Voter::Pattern],
        reason: "rises 3.1 points an hour for 2 h 10".to_owned(),
        also: Vec::new(),
    };
    let mut odd = predicted("load.per_core", Severity::Info, 0.0);
    (odd.bound, odd.fails_at, odd.value) = (None, None, 7.5);
    odd.also = vec!["cpu.busy_percent".to_owned()];
    Status {
        schema: SCHEMA,
        version: "0.1.0".to_owned(),
        host: "web-1".to_owned(),
        pid: 1,
        now_s: NOW_S,
        uptime_s: 532_800,
        healthy: false,
        problems: vec![Problem {
            area: "storage".to_owned(),
            text: "/var/lib/arki/record: No space left on device (os error 28); predicting goes on, and it is tried again every few seconds".to_owned(),
        }],
        own: Own {
            resident_bytes: Some(5_240_000),
            resident_bytes_budget: 6_000_000,
            cpu_seconds_per_hour: Some(0.412),
            passes: 9,
            pass_ms: Some(1.9),
            pass_median_ms: Some(1.9),
            pass_p99_ms: Some(4.4),
            votes_median_ms: Some(0.1),
            votes_p99_ms: Some(0.4),
            writes_median_ms: Some(0.1),
            writes_p99_ms: Some(7.2),
        },
        clock: Some(ClockSet { delta_s: -7_200, ago_s: 780 }),
        hub: Hub { configured: false, text: "none configured; this agent is complete on its own".to_owned(), spool: None },
        apply: None,
        key: "9f".repeat(32),
        collect: Collect {
            series: 214,
            series_max: 600,
            readings: 214,
            interval_s: 30,
            last_ago_s: Some(11),
            unread: vec![
                Unread { collector: "process".to_owned(), why: Why::Denied, text: "not permitted: who holds descriptors".to_owned() },
                Unread { collector: "conntrack".to_owned(), why: Why::Absent, text: "not on this host".to_owned() },
            ],
        },
        voters: Voter::ALL
            .map(|voter| Readiness { voter, ready: false, text: "learning 3/14 d".to_owned() })
            .to_vec(),
        contexts: vec![Context {
            name: "backup\u{1b}[31m".to_owned(),
            source: Source::Announced,
            since: NOW_S,
            until: Some(NOW_S + 60),
            series: Vec::new(),
        }],
        predictions: vec![
            predicted("disk.used_percent{/var}", Severity::Critical, 1.5),
            predicted(&format!("disk.used_percent{{/{}}}", "long/".repeat(40)), Severity::Warning, 30.0),
            odd,
        ],
        quieted: vec![Hushed {
            series: "disk.used_percent{/backup}".to_owned(),
            first_at: NOW_S - 60,
            last_at: NOW_S,
            because: "usual here: every night at 02:00".to_owned(),
        }],
        ledger: Ledger {
            counts: Counts { happened: 12, averted: 3, expired: 1, missed: 0, inside: 9 },
            median_lead_s: Some(11_400),
        },
        last_event: Some(LastEvent {
            id: "018bcfe5".to_owned(),
            sequence: 16,
            series: "disk.used_percent{/var}".to_owned(),
            raised_at: NOW_S,
            acknowledged: Some(false),
        }),
    }
}

#[test]
fn the_screen_is_this() {
    let screen = render(&full(), Paint::PLAIN, &|at| format!("T{:+}", at - NOW_S));
    let expected = "\
arki-agent 0.1.0 on web-1: degraded for 6 d 4 h
Cost     5.2 of 6 MB resident, CPU 0.41 s an hour, pass 1.9 ms (p99 4.4)
Clock    was set back by 2 h 00, 13 min ago; nothing was lost
Hub      none configured; this agent is complete on its own
Collect  214 series of at most 600, every 30 s, last 11 s ago
         process: not permitted: who holds descriptors
         not on this host: conntrack
Voters   trend: learning 3/14 d
         correlation: learning 3/14 d
         pattern: learning 3/14 d
Context  backup?[31m (announced until T+60)
Predicts 3 failures:
  CRITICAL  disk.used_percent{/var} full in 1 h 30 (1 h 08 to 2 h 15)
            now 87.2 of 100; told 12 min ago; arki-agent explain 16
            trend and pattern: rises 3.1 points an hour for 2 h 10
  warning   disk.used_percent{/long/long/… full in 1 d 6 h (22 h 30 to 1 d 21 h)
            now 87.2 of 100; told 12 min ago; arki-agent explain 16
            trend and pattern: rises 3.1 points an hour for 2 h 10
  odd       load.per_core behaves oddly, with 1 more
            now 7.5; told 12 min ago; arki-agent explain 16
            trend and pattern: rises 3.1 points an hour for 2 h 10
Kept quiet in the last day (1):
  T+0 disk.used_percent{/backup}: usual here: every night at 02:00
Ledger   12 came true (median lead 3 h 10, 9 as timed), 3 averted, 1 expired, 0
         missed
Last     T+0 disk.used_percent{/var}, number 16, signed, not yet at the hub
Problem  storage: /var/lib/arki/record: No space left on device (os error 28);
         predicting goes on, and it is tried again every few seconds
";
    assert_eq!(screen, expected);
    assert!(screen.lines().all(|line| line.chars().count() <= COLUMNS));
}

#[test]
fn a_long_reason_takes_two_lines_and_ends_at_a_word() {
    let mut status = full();
    let words = "steady since its rate changed ".repeat(8);
    status.predictions[0].reason.clone_from(&words);
    status.quieted[0].because = words;
    let screen = render(&status, Paint::PLAIN, &|at| format!("T{:+}", at - NOW_S));
    let cut: Vec<&str> = screen
        .lines()
        .filter(|line| line.contains('…') && !line.contains("long/"))
        .collect();
    assert_eq!(cut.len(), 2, "{screen}");
    assert!(cut.iter().all(|line| line.ends_with(" …")), "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= COLUMNS));
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let clock = |at: i64| format!("T{:+}", at - NOW_S);
    let coloured = render(&full(), Paint::ALWAYS, &clock);
    let mut plain = String::new();
    for part in coloured.split('\u{1b}') {
        plain.push_str(
            part.split_once('m')
                .filter(|(code, _)| code.starts_with('['))
                .map_or(part, |(_, rest)| rest),
        );
    }
    assert_ne!(coloured, plain);
    assert_eq!(plain, render(&full(), Paint::PLAIN, &clock));
}

#[test]
fn the_layout_for_programs_comes_back_as_it_was() {
    let text = serde_json::to_string(&full()).unwrap();
    let back: Status = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
    assert!(text.contains("\"happened\":12") && text.contains("\"severity\":\"critical\""));
}

#[test]
fn what_the_hub_may_do_is_told_in_two_lines() {
    let mut status = full();
    status.apply = Some(crate::status::Apply {
        enabled: true,
        allowed: vec!["nginx reload (nginx -s reload)".into()],
        snapshots: vec!["nginx".into()],
        refused: 1,
        last: Some(crate::status::Applied {
            what: "nginx reload (nginx -s reload)".into(),
            begun_at: NOW_S - 600,
            ended: "exit code 0".into(),
            decided_by: "eva: tonight".into(),
            prediction: "; disk.used_percent{/} was averted".into(),
        }),
    });
    let screen = render(&status, Paint::PLAIN, &|at| format!("T{:+}", at - NOW_S));
    let lines: Vec<&str> = screen
        .lines()
        .skip_while(|line| !line.starts_with("Apply"))
        .take(3)
        .collect();
    assert_eq!(
        lines[0],
        "Apply    on: nginx reload (nginx -s reload); copies of nginx; refused 1 request"
    );
    assert!(lines[1].ends_with("10 min ago: exit code 0;"), "{screen}");
    assert!(
        lines[2].ends_with("disk.used_percent{/} was averted"),
        "{screen}"
    );
}
