//! Services over trees of control groups, units and invocation links as systemd makes them.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

struct Host {
    root: tempfile::TempDir,
    services: Services,
    now: Duration,
    is_unified: bool,
}

impl Host {
    fn new(settings: &[(&str, bool)]) -> Self {
        Self::with(settings, true)
    }

    fn with(settings: &[(&str, bool)], is_unified: bool) -> Self {
        let settings = settings
            .iter()
            .map(|&(name, watch)| ServiceSettings {
                name: name.to_owned(),
                watch,
                snapshot: Vec::new(),
            })
            .collect();
        let host = Self {
            root: tempfile::tempdir().unwrap(),
            services: Services::new(settings),
            now: Duration::ZERO,
            is_unified,
        };
        fs::create_dir_all(host.groups().join("system.slice")).unwrap();
        for directory in [
            "etc/systemd/system",
            "usr/lib/systemd/system",
            "run/systemd/units",
        ] {
            fs::create_dir_all(host.root.path().join(directory)).unwrap();
        }
        if is_unified {
            fs::write(host.groups().join("cgroup.controllers"), "cpu\n").unwrap();
        }
        host
    }

    fn groups(&self) -> PathBuf {
        let mount = self.root.path().join("sys/fs/cgroup");
        if self.is_unified {
            mount
        } else {
            mount.join("systemd")
        }
    }

    fn unit(&self, name: &str, text: &str) {
        fs::write(
            self.root.path().join("usr/lib/systemd/system").join(name),
            text,
        )
        .unwrap();
    }

    /// Starts `unit` (below `system.slice`) as run number `run`, with these processes.
    fn start(&self, unit: &str, run: u32, processes: &[u32]) {
        let directory = self.groups().join("system.slice").join(unit);
        fs::create_dir_all(&directory).unwrap();
        let populated = u32::from(!processes.is_empty());
        fs::write(
            directory.join("cgroup.events"),
            format!("populated {populated}\nfrozen 0\n"),
        )
        .unwrap();
        let list: Vec<String> = processes.iter().map(u32::to_string).collect();
        let list = list.join("\n");
        fs::write(directory.join("cgroup.procs"), list).unwrap();
        if run > 0 {
            self.forget_run(unit);
            symlink(format!("{run:032x}"), self.invocation(unit)).unwrap();
        }
    }

    fn stop(&self, unit: &str) {
        fs::remove_dir_all(self.groups().join("system.slice").join(unit)).unwrap();
        self.forget_run(unit);
    }

    fn invocation(&self, unit: &str) -> PathBuf {
        let name = unit.rsplit('/').next().unwrap();
        self.root
            .path()
            .join(format!("run/systemd/units/invocation:{name}"))
    }

    fn forget_run(&self, unit: &str) {
        let path = self.invocation(unit);
        if path.is_symlink() {
            fs::remove_file(path).unwrap();
        }
    }

    /// A pass of which only what it leaves behind is of interest.
    fn skip(&mut self) {
        drop(self.pass(30));
    }

    /// A pass, `seconds` after the last: the readings as text, and what was wrong.
    fn pass(&mut self, seconds: u64) -> (Vec<String>, Result<(), CollectError>) {
        self.now += Duration::from_secs(seconds);
        let roots = Roots {
            root: self.root.path().to_owned(),
            sys: self.root.path().join("sys"),
            proc: self.root.path().join("proc"),
        };
        let at = Moment {
            now_s: 0,
            monotonic: self.now,
        };
        let mut out = Readings::default();
        let result = self.services.collect(&roots, at, &mut out);
        let text = out
            .iter()
            .map(|(name, value)| format!("{} {value}", name.trim_start_matches("service.")));
        (text.collect(), result)
    }
}

#[test]
fn a_named_service_goes_down_and_its_restarts_are_counted() {
    let mut host = Host::new(&[("nginx", true)]);
    host.unit("nginx.service", "[Service]\nType=forking\n");
    host.start("nginx.service", 1, &[100, 101]);
    let up = ["up{nginx} 1", "restarts_per_hour{nginx} 0"];
    assert_eq!(host.pass(30), (up.map(String::from).to_vec(), Ok(())));
    host.start("nginx.service", 2, &[200, 201]);
    assert_eq!(
        host.pass(30).0,
        ["up{nginx} 1", "restarts_per_hour{nginx} 1"]
    );
    host.stop("nginx.service");
    assert_eq!(
        host.pass(30).0,
        ["up{nginx} 0", "restarts_per_hour{nginx} 1"]
    );
    host.start("nginx.service", 3, &[300]);
    assert_eq!(
        host.pass(30).0,
        ["up{nginx} 1", "restarts_per_hour{nginx} 2"]
    );
    assert_eq!(
        host.pass(3_540).0[1],
        "restarts_per_hour{nginx} 1",
        "an hour after the first"
    );
    assert_eq!(host.pass(3_600).0[1], "restarts_per_hour{nginx} 0");
}

#[test]
fn a_service_that_waits_to_be_started_anew_is_down() {
    let mut host = Host::new(&[("app", true)]);
    host.unit("app.service", "[Service]\nRestart=always\n");
    host.start("app.service", 1, &[100]);
    host.skip();
    host.start("app.service", 0, &[]);
    assert_eq!(host.pass(30).0[0], "up{app} 0");
}

#[test]
fn a_named_oneshot_that_remains_is_up_without_processes() {
    let mut host = Host::new(&[("firewall", true)]);
    host.unit(
        "firewall.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\n",
    );
    host.start("firewall.service", 1, &[]);
    assert_eq!(host.pass(30).0[0], "up{firewall} 1");
    host.stop("firewall.service");
    assert_eq!(host.pass(30).0[0], "up{firewall} 0");
}

#[test]
fn a_named_service_that_does_not_exist_is_down_and_it_is_said() {
    let mut host = Host::new(&[("ngnix.service", true), ("gone", true)]);
    symlink(
        "/dev/null",
        host.root.path().join("etc/systemd/system/gone.service"),
    )
    .unwrap();
    let (readings, result) = host.pass(30);
    assert_eq!(readings[0], "up{ngnix} 0");
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("ngnix does not exist") && error.contains("list-unit-files"),
        "{error}"
    );
    assert!(error.contains("gone is masked"), "{error}");
}

#[test]
fn an_alias_is_what_it_stands_for() {
    let mut host = Host::new(&[("mysql", true)]);
    host.unit("mariadb.service", "[Service]\nType=notify\n");
    symlink(
        "/usr/lib/systemd/system/mariadb.service",
        host.root.path().join("etc/systemd/system/mysql.service"),
    )
    .unwrap();
    host.start("mariadb.service", 1, &[100]);
    let (readings, result) = host.pass(30);
    assert_eq!(readings, ["up{mysql} 1", "restarts_per_hour{mysql} 0"]);
    assert_eq!(result, Ok(()));
}

#[test]
fn what_runs_is_watched_and_jobs_and_visitors_are_not() {
    let mut host = Host::new(&[("cups", false)]);
    host.unit("cron.service", "[Service]\nType=simple\n");
    host.unit("apt-daily.service", "[Service]\nType=oneshot\n");
    host.unit("report.service", "[Service]\nType=simple\n");
    host.unit("report.timer", "[Timer]\n");
    host.unit("hostnamed.service", "[Service]\nBusName=org.x\n");
    host.unit("postgresql@.service", "[Service]\nType=forking\n");
    for (number, unit) in [
        "cron.service",
        "apt-daily.service",
        "report.service",
        "hostnamed.service",
        "cups.service",
        "user@1000.service",
        "empty.service",
        "system-postgresql.slice/postgresql@15-main.service",
    ]
    .iter()
    .enumerate()
    {
        let processes: &[u32] = if *unit == "empty.service" {
            &[]
        } else {
            &[100]
        };
        host.start(unit, number as u32 + 1, processes);
    }
    let (readings, result) = host.pass(30);
    assert_eq!(
        readings,
        ["up{cron} 1", "up{hostnamed} 1", "up{postgresql@15-main} 1"]
    );
    assert_eq!(result, Ok(()));
    host.stop("hostnamed.service");
    host.stop("cron.service");
    assert_eq!(
        host.pass(30).0,
        ["up{cron} 0", "up{postgresql@15-main} 1"],
        "what is on the bus may leave"
    );
    host.start("cron.service", 50, &[5]);
    assert_eq!(
        host.pass(60).0[..2],
        ["up{cron} 1", "restarts_per_hour{cron} 1"]
    );
    host.stop("cron.service");
    host.skip();
    assert_eq!(
        host.pass(86_400).0,
        ["up{postgresql@15-main} 1"],
        "down for a day: gone on purpose"
    );
}

#[test]
fn without_invocation_numbers_a_restart_is_all_processes_being_new() {
    let mut host = Host::with(&[("web", true)], false);
    host.unit("web.service", "");
    host.start("web.service", 0, &[100, 101, 102]);
    assert_eq!(host.pass(30).0, ["up{web} 1", "restarts_per_hour{web} 0"]);
    host.start("web.service", 0, &[100, 103, 104]);
    assert_eq!(
        host.pass(30).0[1],
        "restarts_per_hour{web} 0",
        "new workers only"
    );
    host.start("web.service", 0, &[200, 201]);
    assert_eq!(host.pass(30).0[1], "restarts_per_hour{web} 1");
}

#[test]
fn on_the_old_hierarchy_a_delegated_unit_has_its_processes_below() {
    let mut host = Host::with(&[("docker", true)], false);
    host.unit("docker.service", "");
    host.start("docker.service", 1, &[]);
    host.start("docker.service/a/b", 0, &[100]);
    assert_eq!(host.pass(30).0[0], "up{docker} 1");
}

#[test]
fn there_is_a_limit_and_named_services_come_first() {
    let mut host = Host::new(&[("z*", true), ("zz", true)]);
    host.unit("zz.service", "");
    for number in 0..UNITS_MAX + 3 {
        host.start(&format!("app{number:03}.service"), 1, &[100]);
    }
    host.start("zz.service", 1, &[7]);
    let (readings, result) = host.pass(30);
    assert_eq!(readings.len(), UNITS_MAX + 1);
    assert_eq!(readings[0], "up{zz} 1");
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("4 more services") && error.contains("watch = false"),
        "{error}"
    );
}

#[test]
fn without_systemd_there_is_no_data_unless_services_are_named() {
    let mut host = Host::new(&[]);
    fs::remove_dir_all(host.groups()).unwrap();
    assert!(matches!(host.pass(30).1, Err(CollectError::NoData(_))));
    let mut host = Host::new(&[("nginx", true)]);
    fs::remove_dir_all(host.groups()).unwrap();
    assert!(matches!(host.pass(30).1, Err(CollectError::Failed(_))));
}
