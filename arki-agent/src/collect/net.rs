//! `net.{rx,tx}_bytes_per_second{eth0}` and the same for errors and drops, for every interface that carries
//! traffic of its own.
//!
//! ```text
//! /proc/net/dev:  eth0: rx bytes packets errs drop fifo frame compressed multicast  tx bytes packets errs drop ...
//! ```
//!
//! Not the loopback, not what container engines and hypervisors make by the dozen (their traffic passes the real
//! interfaces), not what has never carried a byte; at most [`INTERFACES_MAX`].

use super::fields::Fields;
use super::rate::{CounterTable, Width};
use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};

/// Six series each: more would fill the limit of series with interfaces alone.
const INTERFACES_MAX: usize = 16;

/// How the names of interfaces begin that are left out.
const LEFT_OUT: [&str; 18] = [
    "lo",
    "veth",
    "cali",
    "cilium",
    "lxc",
    "vnet",
    "tap",
    "ifb",
    "dummy",
    "docker",
    "br-",
    "virbr",
    "flannel",
    "cni",
    "kube",
    "nodelocaldns",
    "sit",
    "tunl",
];

const METRICS: [&str; 6] = [
    "net.rx_bytes_per_second",
    "net.rx_errors_per_second",
    "net.rx_drops_per_second",
    "net.tx_bytes_per_second",
    "net.tx_errors_per_second",
    "net.tx_drops_per_second",
];

/// Reads `net/dev`.
#[derive(Debug)]
struct Net {
    source: Source,
    table: CounterTable<6>,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Net::new())
}

impl Net {
    fn new() -> Self {
        Self {
            source: Source::default(),
            table: CounterTable::new([Width::Bits64; 6]),
        }
    }
}

impl Collector for Net {
    fn name(&self) -> &'static str {
        "net"
    }

    fn collect(
        &mut self,
        host: &Roots,
        at: Moment,
        out: &mut Readings,
    ) -> Result<(), CollectError> {
        let path = host.proc.join("net/dev");
        let text = self.source.text(&path)?;
        let mut result = Ok(());
        let mut interfaces = 0;
        // Two lines of headings.
        for (line, text) in (1..).zip(text.lines()).skip(2) {
            let (name, counters) = match interface(line, text) {
                Ok(interface) => interface,
                Err(error) => {
                    result = Err(CollectError::parsing(&path, &error));
                    continue;
                }
            };
            if is_left_out(name) || counters == [0; 6] || interfaces == INTERFACES_MAX {
                continue;
            }
            interfaces += 1;
            let Some(growth) = self.table.update(name, counters, at.monotonic) else {
                continue;
            };
            for (index, metric) in METRICS.into_iter().enumerate() {
                if let Some(rate) = growth.per_second(index) {
                    out.put_for(metric, name, rate);
                }
            }
        }
        self.table.forget_unseen();
        result
    }
}

/// An alias or a tunnel named like a kind that is left out is left out with it: `lo` only as a whole word.
fn is_left_out(name: &str) -> bool {
    LEFT_OUT
        .iter()
        .any(|&kind| name.starts_with(kind) && (kind != "lo" || name == "lo"))
}

/// The name and the counters of an interface, in the order of [`METRICS`].
fn interface(line: usize, text: &str) -> Result<(&str, [u64; 6]), ParseError> {
    // Old kernels leave no blank after the colon; a name may itself hold one (eth0:1).
    let (name, rest) = text
        .rsplit_once(':')
        .ok_or_else(|| ParseError::new(line, "the colon after the interface is missing"))?;
    let mut fields = Fields::new(line, rest);
    let [rx_bytes, _, rx_errors, rx_drops, _, _, _, _] = fields.numbers("a receive counter")?;
    let [tx_bytes, _, tx_errors, tx_drops] = fields.numbers("a transmit counter")?;
    Ok((
        name.trim(),
        [rx_bytes, rx_errors, rx_drops, tx_bytes, tx_errors, tx_drops],
    ))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FixtureHost;
    use super::*;

    const HEAD: &str = "Inter-| Receive | Transmit\n face |bytes ...\n";

    fn dev(lines: &str) -> String {
        format!("{HEAD}{lines}")
    }

    #[test]
    fn rates_of_real_interfaces_only() {
        let host = FixtureHost::empty();
        let idle =
            "docker0: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\nlo: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0\n";
        host.write(
            "proc/net/dev",
            dev(&format!("{idle}eth0:1000 5 0 1 0 0 0 0 500 5 0 0 0 0 0 0\neth1: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n")),
        );
        let mut net = Net::new();
        assert!(host.read(&mut net, 0).is_empty());
        host.write(
            "proc/net/dev",
            dev(&format!(
                "{idle}eth0:31000 5 0 31 0 0 0 0 800 5 60 0 0 0 0 0\n"
            )),
        );
        let out = host.read(&mut net, 30);
        assert_eq!(out.len(), 6);
        assert_eq!(out.get("net.rx_bytes_per_second{eth0}"), Some(1000.0));
        assert_eq!(out.get("net.rx_drops_per_second{eth0}"), Some(1.0));
        assert_eq!(out.get("net.tx_bytes_per_second{eth0}"), Some(10.0));
        assert_eq!(out.get("net.tx_errors_per_second{eth0}"), Some(2.0));
    }

    #[test]
    fn a_broken_line_is_named_and_the_others_are_read() {
        let host = FixtureHost::empty();
        let text = dev("eth0: 1 x\neth1: 7 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
        host.write("proc/net/dev", text);
        let mut net = Net::new();
        assert!(host.try_read(&mut net, 0).1.is_err());
        let (out, result) = host.try_read(&mut net, 30);
        assert_eq!(out.get("net.rx_bytes_per_second{eth1}"), Some(0.0));
        let message = result.unwrap_err().to_string();
        assert!(
            message.ends_with("net/dev:3: a receive counter is no number: \"x\""),
            "{message}"
        );
    }

    #[test]
    fn the_number_of_interfaces_is_bounded() {
        let host = FixtureHost::empty();
        let lines: Vec<String> = (0..100)
            .map(|number| format!("eth{number}: 7 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"))
            .collect();
        host.write("proc/net/dev", dev(&lines.concat()));
        let mut net = Net::new();
        host.read(&mut net, 0);
        assert_eq!(host.read(&mut net, 30).len(), 6 * INTERFACES_MAX);
    }

    #[test]
    fn kinds_are_told_by_their_names() {
        assert!(is_left_out("lo") && is_left_out("veth12ab") && is_left_out("br-5f"));
        assert!(
            !is_left_out("long0")
                && !is_left_out("br0")
                && !is_left_out("wg0")
                && !is_left_out("bond0")
        );
    }
}
