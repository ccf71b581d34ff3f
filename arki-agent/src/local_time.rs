//! Unix seconds as a person's time of day, in the time zone of the machine.

use arki_model::clock::UnixSeconds;
use jiff::{Timestamp, tz::TimeZone};

/// `14:32` on the day of `now_s`, `20 Nov 14:32` in its year, otherwise with the year.
pub fn short(at: UnixSeconds, now_s: UnixSeconds) -> String {
    in_zone(at, now_s, &TimeZone::system())
}

fn in_zone(at: UnixSeconds, now_s: UnixSeconds, zone: &TimeZone) -> String {
    let local = |seconds| Timestamp::from_second(seconds).map(|time| time.to_zoned(zone.clone()));
    let (Ok(time), Ok(now)) = (local(at), local(now_s)) else {
        return "at no known time".to_owned();
    };
    let format = if time.date() == now.date() {
        "%H:%M"
    } else if time.year() == now.year() {
        "%-d %b %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    time.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_said_than_is_needed() {
        let now_s = 1_700_000_000; // 2023-11-14T22:13:20Z
        let at = |seconds| in_zone(seconds, now_s, &TimeZone::UTC);
        assert_eq!(at(now_s - 60), "22:12");
        assert_eq!(at(now_s - 86_400), "13 Nov 22:13");
        assert_eq!(at(0), "1970-01-01 00:00");
        assert_eq!(at(i64::MAX), "at no known time");
    }
}
