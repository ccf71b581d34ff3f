use super::*;
use proptest::prelude::*;

const S30: Duration = Duration::from_secs(30);
const MS: Width = Width::Bits32 {
    per_second_max: 1_100,
};

fn table() -> CounterTable<1> {
    CounterTable::new([Width::Bits64])
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_first_sight_yields_nothing_and_the_second_a_rate() {
    let mut table = table();
    assert_eq!(table.update("sda", [100], seconds(0)), None);
    let growth = table.update("sda", [400], S30).unwrap();
    assert_eq!(growth.per_second(0), Some(10.0));
}

#[test]
fn a_reset_yields_nothing_once() {
    let mut table = table();
    table.update("eth0", [4_000_000_000], seconds(0));
    assert_eq!(table.update("eth0", [5], S30).unwrap().per_second(0), None);
    assert_eq!(
        table.update("eth0", [35], 2 * S30).unwrap().per_second(0),
        Some(1.0)
    );
}

#[test]
fn a_counter_of_32_bits_runs_over_but_only_as_fast_as_it_can() {
    let end = u64::from(u32::MAX);
    assert_eq!(growth(end - 999, 1_000, S30, MS), Some(2_000));
    assert_eq!(growth(end / 2, 1_000, S30, MS), None);
    assert_eq!(growth(end + 10, 1_000, S30, MS), None);
    assert_eq!(growth(end - 999, 1_000, S30, Width::Bits64), None);
}

#[test]
fn a_device_that_was_away_starts_anew() {
    let mut table = table();
    table.update("usb", [100], seconds(0));
    table.forget_unseen();
    assert!(table.knows("usb"));
    table.forget_unseen();
    assert!(!table.knows("usb"));
    assert_eq!(table.update("usb", [9_000], 2 * S30), None);
}

#[test]
fn too_soon_waits_and_too_late_starts_anew() {
    let mut table = table();
    table.update("sda", [0], seconds(0));
    assert_eq!(table.update("sda", [50], Duration::from_millis(50)), None);
    let growth = table.update("sda", [60], seconds(1)).unwrap();
    assert_eq!(growth.counts, [Some(60)], "the early reading is left out");
    assert_eq!(table.update("sda", [70], seconds(20_000)), None);
    let growth = table.update("sda", [100], seconds(20_030)).unwrap();
    assert_eq!(growth.per_second(0), Some(1.0));
}

#[test]
fn the_number_of_devices_is_bounded() {
    let mut table = table();
    for number in 0..DEVICES_MAX + 5 {
        table.update(&number.to_string(), [0], seconds(0));
    }
    assert_eq!(table.devices.len(), DEVICES_MAX);
}

proptest! {
    #[test]
    fn no_pair_of_readings_yields_an_impossible_rate(before: u64, now: u64, elapsed_s in 1_u64..7_200) {
        let elapsed = seconds(elapsed_s);
        if let Some(grown) = growth(before, now, elapsed, MS) {
            prop_assert!(now >= before && grown == now - before || grown <= 1_100 * (elapsed_s + 2));
        }
    }
}
