//! `agent token|list|revoke|rotate`.

use super::{now_s, safe, say, shown};
use crate::auth::{TOKEN_PREFIX, digest};
use crate::config::Span;
use crate::random;
use crate::store::agents::{self, Agent};
use crate::store::{Store, tokens};
use anyhow::{Context, bail};
use clap::Subcommand;
use std::sync::Arc;

/// Agents on one page of the database.
const PAGE: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a one-time token to enrol an agent; it is shown this once
    Token {
        /// How long it can be used: 30m, 1h, 2d
        #[arg(long, default_value = "1h")]
        ttl: Span,
    },
    /// List the agents
    List {
        /// As JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Revoke an agent for good: nothing of it is taken from now on
    Revoke {
        /// Its identifier, or its host's name where only one agent has it
        agent: String,
    },
    /// Make a one-time token that gives an agent its next key; the old one ends an hour after it was used
    Rotate {
        /// Its identifier, or its host's name where only one agent has it
        agent: String,
        /// How long it can be used: 30m, 1h, 2d
        #[arg(long, default_value = "1h")]
        ttl: Span,
    },
}

pub(super) async fn run(store: &Arc<dyn Store>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Token { ttl } => token(&**store, None, ttl).await,
        Command::List { json } => list(&**store, json).await,
        Command::Revoke { agent } => {
            let agent = find(&**store, &agent).await?;
            if !agents::revoke(&**store, agent.agent_no, now_s()).await? {
                bail!("{} was revoked before", safe(&agent.host));
            }
            say(&format!("{} is revoked", safe(&agent.host)))
        }
        Command::Rotate { agent, ttl } => {
            let agent = find(&**store, &agent).await?;
            if agent.revoked_at.is_some() {
                bail!("{} was revoked: enrol it anew", safe(&agent.host));
            }
            token(&**store, Some(agent.agent_no), ttl).await
        }
    }
}

async fn token(store: &dyn Store, agent_no: Option<i64>, ttl: Span) -> anyhow::Result<()> {
    let token = random::token(TOKEN_PREFIX);
    let now_s = now_s();
    tokens::create(
        store,
        digest(&token),
        agent_no,
        now_s + ttl.seconds(),
        now_s,
    )
    .await?;
    say(&token)
}

async fn list(store: &dyn Store, json: bool) -> anyhow::Result<()> {
    let mut after = 0;
    if !json {
        say(&format!(
            "{:32}  {:8}  {:20}  {:>3}  HOST",
            "AGENT", "STATE", "HEARD", "!"
        ))?;
    }
    loop {
        let page = agents::list(store, "", after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.agent_no;
        for agent in &page {
            let id = arki_model::hex::encode(&agent.agent_id);
            say(&if json {
                let (host, state, seen_at) = (&agent.host, agent.state(), agent.seen_at);
                serde_json::json!({ "id": id, "host": host, "state": state, "seen_at": seen_at })
                    .to_string()
            } else {
                let (state, seen, count) = (agent.state(), shown(agent.seen_at), agent.predictions);
                format!(
                    "{id}  {state:8}  {seen:20}  {count:>3}  {}",
                    safe(&agent.host)
                )
            })?;
        }
    }
}

async fn find(store: &dyn Store, name: &str) -> anyhow::Result<Agent> {
    if let Some(id) = arki_model::hex::decode::<16>(name)
        && let Some(agent) = agents::by_id(store, &id).await?
    {
        return Ok(agent);
    }
    let mut named = agents::list(store, name, 0, 2).await?;
    if named.len() > 1 {
        bail!(
            "several agents are called {}: give the identifier (`arki-hub agent list`)",
            safe(name)
        );
    }
    named
        .pop()
        .with_context(|| format!("no agent is called {}", safe(name)))
}
