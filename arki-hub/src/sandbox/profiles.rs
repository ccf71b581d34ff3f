//! The set of profiles: those that come with the hub, and those of a directory over them.

use super::profile::{Profile, ProfileError};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// A profile's text at most, in bytes.
const BYTES_MAX: u64 = 64 * 1024;
/// Profiles at most.
const PROFILES_MAX: usize = 256;

/// What comes with the hub: file name and text.
const EMBEDDED: [(&str, &str); 4] = [
    (
        "nginx.toml",
        include_str!("../../../packaging/profiles/nginx.toml"),
    ),
    (
        "apache.toml",
        include_str!("../../../packaging/profiles/apache.toml"),
    ),
    (
        "mariadb.toml",
        include_str!("../../../packaging/profiles/mariadb.toml"),
    ),
    (
        "generic.toml",
        include_str!("../../../packaging/profiles/generic.toml"),
    ),
];

/// All profiles, by name.
#[derive(Debug, Clone, Default)]
pub struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// Those that come with the hub, and over them every `*.toml` in `folder` (unless that is empty). A file there that
    /// is called as a profile does replaces it.
    pub fn load(folder: &Path) -> Result<Self, ProfileError> {
        let mut all = BTreeMap::new();
        for (place, text) in EMBEDDED {
            let profile = Profile::parse(text, place)?;
            all.insert(profile.name.clone(), profile);
        }
        if folder.as_os_str().is_empty() {
            return Ok(Self(all));
        }
        let failed = |error: std::io::Error, path: &Path| ProfileError::Read {
            place: path.display().to_string(),
            reason: error.to_string(),
        };
        let entries = std::fs::read_dir(folder).map_err(|error| failed(error, folder))?;
        for entry in entries {
            let path = entry.map_err(|error| failed(error, folder))?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let mut text = String::new();
            std::fs::File::open(&path)
                .and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text))
                .map_err(|error| failed(error, &path))?;
            let profile = Profile::parse(&text, &path.display().to_string())?;
            all.insert(profile.name.clone(), profile);
            if all.len() > PROFILES_MAX {
                return Err(ProfileError::Read {
                    place: folder.display().to_string(),
                    reason: format!("there are more than {PROFILES_MAX} profiles"),
                });
            }
        }
        Ok(Self(all))
    }

    /// The profile with this name.
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_hub_is_understood() {
        let all = Profiles::load(Path::new("")).unwrap();
        let names: Vec<&str> = all.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["apache", "generic", "mariadb", "nginx"]);
        assert_eq!(
            all.get("nginx").unwrap().action("test").unwrap().argv,
            ["nginx", "-t"]
        );
    }

    #[test]
    fn a_directory_adds_and_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let generic = EMBEDDED[3].1;
        let own = generic.replace("\"generic\"", "\"shop\"");
        std::fs::write(folder.path().join("shop.toml"), own).unwrap();
        let changed = generic.replace("Any service (a pattern to copy)", "Mine");
        std::fs::write(folder.path().join("generic.toml"), changed).unwrap();
        std::fs::write(folder.path().join("README"), "not one").unwrap();
        let all = Profiles::load(folder.path()).unwrap();
        assert_eq!(all.get("generic").unwrap().title, "Mine");
        assert!(all.get("shop").is_some() && all.iter().count() == 5);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_key() {
        let generic = EMBEDDED[3].1;
        for (from, to, said) in [
            ("title =", "titel =", "unknown field `titel`"),
            ("65534:65534", "0:0", "user: give user and group as numbers"),
            ("65534:65534", "www-data", "user: give user"),
            (
                "path = \"/run\"",
                "path = \"/usr\"",
                "tmpfs and configuration",
            ),
            (
                "path = \"/run\"",
                "path = \"/etc/../x\"",
                "tmpfs and configuration",
            ),
            (
                "path = \"/run\"",
                "path = \"/run:exec\"",
                "tmpfs and configuration",
            ),
            ("mebibytes = 8", "mebibytes = 800", "more than limits"),
            (
                "start = [\"sleep\", \"3600\"]",
                "start = []",
                "a command has",
            ),
            (
                "start = [\"sleep\", \"3600\"]",
                "start = \"sleep 3600\"",
                "invalid type: string",
            ),
            (
                "undo = \"Nothing to undo: it changes nothing.\"",
                "undo = \"\"",
                "an operator needs",
            ),
            ("name = \"look\"", "name = \"Look!\"", "action.name"),
        ] {
            let text = generic.replacen(from, to, 1);
            assert_ne!(text, generic, "{from}");
            let error = Profile::parse(&text, "own.toml").unwrap_err().to_string();
            assert!(
                error.contains("own.toml") && error.contains(said),
                "{to}: {error}"
            );
        }
    }
}
