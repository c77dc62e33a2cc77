//! What the control group allows: memory, CPU time, hugepages. Versions 1 and 2, each with the groups above it.

use std::path::{Path, PathBuf};

use traffic::wire::HugepageLimit;

use super::sources::{Sources, number, text};

/// The memory limit in bytes; none when unlimited.
pub fn memory_max(sources: &Sources) -> Option<u64> {
    let in_v2 = groups(sources, "").into_iter().filter_map(|at| limit(&at.join("memory.max")));
    let in_v1 =
        groups(sources, "memory").into_iter().filter_map(|at| limit(&at.join("memory.limit_in_bytes")));
    in_v2.chain(in_v1).min()
}

/// CPUs' worth of time; none without a quota. A polling core that has less than a whole one is stalled.
pub fn cpu_quota(sources: &Sources) -> Option<f64> {
    let in_v2 = groups(sources, "").into_iter().filter_map(|at| {
        let text = text(&at.join("cpu.max"))?;
        let (quota, period) = text.split_once(' ')?;
        cpus(quota.parse().ok()?, period.trim().parse().ok()?)
    });
    let in_v1 = groups(sources, "cpu").into_iter().filter_map(|at| {
        // −1 is no quota, and no number here.
        cpus(number(&at.join("cpu.cfs_quota_us"))?, number(&at.join("cpu.cfs_period_us"))?)
    });
    in_v2.chain(in_v1).min_by(f64::total_cmp)
}

fn cpus(quota_us: u32, period_us: u32) -> Option<f64> {
    (period_us > 0).then(|| f64::from(quota_us) / f64::from(period_us))
}

/// Hugepages of these sizes, as far as the group says anything about them.
pub fn hugepage_limits(sources: &Sources, sizes_kib: &[u64]) -> Vec<HugepageLimit> {
    let of_size = |page_kib: &u64| {
        let read = pages(sources, *page_kib);
        // The last one is the process's own group.
        let used_bytes = read.last()?.used_bytes;
        let limit_bytes = read.iter().filter_map(|pages| pages.limit_bytes).min();
        Some(HugepageLimit { page_kib: *page_kib, limit_bytes, used_bytes })
    };
    sizes_kib.iter().filter_map(of_size).collect()
}

/// KiB of hugepages of one size that may still be taken, here and in the groups above; none without a limit.
pub fn hugetlb_headroom_kib(sources: &Sources, page_kib: u64) -> Option<u64> {
    let read = pages(sources, page_kib);
    let left = read.iter().filter_map(|pages| Some(pages.limit_bytes?.saturating_sub(pages.used_bytes)));
    left.min().map(|bytes| bytes >> 10)
}

/// Of one group.
struct Pages {
    limit_bytes: Option<u64>,
    used_bytes: u64,
}

/// From the outermost group to the process's own.
fn pages(sources: &Sources, page_kib: u64) -> Vec<Pages> {
    let size = match page_kib {
        kib if kib >= 1 << 20 => format!("{}GB", kib >> 20),
        kib if kib >= 1 << 10 => format!("{}MB", kib >> 10),
        kib => format!("{kib}KB"),
    };
    let read = |controller, max, used| {
        groups(sources, controller).into_iter().filter_map(move |at: PathBuf| {
            let file = |name: &str| at.join(name);
            let limit_bytes = limit(&file(max));
            let used_bytes = number(&file(used));
            (file(max).exists() || used_bytes.is_some())
                .then(|| Pages { limit_bytes, used_bytes: used_bytes.unwrap_or(0) })
        })
    };
    let name = |end: &str| format!("hugetlb.{size}.{end}");
    let (max, current) = (name("max"), name("current"));
    let (limit_in_bytes, usage_in_bytes) = (name("limit_in_bytes"), name("usage_in_bytes"));
    read("", &*max, &*current).chain(read("hugetlb", &*limit_in_bytes, &*usage_in_bytes)).collect()
}

/// The process's control groups in a hierarchy (`""` is version 2), from the outermost to its own: each may limit
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
fn limit(path: &Path) -> Option<u64> {
    number::<u64>(path).filter(|bytes| *bytes < 1 << 60)
}
