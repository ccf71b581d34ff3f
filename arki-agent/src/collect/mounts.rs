//! Which file systems are there, from `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).
//!
//! ```text
//! 36 35 98:0 /mnt1 /mnt/a\040b rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//!       device root point       options   optional    type source   options of the file system
//! ```
//!
//! Kept: every file system that programs can fill, once. Left out: what is made by the kernel and holds nothing, what
//! cannot be written at all (images), what container engines mount for their containers, further mounts of the same
//! file system (by device number), mounts that another mount hides. Of `overlay` only the root: there it is what the
//! container has. Names are bytes; the escapes are undone.

mod hanging;
mod table;

pub(super) use hanging::Hanging;
pub(super) use table::MountTable;

use super::ParseError;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Two series each: more would fill the limit of series with mounts alone.
pub(super) const FILE_SYSTEMS_MAX: usize = 64;

/// Made by the kernel or a helper; or an image that is always full.
const LEFT_OUT: [&str; 44] = [
    "aufs",
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cramfs",
    "debugfs",
    "devfs",
    "devpts",
    "devtmpfs",
    "ecryptfs",
    "efivarfs",
    "erofs",
    "fuse.archivemount",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fuse.snapfuse",
    "fuse.squashfuse",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nfsd",
    "nsfs",
    "nullfs",
    "proc",
    "pstore",
    "ramfs",
    "resctrl",
    "romfs",
    "rootfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "squashfs",
    "sysfs",
    "tracefs",
    "udf",
    "usbfs",
    "virtual",
];

/// Answer `statvfs` from memory, whatever the device does. Everything else may hang (a server that is away, a suspended
/// pool, a helper that is stuck) and is asked aside.
const SURE: [&str; 12] = [
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "tmpfs",
    "vfat", "xfs",
];

/// What is below these belongs to the kernel or to containers.
const LEFT_OUT_BELOW: [&str; 6] = [
    "/dev",
    "/proc",
    "/sys",
    "/run/docker",
    "/var/lib/containers/storage",
    "/var/lib/docker",
];

/// File systems in memory below these are made for a login, a unit or a pod, by the dozen.
const IN_MEMORY_LEFT_OUT_BELOW: [&str; 2] = ["/run", "/var/lib/kubelet"];

/// A container engine mounts these files, and with them the host's disk, into every container.
const FILES_OF_CONTAINERS: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// One file system to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileSystem {
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// The same as text, for the name of the series.
    pub(super) name: String,
    /// True if asking it may block.
    pub(super) may_block: bool,
}

#[derive(Debug)]
struct Mount {
    device: Vec<u8>,
    is_whole: bool,
    point: PathBuf,
    kind: String,
    /// Nobody may write to it.
    is_read_only: bool,
    /// This process may not.
    is_shut: bool,
}

/// What is mounted.
#[derive(Debug, Default)]
pub(super) struct Mounted {
    /// The file systems to watch, in the order of the mounts, at most [`FILE_SYSTEMS_MAX`].
    pub(super) systems: Vec<FileSystem>,
    /// How many more there are.
    pub(super) left_out: usize,
    /// The first broken line.
    pub(super) broken: Option<ParseError>,
}

/// Reads `mountinfo`.
pub(super) fn file_systems(mountinfo: &[u8]) -> Mounted {
    let (mounts, broken) = mounts(mountinfo);
    // A service under ProtectSystem=strict sees every mount shut, the root among them.
    let is_shut_in = mounts
        .iter()
        .any(|mount| mount.point == Path::new("/") && mount.is_shut && mount.kind != "overlay");
    let mut kept: Vec<&Mount> = Vec::new();
    for (index, mount) in mounts.iter().enumerate() {
        let is_hidden = || {
            let later = mounts.iter().skip(index + 1);
            later.into_iter().any(|later| later.point == mount.point)
        };
        if mount.is_left_out(is_shut_in) || is_hidden() {
            continue;
        }
        match kept.iter_mut().find(|known| known.device == mount.device) {
            // A mount of a part came first: the whole is the better name.
            Some(known) if mount.is_whole && !known.is_whole => *known = mount,
            Some(_) => {}
            None => kept.push(mount),
        }
    }
    let left_out = kept.len().saturating_sub(FILE_SYSTEMS_MAX);
    kept.truncate(FILE_SYSTEMS_MAX);
    let is_remote = |mount: &Mount| !SURE.contains(&mount.kind.as_str());
    let systems = kept
        .iter()
        .map(|mount| FileSystem {
            point: mount.point.clone(),
            name: mount.point.to_string_lossy().into_owned(),
            // The way to a local file system may lead through one that is not.
            may_block: mounts.iter().any(|above| {
                is_remote(above)
                    && !LEFT_OUT.contains(&above.kind.as_str())
                    && mount.point.starts_with(&above.point)
            }),
        })
        .collect();
    Mounted {
        systems,
        left_out,
        broken,
    }
}

/// One file system among the others: which files are on it.
#[derive(Debug)]
pub(super) struct Place {
    point: PathBuf,
    is_in_memory: bool,
    /// What is mounted below it, and belongs to others.
    below: Vec<PathBuf>,
}

impl Place {
    /// What is mounted at `point` now; `None` if nothing is.
    pub(super) fn find(proc: &Path, point: &str) -> Option<Self> {
        let mut source = super::Source::default();
        let mountinfo = source.bytes(&proc.join("self/mountinfo")).ok()?;
        let (mounts, _) = mounts(mountinfo);
        let mount = mounts
            .iter()
            .rev()
            .find(|mount| mount.point == Path::new(point))?;
        let is_below =
            |other: &&Mount| other.point != mount.point && other.point.starts_with(&mount.point);
        Some(Self {
            point: mount.point.clone(),
            is_in_memory: mount.kind == "tmpfs",
            below: mounts
                .iter()
                .filter(is_below)
                .map(|other| other.point.clone())
                .collect(),
        })
    }

    /// True if its files never get to a device.
    pub(super) fn is_in_memory(&self) -> bool {
        self.is_in_memory
    }

    /// True if a file of this path is on it.
    pub(super) fn holds(&self, file: &Path) -> bool {
        file.starts_with(&self.point) && !self.below.iter().any(|below| file.starts_with(below))
    }
}

impl Mount {
    /// `is_shut_in`: all of this process's mounts are read-only, whatever they are for others.
    fn is_left_out(&self, is_shut_in: bool) -> bool {
        let below = |points: &[&str]| points.iter().any(|point| self.point.starts_with(point));
        let is = |points: &[&str]| points.iter().any(|point| self.point == Path::new(point));
        if LEFT_OUT.contains(&self.kind.as_str()) || is(&FILES_OF_CONTAINERS) || self.is_read_only {
            return true;
        }
        // What is in memory and mounted read-only is a store of secrets.
        if self.kind == "tmpfs" && self.is_shut && !is_shut_in {
            return true;
        }
        match self.kind.as_str() {
            "overlay" => !is(&["/"]),
            "tmpfs" if is(&["/dev/shm", "/run"]) => false,
            "tmpfs" => below(&LEFT_OUT_BELOW) || below(&IN_MEMORY_LEFT_OUT_BELOW),
            _ => below(&LEFT_OUT_BELOW),
        }
    }
}

fn mounts(mountinfo: &[u8]) -> (Vec<Mount>, Option<ParseError>) {
    let (mut mounts, mut broken) = (Vec::new(), None);
    for (line, text) in (1..).zip(mountinfo.split(|&byte| byte == b'\n')) {
        if text.is_empty() {
            continue;
        }
        if let Some(mount) = mount(text) {
            mounts.push(mount);
        } else {
            let text = String::from_utf8_lossy(text);
            let error = ParseError::new(line, format!("not a mount: {text:?}"));
            broken = broken.or(Some(error));
        }
    }
    (mounts, broken)
}

fn mount(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&byte| byte == b' ');
    let device = words.nth(2)?;
    let root = words.next()?;
    let point = OsString::from_vec(unescape(words.next()?));
    let options = words.next()?;
    let mut words = words.skip_while(|&word| word != b"-").skip(1);
    let kind = String::from_utf8_lossy(words.next()?).into_owned();
    let system_options = words.nth(1)?;
    let has_ro = |options: &[u8]| {
        options
            .split(|&byte| byte == b',')
            .any(|word| word == b"ro")
    };
    // A mount that this process may not write may still be filled by others, a file system that nobody may write cannot.
    Some(Mount {
        device: device.to_vec(),
        is_whole: root == b"/",
        point: point.into(),
        kind,
        is_read_only: has_ro(system_options),
        is_shut: has_ro(options),
    })
}

/// Undoes `\040` and the like: a backslash and three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.first_chunk::<3>().filter(|_| byte == b'\\');
        if let Some(code) = digits.copied().and_then(octal) {
            plain.push(code);
            rest = after.get(3..).unwrap_or_default();
        } else {
            plain.push(byte);
            rest = after;
        }
    }
    plain
}

fn octal(digits: [u8; 3]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |code, digit| {
        let digit = matches!(digit, b'0'..=b'7').then(|| digit - b'0')?;
        code.checked_mul(8)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests;
