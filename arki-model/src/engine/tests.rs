use super::*;
use crate::kind::{Direction, Rule};

const SETTINGS: fn() -> Settings = || Settings {
    interval_s: 30,
    series_max: 4,
    kinds: Kinds::default(),
};

fn pass(engine: &mut Engine, at: UnixSeconds, value: f64) {
    let id = engine.series("disk.used_percent{/}", at).unwrap();
    engine.pass(at, &mut [(id, value)], &[]);
}

fn recent(engine: &Engine) -> Vec<f32> {
    let id = engine.registry().find("disk.used_percent{/}").unwrap();
    engine
        .windows()
        .get(id)
        .unwrap()
        .raw
        .iter()
        .map(|(_, v)| v)
        .collect()
}

#[test]
fn a_clock_that_is_set_neither_stops_the_engine_nor_tears_its_windows() {
    for delta_s in [-315_360_000, -3_600, -40, 40, 3_600, 315_360_000] {
        let mut engine = Engine::new(SETTINGS());
        for i in 0..3 {
            pass(&mut engine, 1_700_000_000 + 30 * i, i as f64);
        }
        engine.shift_time(delta_s);
        pass(&mut engine, 1_700_000_090 + delta_s, 3.0);
        assert_eq!(recent(&engine), [0.0, 1.0, 2.0, 3.0], "{delta_s}");
    }
}

#[test]
fn a_miss_is_counted_once_even_if_the_clock_is_set_meanwhile() {
    let mut engine = Engine::new(SETTINGS());
    pass(&mut engine, 1_700_000_000, 100.0);
    engine.shift_time(-86_400);
    pass(&mut engine, 1_700_000_030 - 86_400, 100.0);
    assert_eq!(engine.ledger().counts().missed, 1);
}

#[test]
fn another_interval_keeps_the_record_and_starts_the_windows_anew() {
    let mut engine = Engine::new(SETTINGS());
    pass(&mut engine, 1_700_000_000, 100.0);
    let memory = engine.memory().clone();
    let restored = Engine::restore(
        Settings {
            interval_s: 10,
            ..SETTINGS()
        },
        memory,
    );
    assert_eq!(restored.ledger().counts().missed, 1);
    assert!(restored.registry().is_empty() && restored.windows().interval_s() == 10);
}

#[test]
fn a_later_record_replaces_that_of_the_memory_and_an_older_one_does_not() {
    let mut engine = Engine::new(SETTINGS());
    pass(&mut engine, 1_700_000_000, 1.0);
    let memory = engine.memory().clone();
    pass(&mut engine, 1_700_000_030, 100.0);
    let record = engine.record().clone();
    let mut restored = Engine::restore(SETTINGS(), memory.clone());
    restored.restore_record(record);
    assert_eq!(restored.ledger().counts().missed, 1);
    restored.restore_record(memory.record);
    assert_eq!(restored.ledger().counts().missed, 1);
}

#[test]
fn new_bounds_hold_for_the_series_that_are_known_already() {
    let mut engine = Engine::new(SETTINGS());
    pass(&mut engine, 1_700_000_000, 60.0);
    let bound = Bound {
        value: 50.0,
        direction: Direction::Up,
    };
    let rule = Rule::new("disk.*", Some(bound)).unwrap();
    engine.reconfigure(Kinds::new(vec![rule]), 4);
    pass(&mut engine, 1_700_000_030, 60.0);
    assert_eq!(engine.ledger().counts().missed, 1);
}
