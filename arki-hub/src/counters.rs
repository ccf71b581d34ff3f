//! What a hub counts about itself, for `/metrics`. Each hub has its own; Prometheus adds them up.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)*) => {
        /// Counts since the start of this hub.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[doc = $doc])+ pub $name: Counter,)* }

        impl Counters {
            /// Prometheus text (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
            pub fn text(&self) -> String {
                let mut text = String::new();
                $(
                    let (name, help) = (stringify!($name), concat!($($doc),+).trim());
                    write!(text, "# HELP arki_hub_{name} {help}\n# TYPE arki_hub_{name} counter\narki_hub_{name} {}\n", self.$name.get()).expect("a String takes everything");
                )*
                text
            }
        }
    };
}

counters! {
    /// Batches stored and acknowledged.
    batches_stored_total,
    /// Records stored for the first time.
    records_stored_total,
    /// Records that had been stored before.
    records_repeated_total,
    /// Records whose number was there with other content.
    records_conflicting_total,
    /// Batches refused: malformed, unknown agent, bad signature.
    batches_refused_total,
    /// Batches told to come later.
    batches_deferred_total,
    /// Groups committed; many batches each.
    commits_total,
    /// Samples left out because their time is out of range.
    samples_out_of_range_total,
    /// Wrong credentials.
    sign_in_failures_total,
    /// Connections accepted.
    connections_total,
    /// Connections refused because there were too many.
    connections_refused_total,
    /// Messages sent to people.
    messages_sent_total,
    /// Tries to send a message that failed.
    messages_failed_total,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
