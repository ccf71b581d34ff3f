//! Which paths lead through a file system that may stop answering.
//!
//! A read there could stop the agent for ever, and so could looking at the path: only the links on the way are read,
//! and each only when the place that it lies in is known to answer.

use super::{LEFT_OUT, SURE};
use crate::collect::Roots;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// As the kernel does it (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// The mounts of a host, if one of them may hang; empty otherwise.
#[derive(Debug, Default)]
pub(crate) struct Hanging {
    /// Each mount point, and whether it may.
    points: Vec<(PathBuf, bool)>,
}

impl Hanging {
    /// Reads `mountinfo`.
    pub(crate) fn of(mountinfo: &[u8]) -> Self {
        let (mounts, _) = super::mounts(mountinfo);
        let points: Vec<(PathBuf, bool)> = mounts
            .into_iter()
            .map(|mount| (mount.point, may_hang(&mount.kind)))
            .collect();
        if points.iter().any(|(_, may_hang)| *may_hang) {
            Self { points }
        } else {
            Self::default()
        }
    }

    /// The mount that may hang and that the way to `path`, as this process reaches it, leads through.
    pub(crate) fn on_the_way(&self, host: &Roots, path: &Path) -> Option<PathBuf> {
        if self.points.is_empty() {
            return None;
        }
        let path = path.strip_prefix(&host.root).unwrap_or(path);
        let mut left = parts(path);
        let (mut at, mut links) = (PathBuf::from("/"), 0);
        while let Some(part) = left.pop() {
            if part == ".." {
                at.pop();
                continue;
            }
            at.push(part);
            if let Some(point) = self.holds(&at) {
                return Some(point.to_owned());
            }
            let Ok(target) = fs::read_link(host.path(&at)) else {
                continue;
            };
            links += 1;
            if links > LINKS_MAX {
                return None;
            }
            if target.is_absolute() {
                at = PathBuf::from("/");
            } else {
                at.pop();
            }
            left.extend(parts(&target));
        }
        None
    }

    /// The mount that `path` lies in, if it may hang. Of several at one point, the last hides the others.
    fn holds(&self, path: &Path) -> Option<&Path> {
        let above = |(point, _): &&(PathBuf, bool)| path.starts_with(point);
        let (point, may_hang) = self
            .points
            .iter()
            .filter(above)
            .max_by_key(|(point, _)| point.as_os_str().len())?;
        may_hang.then_some(point.as_path())
    }
}

fn may_hang(kind: &str) -> bool {
    let asks_a_program = kind == "autofs" || kind.starts_with("fuse.");
    asks_a_program || !SURE.contains(&kind) && !LEFT_OUT.contains(&kind)
}

/// The components of a path, the last first.
fn parts(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const MOUNTS: &[u8] = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
        23 22 0:50 / /mnt/share rw - nfs4 server:/export rw\n\
        24 23 8:2 / /mnt/share/scratch rw - xfs /dev/sdb rw\n\
        25 22 0:51 / /home/a/drive rw - fuse.sshfs a@b: rw\n\
        26 22 0:52 / /net rw - autofs -hosts rw\n";

    #[test]
    fn a_path_is_followed_through_links_without_touching_what_may_hang() {
        let dir = tempfile::tempdir().unwrap();
        let host = Roots {
            root: dir.path().to_owned(),
            ..Roots::default()
        };
        fs::create_dir_all(dir.path().join("var/log/local")).unwrap();
        symlink("/mnt/share/logs", dir.path().join("var/log/far")).unwrap();
        symlink("../log/far/x", dir.path().join("var/log/relative")).unwrap();
        symlink("round", dir.path().join("var/log/round")).unwrap();
        let hanging = Hanging::of(MOUNTS);
        for (path, mount) in [
            ("var/log/local/a.log", None),
            ("var/log/missing/a.log", None),
            ("var/log/round", None),
            ("mnt/shared", None),
            ("mnt/share/scratch/a.log", Some("/mnt/share")),
            ("mnt/share", Some("/mnt/share")),
            ("var/log/far/a.log", Some("/mnt/share")),
            ("var/log/relative", Some("/mnt/share")),
            ("var/../home/a/drive/b", Some("/home/a/drive")),
            ("net/server/a.log", Some("/net")),
        ] {
            let found = hanging.on_the_way(&host, &dir.path().join(path));
            assert_eq!(found.as_deref(), mount.map(Path::new), "{path}");
        }
    }

    #[test]
    fn a_host_whose_file_systems_all_answer_costs_nothing() {
        let hanging = Hanging::of(
            b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:4 / /proc rw - proc proc rw\n",
        );
        assert!(hanging.points.is_empty());
    }
}
