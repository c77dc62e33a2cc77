//! What the container allows beside what the inventory says, for people's eyes.

use super::devices::env_addresses;
use super::sources::{Sources, names};
use super::{cgroup, hugepages};

/// What stands around an engine, for `probe` to print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// What the cgroup allows of hugepages: KiB a page, and KiB left.
    pub hugetlb_left_kib: Vec<(u64, u64)>,
    /// The cgroup's memory limit, MiB; none when unlimited.
    pub memory_max_mib: Option<u64>,
    /// IOMMU groups given to this container: names in /dev/vfio.
    pub vfio_groups: Vec<String>,
    /// `PCIDEVICE_*` variables and the addresses they name.
    pub env_devices: Vec<(String, String)>,
}

/// Reads them.
pub fn surroundings(sources: &Sources) -> Surroundings {
    let left = |kib: u64| Some((kib, cgroup::hugetlb_headroom_kib(sources, kib)?));
    Surroundings {
        hugetlb_left_kib: hugepages::sizes_kib(sources).into_iter().filter_map(left).collect(),
        memory_max_mib: cgroup::memory_max(sources).map(|bytes| bytes >> 20),
        vfio_groups: names(&sources.path("dev/vfio")).into_iter().filter(|name| name != "vfio").collect(),
        env_devices: env_addresses(sources.env.clone()),
    }
}
