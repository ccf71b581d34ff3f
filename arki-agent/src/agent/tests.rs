use super::*;
use crate::explain::{Explanation, Fate};
use crate::socket::message::{Request, Response};
use crate::status::Status;
use arki_model::clock::ManualClock;
use arki_model::ledger::Outcome;
use arki_model::prediction::{Eta, Severity};
use arki_model::vote::{Verdict, Vote, Voter};
use std::fs;
use std::path::Path;

const NOW_S: i64 = 1_700_000_000;
const SERIES: &str = "load.per_core";

/// A host of which only the load is to be seen.
fn config(dir: &Path, more: &str) -> Config {
    let proc = dir.join("proc");
    fs::create_dir_all(&proc).unwrap();
    set_load(dir, 0.5);
    let text = format!(
        "state_dir = '{0}/state'\nsocket = '{0}/socket'\nhost = 'web-1'\n{more}\n[roots]\nproc = '{0}/proc'\nsys = '{0}/sys'\nroot = '{0}/root'\n",
        dir.display()
    );
    toml::from_str(&text).unwrap()
}

fn set_load(dir: &Path, per_core: f64) {
    fs::write(
        dir.join("proc/loadavg"),
        format!("{per_core:.2} {per_core:.2} {per_core:.2} 1/100 999\n"),
    )
    .unwrap();
    fs::write(
        dir.join("proc/stat"),
        "cpu  1 1 1 1 1 1 1 0 0 0\ncpu0 1 1 1 1 1 1 1 0 0 0\n",
    )
    .unwrap();
}

fn start(dir: &Path, clock: &Rc<ManualClock>) -> Agent {
    Agent::start(config(dir, ""), Rc::clone(clock) as Rc<dyn Clock>).unwrap()
}

fn prediction(raised_at: i64) -> Prediction {
    let eta = Some(Eta {
        low_s: 3_000.0,
        median_s: 5_000.0,
        high_s: 9_000.0,
    });
    Prediction {
        series: SERIES.into(),
        raised_at,
        value: 0.5,
        bound: Some(4.0),
        eta,
        severity: Severity::of(eta),
        votes: vec![Vote::new(Voter::Trend, Verdict::Yes, "rises")],
        also: Vec::new(),
    }
}

fn problem(status: &Status, area: &str) -> Option<String> {
    status
        .problems
        .iter()
        .find(|problem| problem.area == area)
        .map(|problem| problem.text.clone())
}

#[test]
fn a_crash_right_after_an_event_loses_nothing_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    agent.pass();
    agent.raise(prediction(NOW_S));
    agent.settle();
    let head = agent.log.head();
    drop(agent); // nothing is saved: a crash

    clock.advance(60);
    let mut agent = start(dir.path(), &clock);
    assert_eq!((agent.log.head(), head.sequence), (head, 1));
    assert!(agent.status().healthy);
    agent.raise(prediction(NOW_S + 60));
    agent.settle();
    let events = agent.log.read_from(0, 9);
    assert_eq!(
        arki_model::chain::verify(&events, &agent.key.public())
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn an_event_waits_for_a_disk_that_takes_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    agent.pass();
    let in_the_way = dir.path().join("state/events-00000000000000000001.log");
    fs::create_dir(&in_the_way).unwrap();
    agent.raise(prediction(NOW_S));
    agent.settle();
    let status = agent.status();
    assert!(agent.is_unsettled() && !status.healthy);
    assert!(
        problem(&status, "events")
            .unwrap()
            .contains("1 events wait"),
        "{:?}",
        status.problems
    );

    fs::remove_dir(&in_the_way).unwrap();
    agent.settle();
    assert!(agent.status().healthy && !agent.is_unsettled());
    assert_eq!(agent.status().last_event.unwrap().sequence, 1);
}

#[test]
fn the_record_is_tried_again_until_it_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    let in_the_way = dir.path().join("state/record.partial");
    fs::create_dir(&in_the_way).unwrap();
    agent.due.record = true;
    agent.pass();
    assert!(
        problem(&agent.status(), "storage")
            .unwrap()
            .contains("tried again")
    );
    fs::remove_dir(&in_the_way).unwrap();
    agent.settle();
    assert!(agent.status().healthy);
}

#[test]
fn what_was_learned_survives_a_stop_and_damaged_memory_does_not_stop_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    agent.pass();
    agent.save();
    drop(agent);
    let agent = start(dir.path(), &clock);
    assert!(agent.pipeline.engine().registry().find(SERIES).is_some());
    drop(agent);

    let memory = dir.path().join("state/memory");
    let mut bytes = fs::read(&memory).unwrap();
    bytes[100] ^= 1;
    fs::write(&memory, bytes).unwrap();
    let mut agent = start(dir.path(), &clock);
    let said = problem(&agent.status(), "state").unwrap();
    assert!(
        said.contains("wrong checksum") && said.contains("memory.damaged-1"),
        "{said}"
    );
    clock.advance(30);
    agent.pass();
    assert_eq!(agent.status().collect.readings, agent.pipeline.readings());
}

#[test]
fn a_clock_that_jumps_stops_nothing_and_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    let samples = |agent: &Agent| {
        let engine = agent.pipeline.engine();
        let window = engine
            .windows()
            .get(engine.registry().find(SERIES).unwrap())
            .unwrap();
        window
            .raw
            .iter()
            .filter(|(_, value)| value.is_finite())
            .count()
    };
    for (number, delta_s) in [0, -3_600, 3_600, -315_360_000, 630_720_000]
        .into_iter()
        .enumerate()
    {
        clock.advance(30);
        clock.jump_to(clock.now_s() + delta_s);
        agent.pass();
        assert_eq!(samples(&agent), number + 1, "after {delta_s}");
    }
    assert_eq!(agent.status().clock.unwrap().delta_s, 630_720_000);

    // and back, while the agent is stopped
    agent.save();
    drop(agent);
    clock.jump_to(NOW_S);
    let mut agent = start(dir.path(), &clock);
    agent.pass();
    assert_eq!(samples(&agent), 6);
    assert!(agent.status().clock.unwrap().delta_s < 0);
}

/// An hour of calm, then the load rises to its bound within four hours, on a host that is as busy as ever; what is told
/// late is told, too, because it ends minutes before. Before each pass the wall clock is set by what `jump` says of the
/// pass; returns the agent at the end.
fn rising(dir: &Path, jump: impl Fn(i64) -> i64) -> (Agent, Vec<u64>) {
    let clock = Rc::new(ManualClock::at(NOW_S));
    let more = format!("[[series]]\nmatch = '{SERIES}'\nbound = 4.0");
    let mut agent = Agent::start(config(dir, &more), Rc::clone(&clock) as Rc<dyn Clock>).unwrap();
    let mut told_at = Vec::new();
    for pass in 0..595 {
        clock.advance(30);
        clock.jump_to(clock.now_s() + jump(pass));
        set_load(dir, 0.5 + 3.5 * (pass - 120).max(0) as f64 / 480.0);
        let (busy, idle) = (600 + 600 * pass + 37 * (pass % 3), 2_400 + 2_400 * pass);
        let stat =
            format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 {busy} 0 0 {idle} 0 0 0 0 0 0\n");
        fs::write(dir.join("proc/stat"), stat).unwrap();
        let before = agent.log.head().sequence;
        agent.pass();
        told_at.extend((agent.log.head().sequence > before).then_some(pass.unsigned_abs()));
    }
    (agent, told_at)
}

#[test]
fn a_clock_that_jumps_or_stands_tells_nothing_twice_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (_, even) = rising(&dir.path().join("even"), |_| 0);
    let first = i64::try_from(
        *even
            .first()
            .expect("a load that runs into its bound is told"),
    )
    .unwrap();
    for (name, at_pass, delta_s) in [
        ("an hour on", first + 3, 3_600),
        ("an hour back", first + 3, -3_600),
        ("an hour back before it", first - 30, -3_600),
        ("ten years on", first + 3, 315_360_000),
        ("ten years back", first + 3, -315_360_000),
    ] {
        let jump = |pass: i64| i64::from(pass == at_pass) * delta_s;
        let (agent, told) = rising(&dir.path().join(name), jump);
        assert_eq!(told, even, "{name}");
        assert!(agent.status().clock.is_some(), "{name}: not said");
        let events = agent.log.read_from(0, 99);
        let chain = arki_model::chain::verify(&events, &agent.key.public()).unwrap();
        assert_eq!(chain.len(), told.len(), "{name}");
    }
    // A wall clock that stands is set back before every pass: later steps blur, but nothing is told twice.
    let (agent, told) = rising(&dir.path().join("frozen"), |_| -30);
    assert!((1..=even.len()).contains(&told.len()), "{told:?}");
    assert!(agent.status().clock.is_some());
    assert_eq!(agent.log.head().sequence, told.len() as u64);
}

#[test]
fn an_event_is_found_by_the_beginning_of_its_id_its_number_and_its_series() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    agent.pass();
    agent.raise(prediction(NOW_S));
    agent.settle();
    clock.advance(3_600);
    agent.raise(prediction(NOW_S + 3_600));
    agent.settle();
    let id = agent.status().last_event.unwrap().id;
    let (start, _) = id.split_at(13);
    for what in [id.as_str(), start, "2", &id.to_uppercase()] {
        let Explanation::Event(event) = agent.explain(what).unwrap() else {
            panic!("{what} is one event");
        };
        assert_eq!(
            (event.sequence, event.signature_valid, event.follows),
            (2, true, Some(true))
        );
        assert_eq!(event.value_now, Some(0.5));
    }
    assert!(
        matches!(agent.explain(start.split_at(3).0).unwrap(), Explanation::Several { events } if events.len() == 2)
    );
    let Explanation::Series(series) = agent.explain(SERIES).unwrap() else {
        panic!("a series");
    };
    assert_eq!(series.events.len(), 2);
    assert!(
        agent
            .explain("nothing")
            .unwrap_err()
            .contains("no event or series")
    );
}

#[test]
fn what_became_of_a_prediction_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let more = format!("[[series]]\nmatch = '{SERIES}'\nbound = 4.0");
    let mut agent = Agent::start(
        config(dir.path(), &more),
        Rc::clone(&clock) as Rc<dyn Clock>,
    )
    .unwrap();
    agent.pass();
    clock.advance(30);
    set_load(dir.path(), 4.5);
    agent.pass();
    let status = agent.status();
    assert_eq!(status.ledger.counts.missed, 1);
    assert_eq!(
        agent.fate(SERIES, NOW_S + 30),
        Fate::Ended {
            outcome: Outcome::Missed,
            at: NOW_S + 30
        }
    );
    drop(agent); // a crash: the ledger was saved at once
    let agent = start(dir.path(), &clock);
    assert_eq!(agent.status().ledger.counts.missed, 1);
}

#[test]
fn a_reload_changes_bounds_and_says_what_needs_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    agent.pass();
    agent.reload(config(
        dir.path(),
        &format!("[[series]]\nmatch = '{SERIES}'\nbound = 4.0"),
    ));
    let Explanation::Series(series) = agent.explain(SERIES).unwrap() else {
        panic!("a series");
    };
    assert_eq!(series.bound, Some(4.0));
    agent.reload(config(dir.path(), "interval = '10s'"));
    assert!(
        problem(&agent.status(), "config")
            .unwrap()
            .ends_with("only after a restart: interval")
    );
    assert_eq!(agent.config().interval.seconds(), 30);
    agent.reload(config(dir.path(), ""));
    assert!(agent.status().healthy);
}

#[test]
fn the_limit_of_series_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = Agent::start(
        config(dir.path(), "series_max = 1"),
        Rc::clone(&clock) as Rc<dyn Clock>,
    )
    .unwrap();
    agent.pass();
    clock.advance(30);
    agent.pass();
    let said = problem(&agent.status(), "series").unwrap();
    assert!(
        said.contains("limit of 1") && said.contains("series_max"),
        "{said}"
    );
}

#[test]
fn a_context_is_announced_by_who_may_survives_a_restart_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Rc::new(ManualClock::at(NOW_S));
    let mut agent = start(dir.path(), &clock);
    agent.pass();
    let begin = Request::ContextBegin {
        name: "backup".into(),
        ttl_s: 7_200,
        series: vec!["disk.used_percent{/var}".into()],
    };
    assert!(matches!(
        agent.answer(begin.clone(), false),
        Response::Refused { .. }
    ));
    assert!(matches!(agent.answer(begin, true), Response::Done { .. }));
    drop(agent);
    let mut agent = start(dir.path(), &clock);
    clock.advance(30);
    agent.pass();
    let contexts = agent.status().contexts;
    let backup = contexts
        .iter()
        .find(|context| context.name == "backup")
        .unwrap();
    assert_eq!(
        (backup.until, backup.series.len()),
        (Some(NOW_S + 7_200), 1)
    );
    assert_eq!(backup.series[0], "disk.used_percent{/var}");
    let end = Request::ContextEnd {
        name: "backup".into(),
    };
    assert!(matches!(
        agent.answer(end.clone(), true),
        Response::Done { .. }
    ));
    assert!(matches!(agent.answer(end, true), Response::Refused { .. }));
    clock.advance(30);
    agent.pass();
    assert!(
        agent
            .status()
            .contexts
            .iter()
            .all(|context| context.name != "backup")
    );
}
