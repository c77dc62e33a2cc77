//! The in-pod side of dpdk-k8s-bench: generates and receives packets with DPDK, and serves the agent that
//! runs it.
//!
//! Read in the order of the data: `engine::setup` (a run's spec becomes a plan) → `tx::fill` (templates in
//! the pool) → `tx::worker` (the TX loop) → `rx::worker` (the RX loop) → `counters` → `engine::sampler` →
//! `agent`.
#![forbid(unsafe_code)]

pub mod agent;
pub mod cli;
pub mod clock;
pub mod counters;
pub mod engine;
pub mod inventory;
pub mod live;
pub mod respond;
pub mod rx;
pub mod tx;
