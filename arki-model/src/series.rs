//! The name of a series: `<metric>` or `<metric>{<instance>}`, unit last in the metric.

use std::fmt;

/// The longest accepted name, in bytes. A mount point may be long (`PATH_MAX` is 4096), but a name is
/// repeated in every event, so it is cut where it is read, not here.
pub const NAME_BYTES_MAX: usize = 256;

/// A checked series name, such as `disk.used_percent{/var}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesName(Box<str>);

/// Why a name is not a series name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("a series needs a name")]
    Empty,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("a series name has at most {NAME_BYTES_MAX} bytes, this one has {0}")]
    TooLong(usize),
    /// A control character.
    #[error("a series name holds no control characters: {0:?}")]
    Control(String),
}

impl SeriesName {
    /// Checks `name`.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong(name.len()));
        }
        if name.chars().any(char::is_control) {
            return Err(NameError::Control(name.to_owned()));
        }
        Ok(Self(name.into()))
    }

    /// `metric{instance}`; control characters become `?` and an overlong instance is cut, because a
    /// device or mount point may be called anything.
    pub fn with_instance(metric: &str, instance: &str) -> Self {
        let mut text = String::with_capacity(metric.len() + 2 + instance.len().min(NAME_BYTES_MAX));
        push_with_instance(&mut text, metric, instance);
        Self(text.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the braces: `disk.used_percent`.
    pub fn metric(&self) -> &str {
        self.0
            .split_once('{')
            .map_or(&*self.0, |(metric, _)| metric)
    }

    /// The part inside the braces: `/var`.
    pub fn instance(&self) -> Option<&str> {
        self.0
            .split_once('{')
            .and_then(|(_, rest)| rest.strip_suffix('}'))
    }
}

/// So that a map by names is asked with plain text; order and equality are those of the text.
impl std::borrow::Borrow<str> for SeriesName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Appends `metric{instance}` to `text`, made safe as in [`SeriesName::with_instance`].
pub fn push_with_instance(text: &mut String, metric: &str, instance: &str) {
    text.push_str(metric);
    text.push('{');
    let limit = text.len() + NAME_BYTES_MAX.saturating_sub(metric.len() + 2);
    for c in instance.chars() {
        let c = if c.is_control() { '?' } else { c };
        if text.len() + c.len_utf8() > limit {
            break;
        }
        text.push(c);
    }
    text.push('}');
}

impl fmt::Display for SeriesName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_and_instance_are_told_apart() {
        let name = SeriesName::new("disk.used_percent{/srv/a{b}}").unwrap();
        assert_eq!(name.metric(), "disk.used_percent");
        assert_eq!(name.instance(), Some("/srv/a{b}"));
        assert_eq!(SeriesName::new("process.count").unwrap().instance(), None);
    }

    #[test]
    fn names_from_outside_are_refused_or_made_safe() {
        assert_eq!(SeriesName::new(""), Err(NameError::Empty));
        assert!(matches!(
            SeriesName::new(&"x".repeat(300)),
            Err(NameError::TooLong(300))
        ));
        assert!(matches!(
            SeriesName::new("a\x1b[31m"),
            Err(NameError::Control(_))
        ));
        let name = SeriesName::with_instance("disk.used_percent", &"\n/é".repeat(200));
        assert!(name.as_str().len() <= NAME_BYTES_MAX && SeriesName::new(name.as_str()).is_ok());
    }
}
