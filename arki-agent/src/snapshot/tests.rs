//! Snapshots of real files, links, sockets, pipes and devices.

use super::*;
use arki_model::snapshot::{ENTRIES_MAX, FILE_BYTES_MAX, Snapshot, What};
use arki_model::wire::Decompressor;
use nix::sys::stat::Mode;
use nix::unistd::{Uid, mkfifo, setfsuid};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::Ordering;

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("etc/conf.d")).unwrap();
    fs::write(
        dir.path().join("etc/main.conf"),
        "user www;\nset $api_key \"hunter2\";\n",
    )
    .unwrap();
    fs::write(dir.path().join("etc/conf.d/a.conf"), "listen 80;\n").unwrap();
    dir
}

fn wanted(paths: &[&Path]) -> Wanted {
    Wanted {
        service: "nginx".into(),
        paths: paths.iter().map(|path| path.to_path_buf()).collect(),
    }
}

fn try_take(paths: &[&Path]) -> Result<Encoded, SnapshotError> {
    take(
        &wanted(paths),
        &Fingerprints::new(&[1; 32]),
        1_760_000_000,
        &AtomicBool::new(false),
    )
}

fn taken(paths: &[&Path]) -> Snapshot {
    let encoded = try_take(paths).unwrap();
    let snapshot =
        Snapshot::decode(&encoded.compressed, &mut Decompressor::new().unwrap()).unwrap();
    assert_eq!(snapshot.configuration(), encoded.configuration);
    snapshot
}

/// What is at a path below the test's directory.
fn at<'a>(snapshot: &'a Snapshot, dir: &Path, name: &str) -> Option<&'a What> {
    let path = dir.join(name).display().to_string();
    snapshot
        .entries
        .iter()
        .find(|entry| entry.path == path)
        .map(|entry| &entry.what)
}

fn left_out(snapshot: &Snapshot, dir: &Path, name: &str) -> String {
    match at(snapshot, dir, name) {
        Some(What::LeftOut { reason, .. }) => reason.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_copy_has_the_files_without_their_secrets() {
    let dir = tree();
    let snapshot = taken(&[&dir.path().join("etc")]);
    let Some(What::File {
        bytes,
        redactions,
        mode,
        ..
    }) = at(&snapshot, dir.path(), "etc/main.conf")
    else {
        panic!("{snapshot:?}");
    };
    assert_eq!(bytes, b"user www;\nset $api_key \"xxxxxxx\";\n");
    assert_eq!((*redactions, mode & 0o600), (1, 0o600));
    assert!(matches!(
        at(&snapshot, dir.path(), "etc/conf.d"),
        Some(What::Directory { .. })
    ));
    assert!(matches!(
        at(&snapshot, dir.path(), "etc/conf.d/a.conf"),
        Some(What::File { .. })
    ));
    assert_eq!(
        snapshot.roots,
        [dir.path().join("etc").display().to_string()]
    );
}

#[test]
fn the_hash_changes_with_any_file_and_with_a_secret_that_the_copy_does_not_show() {
    let dir = tree();
    let root = dir.path().join("etc");
    let hash = || try_take(&[&root]).unwrap().configuration;
    let first = hash();
    assert_eq!(hash(), first, "the same files have the same hash");
    let copy = |text: &str| fs::write(root.join("main.conf"), text).unwrap();
    copy("user www;\nset $api_key \"hunter3\";\n");
    let other = hash();
    assert_ne!(other, first);
    copy("user www;\nset $api_key \"hunter2\";\n");
    assert_eq!(hash(), first, "as it was");
    fs::write(root.join("new.conf"), "").unwrap();
    assert_ne!(hash(), first);
    fs::remove_file(root.join("new.conf")).unwrap();
    symlink("main.conf", root.join("link")).unwrap();
    assert_ne!(hash(), first);
}

#[test]
fn the_hash_changes_with_what_is_behind_a_link_that_leads_out() {
    let dir = tree();
    let (root, outside) = (dir.path().join("etc"), dir.path().join("outside"));
    fs::write(&outside, "one").unwrap();
    symlink(&outside, root.join("link")).unwrap();
    symlink("/proc/self/mounts", root.join("mounts")).unwrap();
    symlink(dir.path(), root.join("logs")).unwrap();
    let hash = || try_take(&[&root]).unwrap().configuration;
    let first = hash();
    fs::write(
        dir.path().join("a.log"),
        "what comes and goes in a directory outside",
    )
    .unwrap();
    assert_eq!(hash(), first);
    fs::write(&outside, "other").unwrap();
    let written = hash();
    assert_ne!(written, first, "the file behind it");
    fs::copy(&outside, dir.path().join("twin")).unwrap();
    fs::remove_file(root.join("link")).unwrap();
    symlink(dir.path().join("twin"), root.join("link")).unwrap();
    let led = hash();
    assert!(led != written && led != first, "where it leads");
    fs::remove_file(dir.path().join("twin")).unwrap();
    assert_ne!(hash(), led, "that it leads nowhere");
    let before = hash();
    let deep = root.join("d/".repeat(17));
    fs::create_dir_all(&deep).unwrap();
    assert_ne!(hash(), before);
}

#[test]
fn links_stay_within_the_tree_and_nothing_behind_the_others_is_read() {
    let dir = tree();
    let root = dir.path().join("etc");
    fs::write(dir.path().join("outside"), "canary").unwrap();
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    fs::write(dir.path().join("elsewhere/f"), "canary").unwrap();
    symlink("conf.d/a.conf", root.join("inside")).unwrap();
    symlink("conf.d", root.join("inside.d")).unwrap();
    for (name, to) in [
        ("out", "../outside"),
        ("out.d", "../elsewhere"),
        ("absolute", "/etc/passwd"),
        ("magic", "/proc/self/root/etc/passwd"),
        ("gone", "nothing"),
        ("self", "self"),
    ] {
        symlink(to, root.join(name)).unwrap();
    }
    let snapshot = taken(&[&root]);
    let target = |name: &str| match at(&snapshot, &root, name) {
        Some(What::Link { target }) => target.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(
        target("inside"),
        root.join("conf.d/a.conf").display().to_string()
    );
    assert_eq!(
        target("inside.d"),
        root.join("conf.d").display().to_string()
    );
    for name in ["out", "out.d", "absolute", "magic", "gone", "self"] {
        assert!(
            left_out(&snapshot, &root, name).starts_with("a link that leads out"),
            "{name}"
        );
    }
    assert!(!format!("{snapshot:?}").contains("canary"));
    // A chain that leaves the tree and comes back, as Debian's /etc/mysql/my.cnf.
    symlink(root.join("main.conf"), dir.path().join("alternative")).unwrap();
    symlink(dir.path().join("alternative"), root.join("my.cnf")).unwrap();
    let snapshot = taken(&[&root]);
    let main = root.join("main.conf").display().to_string();
    assert_eq!(
        at(&snapshot, &root, "my.cnf"),
        Some(&What::Link { target: main })
    );
}

#[test]
fn a_root_may_be_a_file_but_no_link() {
    let dir = tree();
    let (file, link) = (dir.path().join("etc/main.conf"), dir.path().join("link"));
    assert_eq!(taken(&[&file]).entries.len(), 1);
    symlink(&file, &link).unwrap();
    let said = try_take(&[&link]).unwrap_err().to_string();
    assert!(said.contains("name what the link leads to"), "{said}");
    let said = try_take(&[&dir.path().join("nothing")])
        .unwrap_err()
        .to_string();
    assert!(said.contains("nothing"), "{said}");
    // A root within another is there once.
    let root = dir.path().join("etc");
    let both = taken(&[&root, &root.join("conf.d")]);
    assert_eq!(both.entries.len(), taken(&[&root]).entries.len());
}

#[test]
fn sockets_pipes_and_devices_are_left_out_and_never_opened() {
    let dir = tree();
    let root = dir.path().join("etc");
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    mkfifo(&root.join("pipe"), Mode::S_IRWXU).unwrap();
    let snapshot = taken(&[&root]);
    assert_eq!(left_out(&snapshot, &root, "socket"), "a socket");
    assert_eq!(left_out(&snapshot, &root, "pipe"), "a pipe");
    assert!(try_take(&[Path::new("/dev/null")]).is_err());
}

#[test]
fn large_files_huge_trees_and_deep_ones_end_at_their_limits() {
    let dir = tree();
    let root = dir.path().join("etc");
    fs::write(root.join("large"), vec![b'a'; FILE_BYTES_MAX + 1]).unwrap();
    fs::write(root.join("just"), vec![b'a'; FILE_BYTES_MAX]).unwrap();
    let deep = root.join("d/".repeat(20));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("f"), "canary").unwrap();
    let snapshot = taken(&[&root]);
    assert_eq!(left_out(&snapshot, &root, "large"), "larger than 1 MiB");
    assert!(matches!(
        at(&snapshot, &root, "just"),
        Some(What::File { .. })
    ));
    assert_eq!(left_out(&snapshot, &root, &["d"; 17].join("/")), "too deep");
    assert!(!format!("{snapshot:?}").contains("canary"));

    for n in 0..6 {
        fs::write(root.join(format!("m{n}")), vec![b'a'; FILE_BYTES_MAX]).unwrap();
    }
    assert!(matches!(
        try_take(&[&root]),
        Err(SnapshotError::Excess(Excess::Bytes))
    ));
    let many = dir.path().join("many");
    fs::create_dir(&many).unwrap();
    for n in 0..=ENTRIES_MAX {
        fs::write(many.join(n.to_string()), "").unwrap();
    }
    assert!(matches!(
        try_take(&[&many]),
        Err(SnapshotError::Excess(Excess::Entries))
    ));
}

#[test]
fn keys_are_replaced_and_binary_files_hold_nothing() {
    let dir = tree();
    let root = dir.path().join("etc");
    fs::write(
        root.join("site.key"),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIcanary\n-----END RSA PRIVATE KEY-----\n",
    )
    .unwrap();
    fs::write(root.join("ticket"), [&[0_u8, 1][..], b"canary"].concat()).unwrap();
    fs::write(root.join("geo.mmdb"), vec![0_u8; 100_000]).unwrap();
    let snapshot = taken(&[&root]);
    let bytes = |name: &str| match at(&snapshot, &root, name) {
        Some(What::File { bytes, .. }) => bytes.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(bytes("site.key"), redact::test_key().bytes);
    assert_eq!(bytes("ticket"), [0; 8]);
    assert_eq!(left_out(&snapshot, &root, "geo.mmdb"), "no text");
    assert!(
        redact::is_key_by_name("/etc/ssl/private/a.key")
            && redact::is_key_by_name("/x/privkey.pem")
    );
    assert!(!redact::is_key_by_name("/x/cert.pem") && !redact::is_key_by_name("/x/keys.conf"));
}

#[test]
fn what_may_not_be_read_is_left_out_or_a_key() {
    let dir = tree();
    let root = dir.path().join("etc");
    for name in ["a.key", "b.conf", "c"] {
        fs::write(root.join(name), "canary").unwrap();
    }
    fs::remove_file(root.join("c")).unwrap();
    fs::create_dir(root.join("c")).unwrap();
    for name in ["a.key", "b.conf", "c"] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    // Root reads everything: as root, this thread alone becomes somebody else for a moment.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let before = setfsuid(Uid::from_raw(65_534));
    let snapshot = taken(&[&root]);
    setfsuid(before);
    assert!(matches!(
        at(&snapshot, &root, "a.key"),
        Some(What::File { .. })
    ));
    assert_eq!(
        left_out(&snapshot, &root, "b.conf"),
        "not readable for the agent's user"
    );
    assert_eq!(
        left_out(&snapshot, &root, "c"),
        "not readable for the agent's user"
    );
    fs::set_permissions(root.join("c"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_file_that_turns_into_a_link_meanwhile_is_not_followed() {
    let dir = tree();
    let root = dir.path().join("etc");
    let secret = dir.path().join("secret");
    fs::write(&secret, "canary canary canary\n").unwrap();
    let (file, spare) = (root.join("main.conf"), dir.path().join("spare"));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                symlink(&secret, &spare).unwrap();
                fs::rename(&spare, &file).unwrap();
                fs::write(&spare, "user www;\n").unwrap();
                fs::rename(&spare, &file).unwrap();
                // The same with the directory above it.
                fs::rename(root.join("conf.d"), dir.path().join("aside")).unwrap();
                symlink(dir.path(), root.join("conf.d")).unwrap();
                fs::remove_file(root.join("conf.d")).unwrap();
                fs::rename(dir.path().join("aside"), root.join("conf.d")).unwrap();
            }
        });
        for _ in 0..100 {
            let snapshot = taken(&[&root]);
            assert!(!format!("{snapshot:?}").contains("canary"));
            for entry in &snapshot.entries {
                if let What::File { bytes, .. } = &entry.what {
                    assert!(
                        !bytes.windows(6).any(|part| part == b"canary"),
                        "{}",
                        entry.path
                    );
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn it_ends_when_it_is_told_to() {
    let dir = tree();
    let stop = AtomicBool::new(true);
    let ended = take(
        &wanted(&[&dir.path().join("etc")]),
        &Fingerprints::new(&[1; 32]),
        0,
        &stop,
    );
    assert!(matches!(ended, Err(SnapshotError::Late)));
}
