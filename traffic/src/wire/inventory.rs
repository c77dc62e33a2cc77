//! What an agent has: `GET /v1/inventory`, `GET /healthz`.

use serde::{Deserialize, Serialize};

use crate::mac::Mac;

/// `GET /healthz`: the first thing said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// [`super::VERSION`].
    pub version: u32,
    /// Of the binary.
    pub release: String,
    /// Of the agent.
    pub pid: u32,
}

/// A clock that two processes may or may not share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// One CPU of the process's own set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreInfo {
    /// Kernel's number.
    pub cpu: u32,
    /// NUMA node.
    pub numa_node: i32,
    /// Hyperthreads on the same core, itself left out.
    pub siblings: Vec<u32>,
}

/// Hugepages of one size on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeMemory {
    /// NUMA node.
    pub numa_node: i32,
    /// MiB in all.
    pub total_mib: u64,
}

/// A device that `--device` could name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}
