//! Sending: pools of ready frames, and the loop that patches and sends them.

pub mod back;
pub mod fill;
pub mod replay;
pub mod source;
pub mod worker;

pub use back::{Back, Drain, RoundTrip};
pub use replay::Replayed;
pub use source::{Plain, Source, Streams};
pub use worker::{TxOutcome, TxWorker};
