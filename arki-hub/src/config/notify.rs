//! Who is told, and how: `[notify]`, `[notify.smtp]`, `[notify.telegram]`, `[[notify.webhook]]`.

use super::ConfigError;
use crate::notify::address::Network;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Webhooks at most: each message is queued once for each.
const WEBHOOKS_MAX: usize = 16;
/// Mail recipients at most.
const RECIPIENTS_MAX: usize = 64;

/// Who is told, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// Messages at most in one hour to one channel; the next ones wait.
    pub messages_per_hour: u32,
    /// The hub's own networks that targets may be in: `["10.1.0.0/16"]`. By default no target may resolve
    /// to a loopback, private, link-local or otherwise special address.
    pub allow_networks: Vec<Network>,
    /// Mail.
    pub smtp: Option<Smtp>,
    /// Telegram.
    pub telegram: Option<Telegram>,
    /// Any HTTP listener.
    pub webhook: Vec<Webhook>,
}

/// Mail by SMTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The mail server's name.
    pub host: String,
    /// Its port; by default 587 for `starttls`, 465 for `tls`, 25 for `none`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is secured.
    #[serde(default)]
    pub security: SmtpSecurity,
    /// The account, where the server wants one.
    #[serde(default)]
    pub user: String,
    /// A file that holds its password.
    #[serde(default)]
    pub password_file: PathBuf,
    /// The sender: `Arki <arki@example.org>`.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

/// How a connection to a mail server is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// Plain first, then TLS; refused where the server has none.
    #[default]
    Starttls,
    /// TLS from the start.
    Tls,
    /// Not at all: for a relay on this very host.
    None,
}

/// A Telegram bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telegram {
    /// A file that holds the bot's token.
    pub token_file: PathBuf,
    /// The chat that is written to: a number or `@channel`.
    pub chat: String,
    /// Where the Bot API is; another one for a server of your own.
    #[serde(default = "telegram_url")]
    pub url: String,
}

fn telegram_url() -> String {
    "https://api.telegram.org".into()
}

/// An HTTP listener that gets one JSON document a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// What it is called in the queue and in logs.
    pub name: String,
    /// Where to.
    pub url: String,
    /// A file that holds the key of the HMAC; empty means unsigned.
    #[serde(default)]
    pub secret_file: PathBuf,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            messages_per_hour: 60,
            allow_networks: Vec::new(),
            smtp: None,
            telegram: None,
            webhook: Vec::new(),
        }
    }
}

impl Notify {
    /// The channels' names, as they stand in the queue.
    pub fn channels(&self) -> Vec<String> {
        let smtp = self.smtp.iter().map(|_| "smtp".to_owned());
        let telegram = self.telegram.iter().map(|_| "telegram".to_owned());
        let webhooks = self
            .webhook
            .iter()
            .map(|hook| format!("webhook:{}", hook.name));
        smtp.chain(telegram).chain(webhooks).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, reason: String| Err(ConfigError::Value { key, reason });
        if self.messages_per_hour == 0 {
            return wrong("notify.messages_per_hour", "give at least 1".into());
        }
        if let Some(smtp) = &self.smtp {
            if smtp.to.is_empty() || smtp.to.len() > RECIPIENTS_MAX {
                return wrong(
                    "notify.smtp.to",
                    format!("give 1 to {RECIPIENTS_MAX} addresses"),
                );
            }
            for address in smtp.to.iter().chain([&smtp.from]) {
                if let Err(error) = address.parse::<lettre::message::Mailbox>() {
                    return wrong(
                        "notify.smtp",
                        format!("{address:?} is no mail address: {error}"),
                    );
                }
            }
        }
        if self.webhook.len() > WEBHOOKS_MAX {
            return wrong("notify.webhook", format!("at most {WEBHOOKS_MAX}"));
        }
        let mut names: Vec<&str> = self.webhook.iter().map(|hook| hook.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != self.webhook.len() || names.contains(&"") {
            return wrong(
                "notify.webhook",
                "every webhook needs a name of its own".into(),
            );
        }
        let telegram = self.telegram.iter().map(|telegram| &telegram.url);
        for url in self.webhook.iter().map(|hook| &hook.url).chain(telegram) {
            let parsed = reqwest::Url::parse(url);
            if !parsed.is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host()) {
                return wrong(
                    "notify",
                    format!("{url:?} is no http:// or https:// address"),
                );
            }
        }
        Ok(())
    }
}
