//! How a kubelet hands out CPUs and devices: a pure function of its own configuration.

use serde_json::Value;

use super::check::Check;

/// What of it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubelet {
    /// `none` or `static`.
    pub cpu_manager: String,
    /// Whole cores only, no two pods on one.
    pub full_pcpus_only: bool,
    /// `none`, `best-effort`, `restricted`, `single-numa-node`.
    pub topology_manager: String,
}

/// A configuration that can't be had; a trial runs without knowing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Why.
    pub reason: String,
    /// What helps.
    pub next_step: String,
}

/// What a node's pods need of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// A device of a device plugin.
    pub device: bool,
    /// NUMA nodes of the machine, where an agent said so.
    pub numa_nodes: Option<usize>,
}

/// Reads the answer of `configz`.
pub fn read(text: &str) -> Result<Kubelet, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let config = &value["kubeletconfig"];
    if !config.is_object() {
        return Err("it has no `kubeletconfig`".to_owned());
    }
    let policy =
        |key: &str| config[key].as_str().filter(|text| !text.is_empty()).unwrap_or("none").to_owned();
    Ok(Kubelet {
        cpu_manager: policy("cpuManagerPolicy"),
        full_pcpus_only: config["cpuManagerPolicyOptions"]["full-pcpus-only"] == "true",
        topology_manager: policy("topologyManagerPolicy"),
    })
}

/// All of it.
pub fn checks(node: &str, kubelet: &Result<Kubelet, Unknown>, needs: Needs) -> Vec<Check> {
    match kubelet {
        Ok(kubelet) => vec![cpu_manager(node, kubelet), topology_manager(node, kubelet, needs)],
        Err(unknown) => {
            let found = format!("CPU and topology manager policies are not known: {}", unknown.reason);
            vec![Check::warning(node, "kubelet", found, unknown.next_step.clone())]
        }
    }
}

fn cpu_manager(node: &str, kubelet: &Kubelet) -> Check {
    const NAME: &str = "cpu-manager";
    let policy = &kubelet.cpu_manager;
    if policy == "static" {
        let whole = if kubelet.full_pcpus_only { ", whole cores only" } else { "" };
        return Check::ok(node, NAME, format!("static{whole}: pods that ask for whole CPUs get their own"));
    }
    Check::warning(
        node,
        NAME,
        format!("{policy}: all pods share all CPUs, and latencies and top rates include waits for them"),
        format!(
            "on {node}, set cpuManagerPolicy: static and reservedSystemCPUs in the kubelet's configuration, drain the node, \
             remove /var/lib/kubelet/cpu_manager_state and restart the kubelet"
        ),
    )
}

fn topology_manager(node: &str, kubelet: &Kubelet, needs: Needs) -> Check {
    const NAME: &str = "topology-manager";
    let policy = &kubelet.topology_manager;
    match policy.as_str() {
        "single-numa-node" | "restricted" => Check::ok(node, NAME, policy),
        _ if needs.numa_nodes == Some(1) => {
            Check::ok(node, NAME, format!("{policy}: the machine is one NUMA node"))
        }
        _ if !needs.device => {
            Check::ok(node, NAME, format!("{policy}: pods ask for no device that lies somewhere"))
        }
        _ => Check::warning(
            node,
            NAME,
            format!("{policy}: a pod's CPUs may be on another NUMA node than its device"),
            format!(
                "on {node}, set topologyManagerPolicy: single-numa-node in the kubelet's configuration and restart it"
            ),
        ),
    }
}
