//! One binary for all tests that go through the engine.
#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(feature = "voters")]

mod exhaustion;
