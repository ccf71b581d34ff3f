use super::*;

fn names(mountinfo: &str) -> Vec<String> {
    let Mounted {
        systems, broken, ..
    } = file_systems(mountinfo.as_bytes());
    assert_eq!(broken, None);
    systems.into_iter().map(|system| system.name).collect()
}

#[test]
fn a_file_system_is_named_once_by_its_whole() {
    let found = names(
        "20 1 0:4 / /proc rw - proc proc rw\n\
         21 1 8:2 /srv/jail /jail rw - ext4 /dev/sda2 rw\n\
         22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         23 22 8:2 / /srv rw - ext4 /dev/sda2 rw\n\
         24 22 8:1 /var/www /home/www rw - ext4 /dev/sda1 rw\n\
         25 22 0:40 /@ /data rw - btrfs /dev/sdb rw\n\
         26 22 0:40 /@home /home rw - btrfs /dev/sdb rw\n",
    );
    assert_eq!(found, ["/srv", "/", "/data"]);
}

#[test]
fn what_cannot_fill_is_left_out() {
    let found = names(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         30 22 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro\n\
         31 22 11:0 / /media/cd ro - iso9660 /dev/sr0 ro\n\
         32 22 8:9 / /usr ro - ext4 /dev/sda9 ro\n\
         33 22 0:50 / /var/lib/docker/overlay2/1/merged rw - overlay overlay rw\n\
         34 22 0:51 / /run rw - tmpfs tmpfs rw\n\
         35 22 0:52 / /run/user/1000 rw - tmpfs tmpfs rw\n\
         36 22 0:53 / /dev/shm rw - tmpfs tmpfs rw\n\
         37 22 0:54 / /tmp rw - tmpfs tmpfs rw\n\
         38 22 0:55 / /mnt/secrets ro - tmpfs tmpfs rw\n\
         39 22 0:56 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
         40 22 0:57 / /var/lib/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw\n\
         41 22 8:7 / /var/lib/kubelet/pods/1/volumes/pvc rw - ext4 /dev/sdg rw\n",
    );
    assert_eq!(
        found,
        [
            "/",
            "/run",
            "/dev/shm",
            "/tmp",
            "/var/lib/kubelet/pods/1/volumes/pvc"
        ]
    );
}

#[test]
fn what_is_read_only_for_a_service_alone_is_watched() {
    let found = names(
        "22 1 8:1 / / ro,relatime - ext4 /dev/sda1 rw\n\
         32 22 8:9 / /usr ro - ext4 /dev/sda9 ro\n\
         34 22 0:51 / /run ro,nosuid - tmpfs tmpfs rw\n\
         36 22 0:53 / /var/tmp ro - tmpfs tmpfs rw\n\
         37 22 0:54 / /mnt/sealed ro - tmpfs tmpfs ro\n",
    );
    assert_eq!(found, ["/", "/run", "/var/tmp"]);
}

#[test]
fn in_a_container_overlay_is_the_root() {
    let found = names(
        "40 30 0:60 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/b\n\
         41 40 0:61 / /dev rw - tmpfs tmpfs rw\n\
         42 40 8:1 /c/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n\
         43 40 8:1 /v/_data /data rw - ext4 /dev/sda1 rw\n",
    );
    assert_eq!(found, ["/", "/data"]);
}

#[test]
fn a_mount_over_another_hides_it() {
    let found = names(
        "1 1 0:2 / / rw - rootfs rootfs rw\n\
         22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         23 22 0:30 / /mnt rw - autofs systemd-1 rw\n\
         24 22 0:31 / /mnt rw - nfs4 srv:/x rw\n\
         25 22 8:2 / /old rw - ext4 /dev/sda2 rw\n\
         26 22 8:3 / /old rw - ext4 /dev/sda3 rw\n",
    );
    assert_eq!(found, ["/", "/mnt", "/old"]);
}

#[test]
fn what_may_block_is_known_and_so_is_what_lies_behind_it() {
    let Mounted { systems, .. } = file_systems(
        b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
          23 22 0:30 / /mnt/nfs rw shared:1 master:2 - nfs4 srv:/x rw\n\
          24 23 8:2 / /mnt/nfs/disk rw - xfs /dev/sdb rw\n\
          25 22 0:32 / /backup rw - fuse.sshfs a@b: rw\n\
          26 22 0:33 / /tank rw - zfs tank rw\n",
    );
    let blocking: Vec<bool> = systems.iter().map(|system| system.may_block).collect();
    assert_eq!(blocking, [false, true, true, true, true]);
}

#[test]
fn a_point_may_hold_any_bytes() {
    let Mounted {
        systems, broken, ..
    } = file_systems(b"22 1 8:1 / /a\\040b\\134\xff\\09 rw - ext4 /dev/sda1 rw\n");
    assert_eq!(broken, None);
    let point = OsString::from_vec(b"/a b\\\xff\\09".to_vec());
    assert_eq!(systems[0].point, PathBuf::from(point));
    assert_eq!(systems[0].name, "/a b\\\u{fffd}\\09");
}

#[test]
fn a_broken_line_is_named_and_the_others_are_read() {
    for line in [
        "",
        "x",
        "36 35",
        "36 35 8:1 / /a rw",
        "36 35 8:1 / /a rw -",
        "36 35 8:1 / /a rw - ext4 /dev/a",
    ] {
        let text = format!("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n{line}\n");
        let Mounted {
            systems, broken, ..
        } = file_systems(text.as_bytes());
        assert_eq!(systems.len(), 1);
        assert_eq!(
            broken.map(|error| error.line),
            (!line.is_empty()).then_some(2),
            "{line:?}"
        );
    }
}

#[test]
fn their_number_is_bounded() {
    let lines: Vec<String> = (0..200)
        .map(|number| format!("1 1 9:{number} / /m{number} rw - ext4 /dev/x rw\n"))
        .collect();
    let found = file_systems(lines.concat().as_bytes());
    assert_eq!(found.systems.len(), FILE_SYSTEMS_MAX);
    assert_eq!(found.left_out, lines.len() - FILE_SYSTEMS_MAX);
}
