//! Pairs of pods in a cluster: they are there before a trial and stay after it.

pub mod channels;
pub mod cores;
pub mod discover;
pub mod error;
pub mod fate;
pub mod forward;
pub mod macs;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use tokio::time::{Instant, sleep};

pub use discover::{PodEnd, PodPair, Wanted};
pub use error::DiscoveryError;
use forward::PodAgent;

use super::{ClusterRef, CoreWish, Endpoint, Lab, LabError, LabPair, PairCores, PairInventory};
use crate::agent::AgentClient;
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, labels};

/// A pod takes a second or two to get ready.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where the pairs are, and what the user says of their devices.
#[derive(Debug, Clone)]
pub struct KubePlace {
    /// The cluster.
    pub cluster: Cluster,
    /// Senders' devices in place of what their pods say: one for all, or one each by pair index.
    pub tx_devices: Vec<String>,
    /// Receivers' devices.
    pub rx_devices: Vec<String>,
}

/// The pods of ours that make up pairs, all of them ready.
pub async fn discover(cluster: &Cluster, wanted: &Wanted) -> Result<Vec<PodPair>, DiscoveryError> {
    let pods = cluster.api::<Pod>();
    let ours = ListParams::default().labels(&labels::selector());
    let list = retry(cluster, "list our pods", || pods.list(&ours)).await?;
    discover::pairs(&list.items, wanted)
}

/// What is wrong with each of these pairs; those that are ready are not in the answer.
pub async fn troubles(
    cluster: &Cluster,
    pairs: &[usize],
) -> Result<BTreeMap<usize, DiscoveryError>, DiscoveryError> {
    let pods = cluster.api::<Pod>();
    let ours = ListParams::default().labels(&labels::selector());
    let list = retry(cluster, "list our pods", || pods.list(&ours)).await?;
    let of = |pair: &usize| {
        let error = discover::pairs(&list.items, &Wanted::These(vec![*pair])).err()?;
        Some((*pair, error))
    };
    Ok(pairs.iter().filter_map(of).collect())
}

/// Waits until these pairs are there and ready.
pub async fn wait_ready(
    cluster: &Cluster,
    pairs: &[usize],
    limit: Duration,
    say: impl Fn(&str),
) -> Result<(), LabError> {
    let (wanted, until) = (Wanted::These(pairs.to_vec()), Instant::now() + limit);
    let mut said = String::new();
    loop {
        let error = match discover(cluster, &wanted).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if Instant::now() + LOOK_AGAIN > until {
            return Err(error.into());
        }
        let why = error.to_string();
        if why != said {
            say(&format!("waiting for the pods: {why}"));
            said = why;
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// The agent of one pod.
pub fn agent_of(cluster: &Cluster, end: &PodEnd) -> AgentClient {
    AgentClient::new(&end.name, Box::new(PodAgent::new(cluster, end)))
}

/// Pairs of pods.
#[derive(Debug)]
pub struct KubeLab {
    place: KubePlace,
    pairs: Vec<LabPair>,
}

impl KubeLab {
    /// Finds the pods of these pairs, ready.
    pub async fn connect(place: &KubePlace, pairs: &[usize]) -> Result<KubeLab, LabError> {
        let found = discover(&place.cluster, &Wanted::These(pairs.to_vec())).await?;
        let pairs = found.into_iter().map(|pair| lab_pair(place, pair)).collect::<Result<_, _>>()?;
        Ok(KubeLab { place: place.clone(), pairs })
    }
}

fn lab_pair(place: &KubePlace, pair: PodPair) -> Result<LabPair, LabError> {
    let index = pair.index;
    let tx = endpoint(place, pair.tx, chosen(&place.tx_devices, "--tx-device", index)?);
    let rx = endpoint(place, pair.rx, chosen(&place.rx_devices, "--rx-device", index)?);
    Ok(LabPair { index, tx, rx })
}

/// What the user says of the device of pair `index`.
pub fn chosen<'a>(
    devices: &'a [String],
    flag: &'static str,
    index: usize,
) -> Result<Option<&'a String>, LabError> {
    match devices {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        many => many.get(index).map(Some).ok_or(LabError::DeviceCount {
            flag,
            given: many.len(),
            pairs: index + 1,
        }),
    }
}

/// One end, its agent not yet asked anything.
pub fn endpoint(place: &KubePlace, end: PodEnd, device: Option<&String>) -> Endpoint {
    let agent = agent_of(&place.cluster, &end);
    Endpoint {
        device: device.cloned().unwrap_or(end.device),
        pod: end.name,
        node: end.node,
        mac: None,
        pid: None,
        address: None,
        uid: Some(end.uid),
        agent,
    }
}

impl Lab for KubeLab {
    fn kind(&self) -> &'static str {
        "kube"
    }

    fn place(&self) -> String {
        format!("in {}", self.place.cluster)
    }

    fn cluster(&self) -> Option<ClusterRef> {
        let Cluster { context, namespace, .. } = &self.place.cluster;
        Some(ClusterRef { context: context.clone(), namespace: namespace.clone() })
    }

    fn pairs(&self) -> &[LabPair] {
        &self.pairs
    }

    fn socket_folder(&self) -> Option<&Path> {
        None
    }

    fn cores(&self, inventories: &[PairInventory], wish: CoreWish) -> Result<Vec<PairCores>, LabError> {
        cores::assign(inventories, wish)
    }

    async fn teardown(self) -> Vec<String> {
        Vec::new()
    }
}
