//! Pktgen's Lua API in a sandboxed VM: a Pktgen script becomes a [`traffic::profile::Profile`] and a report
//! of what was not carried over, and why.
//!
//! Read it in the order in which a script goes through: [`import_file`] → `sandbox` (the VM and its limits) →
//! [`api`] (Pktgen's functions and their argument checks) → [`backend`] (what the functions say, as types) →
//! [`record`] (the backend that writes down instead of sending) → `lower` (what was written down, as a
//! profile). [`paired`] goes the other way: it writes the profiles of `flows generate`.
#![forbid(unsafe_code)]

pub mod answers;
pub mod api;
pub mod backend;
mod config;
pub mod counts;
mod error;
pub mod export;
pub mod files;
mod import;
mod lower;
pub mod paired;
pub mod ports;
pub mod record;
mod report;
mod sandbox;
mod session;
#[cfg(test)]
mod tests;

pub use error::{ImportError, ImportErrorKind, Limit};
pub use import::{Import, ImportOptions, MAX_SCRIPT_BYTES, import_file, import_str};
pub use lower::{Place, profile_of};
pub use report::{Note, Report, Severity};
pub use sandbox::{Limits, Sink};
pub use session::Session;
