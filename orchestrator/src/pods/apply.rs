//! Objects into the cluster by server-side apply, after a look whether any of the names belongs to somebody else.

use std::cell::Cell;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Patch, PatchParams};
use tokio::time::{Instant, sleep};

use super::objects::{Kind, Object};
use crate::cluster::labels::{self, MANAGED_BY, OURS, pair_of};
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, ClusterError};
use crate::say;

/// Calls under way at once: fast for hundreds of pods, and no burden for a server.
const AT_ONCE: usize = 8;
/// A new namespace has its service account by then, where somebody makes accounts at all.
pub const ACCOUNT_LIMIT: Duration = Duration::from_secs(10);
/// Between two tries meanwhile.
const ACCOUNT_PAUSE: Duration = Duration::from_millis(300);

/// Why objects can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The server's part.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Names that are taken; all of them.
    #[error("{}", .0.join("\n"))]
    Taken(Vec<String>),
    /// It is there and differs in what can't be changed.
    #[error(
        "the {kind} {name} exists and differs in what can't be changed ({reason}): remove it first with \
         `orchestrator pods delete --pair {pair}{claims}`",
        claims = if *kind == "claim" { " --claims` (with the results in it), or give the flags it was made with" } else { "" }
    )]
    Immutable {
        /// `pod` or `claim`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Its pair.
        pair: usize,
        /// The server's sentence.
        reason: String,
    },
    /// Some are there already.
    #[error("{error}; {done} of {all} objects were made before: `orchestrator pods delete` removes them")]
    Partly {
        /// How many.
        done: usize,
        /// Of how many.
        all: usize,
        /// What stopped it.
        error: Box<ApplyError>,
    },
}

/// What applying an object did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is new.
    Created,
    /// It was ours, and is another now.
    Changed,
    /// It was so before.
    Unchanged,
}

/// The objects that are there already, by their resource version; an error when one is not ours to touch.
pub async fn look(cluster: &Cluster, objects: &[Object]) -> Result<Vec<Option<String>>, ApplyError> {
    let looks = stream::iter(objects.iter().map(|object| existing(cluster, object)));
    let found: Vec<Option<Found>> = looks.buffered(AT_ONCE).try_collect().await?;
    let taken: Vec<String> = objects
        .iter()
        .zip(&found)
        .filter_map(|(object, found)| refusal(cluster, object, found.as_ref()?))
        .collect();
    if !taken.is_empty() {
        return Err(ApplyError::Taken(taken));
    }
    Ok(found.into_iter().map(|found| found.and_then(|found| found.meta.resource_version)).collect())
}

struct Found {
    meta: ObjectMeta,
    /// `Failed`, and why.
    ended: Option<String>,
}

async fn existing(cluster: &Cluster, object: &Object) -> Result<Option<Found>, ClusterError> {
    let (name, what) = (&object.name, format!("look for a {} named {}", object.kind.word(), object.name));
    Ok(match object.kind {
        Kind::Pod => {
            let api = cluster.api::<Pod>();
            retry(cluster, &what, || api.get_opt(name)).await?.map(|pod| {
                let status = pod.status.unwrap_or_default();
                let ended = status.phase.filter(|phase| phase == "Failed" || phase == "Succeeded");
                Found { meta: pod.metadata, ended: ended.map(|phase| status.reason.unwrap_or(phase)) }
            })
        }
        Kind::Claim => {
            let api = cluster.api::<PersistentVolumeClaim>();
            let found = retry(cluster, &what, || api.get_opt(name)).await?;
            found.map(|claim| Found { meta: claim.metadata, ended: None })
        }
    })
}

/// Why an object that is there can't be used or changed.
fn refusal(cluster: &Cluster, object: &Object, found: &Found) -> Option<String> {
    let (kind, name, namespace) = (object.kind.word(), &object.name, &cluster.namespace);
    if !labels::is_ours(&found.meta) {
        let resource = if object.kind == Kind::Pod { "pod" } else { "pvc" };
        return Some(format!(
            "the {kind} {name} in namespace {namespace} was not made by this program (it has no label \
             {MANAGED_BY}={OURS}) and is left alone: choose another namespace with -N, remove it yourself, or hand it over \
             with `kubectl -n {namespace} label {resource} {name} {MANAGED_BY}={OURS}`"
        ));
    }
    if found.meta.deletion_timestamp.is_some() {
        return Some(format!(
            "the {kind} {name} is still being deleted: wait until it is gone and try again"
        ));
    }
    let ended = found.ended.as_ref()?;
    let pair = pair_of(&found.meta).unwrap_or_default();
    Some(format!(
        "the {kind} {name} has ended ({ended}) and will not run again: `orchestrator pods delete --pair {pair}` first"
    ))
}

/// How long pods may wait for their namespace's service account, from the first that lacks it.
struct Patience {
    limit: Duration,
    until: Cell<Option<Instant>>,
}

impl Patience {
    /// Waits for a moment; false when there was time enough. The first to wait says so.
    async fn wait(&self, cluster: &Cluster) -> bool {
        let until = self.until.get().unwrap_or_else(|| {
            let (namespace, seconds) = (&cluster.namespace, self.limit.as_secs());
            say::err(format_args!(
                "namespace {namespace} has no service account `default` yet: waiting for it, {seconds} s at most"
            ));
            Instant::now() + self.limit
        });
        self.until.set(Some(until));
        let is_time = Instant::now() + ACCOUNT_PAUSE <= until;
        if is_time {
            sleep(ACCOUNT_PAUSE).await;
        }
        is_time
    }
}

/// Applies them all: claims before pods. `before` is what [`look`] found; `limit` is for a namespace that is too new to
/// have its service account.
pub async fn apply(
    cluster: &Cluster,
    objects: &[Object],
    before: &[Option<String>],
    dry_run: bool,
    limit: Duration,
) -> Result<Vec<Applied>, ApplyError> {
    let mut done = Vec::new();
    let mut fault = None;
    // After a fault no further call begins; those under way come to their end, so that the count is true.
    let stopped = Cell::new(false);
    let stopped = &stopped;
    let patience = &Patience { limit, until: Cell::new(None) };
    let calls = objects.iter().zip(before).map(|(object, before)| async move {
        if stopped.get() {
            return None;
        }
        loop {
            match one(cluster, object, before.as_deref(), dry_run).await {
                Err(ApplyError::Cluster(ClusterError::NoAccount { .. })) if patience.wait(cluster).await => {}
                result => break Some(result),
            }
        }
    });
    let mut calls = stream::iter(calls).buffered(AT_ONCE);
    while let Some(result) = calls.next().await {
        match result {
            Some(Ok(applied)) => done.push(applied),
            Some(Err(error)) => {
                stopped.set(true);
                fault.get_or_insert(error);
            }
            None => {}
        }
    }
    match fault {
        None => Ok(done),
        Some(error) if done.is_empty() || dry_run => Err(error),
        Some(error) => {
            Err(ApplyError::Partly { done: done.len(), all: objects.len(), error: Box::new(error) })
        }
    }
}

async fn one(
    cluster: &Cluster,
    object: &Object,
    before: Option<&str>,
    dry_run: bool,
) -> Result<Applied, ApplyError> {
    let (name, kind) = (&object.name, object.kind.word());
    let params = PatchParams { dry_run, ..PatchParams::apply(OURS) };
    let what = format!("create {kind} {name}");
    let patch = Patch::Apply(&object.value);
    let applied = match object.kind {
        Kind::Pod => {
            let api = cluster.api::<Pod>();
            retry(cluster, &what, || api.patch(name, &params, &patch)).await.map(|pod| pod.metadata)
        }
        Kind::Claim => {
            let api = cluster.api::<PersistentVolumeClaim>();
            retry(cluster, &what, || api.patch(name, &params, &patch)).await.map(|claim| claim.metadata)
        }
    };
    match applied {
        Ok(meta) => Ok(match before {
            None => Applied::Created,
            Some(version) if meta.resource_version.as_deref() == Some(version) => Applied::Unchanged,
            Some(_) => Applied::Changed,
        }),
        Err(ClusterError::Invalid { message, .. }) if before.is_some() => Err(ApplyError::Immutable {
            kind,
            name: name.clone(),
            pair: labels_pair(object),
            // The server goes on with the whole pod, twice.
            reason: message.lines().next().unwrap_or_default().to_owned(),
        }),
        Err(error) => Err(error.into()),
    }
}

fn labels_pair(object: &Object) -> usize {
    let pair = object.value["metadata"]["labels"][labels::PAIR].as_str();
    pair.and_then(|text| text.parse().ok()).unwrap_or_default()
}
