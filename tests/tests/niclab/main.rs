//! In a guest with emulated NICs: `make niclab` starts it, and runs these tests one at a time.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bare;
mod drivers;
mod exchange;
mod faults;
mod functions;
mod limits;
mod links;
mod trials;
mod two_mib;
