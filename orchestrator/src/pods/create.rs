//! `pods create`: nodes → objects → files, a dry run, or the cluster.

use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::ListParams;

use super::apply::{self, ACCOUNT_LIMIT, Applied, ApplyError};
use super::files::{self, FilesError};
use super::objects::{self, Kind, Object, ObjectError};
use super::placement::{PairNodes, Placement, PlacementError, PlacementWish, place, unseen};
use super::progress::Progress;
use super::rows::{Row, rows};
use super::settings::PodSettings;
use super::template::{Template, TemplateError};
use super::wait::{WaitError, wait_ready};
use crate::cluster::confirm::confirm;
use crate::cluster::labels::{PodRole, pod_name};
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, ClusterError};
use crate::say;

/// What stops a creation.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each is the error of the module it is named after")]
pub enum CreateError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("{0}; or name nodes with both --tx-node and --rx-node, and none need be listed")]
    Nodes(ClusterError),
    #[error(transparent)]
    Placement(#[from] PlacementError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Wait(#[from] WaitError),
}

/// What is to be made, and how.
#[derive(Debug)]
pub struct Creation {
    /// The pods.
    pub settings: PodSettings,
    /// Where they should go.
    pub wish: PlacementWish,
    /// The user's own.
    pub template: Option<Template>,
    /// Without asking.
    pub yes: bool,
    /// For all pods together; none is not to wait.
    pub wait: Option<Duration>,
}

/// The files of `--dry-run=client`; the cluster is asked for its nodes only, and done without where it can't be.
pub async fn dry_run_client(
    creation: &Creation,
    cluster: Option<&Cluster>,
    folder: PathBuf,
) -> Result<Vec<PathBuf>, CreateError> {
    let nodes = match cluster {
        Some(cluster) => nodes(cluster, &creation.wish).await,
        None => Ok(None),
    };
    let placement = match nodes {
        Ok(Some(nodes)) => place(&nodes, creation.settings.pairs, &creation.wish)?,
        Ok(None) => unseen(creation.settings.pairs, &creation.wish),
        Err(error) => {
            say::err(format_args!(
                "note: the nodes are not known ({error}); pods are pinned only to nodes that you name"
            ));
            unseen(creation.settings.pairs, &creation.wish)
        }
    };
    let pods = objects(creation, &placement)?;
    Ok(files::write(&folder, &pods)?)
}

/// What `--dry-run=server` would have done to each object.
pub async fn dry_run_server(
    creation: &Creation,
    cluster: &Cluster,
) -> Result<Vec<(Object, Applied)>, CreateError> {
    let (objects, _) = plan(creation, cluster).await?;
    let before = apply::look(cluster, &objects).await?;
    let applied = apply::apply(cluster, &objects, &before, true, ACCOUNT_LIMIT).await?;
    Ok(objects.into_iter().zip(applied).collect())
}

/// Makes the pods, and gives back how they are once they are ready.
pub async fn create(creation: &Creation, cluster: &Cluster) -> Result<Vec<Row>, CreateError> {
    let (objects, placement) = plan(creation, cluster).await?;
    let before = apply::look(cluster, &objects).await?;
    for line in placed(&placement) {
        say::err(line);
    }
    confirm(cluster, &sentence(&objects, &before), creation.yes)?;
    let patience = creation.wait.map_or(ACCOUNT_LIMIT, |limit| limit.min(ACCOUNT_LIMIT));
    let applied = apply::apply(cluster, &objects, &before, false, patience).await?;
    say::err(done(&applied));
    let Some(limit) = creation.wait else { return Ok(Vec::new()) };
    let names: Vec<String> =
        objects.into_iter().filter(|object| object.kind == Kind::Pod).map(|object| object.name).collect();
    let progress = Progress::new();
    let pods = wait_ready(cluster, &names, limit, &progress).await?;
    Ok(rows(pods.values()))
}

/// All objects, claims first, and where they go.
async fn plan(creation: &Creation, cluster: &Cluster) -> Result<(Vec<Object>, Placement), CreateError> {
    let placement = match nodes(cluster, &creation.wish).await.map_err(CreateError::Nodes)? {
        Some(nodes) => place(&nodes, creation.settings.pairs, &creation.wish)?,
        None => unseen(creation.settings.pairs, &creation.wish),
    };
    for note in &placement.notes {
        say::err(format_args!("note: {note}"));
    }
    let mut all: Vec<Object> =
        objects(creation, &placement)?.into_iter().flat_map(|(_, objects)| objects).collect();
    all.sort_by_key(|object| object.kind);
    Ok((all, placement))
}

/// The cluster's nodes; none when they may not be listed and need not be, since the user named those that matter.
async fn nodes(cluster: &Cluster, wish: &PlacementWish) -> Result<Option<Vec<Node>>, ClusterError> {
    let api: Api<Node> = Api::all(cluster.client.clone());
    let params = ListParams::default();
    match retry(cluster, "list nodes", || api.list(&params)).await {
        Ok(list) => Ok(Some(list.items)),
        Err(ClusterError::Forbidden { .. }) if wish.tx_node.is_some() && wish.rx_node.is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

/// By pod: its claim and itself.
fn objects(creation: &Creation, placement: &Placement) -> Result<Vec<(String, Vec<Object>)>, CreateError> {
    let mut all = Vec::new();
    let mut notes = Vec::new();
    for (pair, nodes) in placement.pairs.iter().enumerate() {
        for role in [PodRole::Tx, PodRole::Rx] {
            all.push((pod_name(role, pair), of_end(creation, role, pair, nodes, &mut notes)?));
        }
    }
    for note in notes {
        say::err(format_args!("note: {note}"));
    }
    Ok(all)
}

fn of_end(
    creation: &Creation,
    role: PodRole,
    pair: usize,
    nodes: &PairNodes,
    notes: &mut Vec<String>,
) -> Result<Vec<Object>, CreateError> {
    match &creation.template {
        Some(template) => Ok(template.objects(&creation.settings, role, pair, nodes, notes)?),
        None => Ok(objects::built_in(&creation.settings, role, pair, nodes)?),
    }
}

/// `create 6 pods and 6 claims (2 are there already)`
fn sentence(objects: &[Object], before: &[Option<String>]) -> String {
    let pods = objects.iter().filter(|object| object.kind == Kind::Pod).count();
    let claims = objects.len() - pods;
    let there = before.iter().flatten().count();
    let claims = if claims == 0 { String::new() } else { format!(" and {claims} claims") };
    let there = if there == 0 { String::new() } else { format!(" ({there} objects are there already)") };
    format!("create {pods} pods{claims}{there}")
}

/// `4 objects created, 2 unchanged`
fn done(applied: &[Applied]) -> String {
    let count = |wanted| applied.iter().filter(|applied| **applied == wanted).count();
    let words =
        [(Applied::Created, "created"), (Applied::Changed, "changed"), (Applied::Unchanged, "unchanged")];
    let counts = words.map(|(wanted, word)| (count(wanted), word));
    let texts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    format!("objects: {}", texts.join(", "))
}

/// Which pods go to which nodes, a line for each different pair of nodes.
fn placed(placement: &Placement) -> Vec<String> {
    let mut groups: Vec<(&PairNodes, Vec<String>)> = Vec::new();
    for (pair, nodes) in placement.pairs.iter().enumerate() {
        match groups.iter_mut().find(|(known, _)| *known == nodes) {
            Some((_, pairs)) => pairs.push(pair.to_string()),
            None => groups.push((nodes, vec![pair.to_string()])),
        }
    }
    let name = |node: &Option<String>| node.clone().unwrap_or_else(|| "any node".to_owned());
    let line = |(nodes, pairs): (&PairNodes, Vec<String>)| {
        format!("pairs {}: tx on {}, rx on {}", pairs.join(", "), name(&nodes.tx), name(&nodes.rx))
    };
    groups.into_iter().map(line).collect()
}
