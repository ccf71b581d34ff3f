//! The embedded database belongs to the hub's own user, and an operator works as root beside it.

use crate::program::Hub;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use tokio::net::UnixListener;

/// Who owns the database: nobody, as far as the system knows.
const OWNER: u32 = 65_534;

fn is_root() -> bool {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        println!("SKIPPED: giving up root takes root");
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "nothing is skipped in CI"
        );
    }
    is_root
}

/// Who owns the database and what SQLite keeps beside it.
fn owners(folder: &Path) -> Vec<(String, u32)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, file.metadata().unwrap().uid())
    });
    files
        .filter(|(name, _)| name.starts_with("hub.db"))
        .collect()
}

/// Makes the database in `folder` the owner's, as the package does.
fn give(folder: &Path) {
    for (name, _) in owners(folder) {
        chown(folder.join(name), Some(OWNER), Some(OWNER)).unwrap();
    }
    chown(folder, Some(OWNER), Some(OWNER)).unwrap();
}

#[tokio::test]
async fn a_doctor_that_is_root_makes_no_database() {
    if !is_root() {
        return;
    }
    let mut hub = Hub::start("").await;
    hub.stop().await;
    let folder = hub.home.dir.path().to_owned();
    for (name, _) in owners(&folder) {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    give(&folder);
    let output = hub.home.ask(&["doctor"]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("made when the hub starts"), "{said}");
    assert_eq!(owners(&folder), []);
}

#[tokio::test]
async fn the_sandbox_of_the_terminal_stays_root_and_leaves_the_database_to_its_owner() {
    if !is_root() {
        return;
    }
    let mut hub = Hub::start("sandbox.docker = 'unix://DIR/engine'").await;
    hub.stop().await;
    let folder = hub.home.dir.path().to_owned();
    give(&folder);

    // an engine's socket as distributions have it: not for the hub's own user
    let engine = UnixListener::bind(folder.join("engine")).unwrap();
    chown(folder.join("engine"), Some(0), Some(0)).unwrap();
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("engine"), mode).unwrap();
    let build: &[&str] = &["sandbox", "images", "build", "--service", "nginx"];
    for args in [build, &["sandbox", "run", "nginx", "reload"]] {
        let mut callers = Vec::new();
        let mut asked = std::pin::pin!(hub.home.ask(args));
        let output = loop {
            tokio::select! {
                output = &mut asked => break output,
                caller = engine.accept() => {
                    callers.push(caller.unwrap().0.peer_cred().unwrap().uid());
                }
            }
        };
        assert!(!callers.is_empty(), "{args:?} asks the engine: {output:?}");
        assert!(callers.iter().all(|uid| *uid == 0), "as root: {callers:?}");
        assert!(!output.status.success(), "there is no engine behind it");
    }

    // what the servant does, it does as the owner
    hub.home
        .done(&["sandbox", "allow", "nginx", "sha256:abc"])
        .await;
    let known = hub.home.done(&["sandbox", "known"]).await;
    let known: serde_json::Value = serde_json::from_str(&known).unwrap();
    assert_eq!(known["images"]["nginx"][0], "sha256:abc");
    let owners = owners(&folder);
    assert!(!owners.is_empty());
    for (name, uid) in owners {
        assert_eq!(uid, OWNER, "{name}");
    }
}

#[tokio::test]
async fn who_gives_up_root_keeps_the_group_of_the_engine() {
    const GROUP: u32 = 54_321;
    if !is_root() {
        return;
    }
    let mut hub = Hub::start("sandbox.docker = 'unix://DIR/engine'").await;
    hub.stop().await;
    let folder = hub.home.dir.path().to_owned();
    give(&folder);
    let path = folder.join("engine");
    let engine = UnixListener::bind(&path).unwrap();
    chown(&path, Some(0), Some(GROUP)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).unwrap();
    tokio::select! {
        output = hub.home.ask(&["runner"]) => panic!("it ended: {output:?}"),
        caller = engine.accept() => {
            assert_eq!(caller.unwrap().0.peer_cred().unwrap().uid(), OWNER);
        }
        // it asks at once; while it may not open the socket nobody comes
        () = tokio::time::sleep(std::time::Duration::from_secs(20)) => panic!("nobody came"),
    }
}

#[tokio::test]
async fn a_hub_starts_from_a_backup_of_a_running_one() {
    let hub = Hub::start("").await;
    let key = hub.key("read").await;
    let copies = tempfile::tempdir().unwrap();
    if is_root() {
        // a hub of its own user, whose backups lie where it may not write
        give(hub.home.dir.path());
    }
    let copy = copies.path().join("copy.db");
    let file = copy.to_str().unwrap();
    let said = hub.home.done(&["backup", file]).await;
    let metadata = std::fs::metadata(&copy).unwrap();
    assert!(
        said.contains(&format!("{} bytes", metadata.len())),
        "{said}"
    );
    assert_eq!(metadata.mode() & 0o777, 0o600);
    let rest = owners(hub.home.dir.path());
    assert!(
        rest.iter().all(|(name, _)| !name.contains("backup")),
        "{rest:?}"
    );

    let again = hub.home.ask(&["backup", file]).await;
    assert!(!again.status.success(), "what is there stays there");
    assert_eq!(std::fs::metadata(&copy).unwrap().len(), metadata.len());

    let restored = Hub::start_over(&format!("sqlite://{file}"), "").await;
    let agents = restored.get("/v1/agents", &key).await;
    assert!(agents["items"].is_array(), "the key is known: {agents}");
}

#[tokio::test]
async fn a_backup_that_fails_leaves_no_file_and_one_of_postgresql_is_not_ours() {
    let hub = Hub::start("").await;
    let copy = hub.home.path("copy.db");
    let file = copy.to_str().unwrap();
    for (url, part) in [
        ("sqlite:///nowhere/hub.db", "/nowhere"),
        ("postgres://localhost/arki", "pg_dump"),
    ] {
        let output = hub
            .home
            .ask_with(&["backup", file], &[("ARKI_HUB_DATABASE_URL", url)])
            .await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(part), "{said}");
        assert!(!copy.exists());
    }
}
