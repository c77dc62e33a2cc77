//! What may be typed behind `pods`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use k8s_openapi::api::core::v1::Toleration;
use traffic::device::Device;

use super::args::pair_count;
use super::measure_args::Output;
use super::pods_values::{ResourceName, resource, selector, setting, toleration};
use crate::cluster::ClusterArgs;
use crate::pods::quantity::{Amount, Cpu, PageSize};

/// The image of this release.
const IMAGE: &str = concat!("dpdk-k8s-bench/dataplane:", env!("CARGO_PKG_VERSION"));

/// `pods …`
#[derive(Debug, Subcommand)]
pub enum PodsVerb {
    /// Create pairs of pods and wait until they are ready
    Create(Box<CreateArgs>),
    /// Show the pods that this program made, and why those are not ready that are not
    List(ListArgs),
    /// Delete the pods that this program made, and nothing else
    Delete(DeleteArgs),
    /// Print the built-in pod template, for --template
    Template {
        /// Where /output is kept: without pvc there is no claim in the template
        #[arg(long, value_enum, default_value_t = Volume::Pvc)]
        output_volume: Volume,
    },
    /// Print the least rights that this program needs, for somebody who may grant them
    Rbac(RbacArgs),
}

/// `pods create`
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// How many pairs
    #[arg(short = 'n', long, default_value_t = 3, value_parser = pair_count)]
    pub pairs: usize,
    /// CPUs of each pod: 2, or 1500m
    #[arg(short, long, default_value = "2")]
    pub cpu: Cpu,
    /// Memory of each pod, without hugepages: GiB, or 512Mi
    #[arg(short, long, default_value = "2", value_name = "GIB")]
    pub memory: Amount,
    /// How many of the device resource each pod gets (for -r dpdk and -r vendor.com/name); 0 is none
    #[arg(short, long, default_value_t = 1)]
    pub dpdk: u32,
    /// How many of the device resource each pod gets, for -r sriov; 0 is none
    #[arg(short, long, default_value_t = 1)]
    pub vf: u32,
    /// Memory of each pod in hugepages: GiB, or 512Mi; 0 is none
    #[arg(short = 'g', long, default_value = "2", value_name = "GIB")]
    pub hugepages: Amount,
    /// The size of a hugepage
    #[arg(long, value_enum, default_value_t = HugepageSize::Gi1)]
    pub hugepage_size: HugepageSize,
    /// The image: its `dataplane` must be of this release. The old tool's image holds none
    #[arg(short, long, default_value = IMAGE)]
    pub image: String,
    /// When the image is pulled
    #[arg(long, value_enum, default_value_t = PullPolicy::IfNotPresent)]
    pub image_pull_policy: PullPolicy,
    /// All pods on one node, the first worker
    #[arg(short, long, overrides_with = "no_same_node")]
    pub same_node: bool,
    /// Each pair over two nodes, in turn over the workers (this is the default)
    #[arg(long, overrides_with = "same_node")]
    pub no_same_node: bool,
    /// The device plugin's resource: dpdk (intel.com/dpdk), sriov (intel.com/sriov), vendor.com/name or none [default:
    /// dpdk; none when the devices are others than env and pci:…]
    #[arg(short, long, value_parser = resource)]
    pub resource: Option<ResourceName>,
    /// All senders on this node
    #[arg(long, value_name = "NODE")]
    pub tx_node: Option<String>,
    /// All receivers on this node
    #[arg(long, value_name = "NODE")]
    pub rx_node: Option<String>,
    /// Only nodes with this label: key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = selector)]
    pub node_selector: Vec<(String, String)>,
    /// Bear this taint: key[=value][:Effect]; may be repeated
    #[arg(long, value_name = "TAINT", value_parser = toleration)]
    pub toleration: Vec<Toleration>,
    /// A Multus network: name, or namespace/name; may be repeated
    #[arg(long, value_name = "NAME")]
    pub network: Vec<String>,
    /// Where each pod's runs and samples are kept: a claim outlives the pod
    #[arg(long, value_enum, default_value_t = Volume::Pvc)]
    pub output_volume: Volume,
    /// The claims' storage class; "" is the cluster's default
    #[arg(long, default_value = "fast-disks", value_name = "NAME")]
    pub storage_class: String,
    /// The claims' size
    #[arg(long, default_value_t = 20, value_name = "GIB", value_parser = clap::value_parser!(u32).range(1..))]
    pub storage_size: u32,
    /// The device that the agents use: env (the device plugin's), pci:…, vdev:…, iface:eth0 or xdp:eth0
    #[arg(long, default_value = "env")]
    pub device: Device,
    /// The senders' device, where it is another
    #[arg(long, value_name = "DEVICE")]
    pub tx_device: Option<Device>,
    /// The receivers' device, where it is another
    #[arg(long, value_name = "DEVICE")]
    pub rx_device: Option<Device>,
    /// Join each pair by memif, with sockets in this folder of the node; needs --same-node
    #[arg(long, value_name = "HOSTPATH", conflicts_with_all = ["device", "tx_device", "rx_device"])]
    pub memif_dir: Option<String>,
    /// The pods' service account; none of them gets a token of it
    #[arg(long, default_value = "none", value_name = "NAME")]
    pub service_account: String,
    /// Privileged pods, as the old ones were; not needed for any device
    #[arg(long)]
    pub privileged: bool,
    /// Let agents use a device that no IOMMU keeps from writing to all memory of its node (VFIO's no-IOMMU mode): for
    /// tests only
    #[arg(long, requires = "privileged", conflicts_with = "template")]
    pub allow_no_iommu: bool,
    /// The port on which every agent shows `/metrics`, and nothing else, to the cluster [default: none does]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1024..))]
    pub metrics_port: Option<u16>,
    /// Make pods from this file with placeholders; `pods template` prints one to begin with
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// A value for a placeholder of the template; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting, requires = "template")]
    pub set: Vec<(String, String)>,
    /// Change nothing: client writes pods/NAME.yaml, server asks the API server whether it would take the pods
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    pub dry_run: Option<DryRun>,
    /// Don't ask
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Seconds until all pods must be ready; 0 does not wait
    #[arg(long, alias = "timeout", default_value_t = 120, value_name = "SECONDS")]
    pub wait_timeout: u64,
    /// table, or json: an object a line, its kind in "event"
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// `pods list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Those of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// table, or json: an object a line, its kind in "event"
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// `pods delete`
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// This pair alone [default: all]
    #[arg(long, value_name = "N")]
    pub pair: Option<usize>,
    /// Delete the claims too, with the results in them; without it they stay and are used again by the next pods
    #[arg(long)]
    pub claims: bool,
    /// Don't ask
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Seconds until all must be gone
    #[arg(long, alias = "timeout", default_value_t = 120, value_name = "SECONDS")]
    pub wait_timeout: u64,
    /// table, or json: an object a line, its kind in "event"
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// `pods rbac`
#[derive(Debug, Args)]
pub struct RbacArgs {
    /// Who is to get the rights
    #[arg(long, default_value = "dpdk-k8s-bench", value_name = "NAME")]
    pub service_account: String,
    /// Also what `preflight` reads of the kubelets' configuration; it allows reading all that a kubelet serves
    #[arg(long)]
    pub kubelet_config: bool,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Sizes of hugepages, as Kubernetes writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HugepageSize {
    /// 1 GiB.
    #[value(name = "1Gi")]
    Gi1,
    /// 2 MiB.
    #[value(name = "2Mi")]
    Mi2,
}

impl From<HugepageSize> for PageSize {
    fn from(size: HugepageSize) -> PageSize {
        match size {
            HugepageSize::Gi1 => PageSize::Gi1,
            HugepageSize::Mi2 => PageSize::Mi2,
        }
    }
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PullPolicy {
    /// Unless the node has it.
    #[value(name = "IfNotPresent")]
    IfNotPresent,
    /// Each time.
    #[value(name = "Always")]
    Always,
    /// The node must have it.
    #[value(name = "Never")]
    Never,
}

/// Where `/output` is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Volume {
    /// A claim.
    Pvc,
    /// In the pod.
    EmptyDir,
}

/// Ways to change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Files.
    Client,
    /// The server's opinion.
    Server,
}
