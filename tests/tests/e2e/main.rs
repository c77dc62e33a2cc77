//! On a real Kubernetes: `make e2e` starts it, and runs these tests, several at a time.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attacks;
mod exclusive_cpus;
mod faults;
mod in_cluster;
mod joined;
mod journey;
mod node_faults;
mod refusals;
mod rights;
mod sriov_plugin;
