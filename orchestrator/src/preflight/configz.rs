//! Asks a kubelet for its configuration, through the API server.

use hyper::Request;

use super::kubelet::{Kubelet, Unknown, read};
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, ClusterError};

/// The configuration of the kubelet of `node`. That it can't be had is no error: few users may ask for it.
pub async fn fetch(cluster: &Cluster, node: &str) -> Result<Kubelet, Unknown> {
    let path = format!("/api/v1/nodes/{node}/proxy/configz");
    let what = format!("read the kubelet configuration of node {node}");
    let get = || async {
        let request = Request::get(&path).body(Vec::new()).map_err(kube::Error::HttpError)?;
        cluster.client.request_text(request).await
    };
    match retry(cluster, &what, get).await {
        Ok(text) => read(&text).map_err(|reason| Unknown {
            reason: format!("its answer is not understood: {reason}"),
            next_step: format!("look at it with `kubectl get --raw {path}`"),
        }),
        Err(ClusterError::Forbidden { namespace, message, .. }) => Err(Unknown {
            reason: format!("the right to get nodes/proxy is missing ({message})"),
            next_step: format!(
                "`orchestrator pods rbac --kubelet-config -N {namespace}` prints it, for somebody who may grant it; or read \
                 cpuManagerPolicy and topologyManagerPolicy in the node's kubelet configuration"
            ),
        }),
        Err(error) => Err(Unknown {
            reason: error.to_string(),
            next_step: format!("look whether the kubelet of {node} runs (`kubectl describe node {node}`)"),
        }),
    }
}
