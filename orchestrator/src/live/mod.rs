//! Pktgen scripts on a pair: `lua run`. Port 0 is the sender, port 1 the receiver.
//!
//! The script runs on a thread of its own, in `lua-compat`'s sandbox; its calls become orders ([`backend`]) to the task
//! that speaks with the agents ([`drive`]). A `start` is a run of both ends as a trial has one, followed to its end in
//! the same way; what the agents' samples say is kept as Pktgen's counters ([`books`]).

pub mod backend;
pub mod books;
pub mod drive;
pub mod error;
pub mod script;
pub mod shared;

pub use error::LiveError;
pub use script::{Outcome, Script, run};
