//! What can stand in the way of a lab.

use std::path::PathBuf;

use super::kube::DiscoveryError;
use crate::agent::AgentError;

/// A lab that can't be had, or not so.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No dataplane to start.
    #[error(
        "the program `dataplane` was not found beside this one, in $DATAPLANE or in $PATH; build it with \
         `cargo build` or name it with --dataplane PATH"
    )]
    NoDataplane,
    /// The named one is not a program.
    #[error("{place} names `{path}`, which is not a file that can be run: {reason}")]
    BadDataplane {
        /// `--dataplane` or `$DATAPLANE`.
        place: &'static str,
        /// What was named.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// An agent did not come up.
    #[error("the agent of {pod} did not start: {reason}{log}")]
    AgentStart {
        /// The pod.
        pod: String,
        /// What was waited for, or what the system said.
        reason: String,
        /// The end of what it wrote to standard error, on lines of its own.
        log: String,
    },
    /// Too few CPUs.
    #[error(
        "a pair needs at least 2 CPUs and this process may use {0}: give it more (taskset, cpuset, the pod's CPU \
         limit)"
    )]
    TooFewCpus(usize),
    /// One device list is shorter than the number of pairs.
    #[error("{flag} was given {given} times for {pairs} pair(s): give it once for every pair, or not at all")]
    DeviceCount {
        /// `--tx-device` or `--rx-device`.
        flag: &'static str,
        /// How often.
        given: usize,
        /// For how many.
        pairs: usize,
    },
    /// A pair that this lab does not have.
    #[error("there is no pair tx{0}-rx{0} here")]
    NoPair(usize),
    /// Only one end was named.
    #[error("{given} was given without {missing}: name both ends of a pair, or none to join them by memif")]
    OneEnd {
        /// The flag that was given.
        given: &'static str,
        /// The one that was not.
        missing: &'static str,
    },
    /// One port for two ends.
    #[error("{first} and {second} are one port: give every end a port of its own")]
    SameDevice {
        /// Device and pod.
        first: String,
        /// Device and pod.
        second: String,
    },
    /// One of its agents.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// Pods that are no pairs.
    #[error(transparent)]
    Pods(#[from] DiscoveryError),
    /// Not in the notation.
    #[error(transparent)]
    Device(#[from] traffic::device::DeviceError),
    /// A folder for sockets.
    #[error(
        "no folder for memif sockets can be made in {place}: {reason}; set TMPDIR to a folder that can be written"
    )]
    SocketFolder {
        /// The parent.
        place: PathBuf,
        /// What the system said.
        reason: String,
    },
}
