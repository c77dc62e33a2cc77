//! The nodes, and what their kubelets say of themselves.

use serde_json::{Value, json};

use crate::args::Args;
use crate::kinds::Kind;
use crate::store::Store;
use crate::times;

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

pub fn seed(args: &Args, store: &mut Store) {
    if args.control_plane {
        let mut node = node(args, "control-plane-0", 250);
        node["metadata"]["labels"][CONTROL_PLANE] = "".into();
        node["spec"]["taints"] = json!([{"key": CONTROL_PLANE, "effect": "NoSchedule"}]);
        add(store, node);
    }
    for number in 0..args.nodes {
        add(store, node(args, &format!("node-{number}"), number));
    }
}

fn add(store: &mut Store, mut node: Value) {
    store.dress(Kind::Node, &mut node);
    store.put(Kind::Node, node);
}

fn node(args: &Args, name: &str, number: usize) -> Value {
    let resources = json!({
        "cpu": args.cpus.to_string(),
        "memory": "131072Mi",
        "pods": "250",
        "hugepages-1Gi": format!("{}Gi", args.hugepages_1gi),
        "hugepages-2Mi": format!("{}Mi", args.hugepages_2mi),
        "intel.com/dpdk": args.dpdk.to_string(),
    });
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
               "lastHeartbeatTime": times::now(), "lastTransitionTime": times::now()})
    };
    json!({
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
        "spec": {"podCIDR": format!("10.244.{number}.0/24")},
        "status": {
            "capacity": resources.clone(), "allocatable": resources,
            "addresses": [{"type": "InternalIP", "address": host_ip(number)}, {"type": "Hostname", "address": name}],
            "nodeInfo": {"kernelVersion": "6.1.0", "osImage": "fake", "containerRuntimeVersion": "containerd://1.7.0",
                "kubeletVersion": "v1.33.0", "kubeProxyVersion": "v1.33.0", "architecture": "amd64",
                "operatingSystem": "linux", "machineID": name, "systemUUID": name, "bootID": boot_id(name)},
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
        },
    })
}

fn host_ip(number: usize) -> String {
    format!("10.1.{}.{}", number / 250, number % 250 + 1)
}

pub fn boot_id(node: &str) -> String {
    format!("boot-of-{node}")
}

/// What the node controller says of a node whose kubelet is silent, or speaks again.
pub fn set_ready(store: &mut Store, name: &str, is_ready: bool) {
    let Some(node) = store.get(Kind::Node, "", name) else { return };
    let mut node = (*node).clone();
    for condition in node["status"]["conditions"].as_array_mut().unwrap() {
        let good = if condition["type"] == "Ready" { "True" } else { "False" };
        let (status, reason, message) = match is_ready {
            true => (good, "KubeletReady", "kubelet is posting ready status"),
            false => ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        };
        condition["status"] = status.into();
        condition["reason"] = reason.into();
        condition["message"] = message.into();
        condition["lastTransitionTime"] = times::now().into();
    }
    let taint = |effect: &str| json!({"key": "node.kubernetes.io/unreachable", "effect": effect});
    node["spec"]["taints"] = match is_ready {
        true => json!([]),
        false => json!([taint("NoSchedule"), taint("NoExecute")]),
    };
    store.put(Kind::Node, node);
}

/// `GET …/proxy/configz`.
pub fn configz(args: &Args) -> Value {
    json!({"kubeletconfig": {
        "cpuManagerPolicy": args.cpu_manager,
        "cpuManagerReconcilePeriod": "10s",
        "memoryManagerPolicy": "None",
        "topologyManagerPolicy": args.topology_manager,
        "topologyManagerScope": "container",
        "reservedSystemCPUs": "",
        "maxPods": 250,
        "cgroupDriver": "systemd",
    }})
}
