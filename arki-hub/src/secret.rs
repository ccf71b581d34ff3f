//! Secrets: read from files, never printed.

use std::fmt;
use std::io::Read;
use std::path::Path;

/// Longer is no password but a wrong path.
const BYTES_MAX: u64 = 4_096;

/// A secret that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that uses it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Reads a secret from `path`, without the line's end.
pub fn read(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| format!("cannot read the secret in {shown}: {error}"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.len() as u64 > BYTES_MAX {
        return Err(format!(
            "{shown} holds no secret: it must have 1 to {BYTES_MAX} bytes"
        ));
    }
    Ok(Secret::new(secret.to_owned()))
}
