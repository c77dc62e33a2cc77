//! The agent in a pod: what it says of the machine, from the pod's own manifest.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Weak};

use serde_json::Value;
use traffic::mac::Mac;
use traffic::wire::{
    CoreInfo, DeviceInfo, HugepageLimit, HugepageMount, HugepagePool, InterfaceInfo, Inventory, Iommu,
    NextHop, NodeMemory,
};

use crate::args::Args;
use crate::fake::{Agent, Setup, figures};
use crate::kinds::Kind;
use crate::nodes::boot_id;
use crate::quantity::asked;
use crate::state::{Cluster, Fake};
use crate::store::Store;

const MTU: u32 = 1450;
const DPDK_DEVICE: &str = "PCIDEVICE_INTEL_COM_DPDK";

/// Starts the agent of a running pod.
pub fn start(fake: &Cluster, pod: &Value) {
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
    let ip: Ipv4Addr =
        pod["status"]["podIP"].as_str().and_then(|ip| ip.parse().ok()).unwrap_or(Ipv4Addr::LOCALHOST);
    let inventory = inventory(&fake.args, pod, ip);
    // What its runs use: the virtual function where it has one.
    let mac = inventory.devices.iter().find_map(|d| d.mac).unwrap_or_else(|| mac_of(ip, 0));
    let setup = Setup {
        ether: fake.ether.clone(),
        tick_ms: fake.args.tick_ms,
        prepare_ms: fake.args.prepare_ms,
        engine_pid: u32::MAX,
        mac,
        inventory,
        route: route(fake.me(), ip),
        together: fake.together.clone(),
    };
    fake.add_agent(text("uid"), Agent::new(setup, &fake.args.mode_of(text("name"))));
}

/// A free address of the pod's node.
pub fn address(store: &Store, pod: &Value) -> String {
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let net = store.get(Kind::Node, "", node).and_then(|n| n["spec"]["podCIDR"].as_str().map(str::to_owned));
    let net = net.unwrap_or_else(|| "10.244.255.0/24".to_owned());
    let taken: Vec<String> = store
        .list(Kind::Pod, None)
        .iter()
        .filter(|p| p["spec"]["nodeName"] == *node)
        .filter_map(|p| p["status"]["podIP"].as_str().map(str::to_owned))
        .collect();
    let at = |host: u32| net.replace(".0/24", &format!(".{host}"));
    (2..250).map(at).find(|ip| !taken.contains(ip)).unwrap_or_else(|| at(250))
}

/// Every address has its own, in each of several networks.
pub fn mac_of(ip: Ipv4Addr, network: u8) -> Mac {
    let [a, b, c, d] = ip.octets();
    format!("02:{network:02x}:{a:02x}:{b:02x}:{c:02x}:{d:02x}").parse().unwrap()
}

fn inventory(args: &Args, pod: &Value, ip: Ipv4Addr) -> Inventory {
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let cpus = u32::try_from(asked(pod, "cpu") / 1000).unwrap_or(1).max(1);
    let first = u32::from(ip.octets()[3]).saturating_sub(2) * cpus;
    let pages = |size: &str, kib: u64| {
        let bytes = u64::try_from(asked(pod, size) / 1000).unwrap_or(0);
        (bytes > 0).then_some((kib, bytes))
    };
    let pages: Vec<(u64, u64)> =
        [pages("hugepages-1Gi", 1 << 20), pages("hugepages-2Mi", 2048)].into_iter().flatten().collect();
    let has_vf = asked(pod, "intel.com/dpdk") > 0;
    Inventory {
        hostname: pod["metadata"]["name"].as_str().unwrap_or_default().into(),
        kernel: "6.1.0".into(),
        cpu_model: "fake".into(),
        dpdk_version: "DPDK 0".into(),
        cores: (first..first + cpus)
            .map(|cpu| CoreInfo { cpu, numa_node: 0, siblings: Vec::new() })
            .collect(),
        hugepages: pages
            .iter()
            .map(|(kib, _)| {
                // The node's: what pods may use is not used yet.
                let node_mib =
                    if *kib == 2048 { args.hugepages_2mi } else { args.hugepages_1gi.saturating_mul(1024) };
                let count = u64::from(node_mib) * 1024 / kib;
                HugepagePool { numa_node: 0, page_kib: *kib, total: count, free: count }
            })
            .collect(),
        memory: vec![NodeMemory { numa_node: 0, total_mib: 131_072 }],
        devices: has_vf.then(|| vf(ip)).into_iter().collect(),
        clock: figures::clock(&boot_id(node)),
        online_cpus: 64,
        cpu_quota: Some(f64::from(cpus)),
        kernel_cmdline:
            "BOOT_IMAGE=/vmlinuz default_hugepagesz=1G hugepagesz=1G hugepages=64 intel_iommu=on iommu=pt"
                .into(),
        capabilities: vec!["IPC_LOCK".into(), "NET_RAW".into()],
        hugepage_mounts: pages
            .iter()
            .map(|(kib, _)| HugepageMount { path: "/dev/hugepages".into(), page_kib: *kib, writable: true })
            .collect(),
        hugepage_limits: pages
            .iter()
            .map(|(kib, bytes)| HugepageLimit { page_kib: *kib, limit_bytes: Some(*bytes), used_bytes: 0 })
            .collect(),
        iommu: Iommu { groups: 32, vfio: has_vf, no_iommu: false },
        interfaces: vec![InterfaceInfo {
            name: "eth0".into(),
            mac: Some(mac_of(ip, 0)),
            mtu: MTU,
            up: true,
            addresses: vec![format!("{ip}/24")],
            driver: Some("veth".into()),
        }],
        ..Inventory::default()
    }
}

/// The virtual function that the device plugin gave.
fn vf(ip: Ipv4Addr) -> DeviceInfo {
    let number = ip.octets()[3];
    DeviceInfo {
        device: format!("pci:0000:03:{:02x}.{}", number / 8, number % 8),
        driver: Some("vfio-pci".into()),
        mac: Some(mac_of(ip, 0xd)),
        numa_node: 0,
        detail: "SR-IOV virtual function".into(),
        is_vf: Some(true),
        iommu_group: Some(number.to_string()),
        vfio_group_usable: Some(true),
        from_env: Some(DPDK_DEVICE.into()),
        ..DeviceInfo::default()
    }
}

/// As on many CNIs: one network a node, and its gateway for everything else.
fn route(fake: Weak<Cluster>, own: Ipv4Addr) -> Box<dyn Fn(IpAddr) -> Option<NextHop> + Send + Sync> {
    Box::new(move |to| {
        let IpAddr::V4(to) = to else { return None };
        let [a, b, c, _] = own.octets();
        let is_on_link = to.octets()[..3] == [a, b, c];
        let gateway = Ipv4Addr::new(a, b, c, 1);
        let is_there = fake.upgrade().is_some_and(|f| has_address(&f, to)) || to == gateway;
        let mac = match is_on_link {
            true => is_there.then(|| mac_of(to, 0)),
            false => Some(mac_of(gateway, 0)),
        };
        Some(NextHop {
            interface: "eth0".into(),
            source: own.into(),
            via: (!is_on_link).then_some(gateway.into()),
            mac,
            mtu: MTU,
            reason: mac
                .is_none()
                .then(|| format!("nobody answered for {to} on eth0: see that the pod is there")),
        })
    })
}

fn has_address(fake: &Fake, ip: Ipv4Addr) -> bool {
    let ip = ip.to_string();
    fake.store().list(Kind::Pod, None).iter().any(|pod: &Arc<Value>| pod["status"]["podIP"] == *ip)
}
