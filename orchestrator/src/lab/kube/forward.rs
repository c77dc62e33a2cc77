//! The way to a pod's agent: a port-forward through the API server, so that Kubernetes' own rights guard it.

use std::fmt;
use std::io;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::client::UpgradeConnectionError;
use tokio::time::timeout;

use super::channels;
use super::discover::PodEnd;
use super::fate::{self, Before, UNKNOWN};
use crate::agent::connect::{Asking, Connect, Opening, Silence, Stream};
use crate::cluster::Cluster;

/// Where agents listen in their pods.
pub const AGENT_PORT: u16 = 8480;
/// For one question about a pod that does not answer.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// The agent of one pod.
pub struct PodAgent {
    cluster: Cluster,
    pod: String,
    node: String,
    before: Before,
}

impl fmt::Debug for PodAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PodAgent({} in {})", self.pod, self.cluster)
    }
}

impl PodAgent {
    /// The agent of `end`.
    pub fn new(cluster: &Cluster, end: &PodEnd) -> PodAgent {
        PodAgent {
            cluster: cluster.clone(),
            pod: end.name.clone(),
            node: end.node.clone(),
            before: Before { uid: end.uid.clone(), restarts: end.restarts },
        }
    }

    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let stream = channels::open(&self.cluster, &self.pod, AGENT_PORT).await;
        Ok(Box::new(stream.map_err(|error| self.refused(error))?))
    }

    /// Asking again helps against everything but a want of rights.
    fn refused(&self, error: kube::Error) -> io::Error {
        let status = match &error {
            kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(status)) => {
                Some(status.as_u16())
            }
            kube::Error::Api(status) => Some(status.code),
            _ => None,
        };
        match status {
            Some(403) => io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "the rights of context {} don't reach as far as create on pods/portforward in namespace {}; \
                     `orchestrator pods rbac -N {}` prints the Role that is needed, for somebody who may grant it",
                    self.cluster.context, self.cluster.namespace, self.cluster.namespace
                ),
            ),
            _ => io::Error::other(error.to_string()),
        }
    }

    async fn ask(&self) -> Silence {
        let pods: Api<Pod> = self.cluster.api();
        let pod = match timeout(ASK_LIMIT, pods.get_opt(&self.pod)).await {
            Ok(Ok(pod)) => pod,
            Ok(Err(error)) => return unknown(&self.cluster, &error.to_string()),
            Err(_) => return unknown(&self.cluster, &format!("no answer within {} s", ASK_LIMIT.as_secs())),
        };
        // Nodes may be none of this user's business; then it is not known how this one is.
        let nodes: Api<Node> = Api::all(self.cluster.client.clone());
        let node = timeout(ASK_LIMIT, nodes.get_opt(&self.node)).await.ok().and_then(Result::ok).flatten();
        fate::judge(&self.before, pod.as_ref(), node.as_ref())
    }
}

fn unknown(cluster: &Cluster, reason: &str) -> Silence {
    let why = format!(
        "the API server {} can't be asked ({}); runs go on and keep their samples",
        cluster.server,
        reason.trim_end_matches('.')
    );
    Silence::Passing { why, patience: UNKNOWN }
}

impl Connect for PodAgent {
    fn connect(&self) -> Opening<'_> {
        Box::pin(self.open())
    }

    fn place(&self) -> String {
        format!("port {AGENT_PORT} of pod {}/{}", self.cluster.namespace, self.pod)
    }

    fn silence(&self) -> Asking<'_> {
        Box::pin(self.ask())
    }
}
