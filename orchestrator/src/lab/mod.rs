//! Where pairs live. [`local`] runs agents as processes of this machine; a Kubernetes cluster is one more [`Lab`].
//! Everything above this module is the same code for all of them.

pub mod binary;
pub mod cores;
pub mod devices;
pub mod engines;
pub mod error;
pub mod kube;
pub mod local;
pub mod sockets;

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use traffic::mac::Mac;
use traffic::wire::Inventory;

use crate::agent::AgentClient;
pub use cores::{CoreWish, PairCores};
use devices::PairDevices;
pub use error::LabError;

/// One end of a pair.
#[derive(Debug)]
pub struct Endpoint {
    /// `tx0`, `rx0`.
    pub pod: String,
    /// The machine it runs on.
    pub node: String,
    /// In the project's notation.
    pub device: String,
    /// The port's address where it is known before the port is open.
    pub mac: Option<Mac>,
    /// The agent's process id, where it is one of this machine's.
    pub pid: Option<u32>,
    /// Where that agent listens.
    pub address: Option<SocketAddr>,
    /// Its pod's, in a cluster.
    pub uid: Option<String>,
    /// Its agent.
    pub agent: AgentClient,
}

/// A sender and its receiver.
#[derive(Debug)]
pub struct LabPair {
    /// From 0.
    pub index: usize,
    /// The sender.
    pub tx: Endpoint,
    /// The receiver.
    pub rx: Endpoint,
}

impl LabPair {
    /// `tx0-rx0`.
    pub fn name(&self) -> String {
        pair_name(self.index)
    }
}

/// The name of pair `index`, and of its folders: `tx0-rx0`.
pub fn pair_name(index: usize) -> String {
    format!("tx{index}-rx{index}")
}

/// What both agents of a pair said of their machines.
#[derive(Debug, Clone)]
pub struct PairInventory {
    /// The sender's.
    pub tx: Inventory,
    /// The receiver's.
    pub rx: Inventory,
}

/// A place in a cluster, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRef {
    /// The kubeconfig's, or `in-cluster`.
    pub context: String,
    /// The pods' namespace.
    pub namespace: String,
}

/// Where the pairs of a command are; a lab is made of it for every trial.
#[derive(Debug)]
pub enum Place {
    /// Agents are started on this machine.
    Local {
        /// The program to start.
        dataplane: PathBuf,
        /// The user's devices by pair index; memif where none are given.
        devices: Option<Vec<PairDevices>>,
    },
    /// Pods that are there already.
    Kube(kube::KubePlace),
}

impl Place {
    /// Waits until these pairs are there and ready, for `limit` at most; the error is what still stood in the way then.
    /// `say` hears it when it changes.
    pub async fn wait_ready(
        &self,
        pairs: &[usize],
        limit: Duration,
        say: impl Fn(&str),
    ) -> Result<(), LabError> {
        match self {
            // Agents of this machine are started for each trial.
            Place::Local { .. } => Ok(()),
            Place::Kube(place) => kube::wait_ready(&place.cluster, pairs, limit, say).await,
        }
    }
}

/// A set of pairs that are up, with an agent at each end.
pub trait Lab {
    /// `local`, `kube`: for results.
    fn kind(&self) -> &'static str;
    /// For the user's eyes: `on this machine`.
    fn place(&self) -> String;
    /// The cluster that it is in.
    fn cluster(&self) -> Option<ClusterRef> {
        None
    }
    /// All pairs, by index.
    fn pairs(&self) -> &[LabPair];
    /// The folder of the pairs' sockets, where they are joined by memif.
    fn socket_folder(&self) -> Option<&Path>;
    /// The CPUs of every pair's engines.
    fn cores(&self, inventories: &[PairInventory], wish: CoreWish) -> Result<Vec<PairCores>, LabError>;
    /// Ends everything that this lab started; what did not go well comes back as sentences.
    fn teardown(self) -> impl Future<Output = Vec<String>>;
}
