use super::super::aside::STALLED_MAX;
use super::super::fixture::FixtureHost;
use super::*;
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Condvar, Mutex};

/// File systems that answer or hang, as the test says.
#[derive(Default)]
struct Servers {
    dead: Mutex<HashSet<String>>,
    changed: Condvar,
    calls: Mutex<Vec<String>>,
}

impl Servers {
    fn with_dead(names: &[&str]) -> Arc<Self> {
        let servers = Self::default();
        servers
            .dead
            .lock()
            .unwrap()
            .extend(names.iter().map(|&name| name.to_owned()));
        Arc::new(servers)
    }

    fn revive(&self, name: &str) {
        self.dead.lock().unwrap().remove(name);
        self.changed.notify_all();
    }

    fn ask(&self, path: &Path) -> Space {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.calls.lock().unwrap().push(name.clone());
        let mut dead = self.dead.lock().unwrap();
        while dead.contains(&name) {
            dead = self.changed.wait(dead).unwrap();
        }
        Space {
            blocks: 100,
            blocks_free: 50,
            blocks_available: 50,
            inodes: 10,
            inodes_free: 9,
        }
    }

    fn calls_of(&self, name: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| *call == name).count()
    }
}

fn host(mounts: &str) -> FixtureHost {
    FixtureHost::with(&[(
        "proc/self/mountinfo",
        &format!("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n{mounts}"),
    )])
}

fn spaces(servers: &Arc<Servers>) -> Spaces {
    let mut settings = CollectSettings::default();
    let servers = Arc::clone(servers);
    settings.kernel.statvfs = Arc::new(move |path| Ok(servers.ask(path)));
    Spaces::new(&settings)
}

/// Passes, half a minute apart, until one fulfils `done`. The threads need a moment of real time now and then.
fn pass_until(
    host: &FixtureHost,
    spaces: &mut Spaces,
    seconds: &mut u64,
    done: impl Fn(&Readings, &Result<(), CollectError>) -> bool,
) {
    for _ in 0..10_000 {
        *seconds += 30;
        let (out, result) = host.try_read(spaces, *seconds);
        assert_eq!(
            out.get("disk.used_percent{/}"),
            Some(50.0),
            "local ones go on"
        );
        if done(&out, &result) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("never happened");
}

fn says(result: &Result<(), CollectError>, text: &str) -> bool {
    matches!(result, Err(CollectError::Failed(message)) if message == text)
}

#[test]
fn local_file_systems_answer_in_the_pass() {
    let host = host("23 22 8:2 / /var rw - xfs /dev/sda2 rw\n");
    let out = host.read(&mut spaces(&Servers::with_dead(&[])), 0);
    let values: Vec<_> = out.iter().collect();
    assert_eq!(
        values,
        [
            ("disk.used_percent{/}", 50.0),
            ("disk.inodes_used_percent{/}", 10.0),
            ("disk.used_percent{/var}", 50.0),
            ("disk.inodes_used_percent{/var}", 10.0),
        ]
    );
}

#[test]
fn a_dead_server_stops_neither_the_pass_nor_the_other_mounts() {
    let host = host(
        "23 22 0:30 / /mnt/nfs rw - nfs4 srv:/x rw\n24 22 0:31 / /mnt/cifs rw - cifs //srv/y rw\n",
    );
    let servers = Servers::with_dead(&["nfs"]);
    let mut spaces = spaces(&servers);
    let mut seconds = 0;
    pass_until(&host, &mut spaces, &mut seconds, |out, result| {
        out.get("disk.used_percent{/mnt/cifs}").is_some()
            && says(result, "mount /mnt/nfs does not answer")
    });
    for _ in 0..100 {
        seconds += 30;
        let (out, result) = host.try_read(&mut spaces, seconds);
        assert!(out.get("disk.used_percent{/mnt/nfs}").is_none());
        let message = result.unwrap_err().to_string();
        assert!(
            message.contains("mount /mnt/nfs does not answer"),
            "{message}"
        );
    }
    assert_eq!(
        servers.calls_of("nfs"),
        1,
        "not asked again while its call is out"
    );
    servers.revive("nfs");
    pass_until(&host, &mut spaces, &mut seconds, |out, result| {
        out.get("disk.used_percent{/mnt/nfs}") == Some(50.0) && result.is_ok()
    });
}

#[test]
fn the_number_of_threads_left_behind_is_bounded() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let mounts: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            format!("3{number} 22 0:3{number} / /{name} rw - nfs srv:/{name} rw\n")
        })
        .collect();
    let host = host(&mounts.concat());
    let servers = Servers::with_dead(&names);
    let mut spaces = spaces(&servers);
    let mut seconds = 0;
    pass_until(&host, &mut spaces, &mut seconds, |_, result| {
        let message = match result {
            Err(error) => error.to_string(),
            Ok(()) => return false,
        };
        message.ends_with("and 2 more")
            && message.contains("does not answer")
            && names
                .iter()
                .filter(|name| servers.calls_of(name) > 0)
                .count()
                == STALLED_MAX
    });
    for name in names {
        servers.revive(name);
    }
    pass_until(&host, &mut spaces, &mut seconds, |out, result| {
        result.is_ok() && out.get("disk.used_percent{/f}").is_some()
    });
}

#[test]
fn a_mount_that_is_closed_or_broken_is_named() {
    let host = host(
        "23 22 8:2 / /var rw - xfs /dev/sda2 rw\n24 22 8:3 / /closed rw - xfs /dev/sda3 rw\nbroken\n",
    );
    let mut settings = CollectSettings::default();
    settings.kernel.statvfs = Arc::new(|path| {
        Err(if path.ends_with("closed") {
            io::ErrorKind::PermissionDenied.into()
        } else if path.ends_with("var") {
            io::Error::from_raw_os_error(5)
        } else {
            io::ErrorKind::NotFound.into()
        })
    });
    let mut spaces = Spaces::new(&settings);
    let message = host.try_read(&mut spaces, 0).1.unwrap_err().to_string();
    assert!(
        message.contains("cannot tell how full /var is") && message.contains("mountinfo:4: "),
        "{message}"
    );
    host.write(
        "proc/self/mountinfo",
        "24 22 8:3 / /closed rw - xfs /dev/sda3 rw\n",
    );
    let (_, result) = host.try_read(&mut spaces, 30);
    assert!(matches!(result, Err(CollectError::Denied(_))), "{result:?}");
}
