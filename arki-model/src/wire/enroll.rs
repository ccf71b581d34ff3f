//! Enrolment: a new key is introduced to a hub with a token that works once, and proves that it is held.
//!
//! ```text
//! body      = [statement: bin, signature: bin 64]
//! statement = [version, token: str, public_key: bin 32, host: str, agent_version: str, made_at_s: int]
//! ```
//!
//! The signature is that of the new key itself, over the DSSE encoding of [`ENROLLMENT_TYPE`] and the statement.
//! The token is the hub's challenge: it came from the hub's random numbers, is good for one enrolment, and is inside
//! what is signed, so neither an old statement nor somebody else's key can be passed off. The hub keeps tokens as
//! digests only. A token that an operator made for an existing agent (`arki-hub agent rotate`) gives that agent the
//! new key; the answer then carries the same agent id.

use super::pack::{Reader, Writer};
use super::{AGENT_VERSION_BYTES_MAX, AgentId, HOST_BYTES_MAX, VERSION, WireError};
use crate::clock::UnixSeconds;
use crate::signature::{PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};

/// The content type of an enrolment, and the type that its signature covers.
pub const ENROLLMENT_TYPE: &str = "application/vnd.arki.enrollment+msgpack";
/// The longest body, in bytes.
pub const ENROLLMENT_BYTES_MAX: usize = 1024;
/// The longest token, in bytes: 256 bits in base64 are 43.
pub const TOKEN_BYTES_MAX: usize = 128;

/// Who asks to be known.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// The one-time token, as the operator got it.
    pub token: String,
    /// The key to be pinned.
    pub public_key: PublicKey,
    /// The host's name, as its events will have it.
    pub host: String,
    /// The agent's version.
    pub agent_version: String,
    /// The agent's clock, so that the hub can say by how much it is off.
    pub made_at_s: UnixSeconds,
}

impl std::fmt::Debug for Enrollment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrollment({} of {:?})", self.public_key, self.host)
    }
}

/// The hub's answer, as JSON.
///
/// ```json
/// {"agent_id":"0192…32 digits","hub_key":"…64 digits"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// What the agent calls itself from now on.
    pub agent_id: AgentId,
    /// The hub's public key, with which it signs receipts of trials: 64 hexadecimal digits. The agent pins it.
    pub hub_key: String,
}

impl Enrollment {
    /// The body of the request, signed with the key that is to be pinned. `token`, `host` and `agent_version` must be
    /// within their limits.
    pub fn seal(&self, key: &PrivateKey) -> Vec<u8> {
        let mut statement = Writer::default();
        statement
            .array(6)
            .uint(u64::from(VERSION))
            .str(&self.token)
            .bin(self.public_key.as_bytes())
            .str(&self.host)
            .str(&self.agent_version)
            .int(self.made_at_s);
        let statement = statement.finish();
        let signature = key.sign(ENROLLMENT_TYPE, &statement);
        let mut body = Writer::default();
        body.array(2).bin(&statement).bin(&signature);
        body.finish()
    }

    /// Reads a body and checks that the key it introduces has signed it. The token is not checked: the hub looks up
    /// its digest.
    pub fn open(body: &[u8]) -> Result<Self, WireError> {
        if body.len() > ENROLLMENT_BYTES_MAX {
            return Err(WireError::Limit {
                what: "an enrolment",
                found: body.len() as u64,
                max: ENROLLMENT_BYTES_MAX as u64,
            });
        }
        let mut outer = Reader::new(body);
        outer.array("an enrolment", 2)?;
        let statement = outer.bin("the statement", ENROLLMENT_BYTES_MAX)?;
        let signature = outer.bytes("the signature of an enrolment")?;
        outer.end("an enrolment")?;

        let mut reader = Reader::new(statement);
        reader.array("the statement", 6)?;
        let version = reader.uint("the version")?;
        if version != u64::from(VERSION) {
            return Err(WireError::Version(version));
        }
        let token = reader.str("the token", TOKEN_BYTES_MAX)?.to_owned();
        let public_key = PublicKey::from_bytes(&reader.bytes("the public key")?)?;
        let host = reader.str("the host", HOST_BYTES_MAX)?.to_owned();
        let agent_version = reader.str("the agent's version", AGENT_VERSION_BYTES_MAX)?;
        let enrollment = Self {
            token,
            public_key,
            host,
            agent_version: agent_version.to_owned(),
            made_at_s: reader.int("the time of an enrolment")?,
        };
        reader.end("the statement")?;
        public_key.verify(ENROLLMENT_TYPE, statement, &signature)?;
        Ok(enrollment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::SignatureError;

    fn enrollment(key: &PrivateKey) -> Enrollment {
        Enrollment {
            token: "one-time".into(),
            public_key: key.public(),
            host: "web-1".into(),
            agent_version: "0.1.0".into(),
            made_at_s: 1_700_000_000,
        }
    }

    #[test]
    fn whoever_holds_the_key_is_believed_and_nobody_else() {
        let key = PrivateKey::from_seed(&[1; 32]);
        let asked = enrollment(&key);
        let body = asked.seal(&key);
        assert_eq!(Enrollment::open(&body), Ok(asked.clone()));

        // somebody else's public key, signed with one's own
        let thief = PrivateKey::from_seed(&[2; 32]);
        assert_eq!(
            Enrollment::open(&asked.seal(&thief)),
            Err(WireError::Signature(SignatureError::Wrong))
        );
        for bit in 0..body.len() * 8 {
            let mut bad = body.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Enrollment::open(&bad).is_err(), "bit {bit}");
        }
        assert!(Enrollment::open(&[0xc4; 2000]).is_err());
    }

    #[test]
    fn the_token_is_never_printed() {
        let shown = format!("{:?}", enrollment(&PrivateKey::from_seed(&[1; 32])));
        assert!(!shown.contains("one-time"), "{shown}");
    }
}
