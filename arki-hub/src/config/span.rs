//! A length of time as people write it: `30s`, `15m`, `2h`, `90d`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// A length of time in whole seconds, written `30s`, `15m`, `2h` or `90d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

/// Ten years: nothing here lasts longer, and no sum of two can overflow.
const SECONDS_MAX: u64 = 10 * 366 * 86_400;

impl Span {
    /// `n` minutes.
    pub const fn minutes(n: u32) -> Self {
        Self(n as u64 * 60)
    }

    /// `n` days.
    pub const fn days(n: u32) -> Self {
        Self(n as u64 * 86_400)
    }

    /// In seconds.
    pub const fn seconds(self) -> i64 {
        self.0 as i64
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no length of time: write 30s, 15m, 2h or 90d (at most ten years)")
        };
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(split);
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number
            .checked_mul(factor)
            .filter(|seconds| (1..=SECONDS_MAX).contains(seconds))
            .map(Self)
            .ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, factor) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
            if self.0 >= factor && self.0.is_multiple_of(factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        write!(f, "{}s", self.0)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read_and_shown_the_same() {
        for text in ["30s", "15m", "2h", "90d", "90s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("120s".parse::<Span>().unwrap().to_string(), "2m");
        for wrong in [
            "",
            "5",
            "m",
            "5 m",
            "-5m",
            "5w",
            "0s",
            "1e3s",
            "99999999999999999999d",
            "4000d",
        ] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
