//! Declared contexts: windows of the week, in local time.
//!
//! A pure function of the time, the settings and the time zone. On days on which the clocks change, a window begins
//! and ends when a wall clock first and last shows its times: it is rather an hour too long than too short, because
//! the jobs it stands for run by their own clocks. A time that a wall clock never shows is taken as much later as the
//! clocks are put forward, as cron and systemd do it.

use super::settings::bit;
use super::{ContextSettings, compile};
use arki_model::clock::UnixSeconds;
use arki_model::context::{ActiveContext, Source};
use globset::GlobMatcher;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

#[derive(Debug, Clone)]
struct Window {
    name: String,
    days: u8,
    from: Time,
    to: Time,
    series: Vec<GlobMatcher>,
}

/// All declared contexts.
#[derive(Debug, Clone)]
pub struct Calendar {
    windows: Vec<Window>,
    time_zone: TimeZone,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            windows: Vec::new(),
            time_zone: TimeZone::UTC,
        }
    }
}

impl Calendar {
    /// The contexts of the configuration, in local time of `time_zone`. The error is the key and what is allowed.
    pub fn new(
        settings: &[ContextSettings],
        time_zone: TimeZone,
    ) -> Result<Self, (&'static str, String)> {
        let window = |context: &ContextSettings| {
            context.check()?;
            Ok(Window {
                name: context.name.clone(),
                days: context.weekdays()?,
                from: context.from()?,
                to: context.to()?,
                series: compile(&context.series).map_err(|allowed| ("series", allowed))?,
            })
        };
        Ok(Self {
            windows: settings.iter().map(window).collect::<Result<_, _>>()?,
            time_zone,
        })
    }

    /// The contexts that are active at `at`.
    pub fn active(&self, at: UnixSeconds) -> Vec<ActiveContext> {
        let Some(today) = self.date_at(at).filter(|_| !self.windows.is_empty()) else {
            return Vec::new();
        };
        let span_at = |window: &Window| {
            // A window that began yesterday may go on; one of 24 hours and a change of clocks even touches two days.
            [today, today.yesterday().ok()?]
                .into_iter()
                .find_map(|day| {
                    let span = self.span(window, day)?;
                    (span.0 <= at && at < span.1).then_some(span)
                })
        };
        self.windows
            .iter()
            .filter_map(|window| Some((window, span_at(window)?)))
            .map(|(window, (since, until))| ActiveContext {
                name: window.name.clone(),
                source: Source::Declared,
                since,
                until: Some(until),
                series: window.series.clone(),
            })
            .collect()
    }

    /// When the next context begins that is not active at `at`, and its name; within eight days.
    pub fn next(&self, at: UnixSeconds) -> Option<(UnixSeconds, &str)> {
        let today = self.date_at(at)?;
        self.windows
            .iter()
            .filter_map(|window| {
                let mut day = today;
                for _ in 0..=7 {
                    if let Some((since, _)) = self.span(window, day)
                        && since > at
                    {
                        return Some((since, window.name.as_str()));
                    }
                    day = day.tomorrow().ok()?;
                }
                None
            })
            .min()
    }

    fn date_at(&self, at: UnixSeconds) -> Option<Date> {
        let timestamp = Timestamp::from_second(at).ok()?;
        Some(self.time_zone.to_datetime(timestamp).date())
    }

    /// When `window` begins and ends that begins on `day`, if it does.
    fn span(&self, window: &Window, day: Date) -> Option<(UnixSeconds, UnixSeconds)> {
        if window.days & bit(day.weekday()) == 0 {
            return None;
        }
        let last_day = if window.to <= window.from {
            day.tomorrow().ok()?
        } else {
            day
        };
        let ambiguous =
            |day: Date, time| self.time_zone.to_ambiguous_timestamp(day.to_datetime(time));
        // Compatible: the earlier of two, and after a gap.
        let since = ambiguous(day, window.from).compatible().ok()?;
        let until = ambiguous(last_day, window.to).later().ok()?;
        Some((since.as_second(), until.as_second()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calendar(days: &[&str], from: &str, to: &str) -> Calendar {
        let settings = ContextSettings {
            name: "job".to_owned(),
            days: days.iter().map(|&day| day.to_owned()).collect(),
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
            series: vec!["disk.*".to_owned()],
        };
        // Central European time, with the rule itself, so that no data of the machine is needed.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        Calendar::new(&[settings], zone).unwrap()
    }

    fn at(text: &str) -> UnixSeconds {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn is_active(calendar: &Calendar, text: &str) -> bool {
        !calendar.active(at(text)).is_empty()
    }

    #[test]
    fn a_window_begins_and_ends_in_local_time_on_its_days() {
        let backup = calendar(&["mon"], "01:00", "03:00");
        // 2024-01-15 is a Monday; local time is UTC + 1.
        assert!(!is_active(&backup, "2024-01-14T23:59:59Z"));
        assert!(is_active(&backup, "2024-01-15T00:00:00Z"));
        assert!(is_active(&backup, "2024-01-15T01:59:59Z"));
        assert!(!is_active(&backup, "2024-01-15T02:00:00Z"));
        assert!(!is_active(&backup, "2024-01-16T01:00:00Z"));
        let active = backup.active(at("2024-01-15T00:30:00Z"));
        assert_eq!(active[0].since, at("2024-01-15T00:00:00Z"));
        assert_eq!(active[0].until, Some(at("2024-01-15T02:00:00Z")));
        assert!(active[0].series[0].is_match("disk.used_percent{/}"));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = calendar(&["fri"], "23:00", "02:00");
        // 2024-01-19 is a Friday.
        assert!(is_active(&night, "2024-01-19T22:00:00Z"));
        assert!(is_active(&night, "2024-01-20T00:59:59Z"));
        assert!(!is_active(&night, "2024-01-20T01:00:00Z"));
        assert!(!is_active(&night, "2024-01-18T23:30:00Z"));
        assert!(!is_active(&night, "2024-01-20T22:30:00Z"));
    }

    #[test]
    fn whole_days() {
        let weekend = calendar(&["weekend"], "00:00", "24:00");
        assert!(!is_active(&weekend, "2024-01-19T22:59:59Z"));
        assert!(is_active(&weekend, "2024-01-19T23:00:00Z"));
        assert!(is_active(&weekend, "2024-01-21T22:59:59Z"));
        assert!(!is_active(&weekend, "2024-01-21T23:00:00Z"));
    }

    #[test]
    fn when_the_clocks_go_forward() {
        // On 2024-03-31 01:00Z, 02:00 local becomes 03:00: 02:30 is never shown, and taken as 03:30.
        let gap = calendar(&[], "02:30", "03:15");
        let times = gap.span(&gap.windows[0], "2024-03-31".parse().unwrap());
        assert_eq!(
            times,
            Some((at("2024-03-31T01:30:00Z"), at("2024-03-31T01:15:00Z")))
        );
        // It is shorter than nothing, and so is not there; one that has time is.
        let night = calendar(&[], "01:00", "05:00");
        assert!(is_active(&night, "2024-03-31T00:00:00Z"));
        assert!(is_active(&night, "2024-03-31T02:59:59Z"));
        assert!(!is_active(&night, "2024-03-31T03:00:00Z"));
    }

    #[test]
    fn when_the_clocks_go_back() {
        // On 2024-10-27 01:00Z, 03:00 local becomes 02:00: 02:30 is shown twice, at 00:30Z and 01:30Z.
        let night = calendar(&[], "02:15", "02:30");
        assert!(!is_active(&night, "2024-10-27T00:14:59Z"));
        assert!(is_active(&night, "2024-10-27T00:15:00Z"));
        assert!(
            is_active(&night, "2024-10-27T01:29:59Z"),
            "the second time, too"
        );
        assert!(!is_active(&night, "2024-10-27T01:30:00Z"));
    }

    #[test]
    fn the_next_one_is_found() {
        let backup = calendar(&["mon"], "01:00", "03:00");
        let next = backup.next(at("2024-01-15T00:30:00Z"));
        assert_eq!(next, Some((at("2024-01-22T00:00:00Z"), "job")));
        assert_eq!(Calendar::default().next(0), None);
    }

    proptest! {
        #[test]
        fn any_time_has_an_answer(second in any::<i64>(), from in 0_u32..1440, to in 0_u32..1440) {
            let text = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
            let calendar = calendar(&[], &text(from), &text(to));
            for second in [second, second % 4_000_000_000] {
                for context in calendar.active(second) {
                    let until = context.until.unwrap();
                    prop_assert!(context.since <= second && second < until);
                    prop_assert!(until - context.since <= 26 * 3600);
                }
                calendar.next(second);
            }
        }
    }
}
