//! The seccomp profile of every copy: which calls of the kernel a program in it may make.
//!
//! It is compiled in, so that profile and program are always of one version. Docker takes it as it is; Podman reads it from
//! a file on its own host, which the package brings, and which has to be the same to the byte.

use super::engine::EngineError;
use std::path::{Path, PathBuf};

/// The profile, as JSON.
pub(super) const PROFILE: &str = include_str!("../../../packaging/seccomp/sandbox.json");

/// `path`, if it holds [`PROFILE`].
pub(super) fn file(path: &Path) -> Result<PathBuf, EngineError> {
    let refused = |reason: String| EngineError::Refused {
        what: "be used: Podman reads the seccomp profile from a file (`sandbox.seccomp_file`)"
            .into(),
        reason: format!("{}: {reason}", path.display()),
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    if text == PROFILE {
        Ok(path.to_owned())
    } else {
        Err(refused("it is of another version than this program".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_profile_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seccomp.json");
        assert!(file(&path).is_err());
        std::fs::write(&path, PROFILE).unwrap();
        assert_eq!(file(&path).unwrap(), path);
        std::fs::write(&path, "{}").unwrap();
        let said = file(&path).unwrap_err().to_string();
        assert!(said.contains("another version"), "{said}");
    }
}
