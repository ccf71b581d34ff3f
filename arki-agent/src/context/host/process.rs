//! Jobs of cron and programs that are known, among the processes.
//!
//! A process that is neither is read twice, because it may become another program shortly after it began, and is then
//! known by its number: a look costs little more than a list of `/proc`.

use super::Job;
use super::kind::JobKind;
use crate::collect::Roots;
use arki_model::clock::UnixSeconds;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// The most processes that are looked at; `pid_max` of most hosts.
const PROCESSES_MAX: usize = 32 * 1024;
/// What is read of a command line: the program and where its arguments begin.
const CMDLINE_BYTES_MAX: u64 = 1024;
/// What is read of `stat`; it has at most some 400 bytes.
const STAT_BYTES_MAX: u64 = 1024;
/// `USER_HZ`, in which the kernel tells times: 100 on every architecture that Arki is built for.
const TICKS_PER_SECOND: f64 = 100.0;
/// How often a process is read before it is known by its number.
const LOOKS: u8 = 2;
/// The longest name of a job.
const NAME_CHARS_MAX: usize = 48;

/// Daemons that start other people's jobs.
const SCHEDULERS: [&str; 6] = ["cron", "crond", "anacron", "fcron", "atd", "CRON"];

/// What a process is, as its `stat` says.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    pid: u32,
    parent: u32,
    comm: String,
    /// It waits for a device and cannot be interrupted. To read its command line may wait for it.
    is_stuck: bool,
    started_s: f64,
}

/// Numbers of processes that are nothing special, and how often each was read.
#[derive(Debug, Default)]
pub(super) struct Processes {
    settled: Vec<(u32, u8)>,
}

impl Processes {
    /// The jobs that run.
    pub(super) fn look(&mut self, host: &Roots, now_s: UnixSeconds) -> Vec<Job> {
        let Some(uptime_s) = read_text(&host.proc.join("uptime"), STAT_BYTES_MAX)
            .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        else {
            return Vec::new();
        };
        let seen = self.read_new(host);
        let mut jobs: Vec<Job> = Vec::new();
        let schedulers: Vec<u32> = seen
            .iter()
            .filter(|process| SCHEDULERS.contains(&process.comm.as_str()))
            .map(|process| process.pid)
            .collect();
        for process in &seen {
            let is_scheduler = schedulers.contains(&process.pid);
            let is_scheduled = !is_scheduler && schedulers.contains(&process.parent);
            let known = JobKind::of_program(&process.comm);
            if !is_scheduled && known.is_none() {
                if !is_scheduler {
                    self.settle(process.pid);
                }
                continue;
            }
            let command = if process.is_stuck {
                Vec::new()
            } else {
                read_command(&host.proc.join(process.pid.to_string()))
            };
            let (name, kind) = match known {
                Some(_) if is_no_job(&process.comm, &command) => continue,
                Some(kind) => (process.comm.clone(), kind),
                None => {
                    let program = program_of(&command).unwrap_or_else(|| process.comm.clone());
                    (format!("cron:{program}"), JobKind::of_scheduled(&program))
                }
            };
            let age_s = (uptime_s - process.started_s).max(0.0) as i64;
            jobs.push(Job {
                name,
                kind,
                since: now_s.saturating_sub(age_s),
                until: None,
            });
        }
        // Of several of one name, the one that began last: the first may be a daemon.
        jobs.sort_by(|a, b| a.name.cmp(&b.name).then(b.since.cmp(&a.since)));
        jobs.dedup_by(|a, b| a.name == b.name);
        jobs
    }

    /// Reads the processes that are not settled, and forgets those that are gone.
    fn read_new(&mut self, host: &Roots) -> Vec<Seen> {
        let numbers = fs::read_dir(&host.proc).into_iter().flatten().flatten();
        let mut numbers: Vec<u32> = numbers
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .take(PROCESSES_MAX)
            .collect();
        numbers.sort_unstable();
        self.settled
            .retain(|(pid, _)| numbers.binary_search(pid).is_ok());
        numbers.retain(|pid| {
            let index = self.settled.binary_search_by_key(pid, |&(pid, _)| pid);
            index.is_err() || index.is_ok_and(|index| self.settled[index].1 < LOOKS)
        });
        numbers
            .iter()
            .filter_map(|pid| {
                let path = host.proc.join(pid.to_string()).join("stat");
                parse_stat(&read_text(&path, STAT_BYTES_MAX)?)
            })
            .collect()
    }

    fn settle(&mut self, pid: u32) {
        match self.settled.binary_search_by_key(&pid, |&(pid, _)| pid) {
            Ok(index) => self.settled[index].1 = self.settled[index].1.saturating_add(1),
            Err(index) => self.settled.insert(index, (pid, 1)),
        }
    }
}

/// True if a known program is not at work on anything that ends.
fn is_no_job(comm: &str, command: &[String]) -> bool {
    let has = |word: &str| {
        command
            .iter()
            .skip(1)
            .any(|argument| argument.contains(word))
    };
    match comm {
        // Waits for the shutdown of the host, always.
        "unattended-upgr" => has("unattended-upgrade-shutdown"),
        "rsync" => has("--daemon"),
        "rclone" => has("mount") || has("serve"),
        "zpool" | "btrfs" => !has("scrub") && !has("balance"),
        _ => false,
    }
}

/// The program of a command line that cron started: of `sh -c "cd / && /usr/bin/report.sh -q"`, `report.sh`. Never
/// more than that: arguments may be secret.
fn program_of(command: &[String]) -> Option<String> {
    let script = match command {
        [_, flag, script, ..] if flag == "-c" => script.as_str(),
        [program, ..] => program.as_str(),
        [] => return None,
    };
    let preparations = [
        "cd", "test", "[", "export", "set", ".", "source", "true", "exec", "{", "(",
    ];
    script
        .split([';', '&', '|', '\n'])
        .filter_map(|part| {
            let mut words = part.split_whitespace();
            words.find(|word| {
                !word.contains('=') && !["{", "(", "exec", "nice", "ionice"].contains(word)
            })
        })
        .find(|word| !preparations.contains(word))
        .map(|word| {
            let name = Path::new(word).file_name().and_then(|name| name.to_str());
            let safe = name.unwrap_or(word).chars().filter(|c| !c.is_control());
            safe.take(NAME_CHARS_MAX).collect()
        })
}

fn read_command(directory: &Path) -> Vec<String> {
    let text = read_text(&directory.join("cmdline"), CMDLINE_BYTES_MAX).unwrap_or_default();
    text.split('\0').map(str::to_owned).collect()
}

/// The beginning of a file; bytes that are no text become marks.
fn read_text(path: &Path, bytes_max: u64) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(bytes_max).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `PID (comm) state parent ...`; the name may hold anything, parentheses too (`proc_pid_stat(5)`).
fn parse_stat(text: &str) -> Option<Seen> {
    let (pid, rest) = text.split_once(" (")?;
    let (comm, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace();
    let is_stuck = fields.next()? == "D";
    let parent = fields.next()?;
    // Field 22 of all, 3 is the state.
    let start_ticks: u64 = fields.nth(17)?.parse().ok()?;
    Some(Seen {
        pid: pid.parse().ok()?,
        parent: parent.parse().ok()?,
        comm: comm.to_owned(),
        is_stuck,
        started_s: start_ticks as f64 / TICKS_PER_SECOND,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_may_hold_parentheses() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 0 0\n";
        let seen = parse_stat(text).unwrap();
        assert_eq!((seen.pid, seen.parent, seen.started_s), (42, 7, 123.45));
        assert_eq!(seen.comm, "a) b (c");
    }

    #[test]
    fn of_a_command_line_only_the_program_is_shown() {
        let program =
            |script: &str| program_of(&["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()]);
        for (script, expected) in [
            ("/usr/local/bin/report.sh --password=secret", "report.sh"),
            ("cd / && run-parts --report /etc/cron.hourly", "run-parts"),
            (
                "test -x /usr/sbin/anacron || { cd / && run-parts x; }",
                "run-parts",
            ),
            ("PGPASSWORD=x nice pg_dump db > /b", "pg_dump"),
            ("[ -x /a ] && exec /opt/job", "job"),
        ] {
            assert_eq!(program(script).as_deref(), Some(expected), "{script}");
        }
        assert_eq!(program(""), None);
        assert_eq!(program_of(&["/opt/x y".to_owned()]).as_deref(), Some("x"));
    }

    proptest! {
        #[test]
        fn garbage_is_survived(text in "(\\PC|\\(|\\) | |[0-9]{1,22}|\n){0,60}") {
            parse_stat(&text);
            program_of(&[String::new(), "-c".to_owned(), text]);
        }
    }
}
