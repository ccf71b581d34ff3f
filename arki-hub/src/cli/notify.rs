//! `notify test`: one message to every channel, now.

use super::{now_s, say};
use crate::config::Config;
use crate::hub::Hub;
use crate::notify;
use crate::notify::message::Message;
use anyhow::bail;
use arki_model::clock::SystemClock;
use clap::Subcommand;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send one message to every channel and say how it went
    Test,
}

pub(super) async fn run(config: Config, command: Command) -> anyhow::Result<()> {
    let Command::Test = command;
    let channels = config.notify.channels();
    if channels.is_empty() {
        bail!("no channel is configured: see [notify] in the configuration");
    }
    let store = super::open(&config).await?;
    let hub = Hub::new(config, store, Arc::new(SystemClock::new())).await?;
    let message = Message::test(&hub, now_s());
    let mut failed = 0;
    for channel in &channels {
        match notify::send(&hub, channel, 0, &message).await {
            Ok(()) => say(&format!("{channel}: sent"))?,
            Err(error) => {
                failed += 1;
                say(&super::safe(&format!("{channel}: NOT sent: {error}")))?;
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} channels do not work", channels.len());
    }
    Ok(())
}
