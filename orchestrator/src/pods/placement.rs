//! Which node each end of each pair goes to. The scheduler still decides, by affinity to the node's own host name
//! label, so that what does not fit is said by it, with its reasons.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Taint, Toleration};

/// The label that pods are pinned by.
pub const HOSTNAME: &str = "kubernetes.io/hostname";
const CONTROL_PLANE: [&str; 2] = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/// What the user says about nodes.
#[derive(Debug, Clone, Default)]
pub struct PlacementWish {
    /// Both ends of every pair on one node.
    pub same_node: bool,
    /// All senders there.
    pub tx_node: Option<String>,
    /// All receivers there.
    pub rx_node: Option<String>,
    /// Only nodes with these labels.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that are borne.
    pub tolerations: Vec<Toleration>,
}

/// Values of the host name label for the ends of one pair; none is left to the scheduler.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PairNodes {
    /// The sender's.
    pub tx: Option<String>,
    /// The receiver's.
    pub rx: Option<String>,
}

/// Nodes for all pairs, and what the user should know about the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// By pair.
    pub pairs: Vec<PairNodes>,
    /// Sentences.
    pub notes: Vec<String>,
}

/// There is no node for the pods.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    /// Not one.
    #[error("no node can take the pods:{}\nuncordon or repair one, or give --toleration or --node-selector", each(.0))]
    NoNode(Vec<String>),
    /// A name that no node has.
    #[error("{flag} names `{name}`, which is no node; the nodes are: {known}")]
    Unknown {
        /// `--tx-node` or `--rx-node`.
        flag: &'static str,
        /// What was named.
        name: String,
        /// What there is.
        known: String,
    },
    /// It can't take pods.
    #[error("{flag} names `{name}`, which can take no pod: {reason}")]
    Unfit {
        /// `--tx-node` or `--rx-node`.
        flag: &'static str,
        /// What was named.
        name: String,
        /// Why.
        reason: String,
    },
}

fn each(reasons: &[String]) -> String {
    if reasons.is_empty() {
        return " the cluster has none".to_owned();
    }
    reasons.iter().map(|reason| format!("\n  {reason}")).collect()
}

/// Chooses nodes for `pairs` pairs. Without `same_node`, senders go round the workers by name and each receiver to the
/// next one; with it, all go to the first worker.
pub fn place(nodes: &[Node], pairs: usize, wish: &PlacementWish) -> Result<Placement, PlacementError> {
    let mut nodes: Vec<&Node> = nodes.iter().collect();
    nodes.sort_by_key(|node| name(node));
    let pin = |flag, wished: &Option<String>| {
        wished.as_ref().map(|wished| pinned(&nodes, flag, wished, wish)).transpose()
    };
    let (tx, rx) = (pin("--tx-node", &wish.tx_node)?, pin("--rx-node", &wish.rx_node)?);
    let mut notes = Vec::new();
    let workers = if tx.is_some() && rx.is_some() { Vec::new() } else { workers(&nodes, wish, &mut notes)? };
    if workers.len() == 1 && !wish.same_node && tx.is_none() && rx.is_none() {
        notes.push(format!("there is one node for pods, {}: both ends of every pair go there", workers[0]));
    }
    let step = usize::from(!wish.same_node);
    let round =
        |i: usize| if wish.same_node { workers.first() } else { workers.get(i % workers.len().max(1)) };
    let pairs = (0..pairs).map(|i| PairNodes {
        tx: tx.clone().or_else(|| beside(&workers, rx.as_ref(), wish.same_node, i).or(round(i)).cloned()),
        rx: rx
            .clone()
            .or_else(|| beside(&workers, tx.as_ref(), wish.same_node, i).or(round(i + step)).cloned()),
    });
    Ok(Placement { pairs: pairs.collect(), notes })
}

/// The node for an end whose other end is pinned: the same, or the workers that are not that one, in turn.
fn beside<'a>(
    workers: &'a [String],
    other: Option<&'a String>,
    same_node: bool,
    i: usize,
) -> Option<&'a String> {
    let other = other?;
    if same_node {
        return Some(other);
    }
    let rest: Vec<&String> = workers.iter().filter(|worker| *worker != other).collect();
    rest.get(i % rest.len().max(1)).copied()
}

/// Nodes that the user named when nothing more is known of them: a node's host name label is its name, mostly.
pub fn unseen(pairs: usize, wish: &PlacementWish) -> Placement {
    let same = wish.same_node.then(|| wish.tx_node.clone().or_else(|| wish.rx_node.clone())).flatten();
    let nodes =
        PairNodes { tx: wish.tx_node.clone().or_else(|| same.clone()), rx: wish.rx_node.clone().or(same) };
    Placement { pairs: vec![nodes; pairs], notes: Vec::new() }
}

fn pinned(
    nodes: &[&Node],
    flag: &'static str,
    wished: &str,
    wish: &PlacementWish,
) -> Result<String, PlacementError> {
    let node = nodes.iter().find(|node| name(node) == wished || hostname(node) == wished);
    let Some(node) = node else {
        let known = nodes.iter().map(|node| name(node)).collect::<Vec<_>>().join(", ");
        return Err(PlacementError::Unknown { flag, name: wished.to_owned(), known });
    };
    match unfit(node, wish) {
        Some(reason) => Err(PlacementError::Unfit { flag, name: wished.to_owned(), reason }),
        None => Ok(hostname(node).to_owned()),
    }
}

/// Host names of the nodes for pods: workers; where there are none, whatever takes pods.
fn workers(
    nodes: &[&Node],
    wish: &PlacementWish,
    notes: &mut Vec<String>,
) -> Result<Vec<String>, PlacementError> {
    let fit: Vec<&&Node> = nodes.iter().filter(|node| unfit(node, wish).is_none()).collect();
    let (control, workers): (Vec<&&Node>, Vec<&&Node>) =
        fit.into_iter().partition(|node| is_control_plane(node));
    let names =
        |nodes: Vec<&&Node>| nodes.into_iter().map(|node| hostname(node).to_owned()).collect::<Vec<_>>();
    if !workers.is_empty() {
        return Ok(names(workers));
    }
    if control.is_empty() {
        let reason = |node: &&Node| Some(format!("{}: {}", name(node), unfit(node, wish)?));
        return Err(PlacementError::NoNode(nodes.iter().filter_map(reason).collect()));
    }
    let control = names(control);
    notes.push(format!("no worker node can take pods; they go to the control plane: {}", control.join(", ")));
    Ok(control)
}

/// Why a node takes none of our pods.
fn unfit(node: &Node, wish: &PlacementWish) -> Option<String> {
    let spec = node.spec.as_ref();
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions.and_then(|all| all.iter().find(|condition| condition.type_ == "Ready"));
    if ready.is_none_or(|condition| condition.status != "True") {
        let why = ready.and_then(|condition| condition.message.clone()).unwrap_or_default();
        return Some(format!("it is not Ready ({why})").replace(" ()", ""));
    }
    let labels = node.metadata.labels.clone().unwrap_or_default();
    if let Some((key, value)) = wish.node_selector.iter().find(|(key, value)| labels.get(*key) != Some(value))
    {
        return Some(format!("it has no label {key}={value} (--node-selector)"));
    }
    let taints = spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    // Cordoning also taints, but with another remedy.
    if spec.and_then(|spec| spec.unschedulable).unwrap_or_default() {
        return Some(format!("it is cordoned (kubectl uncordon {})", name(node)));
    }
    let hard = |taint: &&Taint| taint.effect == "NoSchedule" || taint.effect == "NoExecute";
    let taint =
        taints.iter().filter(hard).find(|taint| !wish.tolerations.iter().any(|t| tolerates(t, taint)))?;
    Some(format!("its taint {} is not tolerated (--toleration {})", written(taint), written(taint)))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let effect = toleration.effect.as_ref().is_none_or(|effect| *effect == taint.effect);
    let key = toleration.key.as_ref().is_none_or(|key| *key == taint.key);
    let exists = toleration.operator.as_deref() == Some("Exists");
    let value = exists
        || toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default();
    effect && key && value
}

fn written(taint: &Taint) -> String {
    let value = taint.value.as_deref().filter(|value| !value.is_empty()).map(|value| format!("={value}"));
    format!("{}{}:{}", taint.key, value.unwrap_or_default(), taint.effect)
}

fn is_control_plane(node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    labels.is_some_and(|labels| CONTROL_PLANE.iter().any(|role| labels.contains_key(*role)))
}

fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// What affinity matches; a node without the label is matched by its name, which is what kubelets set it to.
fn hostname(node: &Node) -> &str {
    let labels = node.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(HOSTNAME)).map_or_else(|| name(node), String::as_str)
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
