//! `pods list`: what is ours.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use super::rows::{Row, rows};
use crate::cluster::labels::selector;
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, ClusterError};

/// A row for each pod of ours, in this namespace or in all.
pub async fn list(cluster: &Cluster, all_namespaces: bool) -> Result<Vec<Row>, ClusterError> {
    let api: Api<Pod> = if all_namespaces { Api::all(cluster.client.clone()) } else { cluster.api() };
    let params = ListParams::default().labels(&selector());
    let pods = retry(cluster, "list pods", || api.list(&params)).await?;
    Ok(rows(&pods.items))
}
