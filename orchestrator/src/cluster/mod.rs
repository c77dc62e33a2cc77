//! What every Kubernetes verb shares: the way to one cluster, our labels, API errors in plain words, bounded retries,
//! and the question before anything is changed.

pub mod args;
pub mod client;
pub mod confirm;
pub mod error;
pub mod labels;
pub mod retry;

pub use args::ClusterArgs;
pub use client::Cluster;
pub use error::ClusterError;
