//! Which addresses a notification may go to.
//!
//! Whoever may set a target must not reach the hub's own network by it (server-side request forgery). A
//! target is judged by the addresses that it resolves to, and the address that was judged is the one that is
//! connected to: a name that resolves differently the second time (DNS rebinding) gains nothing.
//! Source of the special ranges: the IANA special-purpose address registries (RFC 6890 and what updates it).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A network in CIDR notation: `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// True if `address` lies in it. An IPv4-mapped IPv6 address counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(a)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix))
                    .unwrap_or(0);
                net.to_bits() & mask == a.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(a)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                net.to_bits() & mask == a.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network: write 10.1.0.0/16 or fd00::/8");
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if prefix > bits {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Why nothing is sent there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It resolves to a special address.
    #[error(
        "{host} resolves to {address}, which is inside the hub's own network; \
             if that is meant, name its network in notify.allow_networks"
    )]
    Inside {
        /// The name that was asked for.
        host: String,
        /// What it resolves to.
        address: IpAddr,
    },
    /// It does not resolve.
    #[error("{host} does not resolve: {reason}")]
    Unknown {
        /// The name that was asked for.
        host: String,
        /// Why.
        reason: String,
    },
}

/// Resolves `host` and returns the addresses to connect to; refused as a whole if one of them is not
/// allowed, because the connection may take any of them.
pub async fn resolve(
    host: &str,
    port: u16,
    allowed: &[Network],
) -> Result<Vec<SocketAddr>, AddressError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let unknown = |reason: String| AddressError::Unknown {
        host: host.to_owned(),
        reason,
    };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((bare, port))
        .await
        .map_err(|error| unknown(error.to_string()))?
        .collect();
    if found.is_empty() {
        return Err(unknown("no address".into()));
    }
    match found.iter().find(|a| !is_allowed(a.ip(), allowed)) {
        Some(inside) => Err(AddressError::Inside {
            host: host.to_owned(),
            address: inside.ip(),
        }),
        None => Ok(found),
    }
}

/// True if `address` is a public one or in one of the `allowed` networks.
pub fn is_allowed(address: IpAddr, allowed: &[Network]) -> bool {
    allowed.iter().any(|network| network.contains(address)) || is_public(address)
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(a: Ipv4Addr) -> bool {
    let [first, second, third, _] = a.octets();
    let special = a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_multicast()
        || a.is_broadcast()
        || a.is_documentation()
        || first == 0 // this network
        || first >= 240 // reserved
        || (first == 100 && (64..128).contains(&second)) // carrier-grade NAT
        || (first == 192 && second == 0 && third == 0) // protocol assignments
        || (first == 192 && second == 88 && third == 99) // 6to4 relays
        || (first == 198 && (18..20).contains(&second)); // benchmarks
    !special
}

fn is_public_v6(a: Ipv6Addr) -> bool {
    let s = a.segments();
    // Only 2000::/3 is handed out for global use; of it, what embeds an IPv4 address or is for documents
    // stays out: 2001::/23 (Teredo and others), 2001:db8::/32, 2002::/16 (6to4), 3fff::/20.
    let global = s[0] & 0xe000 == 0x2000;
    let special = (s[0] == 0x2001 && (s[1] < 0x200 || s[1] == 0xdb8))
        || s[0] == 0x2002
        || (s[0] == 0x3fff && s[1] < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_is_refused() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::1",
            "fec0::1",
            "100::1",
        ] {
            assert!(!is_allowed(text.parse().unwrap(), &[]), "{text}");
        }
        for text in [
            "1.1.1.1",
            "93.184.215.14",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
        ] {
            assert!(is_allowed(text.parse().unwrap(), &[]), "{text}");
        }
    }

    #[test]
    fn an_allowed_network_opens_itself_and_nothing_else() {
        let allowed = [
            "10.1.0.0/16".parse().unwrap(),
            "fd00:5::/32".parse().unwrap(),
        ];
        for (text, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd00:5::1", true),
            ("fd00:6::1", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(
                is_allowed(text.parse().unwrap(), &allowed),
                expected,
                "{text}"
            );
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(
            all.contains("127.0.0.1".parse().unwrap()) && !all.contains("::1".parse().unwrap())
        );
        for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129", ""] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_by_what_they_resolve_to() {
        let error = resolve("localhost", 80, &[]).await.unwrap_err();
        assert!(matches!(error, AddressError::Inside { .. }), "{error}");
        // forms that the resolver of the system takes for 127.0.0.1
        for host in [
            "127.1",
            "2130706433",
            "0x7f.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(resolve(host, 80, &[]).await.is_err(), "{host}");
        }
        let allowed = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        assert!(!resolve("127.0.0.1", 80, &allowed).await.unwrap().is_empty());
    }
}
