//! The pattern voter's memory of a series with a bound: which levels are known at which hour, and which
//! climbs have come and gone.

mod climbs;
mod levels;

pub use climbs::{Climb, Climbs, Ending};
pub use levels::{Known, Levels};
