//! What may be typed behind `preflight`.

use std::path::PathBuf;

use clap::Args;
use k8s_openapi::api::core::v1::Toleration;

use super::args::pair_count;
use super::measure_args::{ClockArg, MemoryArg, Output, descriptors, workers};
use super::pods_args::HugepageSize;
use super::pods_values::{ResourceName, resource, selector, toleration};
use crate::cluster::ClusterArgs;
use crate::pods::quantity::{Amount, Cpu};

/// `preflight`
#[derive(Debug, Args)]
pub struct PreflightArgs {
    /// Look at this machine, as `run --local` would use it
    #[arg(long)]
    pub local: bool,
    /// How many pairs [default: those that are there; where there are none, 3 in a cluster, 1 with --local]
    #[arg(short = 'n', long, value_parser = pair_count)]
    pub pairs: Option<usize>,
    /// A profile's path, or its bare file name in flows/txN-rxN/: its frames have to fit the MTU and the memory
    #[arg(long)]
    pub profile: Option<String>,
    /// Where `flows generate` puts the pairs' profiles
    #[arg(long, default_value = "flows")]
    pub flows_dir: PathBuf,
    /// How a trial would measure.
    #[command(flatten)]
    pub trial: TrialArgs,
    /// Pods to come.
    #[command(flatten)]
    pub pods: PodArgs,
    /// Show what is ok however much it is
    #[arg(long)]
    pub all: bool,
    /// table, or json: an object a line, its kind in "event"
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// As `run` has them.
#[derive(Debug, Args)]
pub struct TrialArgs {
    /// The sender's device, once for all pairs or once a pair [default: what the pod says; memif with --local]
    #[arg(long)]
    pub tx_device: Vec<String>,
    /// The receiver's device, once for all pairs or once a pair
    #[arg(long)]
    pub rx_device: Vec<String>,
    /// MiB of each sender's DPDK memory [default: what its queues need]
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..))]
    pub tx_socket_mem: Option<u32>,
    /// MiB of each receiver's DPDK memory
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..))]
    pub rx_socket_mem: Option<u32>,
    /// The sender's workers, beside its main core
    #[arg(long, alias = "txq", value_parser = workers())]
    pub tx_num_core: Option<u16>,
    /// The receiver's workers, beside its main core
    #[arg(long, alias = "rxq", value_parser = workers())]
    pub rx_num_core: Option<u16>,
    /// Descriptors of each of the sender's queues
    #[arg(long, default_value_t = 1024, value_parser = descriptors())]
    pub txd: u16,
    /// Descriptors of each of the receiver's queues
    #[arg(long, default_value_t = 1024, value_parser = descriptors())]
    pub rxd: u16,
    /// Where DPDK's memory comes from
    #[arg(long, value_enum, default_value_t = MemoryArg::Auto)]
    pub memory: MemoryArg,
    /// The same as --memory no-huge
    #[arg(long, conflicts_with = "memory")]
    pub no_huge: bool,
    /// The clock of the marks
    #[arg(long, value_enum, default_value_t = ClockArg::Tsc)]
    pub clock: ClockArg,
    /// How much CLOCK_REALTIME may differ between the two ends, as your PTP says
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    pub clock_error_ns: u64,
    /// The dataplane program, with --local [default: beside this one, $DATAPLANE, $PATH]
    #[arg(long)]
    pub dataplane: Option<PathBuf>,
}

/// As `pods create` has them; what is not given is as the pods that are there have it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pods to come")]
pub struct PodArgs {
    /// CPUs of each pod [default: 2]
    #[arg(short, long)]
    pub cpu: Option<Cpu>,
    /// Memory of each pod, without hugepages: GiB, or 512Mi [default: 2]
    #[arg(short = 'm', long, value_name = "GIB")]
    pub pod_memory: Option<Amount>,
    /// Memory of each pod in hugepages: GiB, or 512Mi; 0 is none [default: 2]
    #[arg(short = 'g', long, value_name = "GIB")]
    pub hugepages: Option<Amount>,
    /// The size of a hugepage [default: 1Gi]
    #[arg(long, value_enum)]
    pub hugepage_size: Option<HugepageSize>,
    /// The device plugin's resource: dpdk, sriov, vendor.com/name or none [default: dpdk for devices env and pci:…]
    #[arg(short, long, value_parser = resource)]
    pub resource: Option<ResourceName>,
    /// How many of the device resource each pod gets (for -r dpdk and -r vendor.com/name)
    #[arg(short, long, default_value_t = 1)]
    pub dpdk: u32,
    /// How many of the device resource each pod gets, for -r sriov
    #[arg(short, long, default_value_t = 1)]
    pub vf: u32,
    /// All pods on one node, the first worker
    #[arg(short, long, overrides_with = "no_same_node")]
    pub same_node: bool,
    /// Each pair over two nodes (this is the default)
    #[arg(long, overrides_with = "same_node")]
    pub no_same_node: bool,
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
}
