use super::*;

fn sighting(pid: u32, resident_kib: u64) -> Sighting<'static> {
    Sighting {
        pid,
        name: b"a\nb",
        is_kernel: false,
        reaps: false,
        start_ticks: 1,
        cpu_ticks: 0,
        resident_kib,
    }
}

fn pass(
    table: &mut ProcessTable,
    at_s: u64,
    sightings: impl IntoIterator<Item = Sighting<'static>>,
) {
    table.begin(Duration::from_secs(at_s));
    for sighting in sightings {
        table.see(&sighting);
    }
    table.end();
}

#[test]
fn a_full_table_keeps_the_processes_of_the_most_memory() {
    let mut table = ProcessTable::new(100);
    let all = || (1..=2_000).map(|pid| sighting(pid, u64::from(pid % 1_000)));
    pass(&mut table, 0, all());
    assert_eq!(table.processes.len(), PROCESSES_MAX);
    assert!(
        table
            .processes
            .iter()
            .all(|process| process.weight().1 >= 1_000 - 256)
    );
    assert!(table.processes.is_sorted_by_key(|process| process.pid));
    pass(&mut table, 30, all());
    assert!(
        table.ranked(Resource::ResidentBytes).is_empty(),
        "what was pushed out is not born again"
    );
}

#[test]
fn the_memory_of_a_process_is_bounded() {
    assert!(size_of::<Process>() <= 192, "{}", size_of::<Process>());
}

#[test]
fn the_spans_are_between_half_and_whole() {
    let mut table = ProcessTable::new(100);
    for number in 0..600 {
        pass(&mut table, 30 * number, [sighting(1, 100 * number)]);
        for (growth, half_s) in table.processes[0].slots.iter().zip([300, 1800]) {
            let age_s = 30 * number - u64::from(growth[0].at_s);
            assert!(age_s <= 2 * half_s + 30, "{age_s}");
            assert!(30 * number < 2 * half_s || age_s >= half_s, "{age_s}");
        }
    }
}

#[test]
fn counters_that_pass_32_bits_go_on() {
    let mut table = ProcessTable::new(100);
    let write = |table: &mut ProcessTable, at_s: u64, kib: u64| {
        table.begin(Duration::from_secs(at_s));
        table.see(&sighting(1, 1));
        table.processes_mut()[0].set(Resource::WrittenBytes, kib);
        table.end();
    };
    write(&mut table, 0, (1 << 32) - 10);
    write(&mut table, 30, (1 << 32) + 90);
    let top = table.ranked(Resource::WrittenBytes);
    assert_eq!(top[0].1.growth, 100.0 * 1024.0);
    assert_eq!(top[0].1.name, "a?b", "a name cannot break a line");
}

#[test]
fn what_was_born_just_now_counts_by_its_amount_not_by_its_speed() {
    let mut table = ProcessTable::new(100);
    for number in 0..20 {
        pass(&mut table, 30 * number, [sighting(1, 1_000 * number)]);
    }
    pass(
        &mut table,
        600,
        [sighting(1, 20_000), sighting(2, 5_000), sighting(3, 19_000)],
    );
    let top = table.ranked(Resource::ResidentBytes);
    let pids: Vec<u32> = top.iter().map(|(_, growth)| growth.pid).collect();
    assert_eq!(
        pids,
        [3, 1, 2],
        "by what was taken in the last minutes, not by its speed"
    );
}
