//! Webhooks: another program asks for a run, and is told how it ended.
//!
//! ```text
//! POST /v1/hooks/sandbox   {"service": "nginx", "action": "reload", "agent": "…", "prediction": "…"}
//! X-Arki-Timestamp: <Unix seconds>
//! X-Arki-Signature: sha256=<hex of HMAC-SHA256(secret, timestamp "." body)>
//! ```
//!
//! What is posted back to the hook's `post_to` is the run as the API shows it, with the same two headers, signed with
//! the first of the hook's secrets; it goes the way of all notifications (queue, retries, address guard).
//! Invariants: a call is believed only within [`WINDOW_S`] of its timestamp and only once; signatures are compared in
//! constant time; every secret of every hook is tried, so that the time does not tell which one was close.

use super::ask::{Ask, AskError, Asker, ask};
use crate::config::sandbox::Hook;
use crate::hub::Hub;
use crate::notify::{SendError, webhook};
use crate::secret;
use crate::store::sandbox::{self, Run};
use crate::store::{Step, StoreError, queue};
use arki_model::clock::UnixSeconds;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far a call's timestamp may be off, in seconds, in both directions.
pub const WINDOW_S: i64 = 300;
/// What the channels of results are called in the queue of messages.
pub const CHANNEL: &str = "sandbox:";

/// Why a call is not taken.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// No hook is configured, a header is missing, or no secret fits. Which one is nobody's business.
    #[error(
        "the signature does not fit: send X-Arki-Timestamp and X-Arki-Signature as the documentation has them"
    )]
    Unsigned,
    /// The timestamp is too far away.
    #[error("the timestamp is more than {WINDOW_S} s off: it is now {0}")]
    Late(UnixSeconds),
    /// It came before.
    #[error("this call came before: sign it anew")]
    Again,
    /// The body is not understood.
    #[error("the body is not understood: {0}")]
    Body(String),
    /// A secret cannot be read.
    #[error("the hub cannot read a secret of its hooks; its log says why")]
    Secret,
    /// No run was made.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a call: queues the run that it asks for.
pub async fn call(
    hub: &Hub,
    timestamp: &str,
    signature: &str,
    body: &[u8],
) -> Result<Run, HookError> {
    let claimed: [u8; 32] = signature
        .strip_prefix("sha256=")
        .and_then(arki_model::hex::decode)
        .ok_or(HookError::Unsigned)?;
    let said_s: UnixSeconds = timestamp.parse().map_err(|_| HookError::Unsigned)?;
    let hook = signer(&hub.config.sandbox.hook, timestamp, &claimed, body)?;
    let hook = hook.ok_or(HookError::Unsigned)?;
    let now_s = hub.clock.now_s();
    if now_s.abs_diff(said_s) > WINDOW_S.unsigned_abs() {
        return Err(HookError::Late(now_s));
    }
    // the body first: a call that cannot be understood may be sent again, mended
    let wish: Ask = serde_json::from_slice(body).map_err(|e| HookError::Body(e.to_string()))?;
    let forget_before = now_s - 2 * WINDOW_S - 1;
    if !sandbox::remember_call(&*hub.store, claimed, now_s, forget_before).await? {
        return Err(HookError::Again);
    }
    let asker = Asker {
        owner: format!("hook:{}", hook.name),
        name: hook.name.clone(),
    };
    Ok(ask(hub, &asker, &wish).await?)
}

/// The hook one of whose secrets has signed this.
fn signer<'a>(
    hooks: &'a [Hook],
    timestamp: &str,
    claimed: &[u8; 32],
    body: &[u8],
) -> Result<Option<&'a Hook>, HookError> {
    let mut found = None;
    let mut is_unread = false;
    for hook in hooks {
        for file in &hook.secret_files {
            let secret = match secret::read(file) {
                Ok(secret) => secret,
                // while secrets are rotated one may be away: the others hold
                Err(error) => {
                    tracing::error!(hook = %hook.name, %error, "a secret of a webhook cannot be read");
                    is_unread = true;
                    continue;
                }
            };
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes())
                .expect("HMAC takes a key of any length");
            mac.update(timestamp.as_bytes());
            mac.update(b".");
            mac.update(body);
            // in constant time
            if mac.verify_slice(claimed).is_ok() {
                found = Some(hook);
            }
        }
    }
    match found {
        None if is_unread => Err(HookError::Secret),
        found => Ok(found),
    }
}

/// The step that tells the hook that asked for it how `run` ended (done, failed or cancelled); none where no hook did, or
/// where it does not want to know.
pub fn told(hub: &Hub, run: Run, now_s: UnixSeconds) -> Result<Vec<Step>, StoreError> {
    let Some(name) = run.owner.strip_prefix("hook:") else {
        return Ok(Vec::new());
    };
    let hook = hub
        .config
        .sandbox
        .hook
        .iter()
        .find(|hook| hook.name == name);
    if hook.is_none_or(|hook| hook.post_to.is_empty()) {
        return Ok(Vec::new());
    }
    let channel = format!("{CHANNEL}{name}");
    let body = serde_json::to_string(&crate::api::sandbox::show(run, true))
        .map_err(|error| StoreError::Content(error.to_string()))?;
    Ok(vec![queue::enqueue(&channel, &body, now_s)])
}

/// Posts a result that is due.
pub async fn post(hub: &Hub, name: &str, number: i64, body: &str) -> Result<(), SendError> {
    let hook = hub
        .config
        .sandbox
        .hook
        .iter()
        .find(|hook| hook.name == name);
    let gone = || SendError::Never(format!("the hook {name} is not configured any more"));
    let hook = hook.ok_or_else(gone)?;
    let target = webhook::Target {
        url: &hook.post_to,
        secret_file: hook.secret_files.first().map(std::path::PathBuf::as_path),
        allowed: &hub.config.notify.allow_networks,
    };
    webhook::post(&target, number, body.as_bytes().to_vec(), hub.clock.now_s()).await
}
