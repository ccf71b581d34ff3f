//! Times as people write them: `30s`, `5m`, `2h`, `7d`.

use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// The time between two passes: a whole number of seconds from 1 s to 1 h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(Duration);

impl Interval {
    /// The shortest.
    pub const MIN: Duration = Duration::from_secs(1);
    /// The longest.
    pub const MAX: Duration = Duration::from_secs(3600);

    /// The interval as a duration.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// The interval in seconds, 1 to 3600.
    pub fn seconds(self) -> i64 {
        self.0.as_secs() as i64
    }
}

impl Default for Interval {
    /// 30 s: what the windows and the budget are made for.
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match parse_duration(&text) {
            Ok(time) if (Self::MIN..=Self::MAX).contains(&time) => Ok(Self(time)),
            _ => Err(de::Error::custom(format!(
                "{text:?} is not a time from 1s to 1h, such as \"30s\" or \"5m\""
            ))),
        }
    }
}

/// Reads a whole number with its unit (`s`, `m`, `h` or `d`) as a time of at most ten years.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const TEN_YEARS_S: u64 = 10 * 366 * 86_400;
    let wrong = || {
        format!("{text:?} is not a time with its unit, such as \"30s\", \"5m\", \"2h\" or \"7d\"")
    };
    let (digits, unit) = text
        .trim()
        .split_at_checked(text.trim().len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(seconds))
        .filter(|&total| total <= TEN_YEARS_S)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("{text:?} is longer than ten years"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in [
            "",
            "30",
            "s",
            "1.5h",
            "-1s",
            "+1s",
            "1 h",
            "5µ",
            "99999999999999999999d",
            "9999d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
    }
}
