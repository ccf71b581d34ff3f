//! A configuration that is put into both copies: from a snapshot, or given at the terminal.
//!
//! It goes in as a tar archive that `tar` in the container reads from its input, into tmpfs laid over the directories
//! that it replaces (the container's root stays read-only). Only what lies below a directory of its own can be replaced;
//! what cannot is left out and said.

use super::profile::{Tmpfs, is_path};
use super::result;
use arki_model::receipt::configuration_hash;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;

/// Two empty blocks end an archive.
const END_BYTES: usize = 1_024;

/// All of it at most, in bytes.
const BYTES_MAX: usize = 5 << 20;
/// Files, links and directories at most.
const ENTRIES_MAX: usize = 4_096;
/// The room of one replaced directory: twice what can be in it, for what programs write beside it.
const PLACE_MIB: u32 = 16;
/// Host names of upstreams at most.
const HOSTS_MAX: usize = 64;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A file.
    File {
        /// Its permissions.
        mode: u32,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// A link to another path.
    Link {
        /// Where it leads.
        target: String,
    },
    /// A directory.
    Directory {
        /// Its permissions.
        mode: u32,
    },
}

/// A configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `image`, `snapshot` or `given`.
    pub source: &'static str,
    /// SHA-256 over it.
    pub hash: [u8; 32],
    /// When it was taken.
    pub taken_at: Option<i64>,
    /// The directories that it replaces.
    pub roots: Vec<String>,
    /// What is in it, by absolute path; directories before what is in them.
    pub entries: Vec<(String, What)>,
    /// What is not in it, and why.
    pub left_out: Vec<String>,
    /// Why it is not the host's as it is now: the image's, or an older one; empty otherwise.
    pub reason: String,
}

impl Configuration {
    /// The image's own.
    pub fn of_the_image() -> Self {
        Self {
            source: "image",
            hash: configuration_hash([]),
            ..Self::default()
        }
    }

    /// The directory `folder` of this host in the place of `root`: for trials at the terminal.
    pub fn from_folder(folder: &Path, root: &str) -> io::Result<Self> {
        let mut given = Self {
            source: "given",
            roots: vec![root.to_owned()],
            ..Self::default()
        };
        let mut bytes = 0;
        given.read(folder, root, &mut bytes)?;
        let digest = |(path, what): &(String, What)| match what {
            What::File { bytes, .. } => Some((path.clone(), Sha256::digest(bytes).into())),
            What::Link { target } => Some((path.clone(), Sha256::digest(target).into())),
            What::Directory { .. } => None,
        };
        let digests: Vec<(String, [u8; 32])> = given.entries.iter().filter_map(digest).collect();
        given.hash = configuration_hash(digests.iter().map(|(path, hash)| (path.as_str(), *hash)));
        Ok(given)
    }

    fn read(&mut self, folder: &Path, root: &str, total: &mut usize) -> io::Result<()> {
        let too_much = || io::Error::other("the configuration has more than 5 MiB or 4096 files");
        let mut found = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(std::fs::DirEntry::file_name);
        for entry in found {
            let name = entry.file_name();
            let path = format!("{root}/{}", name.to_string_lossy());
            let kind = entry.file_type()?;
            if self.entries.len() >= ENTRIES_MAX {
                return Err(too_much());
            }
            if kind.is_dir() {
                self.entries
                    .push((path.clone(), What::Directory { mode: 0o755 }));
                self.read(&entry.path(), &path, total)?;
            } else if kind.is_symlink() {
                let target = std::fs::read_link(entry.path())?
                    .to_string_lossy()
                    .into_owned();
                self.entries.push((path, What::Link { target }));
            } else if kind.is_file() {
                let bytes = std::fs::read(entry.path())?;
                *total += bytes.len();
                if *total > BYTES_MAX {
                    return Err(too_much());
                }
                self.entries.push((path, What::File { mode: 0o644, bytes }));
            } else {
                self.left_out
                    .push(format!("{path}: neither a file nor a link"));
            }
        }
        Ok(())
    }

    /// The directories over which a tmpfs is laid: the roots that can be replaced and are not in one of the
    /// profile's places already.
    pub(super) fn places(&self, taken: &[Tmpfs]) -> Vec<Tmpfs> {
        let is_in = |path: &str, place: &str| {
            path == place
                || path
                    .strip_prefix(place)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let mut places: Vec<Tmpfs> = Vec::new();
        // over a single file none can be laid, and over its directory it would hide what is beside it
        let is_directory = |root: &String| {
            let own = self.entries.iter().find(|(path, _)| path == root);
            own.is_none_or(|(_, what)| matches!(what, What::Directory { .. }))
        };
        for root in self.roots.iter().filter(|root| is_directory(root)) {
            let there = taken
                .iter()
                .chain(&places)
                .any(|place| is_in(root, &place.path));
            if is_path(root) && !there {
                places.push(Tmpfs {
                    path: root.clone(),
                    mebibytes: PLACE_MIB,
                    mode: "0755".into(),
                });
            }
        }
        places
    }

    /// Names after `proxy_pass http://`, `server`, `ProxyPass` and the like: without a network they resolve to the
    /// container itself, or the service would not start.
    pub(super) fn hosts(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (_, what) in &self.entries {
            let What::File { bytes, .. } = what else {
                continue;
            };
            let text = String::from_utf8_lossy(bytes);
            for line in text.lines() {
                let code = line.split('#').next().unwrap_or_default();
                // several statements may stand in a line
                names.extend(code.split([';', '{', '}']).filter_map(upstream));
            }
        }
        names.sort();
        names.dedup();
        names.truncate(HOSTS_MAX);
        names
    }

    /// The archive that goes in, and what had to be left out of it.
    pub(super) fn archive(&self, places: &[Tmpfs], taken: &[Tmpfs]) -> (Bytes, Vec<String>) {
        let mut left_out = self.left_out.clone();
        let mut tar = Vec::new();
        for (path, what) in &self.entries {
            let all = || places.iter().chain(taken);
            if all().any(|place| place.path == *path) {
                continue; // it is there
            }
            let inside = all().any(|place| {
                path.strip_prefix(&place.path)
                    .is_some_and(|rest| rest.starts_with('/'))
            });
            if !inside {
                let why = if self.roots.contains(path) {
                    "a single file cannot be replaced: let the agent's `paths` name its directory"
                } else {
                    "it is not below a directory that can be replaced"
                };
                left_out.push(format!("{path}: {why}"));
            } else if !add(&mut tar, path, what) {
                left_out.push(format!("{path}: its name is too long"));
            }
        }
        tar.resize(tar.len() + END_BYTES, 0);
        (Bytes::from(tar), left_out)
    }

    /// What is kept about it with a result.
    pub(super) fn shown(&self, left_out: Vec<String>) -> result::Configuration {
        let is_file = |(_, what): &&(String, What)| !matches!(what, What::Directory { .. });
        result::Configuration {
            source: self.source.to_owned(),
            hash: arki_model::hex::encode(&self.hash),
            files: self.entries.iter().filter(is_file).count() as u64,
            taken_at: self.taken_at,
            left_out,
            reason: self.reason.clone(),
        }
    }
}

/// The host that a statement of a configuration passes requests to.
fn upstream(statement: &str) -> Option<String> {
    let mut words = statement
        .trim_start()
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | '"' | '\''));
    let first = words.next()?;
    let directive = [
        "server",
        "proxy_pass",
        "fastcgi_pass",
        "uwsgi_pass",
        "grpc_pass",
        "ProxyPass",
        "BalancerMember",
    ];
    if !directive.contains(&first) {
        return None;
    }
    let is_plain = first == "server";
    let target = words.find(|word| !word.is_empty() && (is_plain || word.contains(':')))?;
    let after = target.split_once("://").map_or(target, |(_, after)| after);
    let host = after.split(['/', ':', '$']).next()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_name = host.chars().all(fits) && host.chars().any(|c| c.is_ascii_alphabetic());
    (is_name && host.len() <= 253 && host != "unix").then(|| host.to_owned())
}

/// An archive of one small file.
pub(super) fn archive_of(name: &str, bytes: Vec<u8>) -> Bytes {
    let mut tar = Vec::new();
    let fits = add(&mut tar, name, &What::File { mode: 0o644, bytes });
    debug_assert!(fits, "the name of a file of ours is short");
    tar.resize(tar.len() + END_BYTES, 0);
    Bytes::from(tar)
}

/// Adds one entry to a POSIX archive (ustar); false if its names do not fit.
fn add(tar: &mut Vec<u8>, path: &str, what: &What) -> bool {
    let path = path.trim_start_matches('/');
    let (mode, kind, bytes, target): (u32, u8, &[u8], &str) = match what {
        What::File { mode, bytes } => (mode & 0o777 | 0o600, b'0', bytes, ""),
        What::Link { target } => (0o777, b'2', &[], target),
        What::Directory { mode } => (mode & 0o777 | 0o700, b'5', &[], ""),
    };
    // a name has 100 bytes, and 155 before a slash
    let split = if path.len() <= 100 {
        Some(("", path))
    } else {
        let fits = |(at, _): &(usize, &str)| *at <= 155 && path.len() - at - 1 <= 100;
        path.match_indices('/')
            .find(fits)
            .and_then(|(at, _)| Some((path.get(..at)?, path.get(at + 1..)?)))
    };
    let Some((prefix, name)) = split.filter(|_| target.len() <= 100) else {
        return false;
    };
    let mut head = [0_u8; 512];
    let mut put = |at: usize, text: &[u8]| head[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\x000000000\0");
    put(124, format!("{:011o}\0", bytes.len()).as_bytes());
    put(136, b"00000000000\0        ");
    put(156, &[kind]);
    put(157, target.as_bytes());
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&head);
    tar.extend_from_slice(bytes);
    tar.resize(tar.len().next_multiple_of(512), 0);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_found_and_nothing_else() {
        for (line, host) in [
            (
                "server backend-1.example.org:8080 weight=5;",
                Some("backend-1.example.org"),
            ),
            ("proxy_pass http://app.internal/x;", Some("app.internal")),
            ("fastcgi_pass php:9000;", Some("php")),
            ("ProxyPass \"/a\" \"http://tomcat:8080/a\"", Some("tomcat")),
            ("server 10.0.0.1:80;", None),
            ("server {", None),
            ("server_name example.org;", None),
            ("proxy_pass http://$backend;", None),
            ("fastcgi_pass unix:/run/php.sock;", None),
        ] {
            assert_eq!(upstream(line).as_deref(), host, "{line}");
        }
    }

    #[test]
    fn a_single_file_gets_no_place_and_says_why() {
        let file = What::File {
            mode: 0o644,
            bytes: b"x".to_vec(),
        };
        let one = Configuration {
            source: "snapshot",
            roots: vec!["/etc/nginx/nginx.conf".into()],
            entries: vec![("/etc/nginx/nginx.conf".into(), file)],
            ..Configuration::default()
        };
        assert!(one.places(&[]).is_empty());
        let (_, left_out) = one.archive(&[], &[]);
        assert_eq!(left_out.len(), 1);
        assert!(left_out[0].contains("name its directory"), "{left_out:?}");
    }

    #[test]
    fn a_folder_becomes_an_archive_that_tar_reads() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(90)).join("e".repeat(40));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("file.conf"), "hello\n").unwrap();
        std::os::unix::fs::symlink("file.conf", deep.join("link.conf")).unwrap();
        std::fs::write(folder.path().join("f".repeat(200)), "").unwrap();
        let given = Configuration::from_folder(folder.path(), "/etc/nginx").unwrap();
        let places = given.places(&[]);
        assert_eq!(places[0].path, "/etc/nginx");
        let (tar, left_out) = given.archive(&places, &[]);
        assert_eq!(left_out.len(), 1, "{left_out:?}");
        let into = tempfile::tempdir().unwrap();
        std::fs::write(into.path().join("a.tar"), &tar).unwrap();
        #[expect(clippy::disallowed_methods, reason = "tar itself is the judge")]
        let status = std::process::Command::new("tar")
            .args(["-x", "-f", "a.tar"])
            .current_dir(into.path())
            .status()
            .unwrap();
        assert!(status.success());
        let there = into
            .path()
            .join("etc/nginx")
            .join("d".repeat(90))
            .join("e".repeat(40));
        assert_eq!(
            std::fs::read_to_string(there.join("link.conf")).unwrap(),
            "hello\n"
        );
        assert_ne!(given.hash, Configuration::of_the_image().hash);
        let own = ("/etc/nginx".to_owned(), What::Directory { mode: 0o755 });
        let snapshot = Configuration {
            entries: [own].into_iter().chain(given.entries.clone()).collect(),
            ..given.clone()
        };
        assert_eq!(snapshot.places(&[]).len(), 1);
        assert_eq!(
            snapshot.archive(&places, &[]).1,
            left_out,
            "a place is no loss"
        );
        assert_eq!(given.archive(&[], &[]).1.len(), 5, "nothing has a place");
    }
}
