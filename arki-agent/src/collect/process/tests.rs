use super::super::fixture::FixtureHost;
use super::*;

fn stat(pid: u32, name: &str, state: char, cpu: u64, start: u64, pages: u64) -> String {
    format!(
        "{pid} ({name}) {state} 0 1 1 0 -1 4194560 0 0 0 0 {cpu} 0 0 0 20 0 1 0 {start} 0 {pages} 0\n"
    )
}

fn io(anywhere_bytes: u64, to_devices_bytes: u64) -> String {
    format!(
        "rchar: 1\nwchar: {anywhere_bytes}\nsyscr: 1\nsyscw: 1\nread_bytes: 0\nwrite_bytes: {to_devices_bytes}\ncancelled_write_bytes: 0\n"
    )
}

fn processes() -> Processes {
    let mut settings = CollectSettings::default();
    settings.kernel.page_bytes = 4096;
    settings.kernel.ticks_per_second = 100;
    Processes::new(&settings)
}

fn host() -> FixtureHost {
    FixtureHost::with(&[
        ("proc/1/stat", &stat(1, "systemd", 'S', 0, 1, 1000)),
        (
            "proc/self/mountinfo",
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:30 / /tmp rw - tmpfs tmpfs rw\n",
        ),
        ("proc/uptime", "1 1\n"),
    ])
}

#[test]
fn states_are_counted() {
    let host = host();
    host.write("proc/2/stat", stat(2, "dd", 'D', 0, 5, 10));
    host.write("proc/3/stat", stat(3, "old", 'Z', 0, 5, 0));
    let out = host.read(&mut processes(), 0);
    let values: Vec<_> = out.iter().collect();
    assert_eq!(
        values,
        [
            ("process.count", 3.0),
            ("process.blocked", 1.0),
            ("process.zombies", 1.0)
        ]
    );
}

/// Blocked for a while, then not; another begins.
#[test]
fn a_thread_of_the_kernel_is_counted_while_it_is_blocked() {
    let host = host();
    let thread = |pid: u32, state: char| {
        let line = stat(pid, "kworker", state, 0, 5, 0);
        // PF_KTHREAD and PF_WQ_WORKER
        host.write(
            &format!("proc/{pid}/stat"),
            line.replace("4194560", "2097184"),
        );
    };
    (2..10).for_each(|pid| thread(pid, 'I'));
    thread(4, 'D');
    let mut collector = processes();
    let blocked = |collector: &mut Processes, pass: u64| {
        let out = host.read(collector, 30 * pass);
        assert_eq!(out.get("process.count"), Some(9.0), "{pass}");
        out.get("process.blocked").unwrap()
    };
    assert!((0..3).all(|pass| blocked(&mut collector, pass) == 1.0));
    thread(4, 'I');
    assert_eq!(blocked(&mut collector, 3), 0.0, "at once");
    (5..8).for_each(|pid| thread(pid, 'D'));
    (4..7).for_each(|pass| _ = blocked(&mut collector, pass));
    assert_eq!(blocked(&mut collector, 7), 3.0, "within four passes");
    assert_eq!(blocked(&mut collector, 8), 3.0);
}

/// What sleeps is read in turns; what it did meanwhile is counted all the same.
#[test]
fn a_program_that_sleeps_is_read_in_turns() {
    let host = host();
    let write = |state: char, cpu: u64| {
        host.write("proc/6/stat", stat(6, "sleeper", state, cpu, 5, 100));
    };
    write('S', 10);
    let mut collector = processes();
    let read = |collector: &mut Processes, pass: u64| {
        let out = host.read(collector, 30 * pass);
        assert_eq!(out.get("process.count"), Some(2.0), "{pass}");
        out.get("process.blocked").unwrap()
    };
    (0..8).for_each(|pass| assert_eq!(read(&mut collector, pass), 0.0));
    write('D', 10);
    let seen: f64 = (8..12).map(|pass| read(&mut collector, pass)).sum();
    assert!(
        (1.0..4.0).contains(&seen),
        "within four passes, not at once: {seen}"
    );
    assert_eq!(read(&mut collector, 12), 1.0, "in each while it is blocked");
    write('S', 10);
    assert_eq!(read(&mut collector, 13), 0.0, "at once");
    (14..20).for_each(|pass| _ = read(&mut collector, pass));
    write('S', 110);
    (20..24).for_each(|pass| _ = read(&mut collector, pass));
    let top = collector.top_growth("cpu.busy_percent", 1);
    assert_eq!((top[0].pid, top[0].growth), (6, 1.0));
}

#[test]
fn a_leak_is_named_before_what_goes_up_and_down() {
    let host = host();
    let mut collector = processes();
    for pass in 0..240_u64 {
        let leak = 10_000 + 10 * pass;
        // Up by 40,000 pages in 20 passes, and down again.
        let collected = 50_000 + 2_000 * (pass % 21);
        host.write("proc/7/stat", stat(7, "leaky", 'S', 0, 5, leak));
        host.write("proc/8/stat", stat(8, "java", 'S', 0, 5, collected));
        host.read(&mut collector, 30 * pass);
    }
    let top = collector.top_growth("memory.used_percent", 5);
    let leak = top.iter().find(|growth| growth.pid == 7).unwrap();
    assert_eq!(
        (leak.name.as_str(), leak.resource.as_str()),
        ("leaky", "resident_bytes")
    );
    assert_eq!(leak.value, f64::from(10_000 + 10 * 239) * 4096.0);
    assert!((1800.0..=3600.0).contains(&leak.span_s));
    assert_eq!(leak.growth, leak.span_s / 30.0 * 10.0 * 4096.0);
    assert!(
        top.iter().all(|growth| growth.pid != 1),
        "what does not grow is not named"
    );
}

#[test]
fn a_demo_of_two_minutes_is_enough() {
    let host = host();
    host.write("proc/7/stat", stat(7, "leaky", 'S', 0, 5, 100));
    let mut collector = processes();
    host.read(&mut collector, 0);
    host.write("proc/7/stat", stat(7, "leaky", 'S', 0, 5, 356));
    host.read(&mut collector, 90);
    let top = collector.top_growth("memory.used_percent", 1);
    assert_eq!((top[0].growth, top[0].span_s), (1_048_576.0, 90.0));
}

#[test]
fn a_number_that_is_used_again_is_another_process() {
    let host = host();
    host.write("proc/7/stat", stat(7, "old", 'S', 90_000, 5, 9_000));
    let mut collector = processes();
    host.read(&mut collector, 0);
    host.read(&mut collector, 30);
    host.write("proc/7/stat", stat(7, "new", 'S', 150, 777, 9_500));
    host.read(&mut collector, 60);
    let top = collector.top_growth("cpu.busy_percent", 1);
    assert_eq!(
        (top[0].name.as_str(), top[0].growth, top[0].span_s),
        ("new", 1.5, 30.0)
    );
    let top = collector.top_growth("memory.used_percent", 1);
    assert_eq!(top[0].growth, 9_500.0 * 4096.0, "all of it is new");
}

#[test]
fn who_writes_is_told_for_devices_and_for_memory() {
    let host = host();
    for (pid, name) in [(7, "db"), (8, "filler")] {
        host.write(&format!("proc/{pid}/stat"), stat(pid, name, 'S', 0, 5, 10));
        host.write(&format!("proc/{pid}/io"), io(0, 0));
    }
    let mut collector = processes();
    host.read(&mut collector, 0);
    host.write("proc/7/io", io(1 << 20, 1 << 20));
    host.write("proc/8/io", io(9 << 20, 0));
    host.read(&mut collector, 30);
    let [db, filler] = ["db", "filler"].map(|name| named(name, "written_bytes"));
    let seen = who(&collector, "disk.used_percent{/}");
    assert_eq!(seen, std::slice::from_ref(&db));
    assert_eq!(who(&collector, "disk.used_percent{/tmp}"), [filler, db]);
    assert!(who(&collector, "net.rx_bytes_per_second{eth0}").is_empty());
}

/// Of three that wrote: who is told for a series, in which order.
fn who(collector: &Processes, series: &str) -> Vec<(String, String)> {
    let top = collector.top_growth(series, 5);
    top.into_iter()
        .map(|growth| (growth.name, growth.resource))
        .collect()
}

fn named(name: &str, resource: &str) -> (String, String) {
    (name.to_owned(), resource.to_owned())
}

#[test]
fn who_has_a_file_open_there_comes_before_who_wrote_more_elsewhere() {
    let host = host();
    for (pid, name, file) in [(7, "cc", "/build/a.o"), (8, "filler", "/tmp/big")] {
        host.write(&format!("proc/{pid}/stat"), stat(pid, name, 'S', 0, 5, 10));
        host.write(&format!("proc/{pid}/io"), io(0, 0));
        host.write(&format!("proc/{pid}/fd/0"), "");
        let link = host.roots.proc.join(format!("{pid}/fd/3"));
        std::os::unix::fs::symlink(file, link).unwrap();
    }
    let mut collector = processes();
    host.read(&mut collector, 0);
    host.write("proc/7/io", io(900 << 20, 900 << 20));
    host.write("proc/8/io", io(20 << 20, 0));
    host.read(&mut collector, 30);
    let wrote = "written_bytes";
    let seen = who(&collector, "disk.used_percent{/tmp}");
    assert_eq!(seen, [named("filler", wrote), named("cc", wrote)]);
    let seen = who(&collector, "disk.used_percent{/}");
    assert_eq!(seen, [named("cc", wrote)], "/tmp is not a part of it");
}

#[test]
fn a_shell_is_not_named_for_its_commands_before_who_writes_himself() {
    let host = host();
    let shell = "7 (bash) S 0 1 1 0 -1 4194560 0 0 0 0 1 0 500 0 20 0 1 0 5 0 10 0\n";
    host.write("proc/7/stat", shell);
    host.write("proc/8/stat", stat(8, "filler", 'S', 0, 5, 10));
    for path in ["proc/7/io", "proc/7/task/7/io", "proc/8/io"] {
        host.write(path, io(0, 0));
    }
    let mut collector = processes();
    host.read(&mut collector, 0);
    host.write("proc/7/io", io(90 << 20, 90 << 20));
    host.write("proc/7/task/7/io", io(1 << 20, 0));
    host.read(&mut collector, 30);
    let by_children = named("bash", "written_by_children_bytes");
    let series = "disk.used_percent{/}";
    let seen = who(&collector, series);
    assert_eq!(
        seen,
        std::slice::from_ref(&by_children),
        "better than nobody"
    );
    host.write("proc/8/io", io(5 << 20, 5 << 20));
    host.read(&mut collector, 60);
    assert_eq!(
        who(&collector, series),
        [named("filler", "written_bytes"), by_children]
    );
}

#[test]
fn descriptors_are_counted_where_the_directory_is_open() {
    let host = host();
    host.write("proc/7/stat", stat(7, "srv", 'S', 0, 5, 10));
    host.write("proc/7/fd/0", "");
    let mut collector = processes();
    host.read(&mut collector, 0);
    for number in 1..5 {
        host.write(&format!("proc/7/fd/{number}"), "");
    }
    host.read(&mut collector, 30);
    let top = collector.top_growth("file.used_percent", 5);
    assert_eq!((top.len(), top[0].value, top[0].growth), (1, 5.0, 4.0));
}

#[test]
fn a_broken_process_is_named_and_the_others_are_counted() {
    let host = host();
    host.write("proc/7/stat", "7 (x) S 1 1\n");
    let mut collector = processes();
    let (out, result) = host.try_read(&mut collector, 0);
    let message = result.unwrap_err().to_string();
    assert!(message.contains("7/stat:1: "), "{message}");
    assert_eq!(out.get("process.count"), Some(2.0));
    host.remove("proc/7");
    assert_eq!(
        host.read(&mut collector, 30).get("process.count"),
        Some(1.0)
    );
}

#[test]
fn hidden_processes_are_no_count() {
    let host = host();
    host.remove("proc/1");
    host.write("proc/7/stat", stat(7, "own", 'S', 0, 5, 10));
    let (out, result) = host.try_read(&mut processes(), 0);
    assert!(out.is_empty() && matches!(result, Err(CollectError::Denied(_))));
}

#[test]
fn broken_io_is_named() {
    assert_eq!(written("wchar: 5\nwrite_bytes: x\n").unwrap_err().line, 2);
    assert_eq!(written("").unwrap(), Written::default());
    assert_eq!(
        written("write_bytes: 5\ncancelled_write_bytes: 7\n")
            .unwrap()
            .to_devices_bytes,
        0
    );
}
