//! Hugepages: how many there are, and how many of them this process may have.

use rustix::fs::{Access, access};
use traffic::wire::{HugepageMount, HugepagePool};

use super::cgroup::hugetlb_headroom_kib;
use super::sources::{Sources, names, number, numbered};

/// Pools by node and page size.
pub fn pools(sources: &Sources) -> Vec<HugepagePool> {
    let nodes = sources.path("sys/devices/system/node");
    let mut pools = Vec::new();
    for node in numbered(&nodes, "node") {
        let at = nodes.join(format!("node{node}/hugepages"));
        pools.extend(pools_in(&at, i32::try_from(node).unwrap_or(-1)));
    }
    if pools.is_empty() {
        // A kernel without NUMA: DPDK calls all its memory socket 0.
        pools = pools_in(&sources.path("sys/kernel/mm/hugepages"), 0);
    }
    pools
}

fn pools_in(at: &std::path::Path, numa_node: i32) -> Vec<HugepagePool> {
    let pool = |name: String| {
        let page_kib = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
        let count = |file: &str| number::<u64>(&at.join(&name).join(file));
        Some(HugepagePool {
            numa_node,
            page_kib,
            total: count("nr_hugepages")?,
            free: count("free_hugepages")?,
        })
    };
    let mut pools: Vec<HugepagePool> = names(at).into_iter().filter_map(pool).collect();
    pools.sort_by_key(|pool| pool.page_kib);
    pools
}

/// The page sizes that this kernel has, in KiB.
pub fn sizes_kib(sources: &Sources) -> Vec<u64> {
    let mut sizes: Vec<u64> = pools(sources).iter().map(|pool| pool.page_kib).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// MiB of hugepages that this process could still get on a node, or on all of them for −1: what is free,
/// within what the cgroup allows. Sizes are added up, as EAL uses them together.
pub fn free_mib(sources: &Sources, numa_node: i32) -> u64 {
    let pools = pools(sources);
    let of_size = |kib: u64| {
        let wanted = pools
            .iter()
            .filter(|pool| pool.page_kib == kib && (numa_node < 0 || pool.numa_node == numa_node));
        let free: u64 = wanted.map(|pool| pool.free.saturating_mul(kib)).sum();
        free.min(hugetlb_headroom_kib(sources, kib).unwrap_or(u64::MAX))
    };
    sizes_kib(sources).into_iter().map(of_size).sum::<u64>() / 1024
}

/// Where hugetlbfs is mounted.
pub fn mounts(sources: &Sources) -> Vec<HugepageMount> {
    let text = sources.text("proc/self/mounts").unwrap_or_default();
    let mounts = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (at, kind, options) = (words.next()?, words.next()?, words.next()?);
        let named = options.split(',').find_map(|option| size_kib(option.strip_prefix("pagesize=")?));
        (kind == "hugetlbfs").then(|| {
            let path = at.replace("\\040", " ");
            let here = sources.path(path.trim_start_matches('/'));
            HugepageMount {
                page_kib: named.or_else(|| default_page_kib(sources)).unwrap_or(0),
                writable: options.split(',').all(|option| option != "ro")
                    && access(here, Access::WRITE_OK).is_ok(),
                path,
            }
        })
    });
    mounts.collect()
}

fn default_page_kib(sources: &Sources) -> Option<u64> {
    let meminfo = sources.text("proc/meminfo")?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("Hugepagesize:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `2M`, `1024M`, `1G`, `64K` as mount options have them.
fn size_kib(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit.chars().next()? {
        'K' | 'k' => 1,
        'M' | 'm' => 1024,
        'G' | 'g' => 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
