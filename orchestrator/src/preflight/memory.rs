//! The DPDK memory of one pod: hugepages that its control group allows and its machine has.

use traffic::device::Device;
use traffic::wire::{Inventory, Memory};

use super::check::{Check, Level};
use super::facts::End;
use super::need::{Demand, needed_mib};

/// All of it.
pub fn checks(end: &End<'_>, numa_node: i32) -> Vec<Check> {
    vec![hugepages(end, numa_node), mounts(end)]
}

/// MiB that the engine of this end takes.
pub fn needed(end: &End<'_>) -> u32 {
    let is_memif = end.device.parse::<Device>().is_ok_and(|d| d.vdev_driver() == Some("net_memif"));
    let (tx_workers, rx_queues) = match end.sends {
        true => (end.workers, 1),
        false if is_memif => (0, end.workers.max(end.tx_workers)),
        false => (0, end.workers),
    };
    let (descriptors, frame_bytes) = (end.ask.descriptors, end.ask.frame_bytes);
    let formula = needed_mib(Demand { tx_workers, rx_queues, descriptors, frame_bytes });
    end.ask.socket_mem_mib.unwrap_or(0).max(formula)
}

/// How bad it is when there are too few hugepages; none where none are used.
pub fn want_of_pages(end: &End<'_>) -> Option<Level> {
    let is_nic = matches!(end.device.parse(), Ok(Device::Pci(_) | Device::Env));
    match end.ask.memory {
        Memory::NoHuge => None,
        Memory::Hugepages => Some(Level::Error),
        // As the engine has it: who names an amount means hugepages, and NICs can't do without.
        Memory::Auto if is_nic || end.ask.socket_mem_mib.is_some() => Some(Level::Error),
        Memory::Auto => Some(Level::Warning),
    }
}

/// What may be had of one size of pages, in KiB.
struct Size {
    page_kib: u64,
    free: u64,
    /// Free pages on other nodes than the device's.
    elsewhere: u64,
    left: Option<u64>,
}

impl Size {
    fn kib(&self) -> u64 {
        self.free.min(self.left.unwrap_or(u64::MAX))
    }
}

fn sizes(inventory: &Inventory, numa_node: i32) -> Vec<Size> {
    let mut kinds: Vec<u64> = inventory.hugepages.iter().map(|pool| pool.page_kib).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let size = |page_kib: u64| {
        let free_where = |near: bool| {
            let pools = inventory.hugepages.iter().filter(|pool| pool.page_kib == page_kib);
            let pools = pools.filter(|pool| (numa_node < 0 || pool.numa_node == numa_node) == near);
            pools.map(|pool| pool.free.saturating_mul(page_kib)).sum()
        };
        let limit = inventory.hugepage_limits.iter().find(|limit| limit.page_kib == page_kib);
        let left = limit.and_then(|limit| Some(limit.limit_bytes?.saturating_sub(limit.used_bytes) / 1024));
        Size { page_kib, free: free_where(true), elsewhere: free_where(false), left }
    };
    kinds.into_iter().map(size).collect()
}

fn hugepages(end: &End<'_>, numa_node: i32) -> Check {
    const NAME: &str = "hugepages";
    let Some(level) = want_of_pages(end) else {
        return Check::ok(end.pod, NAME, "not used: ordinary pages were asked for");
    };
    let needed = needed(end);
    let sizes = sizes(end.inventory, numa_node);
    let mib = sizes.iter().map(Size::kib).sum::<u64>() / 1024;
    if mib >= u64::from(needed) {
        return Check::ok(end.pod, NAME, format!("{mib} MiB may be taken, {needed} MiB are needed"));
    }
    let found = |why: &str| format!("{needed} MiB are needed and {mib} MiB may be taken: {why}");
    let instead = match level {
        Level::Error => "",
        _ => "; without, ordinary pages are used, which are slower",
    };
    let free_mib = sizes.iter().map(|size| size.free).sum::<u64>() / 1024;
    let far_mib = sizes.iter().map(|size| size.elsewhere).sum::<u64>() / 1024;
    // What the control group keeps back.
    if free_mib >= u64::from(needed) {
        let why = format!("its control group allows no more, though the machine has {free_mib} MiB free");
        let next = format!(
            "give the pod more (`orchestrator pods create -g {}Mi --hugepage-size 2Mi`, or -g in GiB){instead}",
            needed.next_multiple_of(2)
        );
        return Check::at(level, end.pod, NAME, found(&why), next);
    }
    let page_kib = sizes.iter().map(|size| size.page_kib).min().unwrap_or(2048);
    let pages = (u64::from(needed) * 1024).div_ceil(page_kib);
    let (place, file) = match numa_node {
        0.. => (
            format!("NUMA node {numa_node}, the device's,"),
            format!("/sys/devices/system/node/node{numa_node}"),
        ),
        _ => ("the machine".to_owned(), "/sys/kernel/mm".to_owned()),
    };
    let elsewhere = if far_mib > 0 { format!(", {far_mib} MiB on other nodes") } else { String::new() };
    let next = format!(
        "on {}, reserve more: echo {pages} > {file}/hugepages/hugepages-{page_kib}kB/nr_hugepages beyond those in use, or \
         hugepages= on the kernel's command line, then restart the kubelet; or end what holds them{instead}",
        end.node
    );
    Check::at(level, end.pod, NAME, found(&format!("{place} has {free_mib} MiB free{elsewhere}")), next)
}

/// Engines take pages by memfd, so a mount is good to know of and no condition.
fn mounts(end: &End<'_>) -> Check {
    let mounts = &end.inventory.hugepage_mounts;
    let found = if mounts.is_empty() {
        "hugetlbfs is not mounted; engines need no mount".to_owned()
    } else {
        let one = |mount: &traffic::wire::HugepageMount| {
            let rights = if mount.writable { "writable" } else { "read-only" };
            format!("{} ({} KiB pages, {rights})", mount.path, mount.page_kib)
        };
        mounts.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    Check::ok(end.pod, "hugepage-mount", found)
}
