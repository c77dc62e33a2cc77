//! What is wrong with a set of pods.

use crate::cluster::ClusterError;

/// Pairs that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Nothing is there.
    #[error(
        "no pods of ours are there: make them with `orchestrator pods create`, or run on this machine with --local"
    )]
    NoPods,
    /// A count that does not match.
    #[error(
        "the pods don't pair up: {0}; `orchestrator pods list` shows them all, `pods create` makes those that are missing"
    )]
    Halves(String),
    /// Two for one place.
    #[error("{first} and {second} both say that they are the same end of pair {pair}: delete one of them")]
    Twins {
        /// The pair.
        pair: usize,
        /// One pod.
        first: String,
        /// The other.
        second: String,
    },
    /// Up, but not all of them.
    #[error(
        "not ready: {0}; `orchestrator pods list` shows why, and a pod that runs needs seconds to get ready"
    )]
    NotReady(String),
    /// Fewer than asked for.
    #[error(
        "{wanted} pairs were asked for and {there} are there: create more with `orchestrator pods create -n {wanted}`, or ask for fewer"
    )]
    TooFew {
        /// Asked.
        wanted: usize,
        /// There.
        there: usize,
    },
    /// One that was asked for by number.
    #[error("the pair tx{0}-rx{0} is not there: `orchestrator pods list` shows those that are")]
    Missing(usize),
    /// The API server.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}
