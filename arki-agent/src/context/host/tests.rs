//! Jobs over a host of fixtures.

use super::*;
use std::fs;

struct Fixture {
    root: tempfile::TempDir,
    contexts: HostContexts,
    minutes: u64,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc")).unwrap();
        fs::create_dir_all(root.path().join("sys/fs/cgroup/system.slice")).unwrap();
        fs::create_dir_all(root.path().join("usr/lib/systemd/system")).unwrap();
        fs::write(root.path().join("sys/fs/cgroup/cgroup.controllers"), "").unwrap();
        Self {
            root,
            contexts: HostContexts::default(),
            minutes: 0,
        }
    }

    /// A process that began `age_s` before the tenth hour of the host.
    fn process(&self, pid: u32, parent: u32, comm: &str, age_s: i64, command: &str) {
        let directory = self.root.path().join(format!("proc/{pid}"));
        fs::create_dir_all(&directory).unwrap();
        let ticks = (36_000 - age_s) * 100;
        let stat =
            format!("{pid} ({comm}) S {parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {ticks} 0\n");
        fs::write(directory.join("stat"), stat).unwrap();
        fs::write(directory.join("cmdline"), command.replace(' ', "\0")).unwrap();
    }

    fn end(&self, pid: u32) {
        fs::remove_dir_all(self.root.path().join(format!("proc/{pid}"))).unwrap();
    }

    fn service(&self, unit: &str, populated: u32) {
        let directory = self
            .root
            .path()
            .join("sys/fs/cgroup/system.slice")
            .join(unit);
        fs::create_dir_all(&directory).unwrap();
        fs::write(
            directory.join("cgroup.events"),
            format!("populated {populated}\n"),
        )
        .unwrap();
    }

    /// A look, a minute after the last: names and how long each has been going on.
    fn look(&mut self) -> Vec<(String, i64)> {
        self.minutes += 1;
        let now_s = 1_000_000 + 60 * self.minutes as i64;
        fs::write(
            self.root.path().join("proc/uptime"),
            format!("{}.00 1.00\n", 36_000 + 60 * (self.minutes - 1)),
        )
        .unwrap();
        let roots = Roots {
            proc: self.root.path().join("proc"),
            sys: self.root.path().join("sys"),
            root: self.root.path().to_owned(),
        };
        let at = Moment {
            now_s,
            monotonic: Duration::from_secs(60 * self.minutes),
        };
        self.contexts.look(&roots, at);
        let mut found: Vec<_> = self
            .contexts
            .active()
            .map(|context| (context.name, now_s - context.since))
            .collect();
        found.sort();
        found
    }
}

fn found(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected
        .iter()
        .map(|&(name, age_s)| (name.to_owned(), age_s))
        .collect()
}

#[test]
fn jobs_of_cron_come_and_go() {
    let mut host = Fixture::new();
    host.process(1, 0, "systemd", 36_000, "/sbin/init");
    host.process(50, 1, "cron", 35_000, "/usr/sbin/cron -f");
    assert_eq!(host.look(), []);
    host.process(900, 50, "cron", 100, "/usr/sbin/CRON -f");
    host.process(901, 900, "sh", 100, "/bin/sh -c /opt/report.sh");
    host.process(902, 901, "report.sh", 100, "/bin/bash /opt/report.sh");
    assert_eq!(host.look(), found(&[("cron:report.sh", 160)]));
    assert_eq!(host.look(), found(&[("cron:report.sh", 220)]));
    for pid in [900, 901, 902] {
        host.end(pid);
    }
    assert_eq!(host.look(), []);
}

#[test]
fn known_programs_are_jobs_and_daemons_of_the_same_name_are_not() {
    let mut host = Fixture::new();
    host.process(10, 1, "rsync", 30_000, "rsync --daemon --no-detach");
    host.process(
        11,
        1,
        "unattended-upgr",
        300,
        "python3 /usr/share/unattended-upgrade-shutdown --wait-for-signal",
    );
    host.process(12, 1, "zpool", 300, "zpool iostat 1");
    host.process(13, 1, "borg", AGE_MAX_S + 60, "borg mount x");
    assert_eq!(host.look(), []);
    host.process(20, 5, "rsync", 30, "rsync -a /srv backup:");
    host.process(21, 5, "dpkg", 20, "dpkg --configure -a");
    assert_eq!(host.look(), found(&[("dpkg", 80), ("rsync", 90)]));
}

#[test]
fn what_begins_anew_every_minute_is_no_job_that_ends() {
    let mut host = Fixture::new();
    host.process(50, 1, "cron", 35_000, "/usr/sbin/cron -f");
    let mut explains = 0;
    for minute in 1..=AGE_MAX_S / 60 + 10 {
        let pid = 1_000 + minute as u32;
        host.process(pid, 50, "sh", 90 - 60 * minute, "/bin/sh -c /opt/tick.sh");
        explains += i64::from(host.look().len() == 1);
        host.end(pid);
    }
    assert_eq!(explains, AGE_MAX_S / 60);
    // once it is away for a minute it is a job again
    assert_eq!(host.look(), []);
    let minute = AGE_MAX_S / 60 + 12;
    host.process(9_000, 50, "sh", 90 - 60 * minute, "/bin/sh -c /opt/tick.sh");
    assert_eq!(host.look(), found(&[("cron:tick.sh", 30)]));
}

#[test]
fn a_daemon_of_a_jobs_name_does_not_make_the_job_one() {
    let mut host = Fixture::new();
    host.process(13, 1, "borg", AGE_MAX_S + 60, "borg mount x");
    assert_eq!(host.look(), []);
    host.process(14, 5, "borg", 0, "borg create y");
    assert_eq!(host.look(), found(&[("borg", 60)]));
    assert_eq!(host.look(), found(&[("borg", 120)]));
}

#[test]
fn a_process_that_becomes_another_program_is_seen() {
    let mut host = Fixture::new();
    host.process(30, 1, "sh", 1, "sh -c x");
    assert_eq!(host.look(), []);
    host.process(30, 1, "restic", 1, "restic backup /srv");
    assert_eq!(host.look().len(), 1);
}

#[test]
fn services_that_a_timer_starts_are_jobs_while_they_run() {
    let mut host = Fixture::new();
    fs::write(
        host.root
            .path()
            .join("usr/lib/systemd/system/apt-daily.timer"),
        "",
    )
    .unwrap();
    let other = host.root.path().join("etc/systemd/system/nightly.timer");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(other, "[Timer]\nOnCalendar=daily\nUnit=dump.service\n").unwrap();
    host.service("apt-daily.service", 1);
    host.service("nginx.service", 1);
    host.service("dump.service", 1);
    assert_eq!(host.look(), found(&[("apt-daily", 0), ("dump", 0)]));
    host.service("dump.service", 0);
    assert_eq!(host.look(), found(&[("apt-daily", 60)]));
    let explained = host.contexts.active().next().unwrap().series;
    assert!(
        explained
            .iter()
            .any(|glob| glob.is_match("service.up{nginx}"))
    );
    host.service("apt-daily.service", 0);
    assert_eq!(host.look(), []);
}

#[test]
fn the_check_of_an_array_ends_when_it_says() {
    let mut host = Fixture::new();
    let text = "md0 : active raid1 a b\n  [=>..]  check = 5% (1/2) finish=10.0min speed=1K/sec\n";
    fs::write(host.root.path().join("proc/mdstat"), text).unwrap();
    assert_eq!(host.look(), found(&[("md0 check", 0)]));
    let context = host.contexts.active().next().unwrap();
    assert_eq!(context.until.unwrap() - context.since, 600);
}

#[test]
fn there_is_a_limit() {
    let mut host = Fixture::new();
    host.process(50, 1, "crond", 35_000, "crond");
    for number in 0..40 {
        host.process(100 + number, 50, "job", 10, &format!("/opt/job{number}"));
    }
    assert_eq!(host.look().len(), ACTIVE_MAX);
}
