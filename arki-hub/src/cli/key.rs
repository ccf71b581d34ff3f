//! `key create|list|revoke`.

use super::{now_s, safe, say, shown};
use crate::auth::{KEY_PREFIX, Scope, digest};
use crate::config::Span;
use crate::random;
use crate::store::{Store, keys};
use anyhow::bail;
use clap::Subcommand;
use std::sync::Arc;

/// Keys on one page of the database.
const PAGE: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an API key; it is shown this once
    Create {
        /// What it is for: grafana, ops
        name: String,
        /// read, sandbox or admin
        #[arg(long, default_value = "read")]
        scope: Scope,
        /// When it ends by itself: 30d [default: when it is revoked]
        #[arg(long)]
        ttl: Option<Span>,
    },
    /// List the keys
    List,
    /// Revoke a key, and every access token got with it
    Revoke {
        /// Its number, as listed
        key: i64,
    },
}

pub(super) async fn run(store: &Arc<dyn Store>, command: Command) -> anyhow::Result<()> {
    let now_s = now_s();
    match command {
        Command::Create { name, scope, ttl } => {
            if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
                bail!("a key's name has 1 to 100 bytes and no control characters");
            }
            let key = random::token(KEY_PREFIX);
            let ends = ttl.map(|ttl| now_s + ttl.seconds());
            keys::create(&**store, digest(&key), (&name, scope), ends, now_s).await?;
            say(&key)
        }
        Command::List => {
            say(&format!(
                "{:>5}  {:7}  {:20}  {:20}  {:20}  NAME",
                "KEY", "SCOPE", "CREATED", "ENDS", "REVOKED"
            ))?;
            let mut after = 0;
            loop {
                let page = keys::list(&**store, after, PAGE).await?;
                let Some(last) = page.last() else {
                    return Ok(());
                };
                after = last.key_no;
                for key in &page {
                    let (created, ends, revoked) = (
                        shown(Some(key.created_at)),
                        shown(key.expires_at),
                        shown(key.revoked_at),
                    );
                    let scope = key.scope.to_string();
                    say(&format!(
                        "{:>5}  {scope:7}  {created:20}  {ends:20}  {revoked:20}  {}",
                        key.key_no,
                        safe(&key.name)
                    ))?;
                }
            }
        }
        Command::Revoke { key } => {
            if !keys::revoke(&**store, key, now_s).await? {
                bail!("there is no key {key} that still opens something");
            }
            say(&format!("key {key} is revoked"))
        }
    }
}
