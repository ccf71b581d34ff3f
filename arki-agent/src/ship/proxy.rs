//! The proxy that the environment names, and the tunnel through it.
//!
//! `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, in this order, as `http://[user:password@]host[:port]`;
//! `no_proxy` / `NO_PROXY` lists hosts and domains that are reached without, `*` all. The tunnel is an HTTP CONNECT
//! (RFC 9110, 9.3.6); TLS runs inside it, so that a proxy sees the hub's name and nothing else. A hub on this machine
//! is never reached through a proxy.

use super::Endpoint;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer to CONNECT that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// A proxy, and what it wants to know.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) authority: String,
    credentials: Option<String>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({})", self.authority)
    }
}

impl Proxy {
    /// The proxy for `endpoint`, if `variable` names one that can be used.
    pub(super) fn find(
        endpoint: &Endpoint,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let either = |name: &str| {
            variable(name)
                .or_else(|| variable(&name.to_uppercase()))
                .filter(|value| !value.is_empty())
        };
        if !endpoint.is_tls || either("no_proxy").is_some_and(|list| excepts(&list, &endpoint.host))
        {
            return None;
        }
        let text = either("https_proxy").or_else(|| either("all_proxy"))?;
        let rest = text.strip_prefix("http://").unwrap_or(&text);
        let rest = rest.split('/').next().unwrap_or(rest);
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((credentials, authority)) => (Some(STANDARD.encode(credentials)), authority),
            None => (None, rest),
        };
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port {
            authority.to_owned()
        } else {
            format!("{authority}:80")
        };
        Some(Self {
            authority,
            credentials,
        })
    }

    /// Asks for a tunnel to the hub.
    pub(super) async fn tunnel(&self, stream: &mut TcpStream, to: &Endpoint) -> io::Result<()> {
        let to = to.authority();
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
        if let Some(credentials) = &self.credentials {
            request.extend(["Proxy-Authorization: Basic ", credentials, "\r\n"]);
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // Byte by byte, so that nothing of what follows is taken; it happens once a connection.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(io::Error::other("the proxy's answer does not end"));
            }
            answer.push(stream.read_u8().await?);
        }
        let line = answer
            .split(|&byte| byte == b'\r')
            .next()
            .unwrap_or_default();
        let line = String::from_utf8_lossy(line).into_owned();
        if line.split(' ').nth(1) == Some("200") {
            Ok(())
        } else {
            Err(io::Error::other(format!("the proxy refuses: {line:?}")))
        }
    }
}

/// Whether the list names `host`, a domain above it, or everything.
fn excepts(list: &str, host: &str) -> bool {
    list.split(',').map(str::trim).any(|entry| {
        let entry = entry.trim_start_matches('.');
        entry == "*"
            || (!entry.is_empty()
                && (host == entry
                    || host
                        .strip_suffix(entry)
                        .is_some_and(|rest| rest.ends_with('.'))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(url: &str, variables: &[(&str, &str)]) -> Option<Proxy> {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Proxy::find(&Endpoint::parse(url).unwrap(), variable)
    }

    #[test]
    fn the_environment_names_the_proxy_and_its_exceptions() {
        let hub = "https://hub.example.org";
        assert_eq!(find(hub, &[]), None);
        let proxy = find(hub, &[("HTTPS_PROXY", "http://me:secret@proxy:3128/")]).unwrap();
        assert_eq!(proxy.authority, "proxy:3128");
        assert_eq!(proxy.credentials.as_deref(), Some("bWU6c2VjcmV0"));
        assert!(!format!("{proxy:?}").contains("secret"));
        assert_eq!(
            find(hub, &[("all_proxy", "proxy")]).unwrap().authority,
            "proxy:80"
        );
        for (list, is_used) in [
            ("*", false),
            ("example.org", false),
            (".example.org", false),
            ("a, hub.example.org", false),
            ("ample.org", true),
            ("", true),
        ] {
            let found = find(hub, &[("https_proxy", "proxy"), ("no_proxy", list)]);
            assert_eq!(found.is_some(), is_used, "{list}");
        }
        assert_eq!(
            find("http://127.0.0.1:1", &[("https_proxy", "proxy")]),
            None
        );
    }
}
