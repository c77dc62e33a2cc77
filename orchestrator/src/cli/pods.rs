//! `pods`: typed → settings → cluster.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::json;
use traffic::device::Device;

use super::measure_args::Output;
use super::pods_args::{CreateArgs, DeleteArgs, DryRun, ListArgs, PodsVerb, PullPolicy, RbacArgs, Volume};
use super::pods_values::{ResourceName, map};
use crate::cluster::{Cluster, ClusterArgs, ClusterError};
use crate::pods::apply::Applied;
use crate::pods::create::{Creation, create, dry_run_client, dry_run_server};
use crate::pods::delete::{Deletion, delete};
use crate::pods::list::list;
use crate::pods::placement::PlacementWish;
use crate::pods::rbac::{Grant, manifests};
use crate::pods::rows::{Row, table};
use crate::pods::settings::{DeviceResource, Hugepages, OutputVolume, PodSettings};
use crate::pods::template::{self, Template};
use crate::say;

/// Where `--dry-run=client` writes, as the old script did.
const FOLDER: &str = "pods";

/// Does what was typed.
pub fn execute(verb: PodsVerb) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match verb {
        PodsVerb::Create(args) => runtime.block_on(execute_create(&args))?,
        PodsVerb::List(args) => runtime.block_on(execute_list(&args))?,
        PodsVerb::Delete(args) => runtime.block_on(execute_delete(&args))?,
        PodsVerb::Template { output_volume } => {
            say::out(template::built_in(output_volume == Volume::Pvc).trim_end())?
        }
        PodsVerb::Rbac(args) => runtime.block_on(execute_rbac(&args))?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn execute_create(args: &CreateArgs) -> Result<()> {
    let cluster = Cluster::connect(&args.cluster).await;
    let namespace = namespace_of(&args.cluster, cluster.as_ref());
    let creation = creation(args, namespace)?;
    for note in notes(args, &creation.settings) {
        say::err(format_args!("note: {note}"));
    }
    match args.dry_run {
        Some(DryRun::Client) => {
            let cluster = optional(cluster, &args.cluster)?;
            let written = dry_run_client(&creation, cluster.as_ref(), PathBuf::from(FOLDER)).await?;
            show_files(&written, args.output)
        }
        Some(DryRun::Server) => {
            let would = dry_run_server(&creation, &cluster?).await?;
            for (object, applied) in would {
                let (kind, name) = (object.kind.word(), &object.name);
                let word = word(applied);
                match args.output {
                    Output::Table => say::out(format_args!("{kind} {name}: would be {word}"))?,
                    Output::Json => {
                        say::out(json!({"event": "would", "kind": kind, "name": name, "be": word}))?;
                    }
                }
            }
            Ok(())
        }
        None => {
            let rows = create(&creation, &cluster?).await?;
            show_rows(&rows, args.output, false)
        }
    }
}

async fn execute_list(args: &ListArgs) -> Result<()> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let rows = list(&cluster, args.all_namespaces).await?;
    if rows.is_empty() && args.output == Output::Table {
        let place =
            if args.all_namespaces { format!("context {}", cluster.context) } else { cluster.to_string() };
        say::err(format_args!("{place}: no pods of ours; `orchestrator pods create` makes some"));
        return Ok(());
    }
    show_rows(&rows, args.output, args.all_namespaces)
}

pub(super) async fn execute_delete(args: &DeleteArgs) -> Result<()> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let deletion = Deletion {
        pair: args.pair,
        claims: args.claims,
        yes: args.yes,
        limit: Duration::from_secs(args.wait_timeout),
    };
    let (pods, claims) = delete(&cluster, &deletion).await?;
    match args.output {
        Output::Table => say::out(format_args!("{pods} pods and {claims} claims deleted"))?,
        Output::Json => say::out(json!({"event": "deleted", "pods": pods, "claims": claims}))?,
    }
    Ok(())
}

async fn execute_rbac(args: &RbacArgs) -> Result<()> {
    let cluster = Cluster::connect(&args.cluster).await;
    let grant = Grant {
        namespace: namespace_of(&args.cluster, cluster.as_ref()),
        service_account: args.service_account.clone(),
        kubelet_config: args.kubelet_config,
    };
    match manifests(&grant) {
        Ok(text) => Ok(say::out(text.trim_end())?),
        Err(reason) => bail!("the rights can't be written as YAML: {reason}"),
    }
}

/// What was typed, checked and completed.
fn creation(args: &CreateArgs, namespace: String) -> Result<Creation> {
    let settings = settings(args, namespace)?;
    let wish = PlacementWish {
        same_node: args.same_node,
        tx_node: args.tx_node.clone(),
        rx_node: args.rx_node.clone(),
        node_selector: settings.node_selector.clone(),
        tolerations: settings.tolerations.clone(),
    };
    let one_node = args.same_node || (args.tx_node.is_some() && args.tx_node == args.rx_node);
    if args.memif_dir.is_some() && !one_node {
        bail!(
            "--memif-dir joins pods of one node: give --same-node, or one node as both --tx-node and --rx-node"
        );
    }
    if args.same_node && args.tx_node.is_some() && args.rx_node.is_some() && args.tx_node != args.rx_node {
        bail!(
            "--same-node and two different nodes, --tx-node and --rx-node, contradict: give one or the other"
        );
    }
    let template = args.template.as_deref().map(|path| Template::read(path, map(&args.set))).transpose()?;
    if let (Some(port), Some(template)) = (args.metrics_port, &template)
        && !template.text.contains("{{metrics-arguments}}")
    {
        bail!(
            "--metrics-port {port}: {} has no {{{{metrics-arguments}}}} in its command, so its agents would show nothing: add it \
             as in `orchestrator pods template`",
            template.path.display()
        );
    }
    let wait = (args.wait_timeout > 0).then(|| Duration::from_secs(args.wait_timeout));
    Ok(Creation { settings, wish, template, yes: args.yes, wait })
}

fn settings(args: &CreateArgs, namespace: String) -> Result<PodSettings> {
    let size = args.hugepage_size.into();
    let hugepages = (args.hugepages.bytes > 0).then(|| Hugepages { amount: args.hugepages.clone(), size });
    if let Some(pages) = &hugepages
        && !pages.amount.bytes.is_multiple_of(pages.size.bytes())
    {
        bail!(
            "-g {} is no whole number of pages of {}: ask for whole pages, or use --hugepage-size 2Mi",
            pages.amount,
            pages.size.name()
        );
    }
    if let Some(path) = args.memif_dir.as_ref().filter(|path| !path.starts_with('/') || path.contains("..")) {
        bail!(
            "--memif-dir {path} is no folder of a node: write it from the root, such as /run/dpdk-k8s-bench"
        );
    }
    let tx_device = args.tx_device.clone().unwrap_or_else(|| args.device.clone());
    let rx_device = args.rx_device.clone().unwrap_or_else(|| args.device.clone());
    Ok(PodSettings {
        resource: device_resource(args, &tx_device, &rx_device),
        namespace,
        pairs: args.pairs,
        cpu: args.cpu.clone(),
        memory: args.memory.clone(),
        hugepages,
        image: args.image.clone(),
        pull_policy: match args.image_pull_policy {
            PullPolicy::IfNotPresent => "IfNotPresent",
            PullPolicy::Always => "Always",
            PullPolicy::Never => "Never",
        },
        node_selector: map(&args.node_selector),
        tolerations: args.toleration.clone(),
        networks: args.network.clone(),
        output: match args.output_volume {
            Volume::Pvc => OutputVolume::Claim {
                class: (!args.storage_class.is_empty()).then(|| args.storage_class.clone()),
                size_gib: args.storage_size,
            },
            Volume::EmptyDir => OutputVolume::EmptyDir,
        },
        tx_device,
        rx_device,
        memif_dir: args.memif_dir.clone(),
        service_account: (args.service_account != "none").then(|| args.service_account.clone()),
        privileged: args.privileged,
        allow_no_iommu: args.allow_no_iommu,
        metrics_port: args.metrics_port,
    })
}

/// What each pod gets of the device plugin. A device that is no VF needs none, unless the user says so.
fn device_resource(args: &CreateArgs, tx: &Device, rx: &Device) -> Option<DeviceResource> {
    let is_nic = |device: &Device| matches!(device, Device::Env | Device::Pci(_));
    let takes_one = args.memif_dir.is_none() && (is_nic(tx) || is_nic(rx));
    let default = if takes_one { ResourceName::Dpdk } else { ResourceName::None };
    let (name, count) = match args.resource.clone().unwrap_or(default) {
        ResourceName::None => return None,
        ResourceName::Dpdk => ("intel.com/dpdk".to_owned(), args.dpdk),
        ResourceName::Sriov => ("intel.com/sriov".to_owned(), args.vf),
        ResourceName::Named(name) => (name, args.dpdk),
    };
    (count > 0).then_some(DeviceResource { name, count })
}

fn notes(args: &CreateArgs, settings: &PodSettings) -> Vec<String> {
    let mut notes = Vec::new();
    if !settings.cpu.is_exclusive() {
        notes.push(format!(
            "-c {}: pods get CPUs of their own, under the static CPU manager, only when they ask for 2 or more whole ones",
            settings.cpu
        ));
    }
    if args.template.is_some() && args.privileged {
        notes.push(
            "--privileged: a template says by itself what its pods may, unless it has {{security-context}}"
                .into(),
        );
    }
    if settings.resource.is_none() && settings.tx_device == Device::Env && settings.memif_dir.is_none() {
        notes.push(
            "no device resource is asked for and --device is env: agents will find no device by themselves"
                .into(),
        );
    }
    notes
}

/// Files can be written without a cluster; but one that is named must be right.
fn optional(cluster: Result<Cluster, ClusterError>, args: &ClusterArgs) -> Result<Option<Cluster>> {
    match cluster {
        Ok(cluster) => Ok(Some(cluster)),
        Err(error) if args.kubeconfig.is_some() || args.context.is_some() => Err(error.into()),
        Err(error) => {
            say::err(format_args!("note: {error}; pods are pinned only to nodes that you name"));
            Ok(None)
        }
    }
}

fn namespace_of(args: &ClusterArgs, cluster: Result<&Cluster, &ClusterError>) -> String {
    let known = cluster.ok().map(|cluster| cluster.namespace.clone());
    known.or_else(|| args.namespace.clone()).unwrap_or_else(|| "default".to_owned())
}

fn word(applied: Applied) -> &'static str {
    match applied {
        Applied::Created => "created",
        Applied::Changed => "changed",
        Applied::Unchanged => "left as it is",
    }
}

fn show_files(written: &[PathBuf], output: Output) -> Result<()> {
    for path in written {
        match output {
            Output::Table => say::out(path.display())?,
            Output::Json => say::out(json!({"event": "file", "path": path}))?,
        }
    }
    Ok(())
}

fn show_rows(rows: &[Row], output: Output, with_namespace: bool) -> Result<()> {
    match output {
        Output::Table if rows.is_empty() => {}
        Output::Table => say::out(table(rows, with_namespace))?,
        Output::Json => {
            for row in rows {
                say::out(serde_json::to_string(row)?)?;
            }
        }
    }
    Ok(())
}
