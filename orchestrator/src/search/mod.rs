//! The search for the highest load that a device bears: a pure state machine. [`Machine::next`] says what to measure,
//! [`Machine::tell`] takes what came of it; nothing here knows of time, packets or pairs.
//!
//! Read it in this order: [`goal`] (what is searched) → [`grid`] (loads as steps) → [`stats`] (what trials say of a
//! load) → [`selector`] (one goal's way, after draft-ietf-bmwg-mlrsearch) → [`machine`] (all goals, and halving) →
//! [`bench`] (on real pairs).

pub mod bench;
pub mod burst;
pub mod goal;
pub mod grid;
pub mod machine;
#[cfg(test)]
mod reference;
pub mod selector;
#[cfg(test)]
mod simulated;
pub mod stats;

pub use goal::Goal;
pub use machine::{Ask, Config, Found, Machine, Method, Verdict};
pub use stats::Trial;
