//! `[[context]]` of the configuration.

use super::{check_name, compile};
use jiff::civil::{Time, Weekday};
use serde::Deserialize;

/// A time of the week at which something is known to be going on.
///
/// ```toml
/// [[context]]
/// name = "backup"
/// days = ["weekdays", "sun"]     # mon to sun, weekdays, weekend; every day where it is missing
/// from = "23:30"                 # local time; 00:00 where it is missing
/// to = "04:00"                   # not after `from`: on the next day; 24:00 where it is missing
/// series = ["disk.*", "net.*"]   # globs over the series it explains; all where it is missing
/// ```
///
/// Days are those on which it begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextSettings {
    /// What it is called.
    pub name: String,
    /// The days of the week on which it begins.
    #[serde(default)]
    pub days: Vec<String>,
    /// When it begins, `HH:MM` of local time.
    pub from: Option<String>,
    /// When it ends, `HH:MM` of local time.
    pub to: Option<String>,
    /// The series it explains, as globs.
    #[serde(default)]
    pub series: Vec<String>,
}

impl ContextSettings {
    /// Checks what no type can; the error is the key and what is allowed there.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        check_name(&self.name).map_err(|allowed| ("name", allowed))?;
        self.weekdays()?;
        self.from()?;
        self.to()?;
        compile(&self.series).map_err(|allowed| ("series", allowed))?;
        Ok(())
    }

    /// The days on which it begins, as bits, Monday first.
    pub(super) fn weekdays(&self) -> Result<u8, (&'static str, String)> {
        if self.days.is_empty() {
            return Ok(0b111_1111);
        }
        self.days.iter().try_fold(0, |bits, day| {
            let of_day = match day.as_str() {
                "mon" => bit(Weekday::Monday),
                "tue" => bit(Weekday::Tuesday),
                "wed" => bit(Weekday::Wednesday),
                "thu" => bit(Weekday::Thursday),
                "fri" => bit(Weekday::Friday),
                "sat" => bit(Weekday::Saturday),
                "sun" => bit(Weekday::Sunday),
                "weekdays" => 0b001_1111,
                "weekend" => 0b110_0000,
                _ => {
                    let allowed = "mon, tue, wed, thu, fri, sat, sun, weekdays, weekend";
                    return Err(("days", allowed.to_owned()));
                }
            };
            Ok(bits | of_day)
        })
    }

    pub(super) fn from(&self) -> Result<Time, (&'static str, String)> {
        self.from
            .as_deref()
            .map_or(Ok(Time::midnight()), |text| time("from", text))
    }

    /// `24:00` is midnight, too: what does not end after it began ends on the next day.
    pub(super) fn to(&self) -> Result<Time, (&'static str, String)> {
        match self.to.as_deref() {
            None | Some("24:00") => Ok(Time::midnight()),
            Some(text) => time("to", text),
        }
    }
}

/// The bit of a day.
pub(super) fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

fn time(key: &'static str, text: &str) -> Result<Time, (&'static str, String)> {
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i8>().ok().filter(|_| is_number)
    };
    text.split_once(':')
        .and_then(|(hour, minute)| Time::new(number(hour)?, number(minute)?, 0, 0).ok())
        .ok_or_else(|| (key, "a local time from 00:00 to 23:59, as HH:MM".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let settings: ContextSettings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings
            .check()
            .map_err(|(key, allowed)| format!("{key}: {allowed}"))
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        let all = "name = 'b'\ndays = ['weekend', 'mon']\nfrom = '23:30'\nto = '24:00'\nseries = ['disk.*']";
        assert_eq!(check(all), Ok(()));
        assert_eq!(check("name = 'b'"), Ok(()));
        for (text, complaint) in [
            ("name = ''", "name: "),
            ("name = 'b'\ndays = ['monday']", "days: mon, tue"),
            ("name = 'b'\nfrom = '25:00'", "from: a local time"),
            ("name = 'b'\nfrom = '1:00'", "from: a local time"),
            ("name = 'b'\nto = '+1:30'", "to: a local time"),
            ("name = 'b'\nseries = ['[']", "series: a glob"),
            ("name = 'b'\nseries = ['']", "series: globs of 1"),
            ("name = 'b'\nat = '1'", "unknown field"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }
}
