//! HTTP to targets that an operator named: no redirect, no proxy, no address inside the hub's own network, answers
//! read up to a limit and never believed.

use super::SendError;
use super::address::{self, Network};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use std::time::Duration;

/// For connecting and the TLS handshake.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A client for `url` alone: connected to the very addresses that were judged.
pub(super) async fn client(url: &Url, allowed: &[Network]) -> Result<Client, SendError> {
    let never = |why: String| SendError::Never(why);
    let host = url
        .host_str()
        .ok_or_else(|| never("the address names no host".into()))?;
    let port = url
        .port_or_known_default()
        .ok_or_else(|| never("the address names no port".into()))?;
    let addresses = address::resolve(host, port, allowed)
        .await
        .map_err(|error| match error {
            address::AddressError::Inside { .. } => SendError::Never(error.to_string()),
            address::AddressError::Unknown { .. } => SendError::Again(error.to_string()),
        })?;
    let tls = crate::tls::client().map_err(never)?;
    Client::builder()
        .tls_backend_preconfigured(tls)
        .resolve_to_addrs(host, &addresses)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME)
        .build()
        .map_err(|error| never(error.to_string()))
}

/// Sends `request`. 2xx is done; what says "later" or breaks is tried again; what says "no" is not.
pub(super) async fn deliver(request: RequestBuilder) -> Result<(), SendError> {
    // the address may hold a secret (a bot's token): it never goes into an error
    let response = request
        .send()
        .await
        .map_err(|error| SendError::Again(plain(&error.without_url())))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let said = format!("the other side answered {status}");
    let again = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::CONFLICT,
    ];
    if status.is_server_error() || again.contains(&status) {
        return Err(SendError::Again(said));
    }
    if status.is_redirection() {
        return Err(SendError::Never(format!(
            "{said}: redirects are not followed, give the final address"
        )));
    }
    Err(SendError::Never(said))
}

/// The error with its causes, which reqwest does not show by itself.
fn plain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
