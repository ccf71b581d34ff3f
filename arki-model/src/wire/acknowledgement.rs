//! The hub's answer to a batch: how far its records are stored.

use super::Epoch;
use serde::{Deserialize, Serialize};

/// Sent only after the commit. The agent deletes up to `sequence` and goes on.
///
/// ```json
/// {"epoch":"00c0ffee00c0ffee","sequence":4711}
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The epoch of the batch.
    pub epoch: Epoch,
    /// The highest number of this agent and epoch that is stored. An agent that never used that number knows that
    /// its state directory is a copy of another, and begins a new epoch.
    pub sequence: u64,
    /// True while the hub has something to ask of this agent: it comes and fetches it ([`crate::request`]).
    #[serde(default, skip_serializing_if = "is_false")]
    pub requests_waiting: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like that")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_json_that_is_documented() {
        let acknowledgement = Acknowledgement {
            epoch: Epoch(0x00c0_ffee_00c0_ffee),
            sequence: 4711,
            requests_waiting: false,
        };
        let text = r#"{"epoch":"00c0ffee00c0ffee","sequence":4711}"#;
        assert_eq!(serde_json::to_string(&acknowledgement).unwrap(), text);
        assert_eq!(
            serde_json::from_str::<Acknowledgement>(text).unwrap(),
            acknowledgement
        );
        assert!(serde_json::from_str::<Acknowledgement>(r#"{"epoch":"c0","sequence":1}"#).is_err());
        let waiting = r#"{"epoch":"00c0ffee00c0ffee","sequence":4711,"requests_waiting":true}"#;
        assert!(
            serde_json::from_str::<Acknowledgement>(waiting)
                .unwrap()
                .requests_waiting
        );
    }
}
