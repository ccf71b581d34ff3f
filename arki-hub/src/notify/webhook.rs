//! Webhooks: the message as JSON, signed.
//!
//! ```text
//! X-Arki-Timestamp: <Unix seconds>
//! X-Arki-Signature: sha256=<hex of HMAC-SHA256(secret, timestamp "." body)>
//! X-Arki-Delivery:  <the message's number: the same for every try, so that a listener can tell a repetition>
//! ```

use super::SendError;
use super::address::Network;
use super::http;
use super::message::Message;
use crate::config::notify::Webhook;
use crate::secret;
use arki_model::clock::UnixSeconds;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::path::Path;

/// Where something is posted to.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// The address.
    pub(crate) url: &'a str,
    /// A file that holds the key of the HMAC; without one it is not signed.
    pub(crate) secret_file: Option<&'a Path>,
    /// The hub's own networks that the target may be in.
    pub(crate) allowed: &'a [Network],
}

/// Sends one message.
pub(super) async fn send(
    hook: &Webhook,
    allowed: &[Network],
    number: i64,
    message: &Message,
    now_s: UnixSeconds,
) -> Result<(), SendError> {
    let body = serde_json::to_vec(message).map_err(|error| SendError::Never(error.to_string()))?;
    let file = Some(hook.secret_file.as_path()).filter(|file| !file.as_os_str().is_empty());
    let target = Target {
        url: &hook.url,
        secret_file: file,
        allowed,
    };
    post(&target, number, body, now_s).await
}

/// Posts `body`, a JSON document.
pub(crate) async fn post(
    target: &Target<'_>,
    number: i64,
    body: Vec<u8>,
    now_s: UnixSeconds,
) -> Result<(), SendError> {
    let url =
        reqwest::Url::parse(target.url).map_err(|error| SendError::Never(error.to_string()))?;
    let client = http::client(&url, target.allowed).await?;
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .header(
            "user-agent",
            concat!("arki-hub/", env!("CARGO_PKG_VERSION")),
        )
        .header("x-arki-timestamp", now_s)
        .header("x-arki-delivery", number);
    if let Some(file) = target.secret_file {
        let secret = secret::read(file).map_err(SendError::Again)?;
        request = request.header("x-arki-signature", signature(secret.reveal(), now_s, &body));
    }
    http::deliver(request.body(body)).await
}

/// What stands in `X-Arki-Signature`.
pub fn signature(secret: &str, now_s: UnixSeconds, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("{now_s}.").as_bytes());
    mac.update(body);
    format!(
        "sha256={}",
        arki_model::hex::encode(&mac.finalize().into_bytes())
    )
}
