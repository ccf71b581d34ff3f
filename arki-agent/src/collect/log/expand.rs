//! Which files a path with wildcards means now.

use crate::collect::mounts::Hanging;
use crate::collect::{Roots, wildcard};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The most files of one `[[log]]`: each is an open file and some system calls in a pass.
pub const FILES_MAX: usize = 64;

/// How many names are looked at: a directory of a busy container host has thousands.
const NAMES_MAX: usize = 16 * 1024;

/// Suffixes of what rotation has packed away; nobody writes there.
const PACKED: [&str; 6] = [".gz", ".xz", ".bz2", ".zst", ".lz4", ".zip"];

/// How files are reached: where the host is, and where it may not answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) host: &'a Roots,
    pub(super) hanging: &'a Hanging,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expanded {
    /// The files, as this process reaches them, in order of their names.
    pub(super) paths: Vec<PathBuf>,
    /// There were more than [`FILES_MAX`] or too many names to look at.
    pub(super) is_cut: bool,
    /// A mount that may stop answering and that some of them are on: those are not among the files.
    pub(super) hanging: Option<PathBuf>,
}

/// The paths that `pattern`, an absolute path with `*` and `?` in its components, matches. Without wildcards it is the
/// path itself, whether it exists or not.
pub(super) fn expand(way: &Way<'_>, pattern: &str) -> Expanded {
    let mut found = vec![way.host.root.clone()];
    let mut hanging = None;
    let mut answers = |path: &PathBuf| {
        let point = way.hanging.on_the_way(way.host, path);
        let answers = point.is_none();
        hanging = hanging.take().or(point);
        answers
    };
    let mut names = 0;
    let mut is_cut = false;
    for component in Path::new(pattern).components() {
        let Component::Normal(part) = component else {
            continue;
        };
        let Some(part) = part.to_str().filter(|part| wildcard::is_pattern(part)) else {
            for path in &mut found {
                path.push(part);
            }
            continue;
        };
        let mut next = Vec::new();
        found.retain(&mut answers);
        for directory in &found {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            for entry in entries {
                names += 1;
                if names > NAMES_MAX || next.len() >= FILES_MAX {
                    is_cut = true;
                    break;
                }
                let name = entry.file_name();
                if name.to_str().is_some_and(|name| is_wanted(part, name)) {
                    next.push(entry.path());
                }
            }
        }
        next.sort();
        found = next;
    }
    found.retain(&mut answers);
    Expanded {
        paths: found,
        is_cut,
        hanging,
    }
}

/// As a shell does it: `*` does not match what begins with a dot.
fn is_wanted(part: &str, name: &str) -> bool {
    (part.starts_with('.') || !name.starts_with('.'))
        && !PACKED
            .iter()
            .any(|suffix| name.ends_with(suffix) && !part.ends_with(suffix))
        && wildcard::matches(part, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_any_component() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "a/x.log",
            "a/x.log.2.gz",
            "a/.hidden.log",
            "b/y.log",
            "b/y.txt",
        ] {
            let path = root.path().join("var/log").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let host = Roots {
            root: root.path().to_owned(),
            ..Roots::default()
        };
        let hanging = Hanging::default();
        let way = Way {
            host: &host,
            hanging: &hanging,
        };
        let names = |pattern: &str| -> Vec<String> {
            let paths = expand(&way, pattern).paths;
            let short = |path: PathBuf| {
                path.strip_prefix(root.path())
                    .unwrap()
                    .display()
                    .to_string()
            };
            paths.into_iter().map(short).collect()
        };
        assert_eq!(
            names("/var/log/*/*.log*"),
            ["var/log/a/x.log", "var/log/b/y.log"]
        );
        assert_eq!(names("/var/log/a/none.log"), ["var/log/a/none.log"]);
        assert_eq!(names("/var/log/c/*.log"), [""; 0]);
    }

    #[test]
    fn there_is_a_limit_and_it_is_said() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..FILES_MAX + 5 {
            fs::write(root.path().join(format!("{number}.log")), "").unwrap();
        }
        let host = Roots {
            root: root.path().to_owned(),
            ..Roots::default()
        };
        let hanging = Hanging::default();
        let way = Way {
            host: &host,
            hanging: &hanging,
        };
        let found = expand(&way, "/*.log");
        assert_eq!((found.paths.len(), found.is_cut), (FILES_MAX, true));
    }
}
