//! The reader against journals that systemd wrote, whole and damaged.

use super::*;
use flate2::read::GzDecoder;
use proptest::prelude::*;
use std::time::Duration;

const MACHINE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn fixture(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/tests/fixtures/journal/{name}.journal.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// The counts of a look, and what was wrong.
type Looked = (Option<Vec<Counts>>, Result<(), CollectError>);

struct Host {
    root: tempfile::TempDir,
    roots: Roots,
    pass: u64,
}

impl Host {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let roots = Roots {
            root: root.path().to_owned(),
            ..Roots::default()
        };
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/machine-id"), format!("{MACHINE}\n")).unwrap();
        let host = Self {
            root,
            roots,
            pass: 0,
        };
        fs::create_dir_all(host.directory()).unwrap();
        host
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("var/log/journal").join(MACHINE)
    }

    /// As journald does it: into the file, not over it.
    fn write(&self, name: &str, bytes: &[u8]) {
        use std::os::unix::fs::FileExt;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.directory().join(name))
            .unwrap();
        file.write_all_at(bytes, 0).unwrap();
    }

    /// A look of which only what it leaves behind is of interest.
    fn skip(&mut self, journal: &mut Journal) {
        drop(self.look(journal));
    }

    fn look(&mut self, journal: &mut Journal) -> Looked {
        self.pass += 1;
        let at = Moment {
            now_s: 1_600_000_000 + 30 * self.pass as i64,
            monotonic: Duration::from_secs(30 * self.pass),
        };
        let mut problems = Problems::default();
        let counts = journal.look(&self.roots, at, &mut problems);
        (counts, problems.finish())
    }
}

fn counts(lines: u32, errors: u32) -> Counts {
    Counts {
        lines: f64::from(lines),
        errors: f64::from(errors),
    }
}

fn journal(units: &[&str]) -> Journal {
    Journal::new(units.iter().map(|&unit| unit.to_owned()).collect())
}

const UNITS: [&str; 4] = ["*", "nginx", "cron.service", "postgresql@*"];

fn expected() -> Vec<Counts> {
    vec![counts(33, 5), counts(12, 2), counts(11, 2), counts(10, 1)]
}

fn only_what_is_new_is_counted(format: &str) {
    let mut host = Host::new();
    let mut journal = journal(&UNITS);
    host.write("system.journal", &fixture(&format!("{format}-before")));
    assert_eq!(host.look(&mut journal), (None, Ok(())), "the first pass");
    let nothing = Some(vec![Counts::default(); 4]);
    assert_eq!(host.look(&mut journal), (nothing.clone(), Ok(())));
    host.write("system.journal", &fixture(&format!("{format}-after")));
    assert_eq!(host.look(&mut journal), (Some(expected()), Ok(())));
    assert_eq!(host.look(&mut journal), (nothing, Ok(())));
}

#[test]
fn compact_files_are_counted() {
    only_what_is_new_is_counted("compact");
}

#[test]
fn files_of_the_older_format_are_counted() {
    only_what_is_new_is_counted("plain");
}

#[test]
fn a_rotated_file_is_finished_and_the_new_one_counts_as_a_whole() {
    let mut host = Host::new();
    let mut journal = journal(&UNITS);
    host.write("system.journal", &fixture("compact-before"));
    host.skip(&mut journal);
    let mut last = fixture("compact-after");
    last[16] = 2;
    host.write("system.journal", &last);
    let archived = host.directory().join("system@1-2-3.journal");
    fs::rename(host.directory().join("system.journal"), &archived).unwrap();
    host.write("system.journal", &fixture("plain-before"));
    let (found, _) = host.look(&mut journal);
    // 33 of the old file; all 40 of the new one, of which 20 are nginx's and 4 are errors
    let found = found.unwrap();
    assert_eq!(found[0], counts(33 + 40, 5 + 4));
    assert_eq!(found[1], counts(12 + 20, 2 + 4));
    assert_eq!(journal.files.len(), 1, "the archived file is let go");
}

#[test]
fn a_file_with_older_entries_is_not_a_burst() {
    let mut host = Host::new();
    let mut journal = journal(&["*"]);
    host.write("system.journal", &fixture("compact-before"));
    host.skip(&mut journal);
    host.pass = 10_000_000; // past the entries of the fixture
    host.skip(&mut journal);
    host.write("user-1000.journal", &fixture("plain-before"));
    assert_eq!(host.look(&mut journal).0, Some(vec![Counts::default()]));
    host.write("user-1000.journal", &fixture("plain-after"));
    assert_eq!(host.look(&mut journal).0, Some(vec![counts(33, 5)]));
}

#[test]
fn what_is_no_journal_or_not_there_is_said() {
    let mut host = Host::new();
    let mut journal = journal(&["*"]);
    let (found, error) = host.look(&mut journal);
    assert!(found.is_none() && matches!(error, Err(CollectError::NoData(_))));
    host.write("system.journal", b"not a journal");
    let error = host.look(&mut journal).1.unwrap_err().to_string();
    assert!(
        error.contains("/system.journal") && error.contains("not a journal"),
        "{error}"
    );
    let mut newer = fixture("compact-before");
    newer[12] |= 0x80;
    host.write("system.journal", &newer);
    let error = host.look(&mut journal).1.unwrap_err().to_string();
    assert!(error.contains("newer than this agent"), "{error}");
}

#[test]
fn a_file_that_is_cut_short_is_an_error_and_not_the_end() {
    let mut host = Host::new();
    let mut journal = journal(&UNITS);
    host.write("system.journal", &fixture("compact-before"));
    host.skip(&mut journal);
    let after = fixture("compact-after");
    let path = host.directory().join("system.journal");
    fs::write(&path, &after[..4096]).unwrap();
    assert!(host.look(&mut journal).1.is_err());
    host.write("system.journal", &after);
    assert_eq!(host.look(&mut journal), (Some(expected()), Ok(())));
}

/// The part of the fixture in which anything is, so that damage hits something.
const USED_BYTES: usize = 3_900_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever bytes change, reading ends, and what it counts stays within what was read.
    #[test]
    fn damage_is_survived(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 1..60)) {
        let mut host = Host::new();
        let mut journal = journal(&UNITS);
        host.write("system.journal", &fixture("compact-before"));
        host.skip(&mut journal);
        let mut bytes = fixture("compact-after");
        let used: Vec<usize> = (208..USED_BYTES / 8).map(|word| word * 8).filter(|&at| {
            bytes[at..at + 8] != [0; 8]
        }).collect();
        for (index, value) in damage {
            let at = used[index.index(used.len())];
            bytes[at..at + 8].copy_from_slice(&(value >> (value % 64)).to_le_bytes());
        }
        host.write("system.journal", &bytes);
        let (found, _) = host.look(&mut journal);
        for counts in found.into_iter().flatten() {
            prop_assert!(counts.lines >= 0.0 && counts.errors >= 0.0);
        }
        journal.files.clear();
        host.skip(&mut journal);
    }
}
