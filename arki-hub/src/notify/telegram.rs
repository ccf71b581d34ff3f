//! Telegram: `sendMessage` of the Bot API (<https://core.telegram.org/bots/api#sendmessage>), as plain text, so that
//! nothing in a host's name is markup.

use super::SendError;
use super::address::Network;
use super::http;
use super::message::Message;
use crate::config::notify::Telegram;
use crate::secret;
use serde_json::json;

/// The API's limit, in UTF-16 code units; ASCII and most else is one.
const TEXT_CHARS_MAX: usize = 4_000;

/// Sends one message.
pub(super) async fn send(
    telegram: &Telegram,
    allowed: &[Network],
    message: &Message,
) -> Result<(), SendError> {
    let token = secret::read(&telegram.token_file).map_err(SendError::Again)?;
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    if !token.reveal().chars().all(well_formed) {
        let file = telegram.token_file.display();
        return Err(SendError::Never(format!(
            "{file} holds no bot token (123456:ABC…)"
        )));
    }
    let base = telegram.url.trim_end_matches('/');
    // not into the error: it would show the token
    let url = reqwest::Url::parse(&format!("{base}/bot{}/sendMessage", token.reveal()))
        .map_err(|_| SendError::Never("notify.telegram.url is no address".into()))?;
    let text: String = format!("{}\n\n{}", message.title, message.text)
        .chars()
        .take(TEXT_CHARS_MAX)
        .collect();
    let body = json!({ "chat_id": telegram.chat, "text": text, "link_preview_options": { "is_disabled": true } });
    let client = http::client(&url, allowed).await?;
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .body(body.to_string());
    http::deliver(request).await
}
