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
    pub direction: Direction,
}

impl SeriesSettings {
    /// The rule as the engine takes it; an error where the glob is none.
    pub fn rule(&self) -> Result<Rule, String> {
        if self.bound.is_some_and(|bound| !bound.is_finite()) {
            return Err("a finite bound".to_owned());
        }
        let bound = self.bound.map(|value| Bound {
            value,
            direction: self.direction,
        });
        Rule::new(&self.pattern, bound).map_err(|error| format!("a glob ({})", error.kind()))
    }
}

fn direction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Direction, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "up" => Ok(Direction::Up),
        "down" => Ok(Direction::Down),
        _ => Err(de::Error::custom(format!(
            "{text:?} is neither \"up\" nor \"down\""
        ))),
    }
}
