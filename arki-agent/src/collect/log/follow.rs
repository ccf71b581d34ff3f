//! The files of one `[[log]]`: found, followed through rotation, finished and let go.
//!
//! What is there when the agent starts is followed from its end on; what appears later from its beginning, unless all
//! of it is older than the last look (it was moved there). A file that lost its name to rotation is read until nobody
//! has written to it for a while: programs keep writing to the old one until they are told to open the new one.

use super::expand::{self, FILES_MAX, Way};
use super::lines::Counts;
use super::pattern::Pattern;
use super::tail::{FileId, Room, Tail};
use crate::collect::problems::Problems;
use crate::collect::{CollectError, Moment, Roots, wildcard};
use arki_model::clock::UnixSeconds;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a path with wildcards is looked up anew.
const EXPAND_EVERY: Duration = Duration::from_secs(30);

/// How long a file without its name is kept after the last line: programs are told to open the new one within seconds.
const ROTATED_FOR: Duration = Duration::from_secs(60);

/// How many files without their names are kept: the program with the shortest rotation does not need more.
const ROTATED_MAX: usize = 8;

#[derive(Debug)]
struct Followed {
    tail: Tail,
    /// How long it is, if a name still leads to it.
    named_bytes: Option<u64>,
    /// When a line was last seen, or the file was found.
    last_at: Duration,
}

/// The files of one `[[log]]`.
#[derive(Debug)]
pub(super) struct Follow {
    name: String,
    pattern: String,
    paths: Vec<PathBuf>,
    expanded_at: Option<Moment>,
    /// When it was looked up before that.
    known_since_s: Option<UnixSeconds>,
    is_cut: bool,
    /// The mount that may stop answering and that some of it is on.
    hanging: Option<PathBuf>,
    files: Vec<Followed>,
    unreadable: Vec<PathBuf>,
    has_begun: bool,
}

impl Follow {
    /// Follows what `pattern` means, for the log called `name`.
    pub(super) fn new(name: &str, pattern: &str) -> Self {
        Self {
            name: name.to_owned(),
            pattern: pattern.to_owned(),
            paths: Vec::new(),
            expanded_at: None,
            known_since_s: None,
            is_cut: false,
            hanging: None,
            files: Vec::new(),
            unreadable: Vec::new(),
            has_begun: false,
        }
    }

    /// How many files are open.
    #[cfg(test)]
    pub(super) fn followed(&self) -> usize {
        self.files.len()
    }

    /// What is new in all the files; `None` if there is no file, or in the first pass.
    pub(super) fn look(
        &mut self,
        way: &Way<'_>,
        at: Moment,
        pattern: &mut Pattern,
        room: &mut Room,
        problems: &mut Problems,
    ) -> Option<Counts> {
        self.find(way, at, problems);
        let (mut total, mut burst_bytes) = (Counts::default(), 0);
        let is_known = !self.files.is_empty();
        let mut kept = Vec::with_capacity(self.files.len());
        for mut file in self.files.drain(..) {
            match file.tail.look(file.named_bytes, pattern, room) {
                Ok(look) => {
                    total.add(look.counts);
                    burst_bytes += look.burst_bytes.unwrap_or(0);
                    if !look.was_quiet {
                        file.last_at = at.monotonic;
                    }
                    let quiet_for = at.monotonic.saturating_sub(file.last_at);
                    let is_over = file.named_bytes.is_none()
                        && look.was_quiet
                        && (quiet_for >= ROTATED_FOR || file.tail.is_deleted());
                    if is_over {
                        total.add(file.tail.finish(pattern, room));
                    } else {
                        kept.push(file);
                    }
                }
                Err(error) => {
                    problems.add(CollectError::Failed(format!(
                        "log {}: cannot read a file of {}: {error}",
                        self.name, self.pattern
                    )));
                    // Its place stands: met anew it would be read from the beginning, as one burst.
                    if file.named_bytes.is_some() {
                        kept.push(file);
                    }
                }
            }
        }
        self.files = kept;
        if burst_bytes > 0 {
            problems.add(CollectError::Failed(format!(
                "log {}: {} KiB were new in one pass, more than is read; its figures are estimates from samples",
                self.name,
                burst_bytes / 1024
            )));
        }
        let had_begun = std::mem::replace(&mut self.has_begun, true);
        (is_known && had_begun).then_some(total)
    }

    /// Brings the list of files up to date.
    fn find(&mut self, way: &Way<'_>, at: Moment, problems: &mut Problems) {
        let is_due = self.expanded_at.is_none_or(|last| {
            !wildcard::is_pattern(&self.pattern)
                || at.monotonic.saturating_sub(last.monotonic) >= EXPAND_EVERY
        });
        if is_due {
            let expanded = expand::expand(way, &self.pattern);
            self.paths = expanded.paths;
            self.is_cut = expanded.is_cut;
            self.hanging = expanded.hanging;
            self.known_since_s = self.expanded_at.replace(at).map(|last| last.now_s);
        }
        for file in &mut self.files {
            file.named_bytes = None;
        }
        let mut missing = true;
        let before = std::mem::take(&mut self.unreadable);
        for path in std::mem::take(&mut self.paths) {
            match self.meet(&path, at, before.contains(&path)) {
                Ok(()) => missing = false,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    missing = false;
                    problems.add(self.refusal(way.host, &path, &error));
                    self.unreadable.push(path.clone());
                }
            }
            self.paths.push(path);
        }
        if let Some(point) = &self.hanging {
            problems.add(CollectError::Failed(format!(
                "log {}: {} leads to the mount {}, which may stop answering, and the agent with it: it is not followed (write the log to a local file system)",
                self.name,
                self.pattern,
                point.display()
            )));
        } else if missing {
            problems.add(CollectError::NoData(format!(
                "log {}: there is no {} (yet)",
                self.name, self.pattern
            )));
        }
        if self.is_cut {
            problems.add(CollectError::Failed(format!(
                "log {}: more than {FILES_MAX} files match {}, the others are not followed",
                self.name, self.pattern
            )));
        }
        let has_none = |file: &Followed| file.named_bytes.is_none();
        let rotated = self.files.iter().filter(|file| has_none(file)).count();
        for _ in ROTATED_MAX..rotated {
            if let Some(oldest) = self.files.iter().position(has_none) {
                self.files.remove(oldest);
            }
        }
    }

    /// Follows the file at `path`, unless it is followed already.
    fn meet(&mut self, path: &Path, at: Moment, was_unreadable: bool) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let id = FileId::of(&metadata);
        if let Some(known) = self.files.iter_mut().find(|file| file.tail.id() == id) {
            known.named_bytes = Some(metadata.len());
            return Ok(());
        }
        // Without O_NONBLOCK, a pipe put in its place meanwhile would stop the agent.
        let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(nonblocking)
            .open(path)?;
        // A second of margin: the kernel stamps files with a clock that is some milliseconds behind.
        let is_old = self
            .known_since_s
            .is_none_or(|since_s| metadata.mtime() < since_s - 1);
        self.files.push(Followed {
            tail: Tail::new(file, is_old || was_unreadable)?,
            named_bytes: Some(metadata.len()),
            last_at: at.monotonic,
        });
        Ok(())
    }

    fn refusal(&self, host: &Roots, path: &Path, error: &io::Error) -> CollectError {
        let shown = path.strip_prefix(&host.root).unwrap_or(path).display();
        if error.kind() != io::ErrorKind::PermissionDenied {
            return CollectError::Failed(format!("log {}: /{shown}: {error}", self.name));
        }
        let group = fs::metadata(path)
            .ok()
            .and_then(|metadata| group_name(host, metadata.gid()))
            .unwrap_or_else(|| "adm".to_owned());
        CollectError::Denied(format!(
            "log {}: /{shown} may not be read (add the agent's user to the group {group}, for example `usermod -aG {group} arki`, and restart the agent)",
            self.name
        ))
    }
}

/// The name of a group, from the host's list. Groups that would hand over the host are not named.
fn group_name(host: &Roots, id: u32) -> Option<String> {
    let path = host.path(Path::new("/etc/group"));
    let mut text = String::new();
    let file = File::open(path).ok()?;
    io::Read::read_to_string(&mut io::Read::take(file, 1 << 20), &mut text).ok()?;
    let name = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    })?;
    (name != "root").then_some(name)
}
