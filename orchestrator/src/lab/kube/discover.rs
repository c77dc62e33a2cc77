//! Pairs among pods: a pure function from what the API server lists to pairs, or to what is wrong with them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use super::DiscoveryError;
use crate::cluster::labels::{PodRole, device_of, is_ours, pair_of, role_of};

/// One pod of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodEnd {
    /// Its name.
    pub name: String,
    /// Tells it from another pod of the same name.
    pub uid: String,
    /// Where it was put.
    pub node: String,
    /// What its annotation says, or `env`.
    pub device: String,
    /// How often its container was started again: an agent that was loses its engines.
    pub restarts: i32,
}

/// Both pods of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodPair {
    /// From 0.
    pub index: usize,
    /// The sender.
    pub tx: PodEnd,
    /// The receiver.
    pub rx: PodEnd,
}

/// The pairs that `pods` make up. `wanted` limits them: the first so many, or these.
pub fn pairs(pods: &[Pod], wanted: &Wanted) -> Result<Vec<PodPair>, DiscoveryError> {
    let mut found: BTreeMap<usize, (Option<&Pod>, Option<&Pod>)> = BTreeMap::new();
    for pod in pods.iter().filter(|p| is_ours(&p.metadata)) {
        let (Some(index), Some(role)) = (pair_of(&pod.metadata), role_of(&pod.metadata)) else { continue };
        let pair = found.entry(index).or_default();
        let end = match role {
            PodRole::Tx => &mut pair.0,
            PodRole::Rx => &mut pair.1,
        };
        if let Some(first) = end.replace(pod) {
            let names = (name_of(first), name_of(pod));
            return Err(DiscoveryError::Twins { pair: index, first: names.0, second: names.1 });
        }
    }
    if found.is_empty() {
        return Err(DiscoveryError::NoPods);
    }
    let chosen = wanted.choose(found.keys().copied().collect())?;
    let halves: Vec<String> = chosen
        .iter()
        .filter_map(|i| match found.get(i) {
            Some((Some(tx), None)) => Some(format!("{} has no rx{i}", name_of(tx))),
            Some((None, Some(rx))) => Some(format!("{} has no tx{i}", name_of(rx))),
            _ => None,
        })
        .collect();
    if !halves.is_empty() {
        return Err(DiscoveryError::Halves(halves.join(", ")));
    }
    let whole = chosen.into_iter().filter_map(|i| match found.get(&i) {
        Some((Some(tx), Some(rx))) => Some((i, *tx, *rx)),
        _ => None,
    });
    let whole: Vec<(usize, &Pod, &Pod)> = whole.collect();
    let unready: Vec<String> =
        whole.iter().flat_map(|(_, tx, rx)| [*tx, *rx]).filter_map(not_ready).collect();
    if !unready.is_empty() {
        return Err(DiscoveryError::NotReady(unready.join("; ")));
    }
    Ok(whole.into_iter().map(|(index, tx, rx)| PodPair { index, tx: end(tx), rx: end(rx) }).collect())
}

/// Which of the pairs that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Every one.
    All,
    /// The first so many.
    First(usize),
    /// These.
    These(Vec<usize>),
}

impl Wanted {
    fn choose(&self, there: Vec<usize>) -> Result<Vec<usize>, DiscoveryError> {
        match self {
            Wanted::All => Ok(there),
            Wanted::First(n) if *n > there.len() => {
                Err(DiscoveryError::TooFew { wanted: *n, there: there.len() })
            }
            Wanted::First(n) => Ok(there.into_iter().take(*n).collect()),
            Wanted::These(these) => match these.iter().find(|i| !there.contains(i)) {
                Some(missing) => Err(DiscoveryError::Missing(*missing)),
                None => Ok(these.clone()),
            },
        }
    }
}

/// What is kept of a pod.
pub fn end(pod: &Pod) -> PodEnd {
    PodEnd {
        name: name_of(pod),
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        node: pod.spec.as_ref().and_then(|s| s.node_name.clone()).unwrap_or_default(),
        device: device_of(&pod.metadata).to_owned(),
        restarts: restarts(pod),
    }
}

/// How often its containers were started again.
pub fn restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.iter().filter_map(|s| s.container_statuses.as_ref()).flatten();
    statuses.map(|s| s.restart_count).sum()
}

/// Whether it is up; and if not, why, in a clause.
pub fn not_ready(pod: &Pod) -> Option<String> {
    let name = name_of(pod);
    if pod.metadata.deletion_timestamp.is_some() {
        return Some(format!("{name} is being deleted"));
    }
    let status = pod.status.as_ref();
    let condition = |kind: &str| status?.conditions.as_ref()?.iter().find(|c| c.type_ == kind);
    if condition("Ready").is_some_and(|c| c.status == "True") {
        return None;
    }
    let phase = status.and_then(|s| s.phase.as_deref()).unwrap_or("Pending");
    let waiting = status
        .and_then(|s| s.container_statuses.as_ref())
        .into_iter()
        .flatten()
        .find_map(|c| c.state.as_ref()?.waiting.as_ref()?.reason.clone());
    let scheduling =
        condition("PodScheduled").filter(|c| c.status == "False").and_then(|c| c.message.clone());
    let message = status.and_then(|s| s.message.clone());
    let why = waiting.or(scheduling).or(message).map_or_else(String::new, |why| format!(": {why}"));
    Some(format!("{name} is {phase}{why}"))
}

fn name_of(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::labels::{DEVICE, labels, pod_name};
    use k8s_openapi::api::core::v1::{PodCondition, PodSpec, PodStatus};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    fn pod(role: PodRole, pair: usize, ready: bool) -> Pod {
        let condition = PodCondition {
            type_: "Ready".into(),
            status: if ready { "True" } else { "False" }.into(),
            ..PodCondition::default()
        };
        Pod {
            metadata: ObjectMeta {
                name: Some(pod_name(role, pair)),
                uid: Some(format!("uid-{role}{pair}")),
                labels: Some(labels(role, pair)),
                annotations: Some([(DEVICE.to_owned(), "iface:eth0".to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec { node_name: Some("n1".into()), ..PodSpec::default() }),
            status: Some(PodStatus {
                phase: Some("Running".into()),
                conditions: Some(vec![condition]),
                ..PodStatus::default()
            }),
        }
    }

    fn said(pods: &[Pod], wanted: Wanted) -> String {
        pairs(pods, &wanted).unwrap_err().to_string()
    }

    #[test]
    fn pairs_come_in_order_whatever_the_list() {
        let mut pods = Vec::new();
        for i in [1, 10, 0] {
            pods.extend([pod(PodRole::Rx, i, true), pod(PodRole::Tx, i, true)]);
        }
        let found = pairs(&pods, &Wanted::All).unwrap();
        assert_eq!(found.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 1, 10]);
        assert_eq!((found[2].tx.name.as_str(), found[2].rx.device.as_str()), ("tx10", "iface:eth0"));
        assert_eq!(pairs(&pods, &Wanted::First(2)).unwrap().len(), 2);
        assert_eq!(pairs(&pods, &Wanted::These(vec![10])).unwrap()[0].index, 10);
        assert!(said(&pods, Wanted::First(4)).contains("4 pairs were asked for and 3 are there"));
        assert!(said(&pods, Wanted::These(vec![7])).contains("tx7-rx7"));
    }

    #[test]
    fn what_is_no_pair_is_said() {
        assert!(said(&[], Wanted::All).contains("pods create"));
        let lonely = [pod(PodRole::Tx, 0, true), pod(PodRole::Rx, 0, true), pod(PodRole::Tx, 1, true)];
        assert!(said(&lonely, Wanted::All).contains("tx1 has no rx1"));
        assert_eq!(pairs(&lonely, &Wanted::First(1)).unwrap().len(), 1);
        let waiting = [pod(PodRole::Tx, 0, false), pod(PodRole::Rx, 0, true)];
        assert!(said(&waiting, Wanted::All).contains("tx0 is Running"));
        let mut twin = pod(PodRole::Tx, 0, true);
        twin.metadata.name = Some("other".into());
        assert!(said(&[pod(PodRole::Tx, 0, true), twin], Wanted::All).contains("tx0 and other"));
    }

    #[test]
    fn pods_of_others_are_not_seen() {
        let mut foreign = pod(PodRole::Tx, 0, true);
        foreign.metadata.labels = Some([("role".to_owned(), "tx".to_owned())].into());
        assert!(said(&[foreign], Wanted::All).contains("no pods of ours"));
    }
}
