//! `--metrics FILE`: bounds and calendars for traces whose names are not Arki's, in the words of the agent's
//! own configuration.
//!
//! ```toml
//! [[series]]
//! match = "mem_*"
//! bound = 1.0
//!
//! [[context]]
//! name = "backup"
//! from = "01:00"
//! to = "03:00"
//! ```

use crate::config::SeriesSettings;
use crate::context::{Calendar, ContextSettings};
use anyhow::{Context, anyhow};
use arki_model::kind::Kinds;
use jiff::tz::TimeZone;
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
    #[serde(default)]
    context: Vec<ContextSettings>,
}

/// Reads `file`; the times of day in it are those of `zone`.
pub fn load(file: &Path, zone: &TimeZone) -> anyhow::Result<(Kinds, Calendar)> {
    let context = || file.display().to_string();
    let mut text = String::new();
    File::open(file)
        .and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .with_context(context)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(anyhow!("longer than {FILE_BYTES_MAX} bytes")).with_context(context);
    }
    parse(&text, zone).with_context(context)
}

pub(super) fn parse(text: &str, zone: &TimeZone) -> anyhow::Result<(Kinds, Calendar)> {
    let metrics: Metrics = toml::from_str(text)?;
    let rule = |series: &SeriesSettings| {
        let rule = series.rule();
        rule.map_err(|(key, found, allowed)| {
            anyhow!(
                "{key} = {found} of [[series]] {:?} must be {allowed}",
                series.pattern
            )
        })
    };
    let rules: anyhow::Result<_> = metrics.series.iter().map(rule).collect();
    let check = |context: &ContextSettings| {
        context.check().map_err(|(key, allowed)| {
            anyhow!("{key} of [[context]] {:?} must be {allowed}", context.name)
        })
    };
    metrics.context.iter().try_for_each(check)?;
    let calendar = Calendar::new(&metrics.context, zone.clone())
        .map_err(|(key, allowed)| anyhow!("{key} of [[context]] must be {allowed}"))?;
    Ok((Kinds::new(rules?), calendar))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_give_bounds_and_what_is_unknown_is_refused() {
        let text = "[[series]]\nmatch = \"mem_*\"\nbound = 1\n\n[[series]]\nmatch = \"free\"\nbound = 5\ndirection = \"down\"\n";
        let (kinds, _) = parse(text, &TimeZone::UTC).unwrap();
        assert_eq!(kinds.bound_of("mem_u").unwrap().value, 1.0);
        assert!(kinds.bound_of("free").unwrap().is_crossed_by(4.0));
        for wrong in [
            "[[series]]\nmatch = \"a\"\nlimit = 1\n",
            "[[series]]\nbound = 1\n",
            "[[series]]\nmatch = \"[\"\n",
            "[[series]]\nmatch = \"a\"\ndirection = \"left\"\n",
            "series = 5\n",
            "[[context]]\nname = \"b\"\nfrom = \"25:00\"\n",
            "[[context]]\nname = \"b\"\nat = \"1\"\n",
        ] {
            assert!(parse(wrong, &TimeZone::UTC).is_err(), "{wrong}");
        }
    }
}
