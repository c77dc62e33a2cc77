//! What the cluster is like, from the command line.

use std::path::PathBuf;

use clap::Parser;

use crate::faults::Fault;

/// A stand-in for a Kubernetes API server, its nodes and the agents in their pods.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// Writes a kubeconfig with one context, `fake`; the program ends when that file's folder is gone.
    #[arg(long)]
    pub kubeconfig_out: Option<PathBuf>,
    /// Worker nodes: `node-0`, `node-1`…
    #[arg(long, default_value_t = 3)]
    pub nodes: usize,
    /// Adds `control-plane-0` with the label and taint of its role.
    #[arg(long)]
    pub control_plane: bool,
    /// CPUs of each node.
    #[arg(long, default_value_t = 32)]
    pub cpus: u32,
    /// GiB of 1 GiB pages of each node.
    #[arg(long, default_value_t = 64)]
    pub hugepages_1gi: u32,
    /// MiB of 2 MiB pages of each node.
    #[arg(long, default_value_t = 0)]
    pub hugepages_2mi: u32,
    /// `intel.com/dpdk` of each node.
    #[arg(long, default_value_t = 16)]
    pub dpdk: u32,
    /// The kubelets' CPU manager policy.
    #[arg(long, default_value = "static")]
    pub cpu_manager: String,
    /// The kubelets' topology manager policy.
    #[arg(long, default_value = "single-numa-node")]
    pub topology_manager: String,
    /// Namespaces besides the usual ones.
    #[arg(long)]
    pub namespace: Vec<String>,
    /// Where the pairs and the foreign objects are, and the kubeconfig's namespace.
    #[arg(long, default_value = "default")]
    pub home: String,
    /// Storage classes; a claim of another one stays unbound.
    #[arg(long, default_values = ["fast-disks", "standard"])]
    pub storage_class: Vec<String>,
    /// Pairs of pods that are ready from the start.
    #[arg(long, default_value_t = 0)]
    pub pairs: usize,
    /// Of the pairs' annotation; none when not given.
    #[arg(long)]
    pub device: Option<String>,
    /// CPUs of each pod of the pairs.
    #[arg(long, default_value_t = 4)]
    pub pod_cpus: u32,
    /// Adds pods and claims that are not ours.
    #[arg(long)]
    pub foreign: bool,
    /// From the start of a pod's containers to Ready.
    #[arg(long, default_value_t = 50)]
    pub ready_delay_ms: u64,
    /// No pod becomes Ready before all that was to go wrong has.
    #[arg(long)]
    pub ready_after_faults: bool,
    /// From the request to delete a pod to its end.
    #[arg(long, default_value_t = 50)]
    pub delete_delay_ms: u64,
    /// Between the samples of a run; as the run asks when not given.
    #[arg(long)]
    pub tick_ms: Option<u32>,
    /// What an agent's preparation takes.
    #[arg(long, default_value_t = 0)]
    pub prepare_ms: u64,
    /// No sender starts before so many were told to, warm-ups aside.
    #[arg(long)]
    pub starts_together: Option<usize>,
    /// How agents misbehave, as fake_dataplane's FAKE_MODE: `MODE` or `MODE@POD`.
    #[arg(long)]
    pub agent_mode: Vec<String>,
    /// What goes wrong from the start: `NAME@key=value,key=value`.
    #[arg(long, value_parser = Fault::parse)]
    pub fault: Vec<Fault>,
    /// Changes that a watch can be resumed behind.
    #[arg(long, default_value_t = 20_000)]
    pub history: usize,
    /// Between bookmarks.
    #[arg(long, default_value_t = 5000)]
    pub bookmark_ms: u64,
}

impl Args {
    /// The mode of the agent in this pod.
    pub fn mode_of(&self, pod: &str) -> String {
        let here = |mode: &String| match mode.split_once('@') {
            Some((mode, of)) => (of == pod).then(|| mode.to_owned()),
            None => Some(mode.clone()),
        };
        self.agent_mode.iter().find_map(here).unwrap_or_default()
    }
}
