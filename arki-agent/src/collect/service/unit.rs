//! What the files of a unit say: whether it exists, what it is really called, and when it may be gone without being down.
//!
//! Drop-ins are not read: they change limits and environments, hardly ever the type of a service.

use crate::collect::Roots;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where systemd looks for units, the first wins (systemd.unit(5)).
const DIRECTORIES: [&str; 10] = [
    "/etc/systemd/system.control",
    "/run/systemd/transient",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// The most names of one directory of units that are looked at; a host has hundreds.
const FILES_MAX: usize = 4096;

/// The most that is read of a unit file; Debian's longest has 6 KB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// How a service ends when nothing is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnitKind {
    /// `Type=oneshot`: it does its work and ends.
    pub is_oneshot: bool,
    /// `RemainAfterExit=yes`: it is active although no process is left.
    pub remains_after_exit: bool,
    /// `BusName=`: started when somebody asks for it on the bus, may leave when idle.
    pub is_on_bus: bool,
}

/// What there is under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No such unit.
    Absent,
    /// A link to `/dev/null`: it cannot be started.
    Masked,
    /// A unit.
    Unit {
        /// What the unit is really called, with `.service`; differs from what was asked for when that is an alias.
        unit: String,
        /// What its file says.
        kind: UnitKind,
    },
}

/// Looks for the service `unit` (with `.service`).
pub fn find(host: &Roots, unit: &str) -> Found {
    for name in [Some(unit.to_owned()), template_of(unit)]
        .into_iter()
        .flatten()
    {
        for directory in DIRECTORIES {
            let path = host.path(&Path::new(directory).join(&name));
            match fs::read_link(&path) {
                Ok(target) if target == Path::new("/dev/null") => return Found::Masked,
                Ok(target) => {
                    let canonical = target.file_name().and_then(|name| name.to_str());
                    let is_alias = canonical.is_some_and(|target| {
                        target != name && target.ends_with(".service") && !target.contains("@.")
                    });
                    let unit = if is_alias {
                        canonical.unwrap_or(unit)
                    } else {
                        unit
                    };
                    let target = host.path(&directory_of(&path, host).join(&target));
                    return Found::Unit {
                        unit: unit.to_owned(),
                        kind: read_kind(&target).unwrap_or_default(),
                    };
                }
                // EINVAL: it is there and no link.
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    return Found::Unit {
                        unit: unit.to_owned(),
                        kind: read_kind(&path).unwrap_or_default(),
                    };
                }
                Err(_) => {}
            }
        }
    }
    Found::Absent
}

/// True if there is a unit called `stem` and `.timer`: then the service is a job that a timer starts.
pub fn has_companion(host: &Roots, stem: &str, suffix: &str) -> bool {
    let exists = |name: &str| {
        DIRECTORIES
            .iter()
            .any(|directory| host.path(&Path::new(directory).join(name)).exists())
    };
    exists(&format!("{stem}{suffix}"))
        || template_of(&format!("{stem}{suffix}")).is_some_and(|template| exists(&template))
}

/// The units that timers start under another name than their own (`Unit=` in a `.timer`).
pub fn named_by_timers(host: &Roots) -> Vec<String> {
    let mut units = Vec::new();
    for directory in DIRECTORIES {
        let entries = fs::read_dir(host.path(Path::new(directory)));
        let files = entries.into_iter().flatten().flatten().take(FILES_MAX);
        for path in files.map(|entry| entry.path()) {
            if path.extension().is_none_or(|end| end != "timer") {
                continue;
            }
            let text = read_text(&path).unwrap_or_default();
            units.extend(text.lines().filter_map(|line| {
                let (key, unit) = line.split_once('=')?;
                (key.trim() == "Unit").then(|| unit.trim().to_owned())
            }));
        }
    }
    units
}

/// The identity of the run of `unit` that is active: systemd makes a new one with every start.
pub fn invocation(host: &Roots, unit: &str) -> Option<Box<str>> {
    let link = PathBuf::from(format!("/run/systemd/units/invocation:{unit}"));
    let target = fs::read_link(host.path(&link)).ok()?;
    Some(target.to_str()?.into())
}

/// `nginx` for `nginx.service`: what a person calls it.
pub fn short(unit: &str) -> &str {
    unit.strip_suffix(".service").unwrap_or(unit)
}

/// `getty@.service` for `getty@tty1.service`.
fn template_of(unit: &str) -> Option<String> {
    let (stem, rest) = unit.split_once('@')?;
    let (_, suffix) = rest.rsplit_once('.')?;
    Some(format!("{stem}@.{suffix}"))
}

/// The directory of `path` as the host itself calls it, for links that are relative.
fn directory_of(path: &Path, host: &Roots) -> PathBuf {
    let inside = path.strip_prefix(&host.root).unwrap_or(path);
    Path::new("/").join(inside.parent().unwrap_or(Path::new("")))
}

fn read_kind(path: &Path) -> Option<UnitKind> {
    read_text(path).map(|text| parse_kind(&text))
}

fn read_text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).ok()?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the `[Service]` section of a unit file.
fn parse_kind(text: &str) -> UnitKind {
    let mut kind = UnitKind::default();
    let mut in_service = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_service = line == "[Service]";
        }
        let Some((key, value)) = line.split_once('=').filter(|_| in_service) else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "Type" => kind.is_oneshot = value == "oneshot",
            "RemainAfterExit" => {
                kind.remains_after_exit = ["yes", "true", "on", "1"].contains(&value);
            }
            "BusName" => kind.is_on_bus = !value.is_empty(),
            _ => {}
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_service_section_counts_and_the_last_value_wins() {
        let text = "[Unit]\nType=oneshot\n[Service]\n# Type=dbus\nType = simple\nType=oneshot\nRemainAfterExit=yes\n";
        let kind = parse_kind(text);
        assert!(kind.is_oneshot && kind.remains_after_exit && !kind.is_on_bus);
        assert_eq!(parse_kind("[Install]\nBusName=x\n"), UnitKind::default());
        assert!(parse_kind("[Service]\nBusName=org.x\n").is_on_bus);
    }

    #[test]
    fn an_instance_has_a_template() {
        assert_eq!(template_of("a@b.c.service").as_deref(), Some("a@.service"));
        assert_eq!(template_of("nginx.service"), None);
    }

    proptest! {
        #[test]
        fn garbage_is_some_kind_of_unit(text in "(\\PC|\n|=|\\[Service\\]){0,200}") {
            parse_kind(&text);
            template_of(&text);
        }
    }
}
