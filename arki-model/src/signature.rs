//! Ed25519 signatures over what an agent says, in a DSSE envelope.
//!
//! What is signed is DSSE's pre-authentication encoding (PAE, <https://github.com/secure-systems-lab/dsse>),
//! so the type of the payload is signed too, and a signature over one kind of message can never be taken
//! for another:
//!
//! ```text
//! "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload
//! ```

use crate::hex;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The payload type of an event.
pub const EVENT_TYPE: &str = "application/vnd.arki.event+msgpack";

/// A public key; its first eight bytes in hex name it to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not 32 bytes of a point on the curve, or a weak one.
    #[error("not an Ed25519 public key")]
    Key,
    /// It does not fit.
    #[error("the signature does not fit the message, its type and the key")]
    Wrong,
}

impl PublicKey {
    /// Checks the bytes; keys of small order are refused, because they sign anything.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::Key)?;
        if key.is_weak() {
            Err(SignatureError::Key)
        } else {
            Ok(Self(key))
        }
    }

    /// The thirty-two bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.as_bytes())
    }

    /// Reads what [`Self::to_hex`] wrote.
    pub fn from_hex(text: &str) -> Result<Self, SignatureError> {
        Self::from_bytes(&hex::decode(text).ok_or(SignatureError::Key)?)
    }

    /// Checks `signature` over a payload of the type `payload_type`, strictly (no small-order keys, no
    /// malleable signatures).
    pub fn verify(
        &self,
        payload_type: &str,
        payload: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let signature = Signature::from_bytes(signature);
        self.0
            .verify_strict(&pae(payload_type, payload), &signature)
            .map_err(|_| SignatureError::Wrong)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519:")?;
        self.as_bytes()
            .iter()
            .take(8)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A private key. Never printed.
pub struct PrivateKey(SigningKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public())
    }
}

impl PrivateKey {
    /// From thirty-two random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for the key file.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key that others check with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a payload of the type `payload_type`.
    pub fn sign(&self, payload_type: &str, payload: &[u8]) -> [u8; 64] {
        self.0.sign(&pae(payload_type, payload)).to_bytes()
    }
}

/// A payload with its type and signature: what is kept and shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What kind of payload.
    pub payload_type: String,
    /// The signed bytes themselves, so that nothing has to be encoded again to check them.
    pub payload: Vec<u8>,
    /// Ed25519 over the PAE of both.
    pub signature: Vec<u8>,
}

impl Signed {
    /// Signs `payload`.
    pub fn new(key: &PrivateKey, payload_type: &str, payload: Vec<u8>) -> Self {
        let signature = key.sign(payload_type, &payload).to_vec();
        Self {
            payload_type: payload_type.to_owned(),
            payload,
            signature,
        }
    }

    /// Checks the signature and that the payload is of the type that is asked for.
    pub fn verify(&self, key: &PublicKey, payload_type: &str) -> Result<(), SignatureError> {
        let signature = self
            .signature
            .as_slice()
            .try_into()
            .map_err(|_| SignatureError::Wrong)?;
        if self.payload_type != payload_type {
            return Err(SignatureError::Wrong);
        }
        key.verify(payload_type, &self.payload, signature)
    }

    /// SHA-256 of the payload: what the next event points back to.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.payload).into()
    }
}

/// DSSE's pre-authentication encoding.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_dsse_protocol() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn every_flipped_bit_and_every_other_type_is_refused() {
        let key = PrivateKey::from_seed(&[7; 32]);
        let signed = Signed::new(&key, EVENT_TYPE, b"payload".to_vec());
        assert_eq!(signed.verify(&key.public(), EVENT_TYPE), Ok(()));
        assert!(signed.verify(&key.public(), "text/plain").is_err());
        assert!(
            signed
                .verify(&PrivateKey::from_seed(&[8; 32]).public(), EVENT_TYPE)
                .is_err()
        );
        for bit in 0..signed.signature.len() * 8 {
            let mut bad = signed.clone();
            bad.signature[bit / 8] ^= 1 << (bit % 8);
            assert!(
                bad.verify(&key.public(), EVENT_TYPE).is_err(),
                "signature bit {bit}"
            );
        }
        for bit in 0..signed.payload.len() * 8 {
            let mut bad = signed.clone();
            bad.payload[bit / 8] ^= 1 << (bit % 8);
            assert!(
                bad.verify(&key.public(), EVENT_TYPE).is_err(),
                "payload bit {bit}"
            );
        }
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        assert_eq!(
            PublicKey::from_bytes(&[0; 32]).unwrap_err(),
            SignatureError::Key
        );
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(
            PublicKey::from_bytes(&one).unwrap_err(),
            SignatureError::Key
        );
    }

    #[test]
    fn a_private_key_is_never_printed() {
        let shown = format!("{:?}", PrivateKey::from_seed(&[0xAB; 32]));
        assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
    }
}
