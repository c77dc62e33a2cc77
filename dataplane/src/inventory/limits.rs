//! What the container allows beside what the host has: cgroup limits, locked memory, capabilities, device
//! files.

use std::path::PathBuf;

use rustix::process::{Resource, getrlimit};

use super::devices::env_addresses;
use super::hugepages;
use super::sources::{Sources, names, number, text};

/// `CAP_NET_RAW`: packet sockets.
pub const CAP_NET_RAW: u32 = 13;
/// `CAP_IPC_LOCK`: locked memory beyond the limit.
pub const CAP_IPC_LOCK: u32 = 14;

/// What stands around an engine, for `probe` to print and errors to name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Where hugetlbfs is mounted, and its page size in KiB.
    pub hugetlbfs: Vec<(String, Option<u64>)>,
    /// What the cgroup allows of hugepages: KiB a page, and KiB left.
    pub hugetlb_left_kib: Vec<(u64, u64)>,
    /// The cgroup's memory limit, MiB; none when unlimited.
    pub memory_max_mib: Option<u64>,
    /// The cgroup's CPU quota, in thousandths of a CPU; a polling core that has less than a whole one is
    /// stalled.
    pub cpu_quota_milli: Option<u64>,
    /// RLIMIT_MEMLOCK, KiB; none when unlimited.
    pub memlock_kib: Option<u64>,
    /// Whether VFIO's device file is there.
    pub has_vfio: bool,
    /// IOMMU groups given to this container: names in /dev/vfio.
    pub vfio_groups: Vec<String>,
    /// `PCIDEVICE_*` variables and the addresses they name.
    pub env_devices: Vec<(String, String)>,
    /// Whether packet sockets may be opened (`iface:` devices).
    pub may_net_raw: bool,
}

/// Reads them.
pub fn surroundings(sources: &Sources) -> Surroundings {
    let pools = hugepages::pools(sources);
    let mut sizes: Vec<u64> = pools.iter().map(|pool| pool.page_kib).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let left = |kib: u64| Some((kib, hugetlb_headroom_kib(sources, kib)?));
    Surroundings {
        hugetlbfs: hugepages::mounts(sources),
        hugetlb_left_kib: sizes.into_iter().filter_map(left).collect(),
        memory_max_mib: memory_max(sources).map(|bytes| bytes >> 20),
        cpu_quota_milli: cpu_quota_milli(sources),
        memlock_kib: getrlimit(Resource::Memlock).current.map(|bytes| bytes >> 10),
        has_vfio: sources.path("dev/vfio/vfio").exists(),
        vfio_groups: names(&sources.path("dev/vfio")).into_iter().filter(|name| name != "vfio").collect(),
        env_devices: env_addresses(sources.env.clone()),
        may_net_raw: has_capability(sources, CAP_NET_RAW),
    }
}

/// Whether this process has a capability; assumed where /proc does not say.
pub fn has_capability(sources: &Sources, capability: u32) -> bool {
    let status = sources.text("proc/self/status").unwrap_or_default();
    let mask =
        status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> capability & 1 == 1)
}

/// KiB of hugepages of one size that the cgroup still allows; none when it sets no limit.
pub fn hugetlb_headroom_kib(sources: &Sources, page_kib: u64) -> Option<u64> {
    let size = match page_kib {
        kib if kib >= 1 << 20 => format!("{}GB", kib >> 20),
        kib if kib >= 1 << 10 => format!("{}MB", kib >> 10),
        kib => format!("{kib}KB"),
    };
    let in_v2 = groups(sources, "").into_iter().filter_map(|at| {
        let max = limit(&at.join(format!("hugetlb.{size}.max")))?;
        Some(max.saturating_sub(number(&at.join(format!("hugetlb.{size}.current"))).unwrap_or(0)))
    });
    let in_v1 = groups(sources, "hugetlb").into_iter().filter_map(|at| {
        let max = limit(&at.join(format!("hugetlb.{size}.limit_in_bytes")))?;
        Some(max.saturating_sub(number(&at.join(format!("hugetlb.{size}.usage_in_bytes"))).unwrap_or(0)))
    });
    in_v2.chain(in_v1).min().map(|bytes| bytes >> 10)
}

fn memory_max(sources: &Sources) -> Option<u64> {
    let in_v2 = groups(sources, "").into_iter().filter_map(|at| limit(&at.join("memory.max")));
    let in_v1 =
        groups(sources, "memory").into_iter().filter_map(|at| limit(&at.join("memory.limit_in_bytes")));
    in_v2.chain(in_v1).min()
}

fn cpu_quota_milli(sources: &Sources) -> Option<u64> {
    let in_v2 = groups(sources, "").into_iter().filter_map(|at| {
        let text = text(&at.join("cpu.max"))?;
        let (quota, period) = text.split_once(' ')?;
        milli(quota.parse().ok()?, period.trim().parse().ok()?)
    });
    let in_v1 = groups(sources, "cpu").into_iter().filter_map(|at| {
        // −1 is no quota, and no number here.
        milli(number(&at.join("cpu.cfs_quota_us"))?, number(&at.join("cpu.cfs_period_us"))?)
    });
    in_v2.chain(in_v1).min()
}

fn milli(quota_us: u64, period_us: u64) -> Option<u64> {
    quota_us.checked_mul(1000)?.checked_div(period_us)
}

/// The process's control groups in a hierarchy (`""` is version 2), itself and its parents: each may limit
/// it. A container sees its own group as the root.
fn groups(sources: &Sources, controller: &str) -> Vec<PathBuf> {
    let mount = sources.path("sys/fs/cgroup").join(controller);
    let membership = sources.text("proc/self/cgroup").unwrap_or_default();
    let own = membership.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        controllers.split(',').any(|name| name == controller).then(|| path.trim_start_matches('/').to_owned())
    });
    let mut groups = vec![mount.clone()];
    let mut at = mount;
    for part in own.unwrap_or_default().split('/').filter(|part| !part.is_empty() && *part != "..") {
        at = at.join(part);
        groups.push(at.clone());
    }
    groups
}

/// A limit in bytes. `max`, and version 1's "as much as a number can hold", are none.
fn limit(path: &std::path::Path) -> Option<u64> {
    number::<u64>(path).filter(|bytes| *bytes < 1 << 60)
}
