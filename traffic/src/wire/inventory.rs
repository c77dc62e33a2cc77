//! What an agent has: `GET /v1/inventory`, `GET /healthz`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mac::Mac;

/// `GET /healthz`: the first thing said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// [`super::VERSION`].
    pub version: u32,
    /// Of the binary.
    pub release: String,
    /// Of the agent.
    pub pid: u32,
}

/// A clock that two processes may or may not share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockId {
    /// `tsc`, or what the architecture has.
    pub name: String,
    /// Ticks a second as this process measured it; 0 where it has not (an agent runs no DPDK).
    pub hz: u64,
    /// The kernel's boot id: two processes with one boot id run on one kernel, hence one TSC.
    pub boot_id: String,
    /// Constant rate in all power states, over all cores.
    pub invariant: bool,
}

impl ClockId {
    /// Whether times of both mean the same: one kernel's counter, invariant. Each side's own measure of its
    /// rate may differ by parts in a million, so it is not compared.
    pub fn is_same(&self, other: &ClockId) -> bool {
        self.name == other.name
            && self.boot_id == other.boot_id
            && !self.boot_id.is_empty()
            && self.invariant
            && other.invariant
    }
}

/// What this process may use and sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// Host name (the pod's, in a pod).
    pub hostname: String,
    /// Kernel release.
    pub kernel: String,
    /// CPU model.
    pub cpu_model: String,
    /// DPDK's version.
    pub dpdk_version: String,
    /// CPUs this process may run on.
    pub cores: Vec<CoreInfo>,
    /// Hugepages by size and node.
    pub hugepages: Vec<HugepagePool>,
    /// Memory by NUMA node.
    pub memory: Vec<NodeMemory>,
    /// Devices that could be used, with what stands in their way.
    pub devices: Vec<DeviceInfo>,
    /// The clock for marks.
    pub clock: ClockId,
    /// CPUs of the machine that are on, whoever may use them; 0 where the kernel does not say.
    #[serde(default)]
    pub online_cpus: u32,
    /// CPUs' worth of time that the control group allows; none without a quota.
    #[serde(default)]
    pub cpu_quota: Option<f64>,
    /// CPUs that the kernel's scheduler leaves alone (`isolcpus`).
    #[serde(default)]
    pub isolated_cpus: Vec<u32>,
    /// What the kernel was started with.
    #[serde(default)]
    pub kernel_cmdline: String,
    /// Bytes that may be locked in memory (RLIMIT_MEMLOCK); none: unlimited.
    #[serde(default)]
    pub memlock_bytes: Option<u64>,
    /// Effective capabilities without their `CAP_`, e.g. `NET_RAW`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Where hugetlbfs is mounted.
    #[serde(default)]
    pub hugepage_mounts: Vec<HugepageMount>,
    /// What the control group allows of hugepages, by size; empty where it does not say.
    #[serde(default)]
    pub hugepage_limits: Vec<HugepageLimit>,
    /// What stands between a PCI device and user space.
    #[serde(default)]
    pub iommu: Iommu,
    /// Interfaces of this network namespace, loopback left out.
    #[serde(default)]
    pub interfaces: Vec<InterfaceInfo>,
}

/// One CPU of the process's own set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoreInfo {
    /// Kernel's number.
    pub cpu: u32,
    /// NUMA node.
    pub numa_node: i32,
    /// Hyperthreads on the same core, itself left out.
    pub siblings: Vec<u32>,
}

/// Hugepages of one size on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HugepagePool {
    /// NUMA node.
    pub numa_node: i32,
    /// KiB a page.
    pub page_kib: u64,
    /// Pages reserved.
    pub total: u64,
    /// Pages free.
    pub free: u64,
}

/// Ordinary memory of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeMemory {
    /// NUMA node.
    pub numa_node: i32,
    /// MiB in all.
    pub total_mib: u64,
}

/// One mount of hugetlbfs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HugepageMount {
    /// Where.
    pub path: String,
    /// KiB a page; 0 where nothing says.
    pub page_kib: u64,
    /// Whether this process may write there.
    pub writable: bool,
}

/// What the control group allows of hugepages of one size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HugepageLimit {
    /// KiB a page.
    pub page_kib: u64,
    /// The least of the group's own limit and those above it; none where nothing limits.
    pub limit_bytes: Option<u64>,
    /// What the group has of them.
    pub used_bytes: u64,
}

/// What stands between a PCI device and user space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Iommu {
    /// IOMMU groups that the kernel made; 0 with the IOMMU off.
    pub groups: u32,
    /// Whether /dev/vfio/vfio is there and may be opened.
    pub vfio: bool,
    /// Whether VFIO may do without an IOMMU (`enable_unsafe_noiommu_mode`).
    pub no_iommu: bool,
}

/// A kernel interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterfaceInfo {
    /// Kernel's name.
    pub name: String,
    /// Its address; none where it has no Ethernet one.
    pub mac: Option<Mac>,
    /// Bytes; 0 where the kernel does not say.
    pub mtu: u32,
    /// Set up, and its link not known to be down.
    pub up: bool,
    /// IPv4 and IPv6, with their prefix: `10.0.0.7/24`.
    pub addresses: Vec<String>,
    /// Kernel driver, or the kind of a virtual one.
    pub driver: Option<String>,
}

/// A device that `--device` could name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceInfo {
    /// As `--device` takes it: `pci:0000:03:00.0`, `iface:eth0`.
    pub device: String,
    /// Kernel driver, where there is one.
    pub driver: Option<String>,
    /// Its address, where the kernel knows it.
    pub mac: Option<Mac>,
    /// NUMA node; -1 where there is none.
    pub numa_node: i32,
    /// Link, MTU, SR-IOV: in words.
    pub detail: String,
    /// Why DPDK can't use it now and what would help; none when it can.
    pub obstacle: Option<String>,
    /// Whether its link is up; none where only its driver would know.
    #[serde(default)]
    pub link_up: Option<bool>,
    /// Bytes; none where no kernel interface has it.
    #[serde(default)]
    pub mtu: Option<u32>,
    /// An SR-IOV virtual function; none for what is no PCI device.
    #[serde(default)]
    pub is_vf: Option<bool>,
    /// Its IOMMU group.
    #[serde(default)]
    pub iommu_group: Option<String>,
    /// Whether the device file of that group is here and may be opened; none without a group.
    #[serde(default)]
    pub vfio_group_usable: Option<bool>,
    /// The variable of the SR-IOV device plugin that names it, e.g. `PCIDEVICE_INTEL_COM_DPDK`.
    #[serde(default)]
    pub from_env: Option<String>,
}
