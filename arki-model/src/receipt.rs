//! The receipt of a trial: what was tried on which copy, and how it ended, signed by the hub.
//!
//! An agent applies nothing without one. It is a DSSE envelope (see [`crate::dsse`]) of the type
//! [`RECEIPT_TYPE`], signed with the hub's own key, which agents pin when they enrol. The payload is MessagePack with
//! names:
//!
//! ```text
//! {version, run, agent, service, action, argv: [str], image, configuration: str (64 hex digits), tried_at, expires_at,
//!  outcome, name, reason}
//! ```
//!
//! Invariants: [`Receipt::open`] believes nothing but what the hub's key has signed, of this very type and version, and
//! within its limits; [`Receipt::permits`] says whether it allows its command on this agent now. That a receipt
//! is used once is the agent's to remember, by `run`.

use crate::clock::UnixSeconds;
use crate::dsse::{self, LineError};
use crate::hex;
use crate::signature::{PrivateKey, PublicKey, SignatureError, Signed};
use crate::wire::AgentId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The payload type of a receipt.
pub const RECEIPT_TYPE: &str = "application/vnd.arki.receipt+msgpack";
/// The layout of a receipt.
pub const RECEIPT_VERSION: u8 = 1;
/// The largest payload, in bytes: a full command, and names at their limits.
pub const RECEIPT_BYTES_MAX: usize = 8 * 1024;
/// Words of a command at most.
pub const ARGV_WORDS_MAX: usize = 32;
/// Bytes of a command at most, all words together.
pub const ARGV_BYTES_MAX: usize = 4 * 1024;
/// A trial made in the future by more than this was signed by a clock that is wrong, in seconds.
const AHEAD_S: i64 = 300;

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The command did on the copy what it promises, and the service was healthy afterwards.
    Succeeded,
    /// It did not.
    Failed,
}

/// A trial, as the hub vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The layout.
    pub version: u8,
    /// The run's identifier: a receipt is used once, by this name.
    pub run: String,
    /// The agent whose service was copied; nobody else may apply it.
    pub agent: AgentId,
    /// The service's name, as the profile has it.
    pub service: String,
    /// The action's name, as the profile has it.
    pub action: String,
    /// The exact command that was tried: the only one that this receipt allows.
    pub argv: Vec<String>,
    /// The image that it was tried in: `sha256:…`.
    pub image: String,
    /// The configuration that it was tried with ([`configuration_hash`]): 64 hexadecimal digits.
    pub configuration: String,
    /// When the trial ended.
    pub tried_at: UnixSeconds,
    /// From when on the receipt allows nothing.
    pub expires_at: UnixSeconds,
    /// How the trial ended.
    pub outcome: Outcome,
    /// Who decided to apply it.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Why a receipt is not believed, or does not allow its command.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not an envelope.
    #[error("the receipt is no envelope: {0}")]
    Envelope(#[from] LineError),
    /// Not signed by the hub.
    #[error("the receipt is not signed by the hub that this agent enrolled with: {0}")]
    Signature(#[from] SignatureError),
    /// Signed, but no receipt.
    #[error("the receipt cannot be read: {0}")]
    Payload(String),
    /// Of another agent.
    #[error("the receipt is agent {0}'s")]
    Agent(AgentId),
    /// Too old.
    #[error("the receipt ended {0} s ago: try the action again")]
    Expired(i64),
    /// From the future.
    #[error("the trial is {0} s in the future: the clock of the hub or of this host is wrong")]
    Ahead(i64),
    /// The trial failed.
    #[error("the action failed on the copy")]
    Failed,
}

impl Receipt {
    /// Signs it: one DSSE envelope as a line of JSON.
    pub fn seal(&self, key: &PrivateKey) -> Result<String, ReceiptError> {
        self.check()?;
        let unreadable = |error: String| ReceiptError::Payload(error);
        let payload = rmp_serde::to_vec_named(self).map_err(|e| unreadable(e.to_string()))?;
        let signed = Signed::new(key, RECEIPT_TYPE, payload);
        dsse::to_line(&signed, &key.public()).map_err(|e| unreadable(e.to_string()))
    }

    /// Reads what [`Self::seal`] wrote, and believes it only if `hub` signed it.
    pub fn open(line: &str, hub: &PublicKey) -> Result<Self, ReceiptError> {
        let signed = dsse::from_line(line)?;
        signed.verify(hub, RECEIPT_TYPE)?;
        if signed.payload.len() > RECEIPT_BYTES_MAX {
            let found = signed.payload.len();
            return Err(ReceiptError::Payload(format!(
                "{found} bytes are more than {RECEIPT_BYTES_MAX}"
            )));
        }
        let receipt: Self = rmp_serde::from_slice(&signed.payload)
            .map_err(|error| ReceiptError::Payload(error.to_string()))?;
        receipt.check()?;
        Ok(receipt)
    }

    /// Whether the command may be applied by `agent` at `now_s`.
    pub fn permits(&self, agent: AgentId, now_s: UnixSeconds) -> Result<(), ReceiptError> {
        if self.agent != agent {
            return Err(ReceiptError::Agent(self.agent));
        }
        if self.outcome != Outcome::Succeeded {
            return Err(ReceiptError::Failed);
        }
        if now_s >= self.expires_at {
            return Err(ReceiptError::Expired(now_s - self.expires_at));
        }
        if self.tried_at > now_s + AHEAD_S {
            return Err(ReceiptError::Ahead(self.tried_at - now_s));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ReceiptError> {
        let wrong = |text: &str| Err(ReceiptError::Payload(text.to_owned()));
        if self.version != RECEIPT_VERSION {
            return wrong("it has another layout: install the newer program");
        }
        if !is_command(&self.argv) {
            return wrong("its command is empty, too long, or has a NUL in it");
        }
        if hex::decode::<32>(&self.configuration).is_none() {
            return wrong("its configuration is no SHA-256");
        }
        if self.tried_at > self.expires_at {
            return wrong("it ends before the trial");
        }
        Ok(())
    }
}

/// True for a command that can be given to a kernel: one to [`ARGV_WORDS_MAX`] words, [`ARGV_BYTES_MAX`] bytes in all,
/// no NUL, and something to start.
pub fn is_command(argv: &[String]) -> bool {
    let bytes: usize = argv.iter().map(String::len).sum();
    (1..=ARGV_WORDS_MAX).contains(&argv.len())
        && bytes <= ARGV_BYTES_MAX
        && argv.iter().all(|word| !word.contains('\0'))
        && argv.first().is_some_and(|program| !program.is_empty())
}

/// SHA-256 over a configuration: its files' paths and the SHA-256 of what is in each, whatever order they come in.
///
/// ```text
/// for each file, sorted by path:  LEN(path) as u64 big-endian | path | SHA-256 of the contents
/// ```
///
/// Nothing at all (an image's stock configuration) has the SHA-256 of the empty string.
pub fn configuration_hash<'a>(files: impl IntoIterator<Item = (&'a str, [u8; 32])>) -> [u8; 32] {
    let mut files: Vec<(&str, [u8; 32])> = files.into_iter().collect();
    files.sort_unstable();
    let mut hash = Sha256::new();
    for (path, digest) in files {
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path);
        hash.update(digest);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            version: RECEIPT_VERSION,
            run: "0192f0c4-0000-7000-8000-000000000001".into(),
            agent: AgentId([7; 16]),
            service: "nginx".into(),
            action: "reload".into(),
            argv: ["nginx", "-s", "reload"].map(Into::into).into(),
            image: format!("sha256:{}", "a".repeat(64)),
            configuration: hex::encode(&configuration_hash([])),
            tried_at: 1_760_000_000,
            expires_at: 1_760_003_600,
            outcome: Outcome::Succeeded,
            name: "eva".into(),
            reason: "the disk fills tonight".into(),
        }
    }

    fn key() -> PrivateKey {
        PrivateKey::from_seed(&[5; 32])
    }

    #[test]
    fn what_the_hub_signed_is_read_and_nothing_else() {
        let line = receipt().seal(&key()).unwrap();
        assert_eq!(Receipt::open(&line, &key().public()).unwrap(), receipt());
        let other = PrivateKey::from_seed(&[6; 32]);
        assert!(Receipt::open(&line, &other.public()).is_err());

        let signed = dsse::from_line(&line).unwrap();
        for bit in 0..signed.payload.len() * 8 {
            let mut bad = signed.clone();
            bad.payload[bit / 8] ^= 1 << (bit % 8);
            let line = dsse::to_line(&bad, &key().public()).unwrap();
            assert!(Receipt::open(&line, &key().public()).is_err(), "bit {bit}");
        }
        // the same bytes, signed by the same key as something else
        let event = Signed::new(&key(), crate::signature::EVENT_TYPE, signed.payload);
        let line = dsse::to_line(&event, &key().public()).unwrap();
        assert!(matches!(
            Receipt::open(&line, &key().public()),
            Err(ReceiptError::Signature(_))
        ));
    }

    #[test]
    fn it_allows_its_agent_alone_and_only_until_it_ends() {
        let receipt = receipt();
        let (own, now_s) = (receipt.agent, receipt.tried_at);
        assert!(receipt.permits(own, now_s).is_ok());
        assert!(receipt.permits(own, receipt.expires_at - 1).is_ok());
        let said = |result: Result<(), ReceiptError>| result.unwrap_err().to_string();
        assert!(said(receipt.permits(own, receipt.expires_at)).starts_with("the receipt ended"));
        assert!(said(receipt.permits(own, now_s - 301)).contains("in the future"));
        assert!(said(receipt.permits(AgentId([8; 16]), now_s)).contains("agent 0707"));
        let failed = Receipt {
            outcome: Outcome::Failed,
            ..receipt
        };
        assert!(said(failed.permits(own, now_s)).contains("failed"));
    }

    #[test]
    fn what_makes_no_sense_is_neither_signed_nor_read() {
        let long = vec!["a".repeat(ARGV_BYTES_MAX + 1)];
        for argv in [vec![], vec![String::new()], vec!["a\0b".into()], long] {
            let bad = Receipt { argv, ..receipt() };
            assert!(bad.seal(&key()).is_err(), "{:?}", bad.argv);
        }
        let bad = Receipt {
            version: 2,
            ..receipt()
        };
        let signed = Signed::new(&key(), RECEIPT_TYPE, rmp_serde::to_vec_named(&bad).unwrap());
        let line = dsse::to_line(&signed, &key().public()).unwrap();
        let said = Receipt::open(&line, &key().public()).unwrap_err();
        assert!(said.to_string().contains("another layout"), "{said}");
    }

    #[test]
    fn a_configuration_is_the_same_in_any_order_and_another_after_any_change() {
        let (a, b) = (("/etc/a", [1; 32]), ("/etc/b", [2; 32]));
        let hash = configuration_hash([a, b]);
        assert_eq!(configuration_hash([b, a]), hash);
        for other in [
            vec![a],
            vec![("/etc/a", [2; 32]), ("/etc/b", [1; 32])],
            vec![("/etc/ab", [1; 32]), ("/etc/b", [2; 32])],
            vec![],
        ] {
            assert_ne!(configuration_hash(other), hash);
        }
        assert_eq!(
            hex::encode(&configuration_hash([])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
