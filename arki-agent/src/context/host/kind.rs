//! What a job is, and which series it explains.
//!
//! No job explains memory, swap or descriptors that run out: a job that eats them is what an operator must know.
//! Space of a disk is explained only for updates and backups, which write a known lot and end; and then only as long
//! as the disk is not full before the job is over (see [`arki_model::context::ActiveContext::explains`]).

use arki_model::kind::series_glob;
use globset::GlobMatcher;

/// What a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobKind {
    /// Copies much: `rsync`, `borg`, `pg_dump`.
    Backup,
    /// Installs packages, and restarts the services that are in them: `apt`, `dnf`.
    Update,
    /// Reads whole disks: a check of an array, a scrub, `fstrim`.
    DiskCheck,
    /// Walks over files: `logrotate`, `updatedb`, `mandb`.
    Housekeeping,
    /// Something that cron or a timer starts.
    Scheduled,
}

/// What any work costs: time of processors and disks, and the waiting of others for them.
const WORK: [&str; 8] = [
    "cpu.*",
    "load.per_core",
    "pressure.cpu*",
    "pressure.io*",
    "disk.*_per_second*",
    "disk.busy_percent*",
    "disk.latency_ms*",
    "process.*",
];

impl JobKind {
    /// What it explains beyond [`WORK`].
    fn more(self) -> &'static [&'static str] {
        match self {
            Self::Backup => &["net.*_bytes_per_second*", "disk.used_percent*"],
            Self::Update => &[
                "net.*_bytes_per_second*",
                "disk.used_percent*",
                "disk.inodes_used_percent*",
                "service.*",
                "log.*",
            ],
            Self::DiskCheck => &[],
            Self::Housekeeping => &["log.*"],
            Self::Scheduled => &["net.*_bytes_per_second*"],
        }
    }

    /// The series it explains.
    pub(super) fn series(self) -> Vec<GlobMatcher> {
        WORK.iter()
            .chain(self.more())
            .filter_map(|glob| Some(series_glob(glob).ok()?.compile_matcher()))
            .collect()
    }

    /// What the program `comm` is (as the kernel has it, at most 15 bytes), if it is known.
    pub(super) fn of_program(comm: &str) -> Option<Self> {
        Some(match comm {
            "rsync" | "borg" | "restic" | "duplicity" | "rdiff-backup" | "kopia" | "rclone"
            | "pg_dump" | "pg_dumpall" | "pg_basebackup" | "mysqldump" | "mariadb-dump"
            | "mariabackup" | "mariadb-backup" | "xtrabackup" | "mongodump" | "vzdump"
            | "proxmox-backup-" => Self::Backup,
            "apt" | "apt-get" | "aptitude" | "dpkg" | "unattended-upgr" | "dnf" | "dnf5"
            | "yum" | "rpm" | "zypper" | "pacman" | "apk" => Self::Update,
            "fstrim" | "e2scrub" | "xfs_scrub" | "fsck" | "zpool" | "btrfs" => Self::DiskCheck,
            "logrotate" | "updatedb" | "updatedb.plocat" | "updatedb.mlocat" | "mandb" => {
                Self::Housekeeping
            }
            _ => return None,
        })
    }

    /// What the service `stem` or the command `stem` is that a timer or cron starts, by its name.
    pub(super) fn of_scheduled(stem: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| stem.contains(word));
        if let Some(kind) = Self::of_program(stem) {
            kind
        } else if has(&[
            "scrub",
            "mdcheck",
            "raid-check",
            "checkarray",
            "fstrim",
            "fsck",
        ]) {
            Self::DiskCheck
        } else if has(&["backup", "borg", "restic", "dump", "snapshot", "rsync"]) {
            Self::Backup
        } else if has(&["apt-", "dnf-", "unattended-upgr", "packagekit", "zypp"]) {
            Self::Update
        } else if has(&["logrotate", "updatedb", "man-db", "tmpfiles-clean"]) {
            Self::Housekeeping
        } else {
            Self::Scheduled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [JobKind; 5] = [
        JobKind::Backup,
        JobKind::Update,
        JobKind::DiskCheck,
        JobKind::Housekeeping,
        JobKind::Scheduled,
    ];

    #[test]
    fn no_job_explains_what_runs_out_of_memory() {
        for kind in KINDS {
            let series = kind.series();
            let explains = |name: &str| series.iter().any(|glob| glob.is_match(name));
            assert_eq!(
                series.len(),
                WORK.len() + kind.more().len(),
                "all globs compile"
            );
            assert!(explains("cpu.busy_percent") && explains("disk.busy_percent{sda}"));
            for name in [
                "memory.used_percent",
                "swap.used_percent",
                "file.used_percent",
                "pressure.memory_percent",
                "conntrack.used_percent",
            ] {
                assert!(!explains(name), "{kind:?} {name}");
            }
            let fills = matches!(kind, JobKind::Backup | JobKind::Update);
            assert_eq!(explains("disk.used_percent{/var}"), fills, "{kind:?}");
        }
    }

    #[test]
    fn jobs_are_known_by_their_names() {
        assert_eq!(JobKind::of_scheduled("apt-daily-upgrade"), JobKind::Update);
        assert_eq!(
            JobKind::of_scheduled("zfs-scrub-weekly@tank"),
            JobKind::DiskCheck
        );
        assert_eq!(JobKind::of_scheduled("dpkg-db-backup"), JobKind::Backup);
        assert_eq!(JobKind::of_scheduled("report"), JobKind::Scheduled);
        assert_eq!(JobKind::of_program("nginx"), None);
    }
}
