//! Runs one listed command: without a shell, with an empty environment, and with limits on time, output and memory.
//!
//! This is the only place of the agent that starts a process. The command gets no standard input, a fixed `PATH`, `/`
//! as its directory, and a process group of its own, which is killed as a whole when the time is over. What it prints
//! is read as it comes and cut. Limits of memory are set right after its start; a service that the command starts as
//! its child would inherit them, so the one for memory is wide: a command that starts a service itself (rather than
//! asking systemd to) belongs behind `sudo`, which takes on root's limits. Under the packaged unit that call is refused, and
//! the unit's control group is the limit: 48 MB for agent and command together; the kernel ends the larger one, the
//! command, and the agent goes on and reports it.

use arki_model::clock::Clock;
use arki_model::request::Report;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, prlimit};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A restart of a database takes some seconds; what takes longer is not what was tried.
pub const TIME_MAX: Duration = Duration::from_secs(120);
/// After the end of the command a process of its that holds the output open is waited for this long.
const DRAIN: Duration = Duration::from_millis(500);
/// The most of each output that is kept, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024;
/// Address space of the command, in bytes: 4 GiB, because programs reserve far more than they use.
const MEMORY_BYTES_MAX: u64 = 4 << 30;
/// Where a program without a path is looked for.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
const SUDO: &str = "/usr/bin/sudo";

/// Runs `argv` to its end, whatever that is.
pub async fn run(argv: &[String], sudo: bool, clock: &dyn Clock) -> Report {
    run_within(argv, sudo, clock, TIME_MAX).await
}

async fn run_within(argv: &[String], sudo: bool, clock: &dyn Clock, time_max: Duration) -> Report {
    let started = clock.monotonic();
    let mut ran = match start(argv, sudo) {
        Ok(child) => watch(child, time_max, |group| killpg(group, Signal::SIGKILL)).await,
        Err(error) => Report {
            error: Some(error.to_string()),
            ..Report::default()
        },
    };
    let took = clock.monotonic().saturating_sub(started);
    ran.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    ran
}

fn start(argv: &[String], sudo: bool) -> io::Result<Child> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "an empty command");
    let (name, arguments) = argv.split_first().ok_or_else(missing)?;
    let program = find(name)?;
    let mut command = if sudo {
        let mut command = Command::new(SUDO);
        command.args(["-n", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    let child = command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .env("HOME", "/")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    if let Some(pid) = child
        .id()
        .and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
    {
        for (resource, most) in [(Resource::As, MEMORY_BYTES_MAX), (Resource::Core, 0)] {
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            // It may have ended already, or be root's by now.
            if let Err(error) = prlimit(Some(pid), resource, limit) {
                tracing::debug!(%error, "a limit of the applied command was not set");
            }
        }
    }
    Ok(child)
}

/// The program's file: never one that a changed environment would name.
fn find(name: &str) -> io::Result<PathBuf> {
    if name.starts_with('/') {
        return Ok(PathBuf::from(name));
    }
    let is_program = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let there = PATH
        .split(':')
        .map(|directory| Path::new(directory).join(name))
        .find(is_program);
    there.filter(|_| !name.contains('/')).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("no program {name:?} in {PATH}"),
        )
    })
}

async fn watch(
    mut child: Child,
    time_max: Duration,
    kill: impl Fn(Pid) -> nix::Result<()>,
) -> Report {
    let group = child.id().map(|id| Pid::from_raw(id.cast_signed()));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut reading = Box::pin(async {
        tokio::join!(keep(out, &mut stdout), keep(err, &mut stderr));
    });
    let mut timed_out = false;
    let status = {
        let end = async {
            let mut is_read = false;
            loop {
                tokio::select! {
                    status = child.wait() => break (status, is_read),
                    () = &mut reading, if !is_read => is_read = true,
                }
            }
        };
        timeout(time_max, end).await
    };
    let status = if let Ok((status, is_read)) = status {
        // A daemon that the command left behind may hold the output for ever.
        if !is_read && timeout(DRAIN, &mut reading).await.is_err() {
            tracing::debug!("the applied command left a process that holds its output");
        }
        status
    } else {
        timed_out = true;
        if let Some(group) = group
            && let Err(error) = kill(group)
        {
            tracing::warn!(%error, "the applied command could not be killed");
        }
        // What runs as root cannot be killed from here, and may stay: nobody waits for it.
        timeout(DRAIN, child.wait()).await.unwrap_or_else(|_| {
            Err(io::Error::other(
                "it still runs and could not be killed; end it by hand",
            ))
        })
    };
    drop(reading);
    let mut ran = Report {
        timed_out,
        stdout: text(&stdout),
        stderr: text(&stderr),
        ..Report::default()
    };
    match status {
        Ok(status) => (ran.exit_code, ran.signal) = (status.code(), status.signal()),
        Err(error) => ran.error = Some(format!("its end is not known: {error}")),
    }
    ran
}

/// Reads to the end, keeping the first [`OUTPUT_BYTES_MAX`] bytes, so that the command never waits for its reader.
async fn keep(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let room = OUTPUT_BYTES_MAX.saturating_sub(into.len()).min(count);
        into.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if bytes.len() == OUTPUT_BYTES_MAX {
        format!("{text}… (cut)")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arki_model::clock::SystemClock;

    async fn of(argv: &[&str], seconds: u64) -> Report {
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        run_within(
            &argv,
            false,
            &SystemClock::new(),
            Duration::from_secs(seconds),
        )
        .await
    }

    #[tokio::test]
    async fn the_command_gets_its_words_and_nothing_of_this_process() {
        let ran = of(&["/usr/bin/env"], 30).await;
        assert!(ran.succeeded(), "{ran:?}");
        let mut lines: Vec<&str> = ran.stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["HOME=/", "LANG=C.UTF-8", &format!("PATH={PATH}")]);
        let ran = of(&["echo", "$HOME", "a b", "; id"], 30).await;
        assert_eq!(ran.stdout, "$HOME a b ; id\n");
    }

    #[tokio::test]
    async fn how_it_ended_is_told() {
        assert_eq!(
            of(&["sh", "-c", "echo no >&2; exit 3"], 30).await.exit_code,
            Some(3)
        );
        assert_eq!(of(&["sh", "-c", "kill -9 $$"], 30).await.signal, Some(9));
        let ran = of(&["no-such-program"], 30).await;
        assert!(
            ran.text().contains("not started: no program"),
            "{}",
            ran.text()
        );
        assert!(of(&["../bin/true"], 30).await.error.is_some());
    }

    #[tokio::test]
    async fn endless_output_is_cut_and_a_sleeper_and_its_children_are_killed() {
        let ran = of(
            &[
                "sh",
                "-c",
                "head -c 300000 /dev/zero | tr '\\0' a; echo end >&2",
            ],
            30,
        )
        .await;
        assert_eq!(
            (ran.exit_code, ran.stdout.len()),
            (Some(0), OUTPUT_BYTES_MAX + "… (cut)".len())
        );
        assert_eq!(ran.stderr, "end\n");
        let ran = of(&["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"], 1).await;
        assert!(ran.timed_out && ran.signal == Some(9), "{ran:?}");
        let sleeper = ran.stdout.trim().to_owned();
        // Killed, but it may not have got round to dying yet.
        let is_there = || {
            let state = std::fs::read_to_string(format!("/proc/{sleeper}/stat"));
            state.is_ok_and(|state| !state.contains(") Z "))
        };
        for _ in 0..1000 {
            if !is_there() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!is_there(), "{sleeper} lives on");
    }

    #[tokio::test]
    async fn what_cannot_be_killed_is_told_and_not_waited_for() {
        let argv = ["sleep", "30"].map(str::to_owned);
        let child = start(&argv, false).unwrap();
        let pid = Pid::from_raw(child.id().unwrap().cast_signed());
        // as of a process that is root's by now
        let never = |_| Err(nix::errno::Errno::EPERM);
        let ran = watch(child, Duration::from_millis(100), never).await;
        assert!(ran.timed_out && !ran.succeeded(), "{ran:?}");
        assert!(
            ran.text().contains("could not be killed; end it by hand"),
            "{}",
            ran.text()
        );
        killpg(pid, Signal::SIGKILL).expect("it was still there");
    }

    #[tokio::test]
    async fn what_it_leaves_behind_does_not_hold_it_up() {
        let ran = of(&["sh", "-c", "echo begun; sleep 5 &"], 4).await;
        assert_eq!(
            (ran.exit_code, ran.stdout.as_str(), ran.timed_out),
            (Some(0), "begun\n", false)
        );
    }
}
