//! Sending: pools of ready frames, and the loop that patches and sends them.

pub mod back;
pub mod fill;
pub mod worker;

pub use back::Back;
pub use worker::{TxOutcome, TxWorker};
