//! Finds what lies below the allowed paths, and opens files there without ever following a link.
//!
//! Every directory and file is opened by its name alone, relative to the directory above it and with `O_NOFOLLOW`, so
//! that no link that appears in the meantime can lead out of the tree. What a name stands for is looked at before it is
//! opened (a device is never opened) and once more afterwards. Invariants: nothing but regular files is read; no other
//! file system is entered; at most [`ENTRIES_MAX`] entries and [`DEPTH_MAX`] levels; `stop` ends it between any two calls.

use arki_model::snapshot::{ENTRIES_MAX, Excess, FILE_BYTES_MAX, is_below, is_plain};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// `/etc/apache2` has 3.
const DEPTH_MAX: usize = 16;
/// A file that changes while it is read is read again this often.
const READS_MAX: u32 = 3;

/// What was found at a path.
#[derive(Debug)]
pub(super) struct Found {
    /// Absolute, below the root as it was named.
    pub(super) path: String,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Directory { mode: u32 },
    File(Leaf),
    Link { target: String },
    LeftOut { mark: Mark, reason: String },
}

/// Size and time of the last change.
pub(super) type Stamp = (u64, i128);

/// What tells, of something that is not read, whether it is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// That it is there: a socket, a pipe, a device.
    There,
    /// A file or a directory.
    Stamp(Stamp),
    /// A link that is not followed: its text, and the stamp of the file that it leads to. Of a directory behind it only
    /// where it leads: what is written there (logs, modules) comes and goes without anybody's doing.
    Link { text: Vec<u8>, file: Option<Stamp> },
}

/// A file that was seen, and how to get at it again.
#[derive(Debug)]
pub(super) struct Leaf {
    root: usize,
    /// Names from the root on; empty if the root is the file.
    names: Vec<CString>,
    device: u64,
    inode: u64,
    pub(super) mode: u32,
    pub(super) stamp: Stamp,
}

/// Why there is no walk.
#[derive(Debug, thiserror::Error)]
pub(super) enum WalkError {
    #[error("{path}: {reason}", path = path.display())]
    Root { path: PathBuf, reason: String },
    #[error(transparent)]
    Excess(#[from] Excess),
    #[error("it took too long")]
    Stopped,
}

/// The allowed paths, opened.
#[derive(Debug)]
pub(super) struct Roots<'a> {
    all: Vec<Root>,
    stop: &'a AtomicBool,
}

#[derive(Debug)]
struct Root {
    path: String,
    /// The same without links in the directories above it.
    real: PathBuf,
    fd: OwnedFd,
    stat: FileStat,
}

impl<'a> Roots<'a> {
    /// Opens the allowed paths. A root that is a link is refused: it would be wherever the link leads tomorrow.
    pub(super) fn open(paths: &[PathBuf], stop: &'a AtomicBool) -> Result<Self, WalkError> {
        let mut all = Vec::with_capacity(paths.len());
        for path in paths {
            let failed = |reason: String| WalkError::Root {
                path: path.clone(),
                reason,
            };
            let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let fd = open(path, flags, Mode::empty())
                .map_err(|error| failed(error.desc().to_owned()))?;
            let stat = fstat(&fd).map_err(|error| failed(error.desc().to_owned()))?;
            if !matches!(kind(&stat), SFlag::S_IFDIR | SFlag::S_IFREG) {
                let reason = "is neither a directory nor a file; name what the link leads to";
                return Err(failed(reason.to_owned()));
            }
            let real = std::fs::canonicalize(path).map_err(|error| failed(error.to_string()))?;
            all.push(Root {
                path: path.display().to_string(),
                real,
                fd,
                stat,
            });
        }
        Ok(Self { all, stop })
    }

    /// Everything below the roots, by path.
    pub(super) fn find(&self) -> Result<Vec<Found>, WalkError> {
        let mut found = Vec::new();
        for (number, root) in self.all.iter().enumerate() {
            if kind(&root.stat) == SFlag::S_IFREG {
                let leaf = leaf(number, Vec::new(), &root.stat);
                found.push(Found {
                    path: root.path.clone(),
                    kind: file(leaf, &root.stat, &root.stat),
                });
                continue;
            }
            found.push(Found {
                path: root.path.clone(),
                kind: Kind::Directory {
                    mode: mode(&root.stat),
                },
            });
            self.directory(number, &root.path, &mut Vec::new(), &mut found)?;
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        Ok(found)
    }

    fn directory(
        &self,
        root: usize,
        path: &str,
        names: &mut Vec<CString>,
        found: &mut Vec<Found>,
    ) -> Result<(), WalkError> {
        let left_out = |stat: &FileStat, reason: &str| Kind::LeftOut {
            mark: Mark::Stamp(stamp(stat)),
            reason: reason.to_owned(),
        };
        let opened = self.reach(root, names, OFlag::O_RDONLY | OFlag::O_DIRECTORY);
        let mut dir = match opened.and_then(Dir::from_fd) {
            Ok(dir) => dir,
            Err(error) => {
                found.retain(|seen| seen.path != path);
                found.push(Found {
                    path: path.to_owned(),
                    kind: self.closed(root, names, error),
                });
                return Ok(());
            }
        };
        let above = fstat(&dir).map_err(|error| self.lost(root, error))?;
        let mut entries: Vec<CString> = Vec::new();
        for entry in dir.iter() {
            self.go_on()?;
            let Ok(entry) = entry else { break };
            let name = entry.file_name();
            if name != c"." && name != c".." {
                entries.push(name.to_owned());
            }
            if entries.len() + found.len() > ENTRIES_MAX {
                return Err(Excess::Entries.into());
            }
        }
        for name in entries {
            self.go_on()?;
            let shown = format!("{path}/{}", shown(&name));
            if !is_plain(&shown) {
                continue;
            }
            let Ok(stat) = fstatat(&dir, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else {
                // Gone since it was listed.
                continue;
            };
            names.push(name);
            let is_directory = kind(&stat) == SFlag::S_IFDIR;
            let other = is_directory && stat.st_dev != self.all[root].stat.st_dev;
            let what = if other {
                left_out(&stat, "another file system")
            } else if is_directory && names.len() > DEPTH_MAX {
                left_out(&stat, "too deep")
            } else {
                self.look(root, names, &shown, &stat, &above)
            };
            let enters = matches!(what, Kind::Directory { .. });
            found.push(Found {
                path: shown.clone(),
                kind: what,
            });
            if enters {
                self.directory(root, &shown, names, found)?;
            }
            names.pop();
        }
        Ok(())
    }

    /// A directory that cannot be read.
    fn closed(&self, root: usize, names: &[CString], error: Errno) -> Kind {
        let stat = self.reach(root, names, OFlag::O_PATH).and_then(fstat);
        Kind::LeftOut {
            mark: stat.map_or(Mark::There, |stat| Mark::Stamp(stamp(&stat))),
            reason: unreadable(error),
        }
    }

    /// What a name stands for, without opening it.
    fn look(
        &self,
        root: usize,
        names: &[CString],
        path: &str,
        stat: &FileStat,
        above: &FileStat,
    ) -> Kind {
        let left_out = |reason: &str| Kind::LeftOut {
            mark: Mark::There,
            reason: reason.to_owned(),
        };
        match kind(stat) {
            SFlag::S_IFDIR => Kind::Directory { mode: mode(stat) },
            SFlag::S_IFREG => file(leaf(root, names.to_vec(), stat), stat, above),
            SFlag::S_IFLNK => match self.target(path) {
                Some(target) => Kind::Link { target },
                None => Kind::LeftOut {
                    mark: behind(path),
                    reason: "a link that leads out of the allowed paths, or nowhere".to_owned(),
                },
            },
            SFlag::S_IFSOCK => left_out("a socket"),
            SFlag::S_IFIFO => left_out("a pipe"),
            _ => left_out("a device"),
        }
    }

    /// Where a link ends, in terms of the allowed paths. Only a text: the link itself is never followed.
    fn target(&self, path: &str) -> Option<String> {
        let real = std::fs::canonicalize(path).ok()?;
        let within = self.all.iter().find_map(|root| {
            let rest = real.strip_prefix(&root.real).ok()?;
            let joined = if rest.as_os_str().is_empty() {
                PathBuf::from(&root.path)
            } else {
                Path::new(&root.path).join(rest)
            };
            joined.to_str().map(str::to_owned)
        })?;
        let roots: Vec<&str> = self.all.iter().map(|root| root.path.as_str()).collect();
        (is_plain(&within) && is_below(&within, &roots)).then_some(within)
    }

    /// Reads a file that was found. The error says why it is left out.
    pub(super) fn read(&self, leaf: &Leaf) -> Result<Vec<u8>, ReadError> {
        for _ in 0..READS_MAX {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ReadError::Other("it took too long".to_owned()));
            }
            let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
            let fd = self
                .reach(leaf.root, &leaf.names, flags)
                .map_err(|error| match error {
                    Errno::EACCES | Errno::EPERM => ReadError::Denied,
                    error => ReadError::Other(unreadable(error)),
                })?;
            let gone = |error: Errno| ReadError::Other(unreadable(error));
            let before = fstat(&fd).map_err(gone)?;
            if kind(&before) != SFlag::S_IFREG
                || (before.st_dev, before.st_ino) != (leaf.device, leaf.inode)
            {
                return Err(ReadError::Other(
                    "was replaced while it was read".to_owned(),
                ));
            }
            let mut bytes = Vec::with_capacity((before.st_size as usize).min(FILE_BYTES_MAX) + 1);
            let file = File::from(fd);
            let read = (&file)
                .take(FILE_BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes);
            read.map_err(|error| ReadError::Other(format!("cannot be read: {error}")))?;
            if bytes.len() > FILE_BYTES_MAX {
                return Err(ReadError::Other(TOO_LARGE.to_owned()));
            }
            let after = fstat(&file).map_err(gone)?;
            if stamp(&before) == stamp(&after) && bytes.len() as u64 == stamp(&after).0 {
                return Ok(bytes);
            }
        }
        Err(ReadError::Other("changes while it is read".to_owned()))
    }

    /// Opens what `names` lead to, name by name.
    fn reach(&self, root: usize, names: &[CString], flags: OFlag) -> Result<OwnedFd, Errno> {
        let root = &self.all[root];
        let steps = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let last = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let Some((name, above)) = names.split_last() else {
            // The root itself, through its own descriptor: its name may stand for something else by now.
            return if kind(&root.stat) == SFlag::S_IFDIR {
                openat(&root.fd, c".", last, Mode::empty())
            } else {
                open(Path::new(&root.path), last, Mode::empty())
            };
        };
        let mut step: Option<OwnedFd> = None;
        for name in above {
            let next = match &step {
                Some(fd) => openat(fd, name.as_c_str(), steps, Mode::empty()),
                None => openat(&root.fd, name.as_c_str(), steps, Mode::empty()),
            }?;
            step = Some(next);
        }
        match &step {
            Some(fd) => openat(fd, name.as_c_str(), last, Mode::empty()),
            None => openat(&root.fd, name.as_c_str(), last, Mode::empty()),
        }
    }

    fn go_on(&self) -> Result<(), WalkError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(WalkError::Stopped);
        }
        Ok(())
    }

    fn lost(&self, root: usize, error: Errno) -> WalkError {
        WalkError::Root {
            path: PathBuf::from(&self.all[root].path),
            reason: error.desc().to_owned(),
        }
    }
}

/// Why a file is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    /// The agent's user may not.
    Denied,
    /// Anything else, in words.
    Other(String),
}

const TOO_LARGE: &str = "larger than 1 MiB";

/// A file, unless there is a reason not to read it.
fn file(leaf: Leaf, stat: &FileStat, above: &FileStat) -> Kind {
    let refused = if stat.st_size as u64 > FILE_BYTES_MAX as u64 {
        TOO_LARGE
    } else if stat.st_nlink > 1 && stat.st_uid != above.st_uid {
        // A hard link that its directory's owner made to a file of somebody else.
        "a second name of another user's file"
    } else {
        return Kind::File(leaf);
    };
    Kind::LeftOut {
        mark: Mark::Stamp(leaf.stamp),
        reason: refused.to_owned(),
    }
}

/// A link that is not followed. What it leads to is looked at, not opened; an empty file has no time, as those of
/// `/proc` have a new one at every look.
fn behind(path: &str) -> Mark {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::MetadataExt;
    let text = std::fs::read_link(path).map(|text| text.into_os_string().into_vec());
    let file = std::fs::metadata(path)
        .ok()
        .filter(|to| to.is_file() && to.len() > 0);
    Mark::Link {
        text: text.unwrap_or_default(),
        file: file.map(|to| {
            let changed = i128::from(to.mtime()) * 1_000_000_000 + i128::from(to.mtime_nsec());
            (to.len(), changed)
        }),
    }
}

fn leaf(root: usize, names: Vec<CString>, stat: &FileStat) -> Leaf {
    Leaf {
        root,
        names,
        device: stat.st_dev,
        inode: stat.st_ino,
        mode: mode(stat),
        stamp: stamp(stat),
    }
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

fn mode(stat: &FileStat) -> u32 {
    stat.st_mode & 0o7777
}

fn stamp(stat: &FileStat) -> Stamp {
    let changed = i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
    (stat.st_size.unsigned_abs(), changed)
}

fn shown(name: &CStr) -> String {
    match name.to_str() {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => name.to_bytes().escape_ascii().to_string(),
    }
}

fn unreadable(error: Errno) -> String {
    match error {
        Errno::EACCES | Errno::EPERM => "not readable for the agent's user".to_owned(),
        Errno::ELOOP | Errno::ENOTDIR | Errno::ENOENT => {
            "was replaced while it was read".to_owned()
        }
        error => format!("cannot be read: {}", error.desc()),
    }
}
