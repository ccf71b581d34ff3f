//! Announced contexts: `arki-agent context begin backup --ttl 2h`, `context end backup`.
//!
//! Every one ends by itself: a script that dies before its `end` must not keep the host quiet. What is announced is
//! saved with the state, so that it survives a restart of the agent.

use super::{check_name, compile};
use arki_model::clock::UnixSeconds;
use arki_model::context::{ActiveContext, Source};
use globset::GlobMatcher;
use serde::{Deserialize, Serialize};

/// How many there may be at a time: more than scripts of one host run at once.
pub const ANNOUNCED_MAX: usize = 32;
/// The shortest, in seconds: what lasts less than a consensus must stand tells nobody anything.
pub const TTL_MIN_S: u64 = 60;
/// The longest, in seconds: a week of migration. What is for ever belongs into the configuration.
pub const TTL_MAX_S: u64 = 7 * 86_400;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnnounceError {
    /// Bad name.
    #[error("the name must be {0}")]
    Name(String),
    /// Bad series.
    #[error("the series must be {0}")]
    Series(String),
    /// Too short or too long.
    #[error("the time to live must be {TTL_MIN_S} s to {TTL_MAX_S} s (a week), not {0} s")]
    Ttl(u64),
    /// Too many.
    #[error(
        "{ANNOUNCED_MAX} contexts are announced already: end one first (`arki-agent context list`)"
    )]
    Full,
    /// Not there.
    #[error("no context {0:?} is announced (see `arki-agent context list`)")]
    Unknown(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Announcement {
    name: String,
    since: UnixSeconds,
    until: UnixSeconds,
    series: Vec<String>,
    #[serde(skip)]
    matchers: Vec<GlobMatcher>,
}

/// What was announced and is not over.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Announcement>", into = "Vec<Announcement>")]
pub struct Announced {
    all: Vec<Announcement>,
}

/// What comes from a file is checked like what comes from a person; what does not pass is left out.
impl From<Vec<Announcement>> for Announced {
    fn from(saved: Vec<Announcement>) -> Self {
        let mut announced = Self::default();
        for mut old in saved.into_iter().take(ANNOUNCED_MAX) {
            if let (Ok(()), Ok(matchers)) = (check_name(&old.name), compile(&old.series)) {
                old.matchers = matchers;
                announced.all.push(old);
            }
        }
        announced
    }
}

impl From<Announced> for Vec<Announcement> {
    fn from(announced: Announced) -> Self {
        announced.all
    }
}

impl Announced {
    /// Begins the context `name` for at most `ttl_s` from `now_s` on, or gives one that is there so much more time.
    /// `series` are globs; none means all series.
    pub fn begin(
        &mut self,
        name: &str,
        ttl_s: u64,
        series: &[String],
        now_s: UnixSeconds,
    ) -> Result<(), AnnounceError> {
        check_name(name).map_err(AnnounceError::Name)?;
        let matchers = compile(series).map_err(AnnounceError::Series)?;
        if !(TTL_MIN_S..=TTL_MAX_S).contains(&ttl_s) {
            return Err(AnnounceError::Ttl(ttl_s));
        }
        self.expire(now_s);
        let before = self.all.iter().position(|context| context.name == name);
        let since = before.map_or(now_s, |index| self.all.remove(index).since);
        if self.all.len() >= ANNOUNCED_MAX {
            return Err(AnnounceError::Full);
        }
        self.all.push(Announcement {
            name: name.to_owned(),
            since: since.min(now_s),
            until: now_s.saturating_add_unsigned(ttl_s),
            series: series.to_vec(),
            matchers,
        });
        Ok(())
    }

    /// Ends the context `name`.
    pub fn end(&mut self, name: &str, now_s: UnixSeconds) -> Result<(), AnnounceError> {
        self.expire(now_s);
        let index = self
            .all
            .iter()
            .position(|context| context.name == name)
            .ok_or_else(|| AnnounceError::Unknown(name.to_owned()))?;
        self.all.remove(index);
        Ok(())
    }

    /// What is active at `now_s`; what is over is forgotten.
    pub fn active(&mut self, now_s: UnixSeconds) -> impl Iterator<Item = ActiveContext> {
        self.expire(now_s);
        self.all.iter().map(|context| ActiveContext {
            name: context.name.clone(),
            source: Source::Announced,
            since: context.since,
            until: Some(context.until),
            series: context.matchers.clone(),
        })
    }

    /// Forgets what is over. A clock that was set back must not make anything last longer than the longest may.
    fn expire(&mut self, now_s: UnixSeconds) {
        self.all.retain_mut(|context| {
            let latest = now_s.saturating_add_unsigned(TTL_MAX_S);
            context.until = context.until.min(latest);
            context.until > now_s
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(announced: &mut Announced, now_s: UnixSeconds) -> Vec<(String, UnixSeconds)> {
        let named = |context: ActiveContext| (context.name, context.until.unwrap());
        announced.active(now_s).map(named).collect()
    }

    #[test]
    fn it_begins_is_extended_ends_and_ends_by_itself() {
        let mut announced = Announced::default();
        announced
            .begin("backup", 7_200, &["disk.*".into()], 1_000)
            .unwrap();
        announced.begin("deploy", 600, &[], 1_000).unwrap();
        assert_eq!(names(&mut announced, 1_599).len(), 2);
        assert_eq!(names(&mut announced, 1_600), [("backup".to_owned(), 8_200)]);
        announced.begin("backup", 7_200, &[], 5_000).unwrap();
        assert_eq!(
            names(&mut announced, 9_000),
            [("backup".to_owned(), 12_200)]
        );
        assert_eq!(announced.active(9_000).next().unwrap().since, 1_000);
        announced.end("backup", 9_000).unwrap();
        assert_eq!(
            announced.end("backup", 9_000),
            Err(AnnounceError::Unknown("backup".into()))
        );
    }

    #[test]
    fn everything_has_a_limit() {
        let mut announced = Announced::default();
        let mut begin =
            |name: &str, ttl_s, series: &[String]| announced.begin(name, ttl_s, series, 0);
        assert!(matches!(begin("", 60, &[]), Err(AnnounceError::Name(_))));
        assert_eq!(begin("a", 59, &[]), Err(AnnounceError::Ttl(59)));
        assert!(begin("a", TTL_MAX_S + 1, &[]).is_err());
        let many = vec!["x".to_owned(); 17];
        assert!(matches!(
            begin("a", 60, &many),
            Err(AnnounceError::Series(_))
        ));
        for number in 0..ANNOUNCED_MAX {
            begin(&number.to_string(), 60, &[]).unwrap();
        }
        assert_eq!(begin("one more", 60, &[]), Err(AnnounceError::Full));
        assert_eq!(begin("0", 60, &[]), Ok(()), "extending is no new one");
        announced.begin("later", 60, &[], 61).unwrap();
    }

    #[test]
    fn it_survives_a_restart_and_a_clock_that_was_set_back() {
        let mut announced = Announced::default();
        announced
            .begin("backup", 7_200, &["disk.*".into()], 1_000_000)
            .unwrap();
        let bytes = rmp_serde::to_vec(&announced).unwrap();
        let mut restored: Announced = rmp_serde::from_slice(&bytes).unwrap();
        let context = restored.active(1_000_100).next().unwrap();
        assert_eq!((context.since, context.until), (1_000_000, Some(1_007_200)));
        assert!(context.series[0].is_match("disk.used_percent{/}"));
        let latest = TTL_MAX_S as i64;
        assert_eq!(names(&mut restored, 0), [("backup".to_owned(), latest)]);
        assert_eq!(names(&mut restored, latest), []);
    }

    #[test]
    fn what_was_saved_is_checked() {
        let bytes = rmp_serde::to_vec(&vec![
            ("bad\u{7}", 0, 100, Vec::<String>::new()),
            ("for ever", 0, i64::MAX, Vec::new()),
        ])
        .unwrap();
        let mut restored: Announced = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(
            names(&mut restored, 10),
            [("for ever".to_owned(), 10 + TTL_MAX_S as i64)]
        );
    }
}
