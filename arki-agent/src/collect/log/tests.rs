//! Logs that are written, rotated, truncated and deleted for real.

use super::lines::LINE_BYTES_MAX;
use super::*;
use arki_model::clock::ManualClock;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

struct Host {
    root: tempfile::TempDir,
    clock: ManualClock,
    logs: Logs,
}

impl Host {
    /// A host on which `path` is followed, after the first pass. The clock begins with the machine's, because files
    /// are stamped with that.
    fn new(path: &str) -> Self {
        Self::with(path, |_| ())
    }

    fn with(path: &str, prepare: impl Fn(&PathBuf)) -> Self {
        let root = tempfile::tempdir().unwrap();
        let stamped = root.path().join("stamp");
        fs::write(&stamped, "").unwrap();
        let now_s = std::os::unix::fs::MetadataExt::mtime(&fs::metadata(&stamped).unwrap());
        prepare(&root.path().to_owned());
        let settings = LogSettings {
            name: "app".to_owned(),
            path: Some(path.to_owned()),
            journal: None,
            errors: None,
        };
        let mut host = Self {
            root,
            clock: ManualClock::at(now_s),
            logs: Logs::new(&[settings]),
        };
        host.skip();
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(bytes).unwrap();
    }

    /// A pass of which only what it leaves behind is of interest.
    fn skip(&mut self) {
        drop(self.pass());
    }

    /// The figures of a pass, half a minute after the one before, as counts; and what was wrong.
    fn pass(&mut self) -> (Option<(f64, f64)>, Result<(), CollectError>) {
        self.clock.advance(30);
        // The wall clock stays: the files of the test are all written within the same second.
        self.clock.jump_to(self.clock.now_s() - 30);
        let roots = Roots {
            root: self.root.path().to_owned(),
            ..Roots::default()
        };
        let mut out = Readings::default();
        let result = self
            .logs
            .collect(&roots, Moment::now(&self.clock), &mut out);
        let lines = out.get("log.lines_per_minute{app}");
        let errors = out.get("log.errors_per_minute{app}");
        (lines.zip(errors).map(|(l, e)| (l / 2.0, e / 2.0)), result)
    }

    fn counts(&mut self) -> (f64, f64) {
        let (counts, result) = self.pass();
        assert_eq!(result, Ok(()));
        counts.unwrap()
    }
}

use arki_model::clock::Clock;

#[test]
fn only_what_is_written_after_the_start_counts_and_a_begun_line_waits_for_its_end() {
    let mut host = Host::with("/a.log", |root| {
        fs::write(root.join("a.log"), "old error\nold\nbegun with an error ").unwrap();
    });
    assert_eq!(host.counts(), (0.0, 0.0));
    host.append("a.log", b"and ended\nsecond\nthi");
    assert_eq!(
        host.counts(),
        (2.0, 0.0),
        "the error began before the start"
    );
    host.append("a.log", b"rd: fatal");
    assert_eq!(host.counts(), (0.0, 0.0));
    host.append("a.log", b"\n");
    assert_eq!(host.counts(), (1.0, 1.0));
}

#[test]
fn a_log_on_a_mount_that_may_hang_is_left_alone_and_named() {
    let mut host = Host::with("/var/log/*/a.log", |root| {
        for name in ["far", "near"] {
            fs::create_dir_all(root.join("srv").join(name)).unwrap();
            fs::write(root.join("srv").join(name).join("a.log"), "").unwrap();
        }
        fs::create_dir_all(root.join("var/log")).unwrap();
        for name in ["far", "near"] {
            // as the host sees itself: from its own root
            std::os::unix::fs::symlink(
                format!("../../srv/{name}"),
                root.join("var/log").join(name),
            )
            .unwrap();
        }
    });
    host.append("srv/far/a.log", b"1\n");
    host.append("srv/near/a.log", b"2\n");
    assert_eq!(host.counts(), (2.0, 0.0));
    host.logs.hanging = Hanging::of(
        b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / /srv/far rw - nfs server:/far rw\n",
    );
    host.append("srv/far/a.log", b"3\n");
    host.append("srv/near/a.log", b"4\n");
    let (counts, result) = host.pass();
    let said = result.unwrap_err().to_string();
    assert!(
        said.contains("log app: /var/log/*/a.log leads to the mount /srv/far"),
        "{said}"
    );
    assert_eq!(counts, Some((2.0, 0.0)), "what was open is still read");
}

#[test]
fn a_rate_is_over_the_time_that_passed() {
    let mut host = Host::with("/a.log", |root| fs::write(root.join("a.log"), "").unwrap());
    host.append("a.log", b"x\n");
    host.clock.advance(90);
    let (counts, _) = host.pass();
    assert_eq!(counts, Some((0.25, 0.0)), "one line in two minutes");
}

#[test]
fn rotation_loses_no_line() {
    let mut host = Host::with("/a.log", |root| fs::write(root.join("a.log"), "").unwrap());
    host.append("a.log", b"1\n2\n");
    fs::rename(host.path("a.log"), host.path("a.log.1")).unwrap();
    host.append("a.log.1", b"3 error\n");
    host.append("a.log", b"4\n");
    assert_eq!(host.counts(), (4.0, 1.0));
    // The program still writes to the old file until it is told.
    host.append("a.log.1", b"5\nlast without end: panic");
    host.append("a.log", b"6\n");
    assert_eq!(host.counts(), (2.0, 0.0));
    assert_eq!(host.counts(), (0.0, 0.0));
    assert_eq!(
        host.counts(),
        (1.0, 1.0),
        "the last line, after a quiet minute"
    );
    assert_eq!(host.logs.files[0].follow.followed(), 1);
}

#[test]
fn truncation_starts_anew_even_if_the_file_has_grown_past_where_it_was() {
    let mut host = Host::with("/a.log", |root| {
        fs::write(root.join("a.log"), "some old lines\n").unwrap();
    });
    fs::write(host.path("a.log"), "new\n").unwrap();
    assert_eq!(host.counts(), (1.0, 0.0));
    fs::write(host.path("a.log"), "longer than before: error\nand more\n").unwrap();
    assert_eq!(host.counts(), (2.0, 1.0));
}

#[test]
fn deletion_and_a_file_that_comes_later() {
    let mut host = Host::new("/a.log");
    let (counts, result) = host.pass();
    assert!(counts.is_none());
    let error = result.unwrap_err().to_string();
    assert!(error.contains("/a.log") && error.contains("yet"), "{error}");
    host.append("a.log", b"first\nsecond\n");
    assert_eq!(host.counts(), (2.0, 0.0));
    host.append("a.log", b"third\n");
    fs::remove_file(host.path("a.log")).unwrap();
    assert_eq!(
        host.pass().0,
        Some((1.0, 0.0)),
        "read although it is deleted"
    );
    host.skip();
    assert_eq!(
        host.logs.files[0].follow.followed(),
        0,
        "its space is given back"
    );
    host.append("a.log", b"anew\n");
    assert_eq!(host.pass().0, Some((1.0, 0.0)));
}

#[test]
fn very_long_lines_and_garbage() {
    let mut host = Host::with("/a.log", |root| fs::write(root.join("a.log"), "").unwrap());
    let mut long = b"error ".to_vec();
    long.resize(5 * LINE_BYTES_MAX, b'x');
    host.append("a.log", &long);
    assert_eq!(host.counts(), (0.0, 0.0));
    host.append("a.log", &long);
    assert_eq!(host.counts(), (0.0, 0.0));
    host.append("a.log", b"\nshort\n\x00\xff\xfe\n");
    assert_eq!(host.counts(), (3.0, 1.0));
}

#[test]
fn a_burst_is_sampled_and_the_estimate_is_near_and_said() {
    let mut host = Host::with("/a.log", |root| fs::write(root.join("a.log"), "").unwrap());
    let mut burst = Vec::new();
    for number in 0..200_000 {
        let what = if number % 4 == 0 { "error" } else { "fine" };
        writeln!(burst, "line number {number} is {what}").unwrap();
    }
    burst.extend_from_slice(b"begun");
    host.append("a.log", &burst);
    let (counts, result) = host.pass();
    let (lines, errors) = counts.unwrap();
    assert!((lines / 200_000.0 - 1.0).abs() < 0.02, "{lines}");
    assert!((errors / 50_000.0 - 1.0).abs() < 0.05, "{errors}");
    assert!(result.unwrap_err().to_string().contains("estimates"));
    host.append("a.log", b" panic\n");
    assert_eq!(
        host.counts(),
        (1.0, 1.0),
        "exact again, from where the burst ended"
    );
}

#[test]
fn wildcards_follow_what_rotation_renames_only_once() {
    let mut host = Host::with("/*.log*", |root| {
        fs::write(root.join("a.log"), "old\n").unwrap();
        fs::write(root.join("b.log"), "old\n").unwrap();
    });
    host.append("a.log", b"1\n");
    fs::rename(host.path("a.log"), host.path("a.log.1")).unwrap();
    host.append("a.log", b"2\n");
    host.append("b.log", b"3\n");
    host.append("c.log", b"4\n");
    assert_eq!(host.counts(), (4.0, 0.0));
}

#[test]
fn what_is_no_file_is_refused() {
    let mut host = Host::with("/pipe", |root| {
        nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    });
    let error = host.pass().1.unwrap_err().to_string();
    assert!(
        error.contains("/pipe") && error.contains("regular file"),
        "{error}"
    );
}

#[test]
fn what_may_not_be_read_says_which_group_may() {
    if nix::unistd::geteuid().is_root() {
        return; // root may read everything
    }
    let mut host = Host::with("/a.log", |root| {
        fs::write(root.join("a.log"), "x\n").unwrap();
        fs::set_permissions(root.join("a.log"), fs::Permissions::from_mode(0o000)).unwrap();
    });
    let error = host.pass().1.unwrap_err();
    assert!(matches!(&error, CollectError::Denied(text) if text.contains("usermod -aG")));
    fs::set_permissions(host.path("a.log"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(host.counts(), (0.0, 0.0), "what was there before is old");
}
