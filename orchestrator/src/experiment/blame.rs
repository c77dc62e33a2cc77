//! Whose fault it was that a whole trial came to nothing: the others need not wait for that pair.

use std::collections::BTreeMap;

use crate::agent::AgentError;
use crate::lab::kube::{DiscoveryError, troubles};
use crate::lab::{LabError, Place, pair_name};
use crate::trial::TrialError;

/// What a trial failed of, by pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A sentence.
    pub reason: String,
    /// The same again would fail the same.
    pub is_final: bool,
}

/// The pairs among `pairs` that `error` is the fault of: all of them, where it names none.
pub async fn blame(error: &TrialError, place: &Place, pairs: &[usize]) -> BTreeMap<usize, Fault> {
    let fault = Fault { reason: error.to_string(), is_final: is_final(error) };
    if let (TrialError::Lab(LabError::Pods(pods)), Place::Kube(kube)) = (error, place)
        && !matches!(pods, DiscoveryError::Cluster(_))
        && let Ok(troubles) = troubles(&kube.cluster, pairs).await
        && !troubles.is_empty()
    {
        let fault = |error: DiscoveryError| Fault { reason: error.to_string(), is_final: false };
        return troubles.into_iter().map(|(pair, error)| (pair, fault(error))).collect();
    }
    match named(error).and_then(|name| pairs.iter().find(|pair| is_of(&name, **pair))) {
        Some(pair) => BTreeMap::from([(*pair, fault)]),
        None => pairs.iter().map(|pair| (*pair, fault.clone())).collect(),
    }
}

/// The pod, or the pair, that an error names.
fn named(error: &TrialError) -> Option<String> {
    match error {
        TrialError::Agent(error) | TrialError::Lab(LabError::Agent(error)) => Some(error.agent().to_owned()),
        TrialError::Path { pair, .. } => Some(pair.clone()),
        TrialError::Lab(LabError::AgentStart { pod, .. }) => Some(pod.clone()),
        _ => None,
    }
}

fn is_of(name: &str, pair: usize) -> bool {
    name == pair_name(pair) || name == format!("tx{pair}") || name == format!("rx{pair}")
}

fn is_final(error: &TrialError) -> bool {
    match error {
        TrialError::Agent(error) | TrialError::Lab(LabError::Agent(error)) => {
            matches!(error, AgentError::Version { .. })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[tokio::test]
    async fn the_pair_that_an_error_names_is_to_blame_and_else_all_are() {
        let place = Place::Local { dataplane: PathBuf::new(), devices: None };
        let lost = |agent: &str| {
            TrialError::Agent(AgentError::Lost { agent: agent.to_owned(), reason: "evicted".into() })
        };
        let of = |faults: BTreeMap<usize, Fault>| faults.into_keys().collect::<Vec<_>>();
        assert_eq!(of(blame(&lost("rx1"), &place, &[0, 1, 11]).await), [1]);
        assert_eq!(of(blame(&lost("rx11"), &place, &[0, 1, 11]).await), [11]);
        assert_eq!(of(blame(&lost("rx7"), &place, &[0, 1]).await), [0, 1]);
        let all = blame(&TrialError::NothingMeasured("tx0: x; tx1: y".into()), &place, &[0, 1]).await;
        assert_eq!(all[&1].reason, "nothing was measured: tx0: x; tx1: y");
        let version =
            TrialError::Agent(AgentError::Version { agent: "tx0".into(), release: "9".into(), theirs: 9 });
        assert!(blame(&version, &place, &[0, 1]).await[&0].is_final);
    }
}
