//! From settings to outcomes: one trial on all pairs of a lab.

mod blame;
pub mod error;
#[cfg(test)]
pub mod fixture;
pub mod interrupt;
pub mod measure;
pub mod orphans;
pub mod outcome;
pub mod phases;
pub mod pod_orphans;
pub mod prepare;
pub mod progress;
pub mod recover;
pub mod specs;
pub mod steer;
mod suspects;
pub mod warmup;
pub mod whole;

pub use error::TrialError;
pub use interrupt::Interrupt;
pub use outcome::{PairOutcome, Record, SideOutcome, SideRecord, Status, Timing};
pub use progress::Progress;
pub use whole::whole;
