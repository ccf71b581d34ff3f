//! Who calls: checked once, before the handler, as the route table demands.

use super::Peer;
use super::problem::Problem;
use crate::auth::{self, Caller, Scope};
use crate::hub::Hub;
use crate::notify::address::Network;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The cookie of the built-in page; `__Host-` would need TLS, which a hub on loopback has not.
pub const COOKIE: &str = "arki_session";
/// Neither a key nor an access token is longer.
const CREDENTIAL_BYTES_MAX: usize = 1_024;
/// As long as a decision's name may be.
const USER_BYTES_MAX: usize = 100;

/// Lets a request pass whose caller has at least the scope `need`; the handler finds the [`Caller`] in its
/// extensions.
pub async fn require(
    State((hub, need)): State<(Arc<Hub>, Scope)>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = peer(&request);
    let headers = request.headers().clone(); // a body cannot be shared between threads, its head can
    match check(&hub, &headers, peer).await {
        Ok(mut caller) if caller.scope >= need => {
            caller.user = spoken_for(&headers);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(caller) => {
            let detail = format!(
                "this needs a key with the scope {need}; yours has {}",
                caller.scope
            );
            Problem::new(StatusCode::FORBIDDEN, detail).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Finds the caller, or says why not.
pub async fn check(hub: &Hub, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Problem> {
    let address = client(hub, peer, headers);
    match bearer(headers).or_else(|| cookie(headers)) {
        Some(credential) => identify(hub, credential, address).await,
        None => Err(wait(hub, address)
            .err()
            .unwrap_or_else(Problem::unknown_caller)),
    }
}

/// Finds who presents `credential`. A wrong one is counted against `address`, which has to wait after too many. A valid
/// one opens all the same: others behind the same address (an office's, a proxy's) lock nobody out. What a guesser
/// costs stays one look at an index a request, and there are 2^256 keys to guess.
pub async fn identify(hub: &Hub, credential: &str, address: IpAddr) -> Result<Caller, Problem> {
    let found = if credential.len() > CREDENTIAL_BYTES_MAX {
        None
    } else {
        auth::caller(&*hub.store, &hub.jwt, credential, hub.clock.now_s()).await?
    };
    if let Some(caller) = found {
        return Ok(caller);
    }
    wait(hub, address)?;
    hub.counters.sign_in_failures_total.add(1);
    hub.failures.note(address, hub.clock.monotonic());
    Err(Problem::unknown_caller())
}

/// An error while `address` has to wait.
pub fn wait(hub: &Hub, address: IpAddr) -> Result<(), Problem> {
    match hub.failures.wait(address, hub.clock.monotonic()) {
        None => Ok(()),
        Some(left) => Err(Problem {
            retry_after_s: Some(left.as_secs() + 1),
            ..Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong credentials came from this address",
            )
        }),
    }
}

/// The address that the connection comes from.
pub fn peer(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip())
}

/// Whom to count failures against. A reverse proxy on this very host, or one that the configuration names, says whom it
/// speaks for; nobody else's word is taken, because it could name anybody.
pub fn client(hub: &Hub, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    behind(&hub.config.trusted_proxies, peer, headers)
}

/// The last address in the chain that no proxy of `trusted` and this host has.
fn behind(trusted: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_proxy = |address: IpAddr| {
        address.to_canonical().is_loopback() || trusted.iter().any(|net| net.contains(address))
    };
    if !is_proxy(peer) {
        return peer;
    }
    let told = headers.get_all("x-forwarded-for").iter().rev();
    let told = told.filter_map(|value| value.to_str().ok());
    let told = told.flat_map(|line| line.rsplit(',').map(str::trim));
    let mut client = peer;
    for word in told {
        let Some(address) = address_of(word) else {
            break;
        };
        client = address;
        if !is_proxy(client) {
            break;
        }
    }
    client
}

/// An address, which some proxies write with its port: `1.2.3.4:5678`, `[2001:db8::1]:5678`.
fn address_of(word: &str) -> Option<IpAddr> {
    let bare = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'));
    let with_port = || word.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    bare.unwrap_or(word).parse().ok().or_else(with_port)
}

/// Whom Grafana's proxy asks for, where it is set up to say so.
fn spoken_for(headers: &HeaderMap) -> Option<String> {
    let user = headers.get("x-grafana-user")?.to_str().ok()?.trim();
    let fits = |user: &&str| {
        (1..=USER_BYTES_MAX).contains(&user.len()) && !user.contains(char::is_control)
    };
    Some(user).filter(fits).map(str::to_owned)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(credential.trim())
}

/// The session of the built-in page: an access token in a cookie.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                name.parse::<header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_proxies_that_are_known_are_believed_about_others() {
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        let told = headers(&[("x-forwarded-for", "1.2.3.4, 5.6.7.8")]);
        let (near, far) = (ip("127.0.0.1"), ip("10.0.0.1"));
        assert_eq!(behind(&[], near, &told), ip("5.6.7.8"));
        assert_eq!(behind(&[], far, &told), far);
        assert_eq!(
            behind(&[], near, &headers(&[("x-forwarded-for", "nonsense")])),
            near
        );
        assert_eq!(behind(&[], near, &HeaderMap::new()), near);
        let trusted: [Network; 2] = ["10.0.0.0/8", "5.6.7.8/32"].map(|net| net.parse().unwrap());
        assert_eq!(behind(&trusted, far, &told), ip("1.2.3.4"));
        assert_eq!(behind(&trusted, ip("11.0.0.1"), &told), ip("11.0.0.1"));
        let twice = headers(&[
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-for", "9.9.9.9, 10.1.1.1"),
        ]);
        assert_eq!(behind(&trusted, far, &twice), ip("9.9.9.9"));
        for (word, address) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let told = headers(&[("x-forwarded-for", word)]);
            assert_eq!(behind(&[], near, &told), ip(address), "{word}");
        }
    }

    #[test]
    fn a_user_is_taken_over_as_a_name_and_nothing_else() {
        let user = |text: &'static str| spoken_for(&headers(&[("x-grafana-user", text)]));
        assert_eq!(user(" ana "), Some("ana".into()));
        assert_eq!(user(""), None);
        assert_eq!(user("a\tb"), None);
        assert_eq!(spoken_for(&HeaderMap::new()), None);
    }

    #[test]
    fn credentials_are_found_in_header_and_cookie() {
        assert_eq!(
            bearer(&headers(&[("authorization", "bearer  abc ")])),
            Some("abc")
        );
        assert_eq!(bearer(&headers(&[("authorization", "Basic abc")])), None);
        assert_eq!(
            cookie(&headers(&[("cookie", "a=b; arki_session=tok; c=d")])),
            Some("tok")
        );
        assert_eq!(cookie(&headers(&[("cookie", "xarki_session=tok")])), None);
    }
}
