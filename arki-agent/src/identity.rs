//! Who this agent is: an Ed25519 key pair, made at the first start and never leaving the machine.
//!
//! `identity.key` holds the 32-byte seed in hexadecimal, mode 0600; `identity.pub` beside it the public key,
//! for who wants to verify. A key that others can read is no identity: it is refused, not used.

use arki_model::hex;
use arki_model::signature::PrivateKey;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The private key's file inside the state directory.
pub const PRIVATE_FILE: &str = "identity.key";
/// A key that is to take its place, until a hub has taken it.
pub const NEXT_FILE: &str = "identity.next";
/// The public key's file beside it.
pub const PUBLIC_FILE: &str = "identity.pub";

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read the key.
    #[error(
        "{path}: others may read this private key (mode {mode:04o}): run `chmod 600 {path}`, or, if it may have been copied, move it away and enrol again",
        path = path.display()
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not a key.
    #[error(
        "{path}: does not hold a key of 64 hexadecimal digits: restore it from a backup, or move it away to get a new identity (and enrol again)",
        path = path.display()
    )]
    Damaged {
        /// The key file.
        path: PathBuf,
    },
    /// The kernel gives no random bytes.
    #[error("no random bytes from the kernel: {0}")]
    Random(getrandom::Error),
}

/// Reads the key pair of `state_dir`; makes one if there is none.
pub fn load_or_create(state_dir: &Path) -> Result<PrivateKey, IdentityError> {
    match load(state_dir)? {
        Some(key) => {
            // Only ever a copy: made again if somebody removed it.
            if !state_dir.join(PUBLIC_FILE).exists() {
                write(&state_dir.join(PUBLIC_FILE), 0o644, &key.public().to_hex())?;
            }
            Ok(key)
        }
        None => create(state_dir),
    }
}

/// The key that is to take the place of the present one; made if there is none. It stays until [`adopt`], so that
/// whoever asks again after a lost answer asks with the same key.
pub fn load_or_create_next(state_dir: &Path) -> Result<PrivateKey, IdentityError> {
    let path = state_dir.join(NEXT_FILE);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    let seed = seed()?;
    write(&path, 0o600, &hex::encode(&seed))?;
    Ok(PrivateKey::from_seed(&seed))
}

/// Puts the next key in the place of the present one.
pub fn adopt(state_dir: &Path, next: &PrivateKey) -> Result<(), IdentityError> {
    write(
        &state_dir.join(PRIVATE_FILE),
        0o600,
        &hex::encode(&next.seed()),
    )?;
    write(&state_dir.join(PUBLIC_FILE), 0o644, &next.public().to_hex())?;
    let path = state_dir.join(NEXT_FILE);
    std::fs::remove_file(&path).map_err(|source| IdentityError::File { path, source })
}

/// Reads the key pair of `state_dir`; `None` if there is none yet.
pub fn load(state_dir: &Path) -> Result<Option<PrivateKey>, IdentityError> {
    read(&state_dir.join(PRIVATE_FILE))
}

fn read(path: &Path) -> Result<Option<PrivateKey>, IdentityError> {
    let path = path.to_owned();
    let failed = |source| IdentityError::File {
        path: path.clone(),
        source,
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(IdentityError::Exposed { path, mode });
    }
    let mut text = String::new();
    file.take(256).read_to_string(&mut text).map_err(failed)?;
    match hex::decode(text.trim()) {
        Some(seed) => Ok(Some(PrivateKey::from_seed(&seed))),
        None => Err(IdentityError::Damaged { path }),
    }
}

fn create(state_dir: &Path) -> Result<PrivateKey, IdentityError> {
    let seed = seed()?;
    let key = PrivateKey::from_seed(&seed);
    write(&state_dir.join(PUBLIC_FILE), 0o644, &key.public().to_hex())?;
    write(&state_dir.join(PRIVATE_FILE), 0o600, &hex::encode(&seed))?;
    Ok(key)
}

fn seed() -> Result<[u8; 32], IdentityError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(IdentityError::Random)?;
    Ok(seed)
}

/// Writes a small file so that it is there as a whole or not at all.
fn write(path: &Path, mode: u32, text: &str) -> Result<(), IdentityError> {
    let failed = |source| IdentityError::File {
        path: path.to_owned(),
        source,
    };
    let partial = path.with_extension("partial");
    let write = || {
        // One that a crash left behind may have other permissions.
        match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        path.parent()
            .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    write().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arki_model::signature::PublicKey;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        assert!(load(dir.path()).unwrap().is_none());
        let key = load_or_create(dir.path()).unwrap().public();
        assert_eq!(load_or_create(dir.path()).unwrap().public(), key);
        let file = dir.path().join(PRIVATE_FILE);
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o600);
        let public = std::fs::read_to_string(dir.path().join(PUBLIC_FILE)).unwrap();
        assert_eq!(PublicKey::from_hex(public.trim()), Ok(key));

        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let said = load(dir.path()).unwrap_err().to_string();
        assert!(
            said.contains("0640") && said.contains("chmod 600"),
            "{said}"
        );
    }

    #[test]
    fn the_next_key_waits_until_it_is_adopted() {
        let dir = tempfile::tempdir().unwrap();
        let old = load_or_create(dir.path()).unwrap().public();
        let next = load_or_create_next(dir.path()).unwrap();
        let again = load_or_create_next(dir.path()).unwrap();
        assert!(next.public() != old && next.public() == again.public());
        assert_eq!(load_or_create(dir.path()).unwrap().public(), old);
        adopt(dir.path(), &next).unwrap();
        assert_eq!(load_or_create(dir.path()).unwrap().public(), next.public());
        assert!(!dir.path().join(NEXT_FILE).exists());
        let other = load_or_create_next(dir.path()).unwrap();
        assert!(other.public() != next.public(), "a key is adopted once");
    }

    #[test]
    fn a_damaged_key_is_never_replaced_silently() {
        let dir = tempfile::tempdir().unwrap();
        load_or_create(dir.path()).unwrap();
        let file = dir.path().join(PRIVATE_FILE);
        std::fs::write(&file, "rubbish").unwrap();
        assert!(matches!(
            load_or_create(dir.path()),
            Err(IdentityError::Damaged { .. })
        ));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "rubbish");
    }
}
