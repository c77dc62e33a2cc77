//! What the two stand-ins share: an agent that speaks the real one's API and sends no packet.
//!
//! A run is a function of time: nothing ticks, so that a thousand agents cost only what they are asked.
#![allow(dead_code, reason = "each program uses a part")]

pub mod agent;
pub mod api;
pub mod ether;
pub mod figures;
pub mod run;
pub mod together;

pub use agent::{Agent, Setup};
pub use ether::Ether;

use std::time::{SystemTime, UNIX_EPOCH};

/// Wall clock, nanoseconds since 1970.
pub fn now_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}
