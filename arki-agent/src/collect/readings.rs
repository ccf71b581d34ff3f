//! The readings of one pass: names and values in two buffers that are used again.
//!
//! Invariants: every name is a valid series name and is there at most once (the first value stands), every value is
//! finite, and there are at most [`READINGS_MAX`].

use arki_model::series;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// The most readings of a pass: twenty times a usual host, ten times the default limit of series.
pub const READINGS_MAX: usize = 4096;

/// What the collectors found in one pass.
#[derive(Debug, Default)]
pub struct Readings {
    /// All names, one after the other.
    names: String,
    /// Where each name ends in `names`, and its value.
    values: Vec<(usize, f64)>,
    /// Hashes of the names that are in; 64 bits, so that two names do not share one by accident.
    seen: HashSet<u64>,
    hasher: RandomState,
    dropped: usize,
}

impl Readings {
    /// Forgets the last pass, keeps the room.
    pub fn clear(&mut self) {
        self.names.clear();
        self.values.clear();
        self.seen.clear();
        self.dropped = 0;
    }

    /// Takes the value of a series without an instance. What is not a number is left out.
    pub fn put(&mut self, metric: &str, value: f64) {
        let start = self.names.len();
        self.names.push_str(metric);
        self.finish(start, value);
    }

    /// Takes the value of `metric{instance}`. What is not a number is left out.
    pub fn put_for(&mut self, metric: &str, instance: &str, value: f64) {
        let start = self.names.len();
        series::push_with_instance(&mut self.names, metric, instance);
        self.finish(start, value);
    }

    fn finish(&mut self, start: usize, value: f64) {
        let name = self.names.as_bytes().get(start..).unwrap_or_default();
        let hash = self.hasher.hash_one(name);
        if !value.is_finite() {
            self.names.truncate(start);
        } else if self.values.len() >= READINGS_MAX || !self.seen.insert(hash) {
            self.dropped += 1;
            self.names.truncate(start);
        } else {
            self.values.push((self.names.len(), value));
        }
    }

    /// Every name with its value, in the order in which they were put.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        let mut start = 0;
        self.values.iter().map(move |&(end, value)| {
            let name = self.names.get(start..end).unwrap_or("");
            start = end;
            (name, value)
        })
    }

    /// The value of the series called `name` in this pass.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter()
            .find(|&(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True when nothing was read.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many were turned away because their name was there already or [`READINGS_MAX`] was reached.
    pub fn dropped(&self) -> usize {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_come_back_in_order_and_the_buffers_are_used_again() {
        let mut readings = Readings::default();
        readings.put("load.per_core", 0.5);
        readings.put_for("disk.used_percent", "/var", 40.0);
        let all: Vec<_> = readings.iter().collect();
        assert_eq!(
            all,
            [("load.per_core", 0.5), ("disk.used_percent{/var}", 40.0)]
        );
        readings.clear();
        assert!(readings.is_empty());
        readings.put("load.per_core", 0.25);
        assert_eq!(readings.get("load.per_core"), Some(0.25));
    }

    #[test]
    fn what_is_no_number_or_there_twice_is_left_out() {
        let mut readings = Readings::default();
        readings.put("a", f64::NAN);
        readings.put("a", f64::INFINITY);
        readings.put_for("b", "/x\n", 1.0);
        readings.put_for("b", "/x?", 2.0);
        assert_eq!(readings.iter().collect::<Vec<_>>(), [("b{/x?}", 1.0)]);
        assert_eq!(readings.dropped(), 1);
    }

    #[test]
    fn there_is_a_limit() {
        let mut readings = Readings::default();
        for number in 0..READINGS_MAX + 10 {
            readings.put_for("x", &number.to_string(), 0.0);
        }
        assert_eq!((readings.len(), readings.dropped()), (READINGS_MAX, 10));
    }
}
