//! `mountinfo`, read again when the kernel says that it changed.
//!
//! A host with containers has hundreds of mounts, and the kernel writes a line for each at every reading. It also tells
//! who has the file open that something was mounted or unmounted (`proc_pid_mounts(5)`: `poll` reports an exceptional
//! condition), for the price of one call.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

/// The most that is read: some 5,000 mounts.
const BYTES_MAX: u64 = 1 << 20;

/// It is read at every so manieth call anyway, every ten minutes at 30 s: a file system that turns read-only after an
/// error is not announced.
const UNANNOUNCED: u32 = 20;

/// What is mounted, as the kernel wrote it.
#[derive(Debug, Default)]
pub(crate) struct MountTable {
    /// Open only where the kernel announces changes, which a fixture does not.
    file: Option<File>,
    unread: u32,
    bytes: Vec<u8>,
}

impl MountTable {
    /// Reads `self/mountinfo` below `proc` where it may have changed; true if it has.
    pub(crate) fn refresh(&mut self, proc: &Path) -> io::Result<bool> {
        let was_announced = self.file.as_ref().is_none_or(is_announced);
        self.unread += 1;
        if !was_announced && self.unread < UNANNOUNCED {
            return Ok(false);
        }
        self.unread = 0;
        let mut file = match self.file.take() {
            Some(mut file) => {
                file.rewind()?;
                file
            }
            None => File::open(proc.join("self/mountinfo"))?,
        };
        let mut bytes = Vec::with_capacity(self.bytes.len() + 1);
        file.by_ref().take(BYTES_MAX).read_to_end(&mut bytes)?;
        self.file = is_procfs(&file).then_some(file);
        let has_changed = bytes != self.bytes;
        self.bytes = bytes;
        Ok(has_changed)
    }

    /// What was read last; nothing before the first reading.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn is_procfs(file: &File) -> bool {
    fstatfs(file).is_ok_and(|system| system.filesystem_type() == PROC_SUPER_MAGIC)
}

fn is_announced(file: &File) -> bool {
    let mut asked = [PollFd::new(file.as_fd(), PollFlags::POLLPRI)];
    // What cannot be asked is read.
    poll(&mut asked, PollTimeout::ZERO).map_or(true, |answers| answers > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixture_is_read_every_time() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("self")).unwrap();
        let path = dir.path().join("self/mountinfo");
        let mut table = MountTable::default();
        assert!(table.refresh(dir.path()).is_err());
        std::fs::write(&path, "one\n").unwrap();
        assert!(table.refresh(dir.path()).unwrap());
        assert!(!table.refresh(dir.path()).unwrap());
        std::fs::write(&path, "two\n").unwrap();
        assert!(table.refresh(dir.path()).unwrap());
        assert_eq!(table.bytes(), b"two\n");
    }

    #[test]
    fn the_kernel_announces_what_is_mounted() {
        let mut table = MountTable::default();
        assert!(table.refresh(Path::new("/proc")).unwrap());
        assert!(!table.bytes().is_empty() && table.file.is_some());
        // Other tests may mount something meanwhile; then it is read, and the answer is right all the same.
        let before = table.bytes().to_vec();
        let has_changed = table.refresh(Path::new("/proc")).unwrap();
        assert_eq!(has_changed, before != table.bytes());
    }
}
