//! Identifiers. Random bytes are passed in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An event's identifier: a UUID version 7 (RFC 9562), so that ids sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventId([u8; 16]);

impl EventId {
    /// An id for `now_ms` (milliseconds since 1970) with ten random bytes.
    pub fn new(now_ms: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&now_ms.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(bytes)
    }

    /// The sixteen bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for EventId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "an event id looks like 01938f6e-8c00-7abc-9def-0123456789ab";
        let digits: Vec<u8> = text
            .bytes()
            .filter(|&b| b != b'-')
            .map(|b| char::from(b).to_digit(16).map(|d| d as u8).ok_or(WRONG))
            .collect::<Result<_, _>>()?;
        let pairs = digits.chunks_exact(2);
        if digits.len() != 32 {
            return Err(WRONG);
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uuid_of_the_rfc() {
        // RFC 9562, appendix A.6: 2022-02-22T19:22:22Z
        let id = EventId::new(
            0x017F_22E2_79B0,
            [0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F],
        );
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("017f".parse::<EventId>().is_err());
    }
}
