//! Settings as `pods create` has them without flags, for tests.

use k8s_openapi::api::core::v1::Node;
use serde_json::json;

use super::placement::PairNodes;
use super::quantity::{Amount, PageSize};
use super::settings::{DeviceResource, Hugepages, OutputVolume, PodSettings};

/// `pods create`
pub fn settings() -> PodSettings {
    PodSettings {
        namespace: "bench".to_owned(),
        pairs: 3,
        cpu: "2".parse().unwrap(),
        memory: Amount::gib(2),
        resource: Some(DeviceResource { name: "intel.com/dpdk".to_owned(), count: 1 }),
        hugepages: Some(Hugepages { amount: Amount::gib(2), size: PageSize::Gi1 }),
        image: "dpdk-k8s-bench/dataplane:1.2.3".to_owned(),
        pull_policy: "IfNotPresent",
        node_selector: [].into(),
        tolerations: Vec::new(),
        networks: Vec::new(),
        output: OutputVolume::Claim { class: Some("fast-disks".to_owned()), size_gib: 20 },
        tx_device: "env".parse().unwrap(),
        rx_device: "env".parse().unwrap(),
        memif_dir: None,
        service_account: None,
        privileged: false,
        allow_no_iommu: false,
        metrics_port: None,
    }
}

/// Two nodes, or twice the same.
pub fn on(tx: &str, rx: &str) -> PairNodes {
    PairNodes { tx: Some(tx.to_owned()), rx: Some(rx.to_owned()) }
}

/// A worker that is Ready.
pub fn node(name: &str) -> Node {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }))
    .unwrap()
}
