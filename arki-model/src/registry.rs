//! The series of a host: names to small numbers, with a limit.

use crate::clock::UnixSeconds;
use crate::series::{NameError, SeriesName};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A series' number on this host. Reused after the series has been gone for [`FORGET_AFTER_S`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeriesId(pub u16);

impl SeriesId {
    /// As an index into per-series tables.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A series that has not been seen for eight days is forgotten: a weekly job's device has come back by then.
pub const FORGET_AFTER_S: i64 = 8 * 86_400;

/// With all numbers in use, one of a series that has not been seen for an hour is given to a new one: what comes and
/// goes (volumes of pods, devices of jobs) must not keep out what stays.
const RECLAIM_AFTER_S: i64 = 3_600;

/// Why a series was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The limit of the configuration.
    #[error("series limit of {limit} reached: {name} is not watched (raise `series_max`)")]
    Full {
        /// The limit.
        limit: usize,
        /// The series that was turned away.
        name: String,
    },
    /// Not a name.
    #[error(transparent)]
    Name(#[from] NameError),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Slot {
    name: Option<String>,
    seen_at: UnixSeconds,
}

/// Names to numbers and back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Registry {
    slots: Vec<Slot>,
    by_name: HashMap<String, SeriesId>,
    limit: usize,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    slots: Vec<Slot>,
    limit: usize,
}

impl From<Saved> for Registry {
    fn from(saved: Saved) -> Self {
        let by_name = (0_u16..)
            .zip(&saved.slots)
            .filter_map(|(id, slot)| Some((slot.name.clone()?, SeriesId(id))))
            .collect();
        Self {
            slots: saved.slots,
            by_name,
            limit: saved.limit,
        }
    }
}

impl From<Registry> for Saved {
    fn from(registry: Registry) -> Self {
        Self {
            slots: registry.slots,
            limit: registry.limit,
        }
    }
}

impl Registry {
    /// An empty registry for at most `limit` series (never more than 65,536).
    pub fn new(limit: usize) -> Self {
        Self {
            slots: Vec::new(),
            by_name: HashMap::new(),
            limit: limit.min(1 << 16),
        }
    }

    /// Sets how many series there may be; those that are known stay.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(1 << 16);
    }

    /// Moves the times of all series by `delta_s`: the wall clock was set.
    pub fn shift(&mut self, delta_s: i64) {
        for slot in &mut self.slots {
            slot.seen_at = slot.seen_at.saturating_add(delta_s);
        }
    }

    /// The number of the series called `name`; a new one gets the first free number.
    pub fn id_of(&mut self, name: &str, now_s: UnixSeconds) -> Result<SeriesId, RegistryError> {
        if let Some(&id) = self.by_name.get(name) {
            self.slots[id.index()].seen_at = now_s;
            return Ok(id);
        }
        SeriesName::new(name)?;
        let free = self.slots.iter().position(|slot| slot.name.is_none());
        let index = free.unwrap_or(self.slots.len());
        if index >= self.limit {
            return Err(RegistryError::Full {
                limit: self.limit,
                name: name.to_owned(),
            });
        }
        let slot = Slot {
            name: Some(name.to_owned()),
            seen_at: now_s,
        };
        if index == self.slots.len() {
            self.slots.push(slot);
        } else {
            self.slots[index] = slot;
        }
        let id = SeriesId(index as u16);
        self.by_name.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Frees the number of the series that was last seen longest ago, if that is more than an hour; for when there is no
    /// room left. What else is known of it is to be dropped.
    pub fn reclaim(&mut self, now_s: UnixSeconds) -> Option<SeriesId> {
        let used = (0_u16..)
            .zip(&mut self.slots)
            .filter(|(_, slot)| slot.name.is_some());
        let (id, slot) = used.min_by_key(|(_, slot)| slot.seen_at)?;
        if now_s - slot.seen_at <= RECLAIM_AFTER_S {
            return None;
        }
        self.by_name.remove(&slot.name.take()?);
        Some(SeriesId(id))
    }

    /// Notes that `id` was read at `now_s`.
    pub fn seen(&mut self, id: SeriesId, now_s: UnixSeconds) {
        if let Some(slot) = self.slots.get_mut(id.index()) {
            slot.seen_at = now_s;
        }
    }

    /// The number of the series called `name`, if it is known.
    pub fn find(&self, name: &str) -> Option<SeriesId> {
        self.by_name.get(name).copied()
    }

    /// The name of `id`; empty for a number that is not in use.
    pub fn name(&self, id: SeriesId) -> &str {
        self.slots
            .get(id.index())
            .and_then(|slot| slot.name.as_deref())
            .unwrap_or("")
    }

    /// Every series in use.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesId, &str)> {
        (0_u16..)
            .zip(&self.slots)
            .filter_map(|(id, slot)| Some((SeriesId(id), slot.name.as_deref()?)))
    }

    /// How many series are in use.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// True before the first series.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Frees the numbers of the series that were last seen more than [`FORGET_AFTER_S`] ago, and returns them.
    pub fn forget_before(&mut self, now_s: UnixSeconds) -> Vec<SeriesId> {
        let mut gone = Vec::new();
        for (id, slot) in (0_u16..).zip(&mut self.slots) {
            if slot.name.is_some() && now_s - slot.seen_at > FORGET_AFTER_S {
                if let Some(name) = slot.name.take() {
                    self.by_name.remove(&name);
                }
                gone.push(SeriesId(id));
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_names_the_series_and_what_to_do() {
        let mut registry = Registry::new(2);
        registry.id_of("a", 0).unwrap();
        registry.id_of("b", 0).unwrap();
        let error = registry.id_of("c", 0).unwrap_err().to_string();
        assert!(
            error.contains("limit of 2") && error.contains("series_max") && error.contains('c')
        );
        assert_eq!(registry.id_of("a", 1).unwrap(), SeriesId(0));
    }

    #[test]
    fn without_room_what_was_seen_longest_ago_gives_way() {
        let mut registry = Registry::new(2);
        registry.id_of("pod", 0).unwrap();
        registry.id_of("root", 0).unwrap();
        registry.id_of("root", RECLAIM_AFTER_S).unwrap();
        assert_eq!(registry.reclaim(RECLAIM_AFTER_S), None);
        assert_eq!(registry.reclaim(RECLAIM_AFTER_S + 1), Some(SeriesId(0)));
        assert_eq!(registry.id_of("new", RECLAIM_AFTER_S + 1), Ok(SeriesId(0)));
        assert_eq!((registry.find("pod"), registry.len()), (None, 2));
    }

    #[test]
    fn a_number_is_reused_once_its_series_is_long_gone() {
        let mut registry = Registry::new(2);
        registry.id_of("usb", 0).unwrap();
        registry.id_of("root", FORGET_AFTER_S).unwrap();
        assert_eq!(registry.forget_before(FORGET_AFTER_S + 1), [SeriesId(0)]);
        assert_eq!(
            registry.id_of("new", FORGET_AFTER_S + 1).unwrap(),
            SeriesId(0)
        );
        let saved: Registry =
            rmp_serde::from_slice(&rmp_serde::to_vec(&registry).unwrap()).unwrap();
        assert_eq!(saved.find("root"), Some(SeriesId(1)));
    }
}
