//! The address of a hub, as an operator writes it.

use hyper::Uri;

/// Where to connect, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// TLS, or (on this machine only) plain.
    pub is_tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What comes before `/v1/…`; empty, or a path without a slash at its end.
    pub prefix: String,
}

/// Why an address is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an address.
    #[error("{0:?} is no address of a hub: https://hub.example.org:8420 is expected")]
    Form(String),
    /// Not encrypted.
    #[error("{0:?} is not encrypted: use https:// (http:// is for a hub on this machine only)")]
    Plain(String),
}

impl Endpoint {
    /// Reads `https://host[:port][/prefix]`; `http://` only for this machine.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let form = || EndpointError::Form(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| form())?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(form()),
        };
        let authority = uri.authority().ok_or_else(form)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(form());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_here = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if !is_tls && !is_here {
            return Err(EndpointError::Plain(url.to_owned()));
        }
        Ok(Self {
            is_tls,
            port: authority
                .port_u16()
                .unwrap_or(if is_tls { 443 } else { 80 }),
            host,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// `host:port`, with brackets where the address has colons.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        let read = |url| Endpoint::parse(url).map(|e| (e.is_tls, e.authority(), e.prefix));
        let hub = "hub.example.org";
        assert_eq!(
            read("https://hub.example.org"),
            Ok((true, format!("{hub}:443"), String::new()))
        );
        assert_eq!(
            read("https://hub.example.org:8420/arki/"),
            Ok((true, format!("{hub}:8420"), "/arki".into()))
        );
        assert_eq!(
            read("http://[::1]:8420"),
            Ok((false, "[::1]:8420".into(), String::new()))
        );
        assert_eq!(read("http://127.0.0.1:8420").map(|e| e.0), Ok(false));
        assert!(matches!(
            read("http://hub.example.org"),
            Err(EndpointError::Plain(_))
        ));
        for url in [
            "",
            "hub",
            "ftp://hub",
            "https://",
            "https://user:password@hub",
            "https://hub/?a=b",
        ] {
            assert!(matches!(read(url), Err(EndpointError::Form(_))), "{url}");
        }
    }
}
