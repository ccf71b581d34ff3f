//! `[[series]]`: own bounds and directions by name.

use arki_model::kind::{Bound, Direction, Rule};
use serde::{Deserialize, Deserializer, de};

/// One rule. A rule without a bound takes the bound away: such a series is only watched for anomalies.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesSettings {
    /// A glob over series names; `*` also matches `/`, braces are literal.
    #[serde(rename = "match")]
    pub pattern: String,
    /// The value at which the series means failure.
    pub bound: Option<f64>,
    /// From which side it is reached.
    #[serde(default, deserialize_with = "direction")]
    pub direction: Option<Direction>,
}

impl SeriesSettings {
    /// The rule as the engine takes it; or the key, what is there and what is allowed.
    pub fn rule(&self) -> Result<Rule, (&'static str, String, String)> {
        let bound = match (self.bound, self.direction) {
            (None, None) => None,
            (None, Some(_)) => {
                let allowed = "there for a `direction` (leave both out to take a bound away)";
                return Err(("bound", "missing".to_owned(), allowed.to_owned()));
            }
            (Some(value), _) if !value.is_finite() => {
                return Err(("bound", value.to_string(), "a finite number".to_owned()));
            }
            (Some(value), direction) => Some(Bound {
                value,
                direction: direction.unwrap_or_default(),
            }),
        };
        Rule::new(&self.pattern, bound).map_err(|error| {
            let allowed = format!("a glob ({})", error.kind());
            ("match", format!("{:?}", self.pattern), allowed)
        })
    }
}

fn direction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Direction>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "up" => Ok(Some(Direction::Up)),
        "down" => Ok(Some(Direction::Down)),
        _ => Err(de::Error::custom(format!(
            "{text:?} is neither \"up\" nor \"down\""
        ))),
    }
}
