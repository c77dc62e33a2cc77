//! Which cluster: the flags that every Kubernetes verb has.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

/// Where to find the API server. As with kubectl: `--kubeconfig`, else `$KUBECONFIG`, else `~/.kube/config`, else the
/// service account of the pod that this runs in.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct ClusterArgs {
    /// The kubeconfig file [default: $KUBECONFIG, ~/.kube/config, or the service account of this pod]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig file [default: its current one]
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,
    /// The namespace [default: the context's own, else "default"]
    #[arg(short = 'N', long, value_name = "NAME", help_heading = "Cluster")]
    pub namespace: Option<String>,
}
