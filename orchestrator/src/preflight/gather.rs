//! Asks a cluster: pods, agents, nodes, kubelets. What it hears is judged elsewhere.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::iter;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::ListParams;
use traffic::wire::Inventory;

use super::amounts::{Amounts, add, of_quantities};
use super::check::Check;
use super::configz;
use super::demand::{self, Wish};
use super::kubelet::{self, Needs};
use super::nodes::{self, NodeFacts};
use super::pods;
use crate::agent::{AgentClient, AgentError};
use crate::cluster::labels::{self, PodRole, is_ours, pair_of, role_of};
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, ClusterError};
use crate::lab::kube::fate::node_trouble;
use crate::pods::placement::{HOSTNAME, PairNodes, PlacementWish, place};
use crate::pods::settings::DeviceResource;

/// Calls at a time: many pairs, one API server.
const CALLS_MAX: usize = 32;

/// What is to be looked at beside the pods that are there.
#[derive(Debug)]
pub struct Plan {
    /// So many pairs; those that are there when not given, or three where there are none.
    pub pairs: Option<usize>,
    /// Where pods to come would go.
    pub placement: PlacementWish,
    /// What they would ask.
    pub wish: Wish,
    /// The device resource where nothing is said.
    pub default_resource: Option<DeviceResource>,
}

/// As `pods create` makes them.
const PAIRS: usize = 3;

/// Our pods, by pair.
#[derive(Debug, Default)]
pub struct Ours {
    all: Vec<Pod>,
}

impl Ours {
    /// Lists them.
    pub async fn list(cluster: &Cluster) -> Result<Ours, ClusterError> {
        let api = cluster.api::<Pod>();
        let params = ListParams::default().labels(&labels::selector());
        let list = retry(cluster, "list our pods", || api.list(&params)).await?;
        Ok(Ours { all: list.items })
    }

    /// Keeps the first `pairs` pairs.
    pub fn first(mut self, pairs: Option<usize>) -> Ours {
        let indices = self.pairs();
        if let Some(last) = pairs.and_then(|n| indices.get(n.checked_sub(1)?)) {
            self.all.retain(|pod| pair_of(&pod.metadata).is_none_or(|pair| pair <= *last));
        }
        self
    }

    /// Their numbers.
    pub fn pairs(&self) -> Vec<usize> {
        let mut pairs: Vec<usize> = self.all.iter().filter_map(|pod| pair_of(&pod.metadata)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The pods themselves.
    pub fn pods(&self) -> &[Pod] {
        &self.all
    }

    fn end(&self, role: PodRole, pair: usize) -> Option<&Pod> {
        let is_it = |pod: &&Pod| (role_of(&pod.metadata), pair_of(&pod.metadata)) == (Some(role), Some(pair));
        self.all.iter().find(is_it)
    }
}

/// Says hello to agents and asks for their inventories. Checks of the contact, and what came, by pod.
pub async fn agents<'a>(
    agents: impl Iterator<Item = &'a AgentClient>,
) -> (Vec<Check>, BTreeMap<String, Inventory>) {
    let ask = async |agent: &AgentClient| -> Result<(String, Inventory), AgentError> {
        Ok((agent.greet().await?.release, agent.inventory().await?))
    };
    let answers: Vec<_> =
        iter(agents.map(async |agent| (agent.pod(), ask(agent).await))).buffered(CALLS_MAX).collect().await;
    let (mut checks, mut inventories) = (Vec::new(), BTreeMap::new());
    for (pod, answer) in answers {
        match answer {
            Ok((release, inventory)) => {
                checks.push(pods::contact(pod, &release));
                inventories.insert(pod.to_owned(), inventory);
            }
            Err(error) => checks.push(pods::no_contact(pod, &error)),
        }
    }
    (checks, inventories)
}

/// Everything about the nodes of our pods, and of those that pairs to come would be placed on.
pub async fn nodes(
    cluster: &Cluster,
    plan: &Plan,
    ours: &Ours,
    inventories: &BTreeMap<String, Inventory>,
) -> Result<Vec<Check>, ClusterError> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let params = ListParams::default();
    let all = match retry(cluster, "list nodes", || api.list(&params)).await {
        Ok(list) => list.items,
        Err(ClusterError::Forbidden { message, namespace, .. }) => {
            return Ok(vec![Check::warning(
                "cluster",
                "nodes",
                format!("nodes can't be looked at: the right to list them is missing ({message})"),
                format!("`orchestrator pods rbac -N {namespace}` prints it, for somebody who may grant it"),
            )]);
        }
        Err(error) => return Err(error),
    };
    let mut checks = Vec::new();
    let facts = facts(&all, plan, ours, &mut checks);
    let others = others(cluster, &facts).await?;
    let kubelets: Vec<_> = iter(facts.iter().map(async |node| configz::fetch(cluster, &node.name).await))
        .buffered(CALLS_MAX)
        .collect()
        .await;
    for ((node, others), kubelet) in facts.into_iter().zip(others).zip(kubelets) {
        let needs = Needs {
            device: node.ours.keys().chain(node.to_come.keys()).any(|name| name.contains('/')),
            numa_nodes: numa_nodes(ours, inventories, &node.name),
        };
        let node = NodeFacts { others, ..node };
        checks.extend(nodes::checks(&node));
        checks.extend(kubelet::checks(&node.name, &kubelet, needs));
    }
    Ok(checks)
}

/// Each node that matters, with what our pods there have and would ask.
fn facts(all: &[Node], plan: &Plan, ours: &Ours, checks: &mut Vec<Check>) -> Vec<NodeFacts> {
    let mut facts: BTreeMap<String, NodeFacts> = BTreeMap::new();
    let seen = |name: &str| all.iter().find(|node| node.metadata.name.as_deref() == Some(name));
    for pod in ours.pods() {
        let Some(node) = node_of(pod).and_then(seen) else { continue };
        let fact = entry(&mut facts, node);
        add(&mut fact.ours, &demand::of_pod(pod));
        fact.pods += 1;
    }
    for (role, host) in to_come(all, plan, ours, checks) {
        let Some(node) = all.iter().find(|node| hostname(node) == host) else { continue };
        let like = ours.pods().iter().find(|pod| role_of(&pod.metadata) == Some(role)).map(demand::of_pod);
        let asked = demand::to_come(&plan.wish, like.as_ref(), plan.default_resource.as_ref());
        let fact = entry(&mut facts, node);
        add(&mut fact.to_come, &asked);
        fact.pods_to_come += 1;
    }
    facts.into_values().collect()
}

fn entry<'a>(facts: &'a mut BTreeMap<String, NodeFacts>, node: &Node) -> &'a mut NodeFacts {
    let name = node.metadata.name.clone().unwrap_or_default();
    facts.entry(name.clone()).or_insert_with(|| NodeFacts {
        name,
        trouble: node_trouble(node),
        cordoned: node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default(),
        allocatable: of_quantities(node.status.as_ref().and_then(|status| status.allocatable.as_ref())),
        ..NodeFacts::default()
    })
}

/// The ends that are not there, with the host names that they would go to.
fn to_come(all: &[Node], plan: &Plan, ours: &Ours, checks: &mut Vec<Check>) -> Vec<(PodRole, String)> {
    let there = ours.pairs();
    let pairs = plan.pairs.unwrap_or(if there.is_empty() { PAIRS } else { 0 });
    let missing = |pair: usize, nodes: PairNodes| {
        [(PodRole::Tx, nodes.tx), (PodRole::Rx, nodes.rx)]
            .into_iter()
            .filter(move |(role, _)| ours.end(*role, pair).is_none())
            .filter_map(|(role, host)| Some((role, host?)))
    };
    if (0..pairs).all(|pair| ours.end(PodRole::Tx, pair).is_some() && ours.end(PodRole::Rx, pair).is_some()) {
        return Vec::new();
    }
    match place(all, pairs, &plan.placement) {
        Ok(placement) => {
            placement.pairs.into_iter().enumerate().flat_map(|(pair, nodes)| missing(pair, nodes)).collect()
        }
        Err(error) => {
            let text = error.to_string();
            let (found, next) = text.rsplit_once('\n').unwrap_or((&text, "correct --tx-node, --rx-node"));
            checks.push(Check::error("cluster", "placement", found.replace('\n', ""), next));
            Vec::new()
        }
    }
}

/// What pods that are not ours take of each node; none where we may not look.
async fn others(cluster: &Cluster, nodes: &[NodeFacts]) -> Result<Vec<Option<Amounts>>, ClusterError> {
    let api: Api<Pod> = Api::all(cluster.client.clone());
    let mut all = Vec::new();
    for node in nodes {
        let here = format!("spec.nodeName={},status.phase!=Succeeded,status.phase!=Failed", node.name);
        let params = ListParams::default().fields(&here);
        match retry(cluster, "list the pods of a node", || api.list(&params)).await {
            Ok(list) => all.push(Some(sum(&list.items, &cluster.namespace))),
            Err(ClusterError::Forbidden { .. }) => return Ok(vec![None; nodes.len()]),
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn sum(pods: &[Pod], namespace: &str) -> Amounts {
    let is_other =
        |pod: &&Pod| !is_ours(&pod.metadata) || pod.metadata.namespace.as_deref() != Some(namespace);
    let mut all = Amounts::new();
    for pod in pods.iter().filter(is_other) {
        add(&mut all, &demand::of_pod(pod));
    }
    all
}

fn numa_nodes(ours: &Ours, inventories: &BTreeMap<String, Inventory>, node: &str) -> Option<usize> {
    let here =
        ours.pods().iter().find(|pod| node_of(pod) == Some(node) && inventory(inventories, pod).is_some())?;
    inventory(inventories, here).map(|inventory| inventory.memory.len())
}

fn inventory<'a>(inventories: &'a BTreeMap<String, Inventory>, pod: &Pod) -> Option<&'a Inventory> {
    inventories.get(pod.metadata.name.as_deref()?)
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

fn hostname(node: &Node) -> &str {
    let labels = node.metadata.labels.as_ref();
    let label = labels.and_then(|labels| labels.get(HOSTNAME));
    label.or(node.metadata.name.as_ref()).map_or("", String::as_str)
}
