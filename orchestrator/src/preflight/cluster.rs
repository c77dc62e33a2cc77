//! All checks of a cluster: pods, then their agents, then the nodes.

use std::collections::BTreeMap;

use traffic::wire::Inventory;

use super::check::Check;
use super::ends::all;
use super::facts::{Ask, End, Ends};
use super::gather::{self, Ours, Plan};
use super::pods;
use super::trial::{end, with_cores};
use crate::cluster::labels::{PodRole, pair_of, role_of};
use crate::lab::kube::{KubePlace, chosen, cores, discover, endpoint};
use crate::lab::{CoreWish, Endpoint, LabError, PairInventory, pair_name};
use crate::pods::reasons::{Health, health};
use crate::pods::rows::rows;

/// What is to be looked at.
#[derive(Debug)]
pub struct ClusterPreflight {
    /// The cluster, and what the user says of devices.
    pub place: KubePlace,
    /// Pairs to come.
    pub plan: Plan,
    /// Workers.
    pub cores: CoreWish,
    /// Of every sender.
    pub tx: Ask,
    /// Of every receiver.
    pub rx: Ask,
    /// The largest frame by pair, where the profile is known.
    pub frames: BTreeMap<usize, u32>,
}

/// One pod that can be asked.
struct Known {
    pair: usize,
    role: PodRole,
    endpoint: Endpoint,
}

/// All checks of a cluster.
pub async fn run(preflight: &ClusterPreflight, ours: &Ours) -> Result<Vec<Check>, LabError> {
    let cluster = &preflight.place.cluster;
    let known = known(&preflight.place, ours)?;
    let (contacts, inventories) = gather::agents(known.iter().map(|one| &one.endpoint.agent)).await;
    let nodes = gather::nodes(cluster, &preflight.plan, ours, &inventories).await;
    let mut checks = nodes.map_err(discover_error)?;
    checks.extend(pods::checks(&rows(ours.pods())));
    checks.extend(contacts);
    checks.extend(of_ends(preflight, &known, &inventories));
    Ok(checks)
}

fn discover_error(error: crate::cluster::ClusterError) -> LabError {
    LabError::Pods(error.into())
}

/// The pods that are ready.
fn known(place: &KubePlace, ours: &Ours) -> Result<Vec<Known>, LabError> {
    let mut known = Vec::new();
    for pod in ours.pods().iter().filter(|pod| matches!(health(pod), Health::Ready)) {
        let (Some(pair), Some(role)) = (pair_of(&pod.metadata), role_of(&pod.metadata)) else { continue };
        let device = match role {
            PodRole::Tx => chosen(&place.tx_devices, "--tx-device", pair)?,
            PodRole::Rx => chosen(&place.rx_devices, "--rx-device", pair)?,
        };
        known.push(Known { pair, role, endpoint: endpoint(place, discover::end(pod), device) });
    }
    known.sort_by_key(|one| (one.pair, one.role));
    Ok(known)
}

/// Pairs whose agents both answer.
fn of_ends(
    preflight: &ClusterPreflight,
    known: &[Known],
    inventories: &BTreeMap<String, Inventory>,
) -> Vec<Check> {
    let mut pairs: BTreeMap<usize, (Option<&Endpoint>, Option<&Endpoint>)> = BTreeMap::new();
    for one in known {
        let pair = pairs.entry(one.pair).or_default();
        match one.role {
            PodRole::Tx => pair.0 = Some(&one.endpoint),
            PodRole::Rx => pair.1 = Some(&one.endpoint),
        }
    }
    let of = |endpoint: &Endpoint| inventories.get(&endpoint.pod).cloned();
    let whole: Vec<(usize, &Endpoint, &Endpoint, PairInventory)> = pairs
        .into_iter()
        .filter_map(|(index, (tx, rx))| {
            let (tx, rx) = (tx?, rx?);
            Some((index, tx, rx, PairInventory { tx: of(tx)?, rx: of(rx)? }))
        })
        .collect();
    let pair_inventories: Vec<PairInventory> =
        whole.iter().map(|(.., inventory)| inventory.clone()).collect();
    // With too few CPUs there is nothing to divide, which a check says.
    let cores = cores::assign(&pair_inventories, preflight.cores).ok();
    let pairs: Vec<(String, Ends<'_>)> = whole
        .iter()
        .enumerate()
        .map(|(i, (index, tx, rx, inventory))| {
            let frame_bytes = preflight.frames.get(index).copied();
            let tx = End { sends: true, ..end(tx, &inventory.tx, Ask { frame_bytes, ..preflight.tx }) };
            let rx = end(rx, &inventory.rx, Ask { frame_bytes, ..preflight.rx });
            let ends = match cores.as_ref().and_then(|cores| cores.get(i)) {
                Some(cores) => with_cores(tx, rx, cores),
                None => Ends { tx, rx },
            };
            (pair_name(*index), ends)
        })
        .collect();
    all(&pairs)
}
