//! What an agent tells its hub beside the events: how a prediction ended, and what was not told and why.
//!
//! A report is signed like an event, under a type of its own, and travels among the events; it is no link of the chain
//! and may come twice: (agent, series, times) say which one it is.

use crate::clock::UnixSeconds;
use crate::signature::{PrivateKey, Signed};
use serde::{Deserialize, Serialize};

/// The type that a report's signature covers.
pub const REPORT_TYPE: &str = "application/vnd.arki.report+msgpack";
/// The version of the layout. A reader refuses a newer one.
pub const REPORT_VERSION: u16 = 1;
/// The largest payload that is read as a report, in bytes: names and a reason at their limits stay below 2 KiB.
pub const REPORT_BYTES_MAX: usize = 4 * 1024;
/// The longest reason that is sent, in bytes.
const REASON_BYTES_MAX: usize = 500;

/// How a prediction ended, or what was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The series crossed its bound.
    Happened,
    /// The series moved away from its bound.
    Averted,
    /// The time is over and nothing was seen.
    Expired,
    /// The series crossed its bound and nothing had been predicted.
    Missed,
}

impl Outcome {
    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Happened => "happened",
            Self::Averted => "averted",
            Self::Expired => "expired",
            Self::Missed => "missed",
        }
    }
}

/// Why nobody was told, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The consensus did not stand for two minutes.
    Held,
    /// The same series was told less than 30 minutes before.
    CoolDown,
    /// Something known was going on.
    Context,
    /// The pattern voter knows it.
    Learned,
}

impl Why {
    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::CoolDown => "cool_down",
            Self::Context => "context",
            Self::Learned => "learned",
        }
    }
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A line of the ledger.
    Ended {
        /// The series.
        series: String,
        /// When it was predicted first; for a miss, when it happened.
        raised_at: UnixSeconds,
        /// When it was decided how it ended.
        ended_at: UnixSeconds,
        /// How it ended.
        outcome: Outcome,
    },
    /// A prediction of which nobody was told.
    Quieted {
        /// The series.
        series: String,
        /// When it began.
        first_at: UnixSeconds,
        /// When it was last so.
        last_at: UnixSeconds,
        /// The time left that would have been told, in seconds.
        eta_median_s: Option<f64>,
        /// Why, in one word.
        why: Why,
        /// Why, for a person.
        reason: String,
    },
}

/// One report, before it is signed. Encoded as a MessagePack map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u16,
    /// What is reported.
    pub what: What,
}

impl Report {
    /// A report of `what`.
    pub fn new(mut what: What) -> Self {
        if let What::Quieted { reason, .. } = &mut what {
            let mut end = reason.len().min(REASON_BYTES_MAX);
            while !reason.is_char_boundary(end) {
                end -= 1;
            }
            reason.truncate(end);
        }
        let version = REPORT_VERSION;
        Self { version, what }
    }

    /// Signs it.
    pub fn sign(&self, key: &PrivateKey) -> Result<Signed, rmp_serde::encode::Error> {
        Ok(Signed::new(
            key,
            REPORT_TYPE,
            rmp_serde::to_vec_named(self)?,
        ))
    }

    /// Reads a signed payload as a report, without checking its signature.
    pub fn decode(payload: &[u8]) -> Result<Self, String> {
        if payload.len() > REPORT_BYTES_MAX {
            return Err(format!(
                "{} bytes are more than {REPORT_BYTES_MAX}",
                payload.len()
            ));
        }
        let report: Self = rmp_serde::from_slice(payload).map_err(|error| error.to_string())?;
        if report.version > REPORT_VERSION {
            let version = report.version;
            return Err(format!("layout {version} is newer than {REPORT_VERSION}"));
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn quieted(reason: &str) -> Report {
        Report::new(What::Quieted {
            series: "disk.used_percent{/}".into(),
            first_at: 1_700_000_000,
            last_at: 1_700_000_600,
            eta_median_s: Some(3600.0),
            why: Why::Context,
            reason: reason.into(),
        })
    }

    /// The bytes that are signed: whoever changes one of these changes the protocol.
    #[test]
    fn the_bytes_are_these() {
        let ended = Report::new(What::Ended {
            series: "swap.used_percent".into(),
            raised_at: 1_700_000_000,
            ended_at: 1_700_003_600,
            outcome: Outcome::Happened,
        });
        for (report, expected) in [
            (
                ended,
                "82a776657273696f6e01a47768617481a5656e64656484a6736572696573b1737761702e757365645f706572\
                 63656e74a97261697365645f6174ce6553f100a8656e6465645f6174ce6553ff10a76f7574636f6d65a868617070656e6564",
            ),
            (
                quieted("backup"),
                "82a776657273696f6e01a47768617481a77175696574656486a6736572696573b46469736b2e757365645f70\
                 657263656e747b2f7da866697273745f6174ce6553f100a76c6173745f6174ce6553f358ac6574615f6d656469616e\
                 5f73cb40ac200000000000a3776879a7636f6e74657874a6726561736f6ea66261636b7570",
            ),
        ] {
            let key = PrivateKey::from_seed(&[0x42; 32]);
            let signed = report.sign(&key).unwrap();
            let text: String = expected.split_whitespace().collect();
            assert_eq!(hex::encode(&signed.payload), text);
            assert_eq!(Report::decode(&signed.payload), Ok(report));
            assert!(signed.verify(&key.public(), REPORT_TYPE).is_ok());
            let as_event = signed.verify(&key.public(), crate::signature::EVENT_TYPE);
            assert!(as_event.is_err(), "a report is no event");
        }
    }

    #[test]
    fn it_is_bounded_and_a_newer_one_is_refused() {
        let key = PrivateKey::from_seed(&[1; 32]);
        let long = quieted(&"é".repeat(10_000)).sign(&key).unwrap();
        assert!(Report::decode(&long.payload).is_ok());
        assert!(Report::decode(&vec![0xc0; REPORT_BYTES_MAX + 1]).is_err());
        let newer = Report {
            version: 2,
            ..quieted("")
        };
        let error = Report::decode(&newer.sign(&key).unwrap().payload).unwrap_err();
        assert!(error.contains("newer"), "{error}");
    }
}
