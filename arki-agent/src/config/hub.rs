//! `[hub]`: where the hub is and what may wait for it.

use crate::outbox;
use crate::ship::Endpoint;
use serde::Deserialize;
use std::path::PathBuf;

/// The smallest spool: what an hour of a storm of events takes.
const OUTBOX_BYTES_MIN: u64 = 1024 * 1024;

/// The way to the hub. An agent that was never enrolled (`arki-agent enroll`) ships nothing, whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HubSettings {
    /// Its address; empty means the one that this agent was enrolled at.
    pub url: String,
    /// A PEM file of the certificates to believe; empty means those of the system.
    pub ca_file: String,
    /// The most bytes that may wait for the hub.
    pub outbox_bytes_max: u64,
}

impl Default for HubSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            ca_file: String::new(),
            outbox_bytes_max: outbox::BYTES_MAX,
        }
    }
}

impl HubSettings {
    /// The file of certificates, if one is named.
    pub fn ca_file(&self) -> Option<PathBuf> {
        (!self.ca_file.is_empty()).then(|| PathBuf::from(&self.ca_file))
    }

    /// The key, what is there and what is allowed of the first bad value.
    pub(super) fn check(&self) -> Result<(), (String, String, String)> {
        if !self.url.is_empty() {
            Endpoint::parse(&self.url).map_err(|error| {
                (
                    "hub.url".to_owned(),
                    format!("{:?}", self.url),
                    error.to_string(),
                )
            })?;
        }
        if !self.ca_file.is_empty() && !self.ca_file.starts_with('/') {
            let found = format!("{:?}", self.ca_file);
            return Err((
                "hub.ca_file".to_owned(),
                found,
                "an absolute path".to_owned(),
            ));
        }
        if self.outbox_bytes_max < OUTBOX_BYTES_MIN {
            let allowed = format!("a number of at least {OUTBOX_BYTES_MIN}");
            return Err((
                "hub.outbox_bytes_max".to_owned(),
                self.outbox_bytes_max.to_string(),
                allowed,
            ));
        }
        Ok(())
    }
}
