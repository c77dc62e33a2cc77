//! `pods delete`: what is ours, and nothing else.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::api::{DeleteParams, ListParams, Preconditions};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::progress::Progress;
use super::watch::{Watched, Woken};
use crate::cluster::confirm::confirm;
use crate::cluster::labels::{is_ours, pair_selector, selector};
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, ClusterError};
use crate::say;

const AT_ONCE: usize = 8;

/// What is to go, and how.
#[derive(Debug)]
pub struct Deletion {
    /// One pair alone.
    pub pair: Option<usize>,
    /// The claims too, with the results in them.
    pub claims: bool,
    /// Without asking.
    pub yes: bool,
    /// For all of it.
    pub limit: Duration,
}

/// Why something is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The server's part.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// It takes too long.
    #[error(
        "waited {} s for {what} to be gone; still there: {left}{fault}; it goes on by itself, unless its node is down: see \
         `kubectl get nodes`",
        limit.as_secs()
    )]
    StillThere {
        /// `pods` or `claims`.
        what: &'static str,
        /// Their names.
        left: String,
        /// What the watch said, if it failed.
        fault: String,
        /// How long was waited.
        limit: Duration,
    },
}

/// Deletes, waits until all is gone, and says how many pods and claims that were.
pub async fn delete(cluster: &Cluster, deletion: &Deletion) -> Result<(usize, usize), DeleteError> {
    let selector = deletion.pair.map_or_else(selector, pair_selector);
    let params = ListParams::default().labels(&selector);
    let (pods, claims) = (cluster.api::<Pod>(), cluster.api::<PersistentVolumeClaim>());
    let pods = retry(cluster, "list pods", || pods.list(&params)).await?.items;
    let claims = retry(cluster, "list claims", || claims.list(&params)).await?.items;
    let going = if deletion.claims { claims.len() } else { 0 };
    if pods.is_empty() && going == 0 {
        let stay = if claims.is_empty() { String::new() } else { stays(claims.len()) };
        say::err(format_args!("{cluster}: there is no pod of ours to delete{stay}"));
        return Ok((0, 0));
    }
    let names: Vec<String> = pods.iter().map(ResourceExt::name_any).collect();
    let also = match (deletion.claims, claims.len()) {
        (_, 0) => String::new(),
        (true, n) => format!(" and {n} claims with the results in them"),
        (false, n) => stays(n),
    };
    confirm(cluster, &format!("delete {} pods ({}){also}", pods.len(), few(&names)), deletion.yes)?;
    let deadline = Instant::now() + deletion.limit;
    remove(cluster, "pod", &pods).await?;
    if deletion.claims {
        remove(cluster, "claim", &claims).await?;
    }
    gone(cluster, "pods", "watch pods", &selector, &pods, deadline, deletion.limit).await?;
    if deletion.claims {
        gone(cluster, "claims", "watch claims", &selector, &claims, deadline, deletion.limit).await?;
    }
    Ok((pods.len(), going))
}

fn stays(claims: usize) -> String {
    format!("; {claims} claims stay, with the results in them (--claims deletes those too)")
}

/// All names, or the first ones of many.
fn few(names: &[String]) -> String {
    match names {
        [first @ .., _] if names.len() > 12 => format!("{}, …", first[..10].join(", ")),
        _ => names.join(", "),
    }
}

/// Deletes those very objects: one that was made anew meanwhile under the same name is somebody's wish.
async fn remove<K>(cluster: &Cluster, kind: &str, objects: &[K]) -> Result<(), ClusterError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let one = |object: &K| {
        let (name, uid, ours) = (object.name_any(), object.uid(), is_ours(object.meta()));
        async move {
            // The server selected by our label; this is the last look before something is destroyed.
            if !ours {
                return Ok(());
            }
            let preconditions = Some(Preconditions { uid, resource_version: None });
            let params = DeleteParams { preconditions, ..DeleteParams::default() };
            let api = cluster.api::<K>();
            match retry(cluster, &format!("delete {kind} {name}"), || api.delete(&name, &params)).await {
                Ok(_) | Err(ClusterError::NotFound { .. } | ClusterError::Conflict { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        }
    };
    stream::iter(objects.iter().map(one)).buffer_unordered(AT_ONCE).try_collect().await
}

/// Waits until none of those very objects is there any more.
async fn gone<K>(
    cluster: &Cluster,
    what: &'static str,
    watching: &'static str,
    selector: &str,
    objects: &[K],
    deadline: Instant,
    limit: Duration,
) -> Result<(), DeleteError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    let uids: Vec<Option<String>> = objects.iter().map(ResourceExt::uid).collect();
    let mut watched: Watched<K> = Watched::new(cluster, cluster.api(), selector, watching);
    let progress = Progress::new();
    loop {
        let woken = watched.next(deadline).await?;
        let left: Option<Vec<String>> = watched.objects().map(|there| {
            let still = there.iter().filter(|(_, object)| uids.contains(&object.uid()));
            still.map(|(name, _)| name.clone()).collect()
        });
        match left {
            Some(left) if left.is_empty() => return Ok(()),
            left if woken == Woken::TimeUp => {
                let left = left.map_or_else(|| "not known".to_owned(), |left| few(&left));
                let fault = watched.fault().map_or_else(String::new, |fault| format!("; at last, {fault}"));
                return Err(DeleteError::StillThere { what, left, fault, limit });
            }
            left => progress.line(format!("{} {what} to go", left.map_or(objects.len(), |left| left.len()))),
        }
    }
}
