//! `conntrack.used_percent`: tracked connections against the table of the firewall. A full table drops new ones.

use super::fields::Fields;
use super::{CollectError, CollectSettings, Collector, Moment, Readings, Roots, Source};
use std::path::Path;

/// Reads `sys/net/netfilter/nf_conntrack_{count,max}`.
#[derive(Debug, Default)]
struct Conntrack {
    source: Source,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Conntrack::default())
}

impl Conntrack {
    fn number(&mut self, path: &Path) -> Result<u64, CollectError> {
        let text = self.source.text(path)?;
        Fields::new(1, text)
            .number("the number of connections")
            .map_err(|error| CollectError::parsing(path, &error))
    }
}

impl Collector for Conntrack {
    fn name(&self) -> &'static str {
        "conntrack"
    }

    fn collect(&mut self, host: &Roots, _: Moment, out: &mut Readings) -> Result<(), CollectError> {
        let dir = host.proc.join("sys/net/netfilter");
        let count = match self.number(&dir.join("nf_conntrack_count")) {
            Err(CollectError::NoData(_)) => {
                let reason = "connections are not tracked (nf_conntrack is not loaded)";
                return Err(CollectError::NoData(reason.to_owned()));
            }
            count => count?,
        };
        let max = self.number(&dir.join("nf_conntrack_max"))?;
        out.put("conntrack.used_percent", 100.0 * count as f64 / max as f64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FixtureHost;
    use super::*;

    #[test]
    fn used_against_the_table() {
        let host = FixtureHost::with(&[
            ("proc/sys/net/netfilter/nf_conntrack_count", "16384\n"),
            ("proc/sys/net/netfilter/nf_conntrack_max", "65536\n"),
        ]);
        let out = host.read(&mut Conntrack::default(), 0);
        assert_eq!(out.get("conntrack.used_percent"), Some(25.0));
        host.write("proc/sys/net/netfilter/nf_conntrack_max", "many\n");
        let (_, result) = host.try_read(&mut Conntrack::default(), 0);
        let message = result.unwrap_err().to_string();
        assert!(message.contains("nf_conntrack_max:1: "), "{message}");
    }

    #[test]
    fn a_host_without_it_is_no_failure() {
        let (_, result) = FixtureHost::empty().try_read(&mut Conntrack::default(), 0);
        assert!(matches!(result, Err(CollectError::NoData(_))));
    }
}
