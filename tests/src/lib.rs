//! What the tests across crates share: the real binaries, and the machinery around them.
//!
//! Nothing here asserts a rate or a time. Every wait is for a condition and has a limit that a slow machine keeps.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

pub mod agent;
pub mod bin;
pub mod cpus;
pub mod decode;
pub mod decoder;
pub mod flows;
pub mod inject;
pub mod kube;
pub mod lua;
pub mod memif;
pub mod needs;
pub mod netns;
pub mod niclab;
pub mod nodes;
pub mod npz;
pub mod pcapdiff;
pub mod process;
pub mod profiles;
pub mod refused;
pub mod relay;
pub mod replays;
pub mod results;
pub mod run;
pub mod tcpdump;
pub mod wait;
