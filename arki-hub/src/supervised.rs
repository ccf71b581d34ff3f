//! Tells systemd how the hub is (`sd_notify(3)`): ready, alive, ending. Silent where no manager asks.
//!
//! Alive means that the runtime still schedules. The database is not part of it: a hub whose database is away answers
//! 503, and starting it again would not bring the database back.

use sd_notify::NotifyState;
use tokio::sync::watch;

/// Serving.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// About to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that the hub is alive, twice as often as the manager wants to hear it, until `stopped`.
pub async fn alive(mut stopped: watch::Receiver<bool>) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval(patience / 2);
    loop {
        tokio::select! {
            _ = ticks.tick() => tell(&[NotifyState::Watchdog]),
            _ = stopped.changed() => return,
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "cannot tell the service manager");
    }
}
