//! What the hub may have done on this host.

use super::{Check, Verdict};
use crate::config::Config;
use crate::ship::Enrollment;
use arki_model::signature::PublicKey;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Copies of configurations.
pub(super) fn snapshots(config: &Config) -> Check {
    let check = |verdict, text| Check::new("snapshots", verdict, text);
    let paths: Vec<_> = config
        .service
        .iter()
        .flat_map(|service| &service.snapshot)
        .collect();
    if paths.is_empty() {
        return check(
            Verdict::Ok,
            "none: the hub may copy no configuration".to_owned(),
        );
    }
    let bad = paths.iter().find_map(|path| {
        let meta = std::fs::symlink_metadata(path);
        match meta {
            Ok(meta) if meta.is_symlink() => {
                Some((path, "is a link: name what it leads to".to_owned()))
            }
            Ok(_) => None,
            Err(error) => Some((path, error.to_string())),
        }
    });
    if let Some((path, why)) = bad {
        return check(Verdict::Warn, format!("{}: {why}", path.display()));
    }
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    check(
        Verdict::Ok,
        format!("redacted copies of {}", names.join(", ")),
    )
}

/// Commands.
pub(super) fn apply(config: &Config) -> Check {
    let check = |verdict, text| Check::new("apply", verdict, text);
    let settings = &config.apply;
    if !settings.enabled {
        return check(Verdict::Ok, "off: the hub may run nothing here".to_owned());
    }
    if settings.action.is_empty() {
        return check(
            Verdict::Warn,
            "on, but [[apply.action]] lists no command".to_owned(),
        );
    }
    for action in &settings.action {
        let has_copy = |service: &&crate::collect::service::ServiceSettings| {
            service.name.trim_end_matches(".service") == action.service
                && !service.snapshot.is_empty()
        };
        if !config.service.iter().any(|service| has_copy(&service)) {
            let text = format!(
                "{} can never be applied: [[service]] {} has no `snapshot` to compare with the trial's",
                action.name, action.service
            );
            return check(Verdict::Warn, text);
        }
        if action.sudo && !is_program("/usr/bin/sudo") {
            let text = format!(
                "{} of {} wants sudo, and /usr/bin/sudo is not there",
                action.name, action.service
            );
            return check(Verdict::Warn, text);
        }
        let program = action.argv.first().map_or("", String::as_str);
        if program.starts_with('/') && !is_program(program) {
            return check(Verdict::Warn, format!("{program} is no program"));
        }
    }
    let key = Enrollment::load(&config.state_dir)
        .0
        .and_then(|enrollment| PublicKey::from_hex(&enrollment.hub_key).ok());
    let Some(key) = key else {
        let text = "on, but this agent pinned no key of a hub: enrol it (arki-agent enroll)";
        return check(Verdict::Warn, text.to_owned());
    };
    let listed: Vec<String> = settings
        .action
        .iter()
        .map(|action| action.argv.join(" "))
        .collect();
    check(
        Verdict::Ok,
        format!("on, for the hub {key}: {}", listed.join("; ")),
    )
}

fn is_program(path: &str) -> bool {
    Path::new(path)
        .metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
