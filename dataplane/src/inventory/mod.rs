//! What this host or pod has, read from /proc and /sys and nothing else: CPUs, memory, hugepages, devices and
//! what stands in the way of using them. The agent answers with it, the engine places its workers by it, and
//! `dataplane probe` prints it.

pub mod addresses;
pub mod cgroup;
pub mod cpus;
pub mod devices;
pub mod host;
pub mod hugepage_files;
pub mod hugepages;
pub mod interfaces;
pub mod iommu;
pub mod limits;
pub mod pci;
pub mod pci_faults;
pub mod render;
pub mod rights;
pub mod sources;

pub use limits::{Surroundings, surroundings};
pub use sources::{HostFacts, Sources};

use traffic::wire::Inventory;

/// Reads all of it. What a kernel or a container does not show is left out rather than guessed.
pub fn read(sources: &Sources) -> Inventory {
    Inventory {
        hostname: host::hostname(sources),
        kernel: host::kernel(sources),
        cpu_model: host::cpu_model(sources),
        dpdk_version: sources.facts.dpdk_version.clone(),
        cores: cpus::cores(sources),
        hugepages: hugepages::pools(sources),
        memory: host::memory(sources),
        devices: devices::devices(sources),
        clock: host::clock(sources),
        online_cpus: cpus::online(sources),
        cpu_quota: cgroup::cpu_quota(sources),
        isolated_cpus: cpus::isolated(sources),
        kernel_cmdline: host::kernel_cmdline(sources),
        memlock_bytes: rights::memlock_bytes(sources),
        capabilities: rights::capabilities(sources).unwrap_or_default(),
        hugepage_mounts: hugepages::mounts(sources),
        hugepage_limits: cgroup::hugepage_limits(sources, &hugepages::sizes_kib(sources)),
        iommu: iommu::iommu(sources),
        interfaces: interfaces::all(sources),
    }
}
