//! Telling people: from alerts to messages, and from the queue out of the house.
//!
//! ```text
//! alert (pending) -> group -> one message a channel, queued in the same transaction -> sender of the channel
//! ```
//!
//! A channel has a sender of its own, which waits for nobody: a channel that is dead holds up neither the other ones nor
//! the making of messages. Both halves only talk to the database, so any number of hubs share the work and none of it stops ingest. Every
//! try has a limit of time; what fails is tried again less and less often; what can never succeed is given up and
//! shown.

use crate::hub::Hub;
use crate::sandbox::hook;
use crate::store::{StoreError, alerts, queue};
use message::Message;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub mod address;
pub mod http;
pub mod message;
pub mod smtp;
pub mod telegram;
pub mod webhook;

/// How often is looked for something to do.
const LOOK: Duration = Duration::from_secs(2);
/// For one try, all in all: connecting, TLS, talking.
const TRY_TIME: Duration = Duration::from_secs(30);
/// An error's text that is kept with the message, in bytes.
const ERROR_BYTES_MAX: usize = 500;

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Another try may help.
    #[error("{0}")]
    Again(String),
    /// No try will help before somebody changes something.
    #[error("{0}")]
    Never(String),
}

/// Does what is to be done until `stop` turns true; a try that is under way then is finished ([`TRY_TIME`]).
pub async fn run(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) {
    let senders: Vec<_> = channels(&hub)
        .into_iter()
        .map(|channel| tokio::spawn(sender(Arc::clone(&hub), channel, stop.clone())))
        .collect();
    loop {
        let made = async {
            while group(&hub).await? {}
            Ok::<_, StoreError>(())
        };
        if let Err(error) = made.await {
            tracing::warn!(%error, "notifications wait for the database");
        }
        if pause(&mut stop).await {
            break;
        }
    }
    for sender in senders {
        if let Err(error) = sender.await {
            tracing::error!(%error, "the sender of a channel ended before its time");
        }
    }
}

/// One round, for tests: all groups that are due become messages, all messages that are due are tried once.
#[cfg(test)]
pub(crate) async fn work(hub: &Arc<Hub>) -> Result<(), StoreError> {
    while group(hub).await? {}
    let (_going, stop) = watch::channel(false);
    for channel in channels(hub) {
        drain(hub, &channel, &stop).await?;
    }
    Ok(())
}

/// All channels that have a queue.
fn channels(hub: &Hub) -> Vec<String> {
    let results = hub.config.sandbox.channels();
    hub.config
        .notify
        .channels()
        .into_iter()
        .chain(results)
        .collect()
}

/// Sends to one channel until `stop` turns true.
async fn sender(hub: Arc<Hub>, channel: String, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = drain(&hub, &channel, &stop).await {
            tracing::warn!(%error, %channel, "a channel waits for the database");
        }
        if pause(&mut stop).await {
            return;
        }
    }
}

/// Waits for the next look; true if there is none.
async fn pause(stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(LOOK) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}

/// Turns one group of alerts into messages; false if none is due.
async fn group(hub: &Hub) -> Result<bool, StoreError> {
    let now_s = hub.clock.now_s();
    let taken = alerts::take_group(&*hub.store, now_s).await?;
    if taken.is_empty() {
        return Ok(false);
    }
    let channels = hub.config.notify.channels();
    if channels.is_empty() {
        let steps = alerts::settle(&taken, Err("no channel is configured under [notify]"));
        hub.store.transact(&steps).await?;
        return Ok(true);
    }
    let message = Message::about(hub, &taken, now_s).await?;
    let body =
        serde_json::to_string(&message).map_err(|error| StoreError::Content(error.to_string()))?;
    let mut steps = alerts::settle(&taken, Ok(message.hosts.len() as i64));
    steps.extend(
        channels
            .iter()
            .map(|channel| queue::enqueue(channel, &body, now_s)),
    );
    hub.store.transact(&steps).await?;
    Ok(true)
}

/// Sends what is due to one channel, within its rate.
async fn drain(hub: &Hub, channel: &str, stop: &watch::Receiver<bool>) -> Result<(), StoreError> {
    while !*stop.borrow() {
        let now_s = hub.clock.now_s();
        let sent = queue::sent_last_hour(&*hub.store, channel, now_s).await?;
        if sent >= i64::from(hub.config.notify.messages_per_hour) {
            return Ok(());
        }
        let Some(taken) = queue::take(&*hub.store, channel, now_s).await? else {
            return Ok(());
        };
        one(hub, &taken).await?;
    }
    Ok(())
}

async fn one(hub: &Hub, taken: &queue::Message) -> Result<(), StoreError> {
    let result = match taken.channel.strip_prefix(hook::CHANNEL) {
        Some(name) => in_time(hook::post(hub, name, taken.message_no, &taken.body)).await,
        None => match serde_json::from_str::<Message>(&taken.body) {
            Ok(message) => send(hub, &taken.channel, taken.message_no, &message).await,
            Err(error) => Err(SendError::Never(format!(
                "the message in the queue is broken: {error}"
            ))),
        },
    };
    // after the try, which may have taken its whole time: the pause begins now
    let now_s = hub.clock.now_s();
    match result {
        Ok(()) => {
            hub.counters.messages_sent_total.add(1);
            queue::sent(&*hub.store, taken.message_no, now_s).await
        }
        Err(error) => {
            hub.counters.messages_failed_total.add(1);
            let text = shortened(&error.to_string());
            tracing::warn!(channel = %taken.channel, attempt = taken.attempts, error = ?text, "a message was not sent");
            let is_final = matches!(error, SendError::Never(_));
            queue::failed(&*hub.store, taken, &text, is_final, now_s).await
        }
    }
}

/// Sends one message to one channel, now.
pub async fn send(
    hub: &Hub,
    channel: &str,
    number: i64,
    message: &Message,
) -> Result<(), SendError> {
    let notify = &hub.config.notify;
    let gone = || SendError::Never(format!("the channel {channel} is not configured any more"));
    let trial = async {
        match channel {
            "smtp" => smtp::send(notify.smtp.as_ref().ok_or_else(gone)?, number, message).await,
            "telegram" => {
                telegram::send(
                    notify.telegram.as_ref().ok_or_else(gone)?,
                    &notify.allow_networks,
                    message,
                )
                .await
            }
            _ => {
                let name = channel.strip_prefix("webhook:").unwrap_or_default();
                let hook = notify
                    .webhook
                    .iter()
                    .find(|hook| hook.name == name)
                    .ok_or_else(gone)?;
                let now_s = hub.clock.now_s();
                webhook::send(hook, &notify.allow_networks, number, message, now_s).await
            }
        }
    };
    in_time(trial).await
}

async fn in_time(trial: impl Future<Output = Result<(), SendError>>) -> Result<(), SendError> {
    let late = || SendError::Again(format!("took longer than {} s", TRY_TIME.as_secs()));
    tokio::time::timeout(TRY_TIME, trial)
        .await
        .map_err(|_| late())?
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(ERROR_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end)
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
