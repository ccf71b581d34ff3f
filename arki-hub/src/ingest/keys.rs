//! Public keys as points of the curve. To make one of its bytes takes a square root, an eighth of checking a signature.
//!
//! What is remembered says nothing about who may ship: whose key it is, and whether it still counts, is asked of the
//! store for every group.

use arki_model::signature::PublicKey;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Keys remembered at one time, 250 bytes each; past it all are forgotten and made again.
const REMEMBERED_MAX: usize = 10_000;

/// Keys that were made before.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<[u8; 32], PublicKey>>);

impl Keys {
    /// The key of these bytes; `None` where they are none.
    pub(super) fn get(&self, bytes: &[u8; 32]) -> Option<PublicKey> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = lock().get(bytes).copied();
        if remembered.is_some() {
            return remembered;
        }
        let key = PublicKey::from_bytes(bytes).ok()?;
        let mut all = lock();
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        all.insert(*bytes, key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arki_model::signature::PrivateKey;

    #[test]
    fn a_key_is_the_same_the_second_time_and_what_is_none_never_becomes_one() {
        let keys = Keys::default();
        let key = PrivateKey::from_seed(&[7; 32]).public();
        for _ in 0..2 {
            assert_eq!(keys.get(key.as_bytes()), Some(key));
            assert_eq!(keys.get(&[0; 32]), None, "a point of small order");
        }
    }
}
