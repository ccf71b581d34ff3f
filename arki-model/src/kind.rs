//! What a series is: where it fails, and in which direction.
//!
//! `used_percent` series have bound 100. Others get one from configuration; a series without a bound can
//! still be anomalous, with no time to failure.

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// Which way a series runs into its bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It grows towards the bound (a disk that fills).
    #[default]
    Up,
    /// It shrinks towards the bound (free connections, a battery).
    Down,
}

/// Where and how a series fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The value at which the series means failure.
    pub value: f64,
    /// From which side it is reached.
    pub direction: Direction,
}

impl Bound {
    /// True at the bound or past it.
    pub fn is_crossed_by(&self, value: f64) -> bool {
        match self.direction {
            Direction::Up => value >= self.value,
            Direction::Down => value <= self.value,
        }
    }
}

/// One rule of the configuration: series that match get this bound.
#[derive(Debug, Clone)]
pub struct Rule {
    matcher: GlobMatcher,
    /// `None` takes the bound away: such a series is only watched for anomalies.
    bound: Option<Bound>,
}

impl Rule {
    /// A rule for the series whose name matches the glob `pattern` (`*` also matches `/`; braces and
    /// commas are literal, because they are part of the names).
    pub fn new(pattern: &str, bound: Option<Bound>) -> Result<Self, globset::Error> {
        Ok(Self {
            matcher: series_glob(pattern)?.compile_matcher(),
            bound,
        })
    }
}

/// A glob over series names: braces are literal, `*` and `?` match any character.
pub fn series_glob(pattern: &str) -> Result<Glob, globset::Error> {
    let escaped = pattern.replace('{', "[{]").replace('}', "[}]");
    GlobBuilder::new(&escaped)
        .literal_separator(false)
        .backslash_escape(true)
        .build()
}

/// All the rules of a host, the first that matches wins; then the defaults of the names.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    rules: Vec<Rule>,
}

impl Kinds {
    /// Rules in the order of the configuration.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The bound of the series called `name`, if it has one.
    pub fn bound_of(&self, name: &str) -> Option<Bound> {
        if let Some(rule) = self.rules.iter().find(|rule| rule.matcher.is_match(name)) {
            return rule.bound;
        }
        let metric = name.split_once('{').map_or(name, |(metric, _)| metric);
        metric.ends_with("used_percent").then_some(Bound {
            value: 100.0,
            direction: Direction::Up,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_percent_has_a_bound_and_cpu_has_none() {
        let kinds = Kinds::default();
        assert_eq!(kinds.bound_of("disk.used_percent{/}").unwrap().value, 100.0);
        assert_eq!(
            kinds.bound_of("disk.inodes_used_percent{/}").unwrap().value,
            100.0
        );
        assert_eq!(kinds.bound_of("cpu.busy_percent"), None);
    }

    #[test]
    fn the_first_rule_that_matches_wins_and_braces_are_literal() {
        let down = Bound {
            value: 5.0,
            direction: Direction::Down,
        };
        let kinds = Kinds::new(vec![
            Rule::new("disk.used_percent{/mnt/*}", None).unwrap(),
            Rule::new("queue.free{a}", Some(down)).unwrap(),
        ]);
        assert_eq!(kinds.bound_of("disk.used_percent{/mnt/iso}"), None);
        assert!(kinds.bound_of("disk.used_percent{/}").is_some());
        assert_eq!(kinds.bound_of("queue.free{a}"), Some(down));
        assert!(down.is_crossed_by(5.0) && !down.is_crossed_by(5.1));
    }
}
