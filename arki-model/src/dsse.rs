//! Signed events as text: one DSSE envelope in JSON a line, as an export has them and `verify` reads them.
//!
//! ```text
//! {"payloadType":"application/vnd.arki.event+msgpack","payload":"<base64>",
//!  "signatures":[{"keyid":"<public key in hex>","sig":"<base64>"}]}
//! ```
//!
//! See <https://github.com/secure-systems-lab/dsse/blob/master/envelope.md>. The `keyid` is a hint for a
//! person; nothing is believed because of it.

use crate::chain::{ChainError, Checker, PAYLOAD_BYTES_MAX};
use crate::event::Event;
use crate::signature::{PublicKey, Signed};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read};

/// The longest line that is read, in bytes: the payload in base64 and the rest of the envelope.
pub const LINE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX / 3 * 4 + 1024;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// Why a line of an export is not believed.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// Not an envelope.
    #[error("no DSSE envelope: {0}")]
    Json(#[from] serde_json::Error),
    /// Not base64.
    #[error("{0} is not base64")]
    Base64(&'static str),
    /// No signature, or several.
    #[error("has {0} signatures instead of one")]
    Signatures(usize),
    /// The file cannot be read on.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// An envelope, but no next event of the chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// One line, without its end.
pub fn to_line(signed: &Signed, key: &PublicKey) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Envelope {
        payload_type: signed.payload_type.clone(),
        payload: STANDARD.encode(&signed.payload),
        signatures: vec![Signature {
            keyid: key.to_hex(),
            sig: STANDARD.encode(&signed.signature),
        }],
    })
}

/// Reads one line, checking nothing but its form.
pub fn from_line(line: &str) -> Result<Signed, LineError> {
    if line.len() > LINE_BYTES_MAX {
        return Err(LineError::TooLong);
    }
    let envelope: Envelope = serde_json::from_str(line)?;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(LineError::Signatures(envelope.signatures.len()));
    };
    let decode = |text: &str, what| STANDARD.decode(text).map_err(|_| LineError::Base64(what));
    Ok(Signed {
        payload: decode(&envelope.payload, "the payload")?,
        signature: decode(&signature.sig, "the signature")?,
        payload_type: envelope.payload_type,
    })
}

/// Reads one line as the next event of `checker`'s chain.
pub fn check_line(line: &str, checker: &mut Checker) -> Result<Event, LineError> {
    Ok(checker.check(&from_line(line)?)?)
}

/// What a chain that was believed as a whole holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many events.
    pub events: u64,
    /// The numbers of the first and the last.
    pub sequences: Option<(u64, u64)>,
    /// Whose events: the host named in the last one.
    pub host: String,
}

/// Checks every line that `reader` gives, in constant memory, against the agent's `keys`; an error names the line.
pub fn verify(reader: impl BufRead, keys: Vec<PublicKey>) -> Result<Summary, (u64, LineError)> {
    let mut reader = reader;
    let mut checker = Checker::new(keys);
    let mut summary = Summary::default();
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        let mut limited = reader.by_ref().take(LINE_BYTES_MAX as u64 + 2);
        match limited.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Err((number, error.into())),
        }
        if line.trim().is_empty() {
            continue;
        }
        let event = check_line(line.trim_end(), &mut checker).map_err(|error| (number, error))?;
        let first = summary.sequences.map_or(event.sequence, |(first, _)| first);
        summary.events += 1;
        summary.sequences = Some((first, event.sequence));
        summary.host = event.host;
    }
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::PrivateKey;

    #[test]
    fn an_envelope_is_what_the_specification_shows() {
        // The example of protocol.md, with another key: payload and type are the document's.
        let key = PrivateKey::from_seed(&[1; 32]);
        let signed = Signed::new(
            &key,
            "http://example.com/HelloWorld",
            b"hello world".to_vec(),
        );
        let line = to_line(&signed, &key.public()).unwrap();
        assert!(line.starts_with(
            r#"{"payloadType":"http://example.com/HelloWorld","payload":"aGVsbG8gd29ybGQ=","signatures":[{"keyid":"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","sig":""#
        ), "{line}");
        assert_eq!(from_line(&line).unwrap(), signed);
    }

    #[test]
    fn what_is_no_envelope_is_refused_with_the_reason() {
        for (line, said) in [
            ("{}", "no DSSE envelope: missing field"),
            (
                r#"{"payloadType":"a","payload":"","signatures":[]}"#,
                "has 0 signatures",
            ),
            (
                r#"{"payloadType":"a","payload":"*","signatures":[{"sig":""}]}"#,
                "the payload is not base64",
            ),
            (&"x".repeat(LINE_BYTES_MAX + 1), "longer than"),
        ] {
            let error = from_line(line).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_key_is_the_same_after_its_way_through_text() {
        let key = PrivateKey::from_seed(&[3; 32]).public();
        assert_eq!(PublicKey::from_hex(&key.to_hex()), Ok(key));
        assert!(PublicKey::from_hex("zz").is_err());
        assert!(PublicKey::from_hex(&"é".repeat(32)).is_err());
    }
}
