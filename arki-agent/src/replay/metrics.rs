//! `--metrics FILE`: bounds and calendars for traces whose names are not Arki's, in the words of the agent's
//! own configuration.
//!
//! ```toml
//! [[series]]
//! match = "mem_*"
//! bound = 1.0
//! ```

use super::calendar::Calendar;
use crate::config::SeriesSettings;
use anyhow::{Context, anyhow};
use arki_model::kind::Kinds;
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The longest file: a thousand rules are less than 100 KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metrics {
    #[serde(default)]
    series: Vec<SeriesSettings>,
}

/// Reads `file`.
pub fn load(file: &Path) -> anyhow::Result<(Kinds, Calendar)> {
    let context = || file.display().to_string();
    let mut text = String::new();
    File::open(file)
        .and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .with_context(context)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(anyhow!("longer than {FILE_BYTES_MAX} bytes")).with_context(context);
    }
    parse(&text).with_context(context)
}

fn parse(text: &str) -> anyhow::Result<(Kinds, Calendar)> {
    let metrics: Metrics = toml::from_str(text)?;
    let rule = |series: &SeriesSettings| {
        let rule = series.rule();
        rule.map_err(|allowed| anyhow!("match = {:?} must be {allowed}", series.pattern))
    };
    let rules: anyhow::Result<_> = metrics.series.iter().map(rule).collect();
    Ok((Kinds::new(rules?), Calendar::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_give_bounds_and_what_is_unknown_is_refused() {
        let text = "[[series]]\nmatch = \"mem_*\"\nbound = 1\n\n[[series]]\nmatch = \"free\"\nbound = 5\ndirection = \"down\"\n";
        let (kinds, _) = parse(text).unwrap();
        assert_eq!(kinds.bound_of("mem_u").unwrap().value, 1.0);
        assert!(kinds.bound_of("free").unwrap().is_crossed_by(4.0));
        for wrong in [
            "[[series]]\nmatch = \"a\"\nlimit = 1\n",
            "[[series]]\nbound = 1\n",
            "[[series]]\nmatch = \"[\"\n",
            "[[series]]\nmatch = \"a\"\ndirection = \"left\"\n",
            "series = 5\n",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
