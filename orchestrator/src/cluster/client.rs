//! One cluster, one context, one namespace.

use std::fmt;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Api, Client, Config, Resource};

use super::args::ClusterArgs;
use super::error::ClusterError;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const IN_CLUSTER_MARK: &str = "KUBERNETES_SERVICE_HOST";

/// The way to an API server, and the names by which users know it.
#[derive(Clone)]
pub struct Cluster {
    /// kube's client; its requests are bounded by [`super::retry`].
    pub client: Client,
    /// The kubeconfig's context, or `in-cluster`.
    pub context: String,
    /// Where our objects live.
    pub namespace: String,
    /// The API server's URL.
    pub server: String,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({self} at {})", self.server)
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "context {}, namespace {}", self.context, self.namespace)
    }
}

impl Cluster {
    /// Reads the configuration; nothing is asked of the server yet.
    pub async fn connect(args: &ClusterArgs) -> Result<Cluster, ClusterError> {
        let (mut config, context) = configuration(args).await?;
        config.connect_timeout = Some(CONNECT_LIMIT);
        // Ours, in `retry`: it honours the time left, and says how often it tried.
        config.default_retry = false;
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config)
            .map_err(|e| ClusterError::Configuration { place: context.clone(), reason: e.to_string() })?;
        Ok(Cluster { client, context, namespace, server })
    }

    /// Objects of one kind in our namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

async fn configuration(args: &ClusterArgs) -> Result<(Config, String), ClusterError> {
    let read = match &args.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let asked_for = args.kubeconfig.is_some() || args.context.is_some();
    let in_cluster = std::env::var_os(IN_CLUSTER_MARK).is_some();
    match read {
        Ok(kubeconfig) if kubeconfig.current_context.is_some() || asked_for || !in_cluster => {
            from_kubeconfig(kubeconfig, args).await
        }
        Ok(_) => from_service_account(),
        Err(_) if in_cluster && !asked_for => from_service_account(),
        Err(error) => Err(ClusterError::NoKubeconfig(in_words(&error))),
    }
}

fn in_words(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(reason, path) => format!("can't read {}: {reason}", path.display()),
        error => error.to_string(),
    }
}

async fn from_kubeconfig(
    kubeconfig: Kubeconfig,
    args: &ClusterArgs,
) -> Result<(Config, String), ClusterError> {
    let known: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
    let context = args.context.clone().or_else(|| kubeconfig.current_context.clone());
    let context = context.filter(|name| !name.is_empty());
    let Some(context) = context else { return Err(ClusterError::NoContext { known }) };
    if !known.contains(&context) {
        return Err(ClusterError::UnknownContext { context, known });
    }
    let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|e| ClusterError::Configuration { place: context.clone(), reason: e.to_string() })?;
    Ok((config, context))
}

fn from_service_account() -> Result<(Config, String), ClusterError> {
    let config = Config::incluster()
        .map_err(|e| ClusterError::Configuration { place: "in-cluster".to_owned(), reason: e.to_string() })?;
    Ok((config, "in-cluster".to_owned()))
}
