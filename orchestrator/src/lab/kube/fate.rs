//! Why a pod's agent does not answer: a pure function of what the API server says of the pod and its node.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ContainerStatus, Node, Pod};

use super::discover::restarts;
use crate::agent::connect::Silence;

/// A pod that is well and does not answer: its way is broken, or its machine is overloaded.
const WELL: Duration = Duration::from_secs(60);
/// A node that is not heard of: a restart, or a cable.
const NODE_SILENT: Duration = Duration::from_secs(180);
/// Nobody can say: runs go on and keep their samples, so it is worth waiting for the API server.
pub const UNKNOWN: Duration = Duration::from_secs(30 * 60);

/// The pod as it was when the trial began.
#[derive(Debug, Clone)]
pub struct Before {
    /// Of the pod.
    pub uid: String,
    /// Of its containers.
    pub restarts: i32,
}

/// What became of the pod. `pod` is none where the server has none of that name.
pub fn judge(before: &Before, pod: Option<&Pod>, node: Option<&Node>) -> Silence {
    let Some(pod) = pod else { return Silence::Final("the pod was deleted".to_owned()) };
    if pod.metadata.uid.as_deref() != Some(before.uid.as_str()) {
        return Silence::Final("the pod was deleted and made again".to_owned());
    }
    let status = pod.status.as_ref();
    if status.and_then(|s| s.reason.as_deref()) == Some("Evicted") {
        let why = status.and_then(|s| s.message.clone()).unwrap_or_default();
        return Silence::Final(format!("the pod was evicted: {why}"));
    }
    if let Some(phase @ ("Failed" | "Succeeded")) = status.and_then(|s| s.phase.as_deref()) {
        let ended = first_container(pod).and_then(ended);
        return Silence::Final(format!(
            "the pod is {phase}{}",
            ended.map_or_else(String::new, |e| format!(": {e}"))
        ));
    }
    if restarts(pod) > before.restarts {
        let ended = first_container(pod).and_then(ended);
        return Silence::Final(format!(
            "its container was started again{}",
            ended.map_or_else(String::new, |e| format!(", after it {e}"))
        ));
    }
    if pod.metadata.deletion_timestamp.is_some() {
        // What deletes it shows in its conditions, where the cluster says it.
        let disruption = status.and_then(|s| s.conditions.as_ref()).into_iter().flatten();
        let why = disruption.filter(|c| c.type_ == "DisruptionTarget").find_map(|c| c.message.clone());
        return Silence::Final(why.map_or_else(
            || "the pod is being deleted".to_owned(),
            |why| format!("the pod is being deleted: {why}"),
        ));
    }
    if let Some(why) = node.and_then(node_trouble) {
        return Silence::Passing { why, patience: NODE_SILENT };
    }
    if let Some(state) = first_container(pod).and_then(|c| c.state.as_ref()?.terminated.as_ref()) {
        return Silence::Final(format!("its container ended with exit code {}", state.exit_code));
    }
    Silence::Passing { why: String::new(), patience: WELL }
}

/// Why its cluster has lost sight of a node; none while it has not.
pub fn node_trouble(node: &Node) -> Option<String> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions.iter().find(|c| c.type_ == "Ready")?;
    if ready.status == "True" {
        return None;
    }
    let name = node.metadata.name.as_deref().unwrap_or("its node");
    let why = ready.message.as_deref().or(ready.reason.as_deref()).unwrap_or("no reason given");
    Some(format!("node {name} is not ready ({why})"))
}

fn first_container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

/// How a container ended, last time: `was killed for want of memory (OOMKilled)`.
fn ended(container: &ContainerStatus) -> Option<String> {
    let now = container.state.as_ref().and_then(|s| s.terminated.as_ref());
    let last = container.last_state.as_ref().and_then(|s| s.terminated.as_ref());
    let end = now.or(last)?;
    let code = end.exit_code;
    Some(match end.reason.as_deref() {
        Some("OOMKilled") => {
            "was killed for want of memory (OOMKilled): give it more with --memory".to_owned()
        }
        Some(reason) => format!("ended with exit code {code} ({reason})"),
        None => format!("ended with exit code {code}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::{
        ContainerState, ContainerStateTerminated, NodeCondition, NodeStatus, PodStatus,
    };
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    fn pod(change: impl FnOnce(&mut Pod)) -> Pod {
        let mut pod = Pod {
            metadata: ObjectMeta { uid: Some("u1".into()), ..ObjectMeta::default() },
            status: Some(PodStatus { phase: Some("Running".into()), ..PodStatus::default() }),
            ..Pod::default()
        };
        change(&mut pod);
        pod
    }

    fn fate(pod: Option<Pod>, node: Option<&Node>) -> Silence {
        judge(&Before { uid: "u1".into(), restarts: 0 }, pod.as_ref(), node)
    }

    fn words(silence: Silence) -> String {
        match silence {
            Silence::Final(why) => why,
            Silence::Passing { why, .. } => format!("passing: {why}"),
        }
    }

    #[test]
    fn what_became_of_a_pod_is_told_apart() {
        assert_eq!(words(fate(None, None)), "the pod was deleted");
        let other = pod(|p| p.metadata.uid = Some("u2".into()));
        assert_eq!(words(fate(Some(other), None)), "the pod was deleted and made again");
        let evicted = pod(|p| {
            p.status = Some(PodStatus {
                reason: Some("Evicted".into()),
                message: Some("The node was low on resource: memory.".into()),
                ..PodStatus::default()
            });
        });
        assert!(words(fate(Some(evicted), None)).contains("low on resource: memory"));
        let killed = pod(|p| {
            let end = ContainerStateTerminated {
                exit_code: 137,
                reason: Some("OOMKilled".into()),
                ..ContainerStateTerminated::default()
            };
            let last = ContainerState { terminated: Some(end), ..ContainerState::default() };
            let status =
                ContainerStatus { restart_count: 1, last_state: Some(last), ..ContainerStatus::default() };
            p.status.as_mut().unwrap().container_statuses = Some(vec![status]);
        });
        assert!(words(fate(Some(killed), None)).contains("want of memory"));
        assert_eq!(words(fate(Some(pod(|_| {})), None)), "passing: ");
    }

    #[test]
    fn a_silent_node_is_waited_for() {
        let condition = NodeCondition {
            type_: "Ready".into(),
            status: "Unknown".into(),
            message: Some("Kubelet stopped posting node status.".into()),
            ..NodeCondition::default()
        };
        let node = Node {
            metadata: ObjectMeta { name: Some("n1".into()), ..ObjectMeta::default() },
            status: Some(NodeStatus { conditions: Some(vec![condition]), ..NodeStatus::default() }),
            ..Node::default()
        };
        assert_eq!(
            words(fate(Some(pod(|_| {})), Some(&node))),
            "passing: node n1 is not ready (Kubelet stopped posting node status.)"
        );
    }
}
