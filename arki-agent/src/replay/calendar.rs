//! Declared contexts of a replay.

use arki_model::clock::UnixSeconds;
use arki_model::context::ActiveContext;

/// When which context is active.
#[derive(Debug, Clone, Default)]
pub struct Calendar {}

impl Calendar {
    /// The contexts that are active at `at`.
    pub fn active(&self, at: UnixSeconds) -> Vec<ActiveContext> {
        let _ = at;
        Vec::new()
    }
}
