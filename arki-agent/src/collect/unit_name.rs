//! Names of units as a person writes them in the configuration.

/// The longest unit name (systemd's `UNIT_NAME_MAX`).
const BYTES_MAX: usize = 255;

/// Suffixes of units that are no services.
const OTHERS: [&str; 9] = [
    ".socket",
    ".timer",
    ".target",
    ".mount",
    ".automount",
    ".path",
    ".slice",
    ".scope",
    ".device",
];

/// Checks the name of a service, with or without `.service`, that may have wildcards; the error says what is allowed.
pub fn check(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@*?".contains(c);
    let is_fine = !name.is_empty()
        && name != ".service"
        && name.len() <= BYTES_MAX
        && name.chars().all(allowed)
        && !OTHERS.iter().any(|suffix| name.ends_with(suffix));
    if is_fine {
        return Ok(());
    }
    Err(format!(
        "the name of a service of systemd, at most {BYTES_MAX} of a-z A-Z 0-9 : - _ . \\ @ and the wildcards * and ?"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_services() {
        for name in ["nginx", "nginx.service", "postgresql@*", "a\\x2db"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "docker.socket",
            "a b",
            "../etc/passwd",
            "x\n",
            ".service",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
