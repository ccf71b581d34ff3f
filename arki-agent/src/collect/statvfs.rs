//! How full one file system is, as the kernel tells it.

use std::io;
use std::path::Path;

/// Asks how full the file system at a path is. May block for ever.
pub type Statvfs = dyn Fn(&Path) -> io::Result<Space> + Send + Sync;

/// Blocks and inodes of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All blocks.
    pub blocks: u64,
    /// Free ones, those kept for root included.
    pub blocks_free: u64,
    /// Free ones for everybody.
    pub blocks_available: u64,
    /// All inodes; 0 where they are made as needed (btrfs, vfat).
    pub inodes: u64,
    /// Free ones.
    pub inodes_free: u64,
}

impl Space {
    /// As `df` counts it: used over what is used or can still be used, so that full for everybody but root is 100.
    /// `None` for a file system without blocks.
    pub fn used_percent(&self) -> Option<f64> {
        let used = self.blocks.saturating_sub(self.blocks_free);
        share_percent(used, used.saturating_add(self.blocks_available))
    }

    /// `None` for a file system without a fixed number of inodes.
    pub fn inodes_used_percent(&self) -> Option<f64> {
        share_percent(self.inodes.saturating_sub(self.inodes_free), self.inodes)
    }
}

fn share_percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

/// A program writes more than this at once: a file system with less left is full, whatever its last block says.
const CRUMBS_BYTES: u64 = 1024 * 1024;

/// Crumbs are no more than this share of the file system, too: a small one is not full for having always been small.
const CRUMBS_SHARE: u64 = 1000;

/// `blocks_available`, or none where only crumbs are left.
fn without_crumbs(blocks_available: u64, block_bytes: u64, blocks: u64) -> u64 {
    let are_crumbs = blocks_available.saturating_mul(block_bytes) < CRUMBS_BYTES
        && blocks_available < blocks / CRUMBS_SHARE;
    if are_crumbs { 0 } else { blocks_available }
}

/// Asks the kernel.
pub(super) fn ask_kernel(path: &Path) -> io::Result<Space> {
    let found = nix::sys::statvfs::statvfs(path)?;
    let (blocks, available) = (found.blocks(), found.blocks_available());
    Ok(Space {
        blocks,
        blocks_free: found.blocks_free(),
        blocks_available: without_crumbs(available, found.fragment_size(), blocks),
        inodes: found.files(),
        inodes_free: found.files_free(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_is_counted_as_df_does() {
        let space = Space {
            blocks: 1000,
            blocks_free: 200,
            blocks_available: 150,
            inodes: 100,
            inodes_free: 75,
        };
        assert_eq!(space.used_percent(), Some(100.0 * 800.0 / 950.0));
        assert_eq!(space.inodes_used_percent(), Some(25.0));
        let empty = Space {
            blocks: 0,
            blocks_free: 0,
            blocks_available: 0,
            inodes: 0,
            inodes_free: 0,
        };
        assert_eq!(
            (empty.used_percent(), empty.inodes_used_percent()),
            (None, None)
        );
    }

    #[test]
    fn a_disk_with_crumbs_is_full() {
        // the last kibibyte of an ext4 of 290 MB that takes no write any more
        assert_eq!(without_crumbs(1, 1024, 296_847), 0);
        assert_eq!(without_crumbs(2_000, 1024, 296_847), 2_000, "two mebibytes");
        assert_eq!(without_crumbs(100, 4096, 50_000), 100, "small as a whole");
    }

    #[test]
    fn the_kernel_answers() {
        assert!(ask_kernel(Path::new("/")).unwrap().used_percent().is_some());
        assert!(ask_kernel(Path::new("/does/not/exist")).is_err());
    }
}
