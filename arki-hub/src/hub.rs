//! What every part of a running hub shares.

use crate::auth::{failures::Failures, jwt::Jwt};
use crate::config::Config;
use crate::counters::Counters;
use crate::random;
use crate::sandbox::profile::ProfileError;
use crate::sandbox::profiles::Profiles;
use crate::store::{Store, StoreError, settings};
use arki_model::clock::Clock;
use arki_model::signature::PrivateKey;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Notify;

/// A clock that all tasks can ask.
pub type SharedClock = Arc<dyn Clock + Send + Sync>;

/// A running hub.
pub struct Hub {
    /// Its configuration.
    pub config: Config,
    /// Where everything is stored.
    pub store: Arc<dyn Store>,
    /// Its clock.
    pub clock: SharedClock,
    /// Access tokens.
    pub jwt: Jwt,
    /// The key with which it signs receipts; all hubs on one database have the same.
    pub key: PrivateKey,
    /// What can be tried in the sandbox.
    pub profiles: Profiles,
    /// Told when this hub has queued a run, so that a runner in it need not look first.
    pub run_queued: Notify,
    /// Wrong credentials of the last minute.
    pub failures: Failures,
    /// What it counts about itself.
    pub counters: Counters,
}

/// Why a hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The store did not give its secrets.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A profile of the sandbox is not understood.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub over `store`; makes the secrets that all hubs share if this is the first.
    pub async fn new(
        config: Config,
        store: Arc<dyn Store>,
        clock: SharedClock,
    ) -> Result<Arc<Self>, HubError> {
        let profiles = Profiles::load(&config.sandbox.profiles)?;
        let secret = settings::get_or_make(&*store, "jwt_secret", &random::bytes::<32>()).await?;
        let key = own_key(&*store).await?;
        Ok(Arc::new(Self {
            jwt: Jwt::new(&secret),
            key,
            profiles,
            run_queued: Notify::new(),
            failures: Failures::new(config.limits.sign_in_failures_per_minute),
            counters: Counters::default(),
            config,
            store,
            clock,
        }))
    }
}

/// The key of all hubs on this database; made if this is the first time that it is asked for.
pub async fn own_key(store: &dyn Store) -> Result<PrivateKey, StoreError> {
    let seed = settings::get_or_make(store, "hub_key", &random::bytes::<32>()).await?;
    let wrong = |_| StoreError::Content("the hub's key has no 32 bytes".into());
    Ok(PrivateKey::from_seed(&seed.try_into().map_err(wrong)?))
}
