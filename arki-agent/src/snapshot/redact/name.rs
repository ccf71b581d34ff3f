//! Which names sound like those of secrets, and which only contain such a word.

/// A name's words decide, however they are joined: `DB_PASSWORD`, `dbPassword`, `db-password`, `db.password`.
const WORDS: [&[u8]; 21] = [
    b"password",
    b"passwords",
    b"passwd",
    b"passphrase",
    b"passcode",
    b"pwd",
    b"secret",
    b"secrets",
    b"credential",
    b"credentials",
    b"apikey",
    b"psk",
    b"requirepass",
    b"masterauth",
    b"masterpass",
    b"authorization",
    b"bearer",
    b"bindpw",
    b"rootpw",
    b"userpw",
    b"privkey",
];
/// What a name of a secret ends with when its words are not parted.
const ENDINGS: [&[u8]; 25] = [
    b"password",
    b"passwd",
    b"passphrase",
    b"secret",
    b"token",
    b"apikey",
    b"accesskey",
    b"secretkey",
    b"privatekey",
    b"authkey",
    b"encryptionkey",
    b"signingkey",
    b"sharedkey",
    b"sessionkey",
    b"masterkey",
    b"cryptkey",
    b"appkey",
    b"accountkey",
    b"storagekey",
    b"hmackey",
    b"jwtkey",
    b"connectionstring",
    b"pass",
    b"pwd",
    b"userpw",
];
/// Settings about secrets that hold none: the last word says so.
const ABOUT: [&[u8]; 44] = [
    b"file",
    b"path",
    b"dir",
    b"directory",
    b"dialog",
    b"lifetime",
    b"errors",
    b"policy",
    b"validation",
    b"timeout",
    b"length",
    b"size",
    b"count",
    b"ttl",
    b"expire",
    b"expires",
    b"expiry",
    b"age",
    b"type",
    b"format",
    b"header",
    b"headers",
    b"plugin",
    b"check",
    b"algorithm",
    b"required",
    b"enabled",
    b"zone",
    b"field",
    b"column",
    b"method",
    b"env",
    b"interval",
    b"history",
    b"number",
    b"digits",
    b"letters",
    b"case",
    b"prompt",
    b"hint",
    b"reset",
    b"provider",
    b"location",
    b"mode",
];
/// Directives of nginx and Apache, and options of `MariaDB`, that have such a word and hold no secret.
const DIRECTIVES: [&[u8]; 22] = [
    b"proxypass",
    b"fastcgipass",
    b"uwsgipass",
    b"scgipass",
    b"memcachedpass",
    b"grpcpass",
    b"redispass",
    b"redis2pass",
    b"postgrespass",
    b"drizzlepass",
    b"tunnelpass",
    b"jspass",
    b"proxypassreverse",
    b"proxypassmatch",
    b"proxypassinherit",
    b"proxypassinterpolateenv",
    b"passenv",
    b"oldpasswords",
    b"proxycachebypass",
    b"bypass",
    b"compass",
    b"fcgipass",
];

/// Whether what `identifier` names is a secret.
pub(super) fn is_secret(identifier: &[u8]) -> bool {
    if identifier.len() > 128 {
        return false;
    }
    let words = words(identifier);
    let joined: Vec<u8> = words.concat();
    let last = words.last().map_or(&[][..], Vec::as_slice);
    if joined.len() < 3 || DIRECTIVES.contains(&joined.as_slice()) || ABOUT.contains(&last) {
        return false;
    }
    if joined.ends_with(b"bypass") || joined.starts_with(b"proxypassreverse") {
        return false;
    }
    words.iter().any(|word| WORDS.contains(&word.as_slice()))
        || ENDINGS.iter().any(|ending| joined.ends_with(ending))
}

/// Whether a value behind this name has a user before a colon: `wsrep_sst_auth=user:secret`, `--user admin:secret`.
pub(super) fn is_login(identifier: &[u8], is_flag: bool) -> bool {
    let words = words(identifier);
    match words.last().map(Vec::as_slice) {
        Some(b"auth" | b"login" | b"userpwd") => true,
        Some(b"user" | b"u") => is_flag,
        _ => false,
    }
}

/// Whether the name of a key itself ends with `key`: its value may be a path instead.
pub(super) fn is_key(identifier: &[u8]) -> bool {
    identifier.to_ascii_lowercase().ends_with(b"key")
}

/// `sslSession-Key_2` is `ssl`, `session`, `key` and `2`, in lower case.
fn words(identifier: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    let mut was_lower = false;
    for &byte in identifier {
        if !byte.is_ascii_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            was_lower = false;
            continue;
        }
        if byte.is_ascii_uppercase() && was_lower && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        was_lower = byte.is_ascii_lowercase();
        word.push(byte.to_ascii_lowercase());
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}
