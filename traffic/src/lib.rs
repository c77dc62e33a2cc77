//! The vocabulary that the dataplane, the orchestrator and the Lua importer share.
//!
//! Pure Rust: no DPDK, no async, no I/O but reading a profile and writing a pcap. Read it in the order in which
//! the data flows: [`profile`] (what the user says) → [`plan`] (checked and compiled) → [`shard`] (one worker's
//! part) → [`cursor`], [`mixed`] (the next values) → [`frame`] (bytes) → [`stamp`] (the in-payload mark) → [`account`]
//! (what the receiver makes of it) → [`wire`] (what the processes tell each other about it). Beside the way:
//! [`swap`] (what a reflector does) and [`respond`] (what a port answers).
#![forbid(unsafe_code)]

pub mod account;
pub mod buckets;
pub mod cursor;
pub mod device;
mod divisor;
pub mod ether;
pub mod fault;
pub mod frame;
pub mod generator;
pub mod mac;
pub mod mixed;
mod mixed_image;
mod mixed_quick;
mod mixed_state;
pub mod order;
pub mod pacer;
pub mod pcap;
mod pcap_ng;
pub mod pcap_read;
pub mod plan;
pub mod profile;
pub mod replay;
pub mod respond;
mod schedule;
pub mod sequence;
pub mod shard;
pub mod stamp;
pub mod swap;
#[cfg(test)]
mod testing;
mod track;
pub mod units;
pub mod values;
pub mod wire;
