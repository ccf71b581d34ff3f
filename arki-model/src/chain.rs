//! The chain of an agent's events: each carries its number and the hash of the one before.

use crate::event::{EVENT_VERSION, Event};
use crate::signature::{EVENT_TYPE, PrivateKey, PublicKey, SignatureError, Signed};

/// The largest payload that is read as an event, in bytes. A full one (three votes with eight figures and
/// names each, five processes, all names at their limits) stays below 16 KiB.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

/// Why a chain is not believed, and from which event on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The signature does not fit.
    #[error("event {position}: {source}")]
    Signature {
        /// Counted from 1 in the order given.
        position: usize,
        /// What is wrong.
        source: SignatureError,
    },
    /// The payload is no event.
    #[error("event {position}: not an event: {reason}")]
    Payload {
        /// Counted from 1 in the order given.
        position: usize,
        /// What is wrong.
        reason: String,
    },
    /// An event is missing, or was put in between.
    #[error(
        "event {position}: has number {found}, but {expected} follows: an event is missing or was moved"
    )]
    Number {
        /// Counted from 1 in the order given.
        position: usize,
        /// The number that follows.
        expected: u64,
        /// The number it has.
        found: u64,
    },
    /// An event was replaced.
    #[error("event {position}: does not point to the event before it: one of them was replaced")]
    Link {
        /// Counted from 1 in the order given.
        position: usize,
    },
}

/// The end of a chain: what the next event continues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// The number of the last event; 0 before the first.
    pub sequence: u64,
    /// The digest of the last event; zeros before the first.
    pub digest: [u8; 32],
}

impl Head {
    /// Numbers, links and signs `event` as the next of the chain.
    pub fn append(
        &mut self,
        mut event: Event,
        key: &PrivateKey,
    ) -> Result<Signed, rmp_serde::encode::Error> {
        event.version = EVENT_VERSION;
        event.sequence = self.sequence + 1;
        event.previous = self.digest;
        let signed = Signed::new(key, EVENT_TYPE, rmp_serde::to_vec_named(&event)?);
        *self = Self {
            sequence: event.sequence,
            digest: signed.digest(),
        };
        Ok(signed)
    }
}

/// Reads a signed payload as an event, without checking its signature.
pub fn decode(payload: &[u8]) -> Result<Event, String> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(format!(
            "{} bytes are more than {PAYLOAD_BYTES_MAX}",
            payload.len()
        ));
    }
    let event: Event = rmp_serde::from_slice(payload).map_err(|error| error.to_string())?;
    if event.version > EVENT_VERSION {
        return Err(format!(
            "layout {} is newer than {EVENT_VERSION}",
            event.version
        ));
    }
    Ok(event)
}

/// Checks signed events one after the other, in constant memory.
#[derive(Debug)]
pub struct Checker {
    keys: Vec<PublicKey>,
    head: Option<Head>,
    position: usize,
}

impl Checker {
    /// A checker for the chain of the agent that holds `keys`: one, or several where its key was rotated.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self {
            keys,
            head: None,
            position: 0,
        }
    }

    /// The last event that was believed; `None` before the first.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Checks the next event. The first may stand anywhere in the agent's chain (older events may have been
    /// dropped); every later one must follow the one before it.
    pub fn check(&mut self, signed: &Signed) -> Result<Event, ChainError> {
        self.position += 1;
        let position = self.position;
        let mut result = Err(SignatureError::Wrong);
        for key in &self.keys {
            result = signed.verify(key, EVENT_TYPE);
            if result.is_ok() {
                break;
            }
        }
        result.map_err(|source| ChainError::Signature { position, source })?;
        let event =
            decode(&signed.payload).map_err(|reason| ChainError::Payload { position, reason })?;
        if let Some(head) = self.head {
            let (expected, found) = (head.sequence + 1, event.sequence);
            if found != expected {
                return Err(ChainError::Number {
                    position,
                    expected,
                    found,
                });
            }
            if event.previous != head.digest {
                return Err(ChainError::Link { position });
            }
        }
        self.head = Some(Head {
            sequence: event.sequence,
            digest: signed.digest(),
        });
        Ok(event)
    }
}

/// Checks signed events in order with a [`Checker`] and returns them.
pub fn verify<'a>(
    events: impl IntoIterator<Item = &'a Signed>,
    key: &PublicKey,
) -> Result<Vec<Event>, ChainError> {
    let mut checker = Checker::new(vec![*key]);
    events
        .into_iter()
        .map(|signed| checker.check(signed))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EventId;
    use crate::prediction::{Prediction, Severity};

    fn chain(key: &PrivateKey, length: u64) -> Vec<Signed> {
        let mut head = Head::default();
        (0..length)
            .map(|n| {
                let event = Event {
                    version: EVENT_VERSION,
                    id: EventId::new(n, [n as u8; 10]),
                    host: "web-1".into(),
                    sequence: 0,
                    previous: [0; 32],
                    prediction: Prediction {
                        series: "disk.used_percent{/}".into(),
                        raised_at: n as i64,
                        value: 80.0,
                        bound: Some(100.0),
                        eta: None,
                        severity: Severity::Info,
                        votes: Vec::new(),
                        also: Vec::new(),
                    },
                    processes: Vec::new(),
                    context: Vec::new(),
                    signed_at: n as i64,
                };
                head.append(event, key).unwrap()
            })
            .collect()
    }

    #[test]
    fn a_whole_chain_and_its_tail_are_believed() {
        let key = PrivateKey::from_seed(&[1; 32]);
        let events = chain(&key, 4);
        assert_eq!(verify(&events, &key.public()).unwrap().len(), 4);
        assert_eq!(verify(&events[2..], &key.public()).unwrap()[0].sequence, 3);
    }

    #[test]
    fn what_is_missing_moved_or_replaced_is_named() {
        let key = PrivateKey::from_seed(&[1; 32]);
        let mut events = chain(&key, 4);
        events.remove(1);
        let error = verify(&events, &key.public()).unwrap_err();
        assert_eq!(
            error,
            ChainError::Number {
                position: 2,
                expected: 2,
                found: 3
            }
        );

        let mut events = chain(&key, 3);
        events[0].payload[20] ^= 1;
        assert!(matches!(
            verify(&events, &key.public()),
            Err(ChainError::Signature { position: 1, .. })
        ));

        // a fork: the same key signed another second event
        let mut head = Head {
            sequence: 1,
            digest: [9; 32],
        };
        let other = chain(&key, 2).remove(1);
        let mut event = decode(&other.payload).unwrap();
        event.host = "web-2".into();
        let mut events = chain(&key, 1);
        events.push(head.append(event, &key).unwrap());
        assert_eq!(
            verify(&events, &key.public()),
            Err(ChainError::Link { position: 2 })
        );
    }
}
