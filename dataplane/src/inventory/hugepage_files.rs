//! Who has the hugepages that are reserved and not free: files that a DPDK process left behind, processes, the
//! control group, or the wrong size.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::sources::{Sources, names};
use super::{cgroup, hugepages};

/// Ids of the processes that are to be seen here.
pub fn processes(sources: &Sources) -> Vec<String> {
    let is_id = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    names(&sources.path("proc")).into_iter().filter(is_id).collect()
}

/// Why pages are not free, a remedy each; empty where nothing is known.
pub fn explain(sources: &Sources) -> Vec<String> {
    let mut why = Vec::new();
    let pools = hugepages::pools(sources);
    let size =
        |kib: u64| if kib >= 1 << 20 { format!("{} GiB", kib >> 20) } else { format!("{} MiB", kib >> 10) };
    for pool in pools.iter().filter(|pool| pool.total > 0) {
        let kib = pool.page_kib;
        if pool.free == 0 {
            why.push(format!(
                "all {} pages of {} on node {} are in use",
                pool.total,
                size(kib),
                pool.numa_node
            ));
        }
        let left = cgroup::hugetlb_headroom_kib(sources, kib);
        if pool.free > 0 && left.is_some_and(|left| left < kib) {
            let unit = if kib >= 1 << 20 { format!("{}Gi", kib >> 20) } else { format!("{}Mi", kib >> 10) };
            why.push(format!(
                "{} pages of {} are free, and this container may have none of that size: ask for them (the pod's limit hugepages-{unit})",
                pool.free,
                size(kib)
            ));
        }
    }
    why.extend(left_behind(sources).into_iter().map(|(mount, count)| {
        format!(
            "{count} files in {mount} hold hugepages and no process that is to be seen here has them open; where no DPDK process runs: \
             `rm {mount}/*map_*`"
        )
    }));
    why
}

/// Folders of hugetlbfs with files of DPDK's that no process has mapped, and how many.
fn left_behind(sources: &Sources) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for mount in hugepages::mounts(sources) {
        let at = sources.path(mount.path.trim_start_matches('/'));
        let files: Vec<PathBuf> =
            names(&at).iter().filter(|name| name.contains("map_")).map(|name| at.join(name)).collect();
        let free: Vec<&PathBuf> = files.iter().filter(|file| !is_mapped(sources, file)).collect();
        if !free.is_empty() {
            found.push((mount.path, free.len()));
        }
    }
    found
}

/// Whether some process has the file mapped.
fn is_mapped(sources: &Sources, file: &std::path::Path) -> bool {
    let Ok(meta) = std::fs::metadata(file) else { return false };
    // `address perms offset dev inode path`
    let inode = meta.ino().to_string();
    processes(sources).iter().any(|pid| {
        sources.text(&format!("proc/{pid}/maps")).is_some_and(|maps| {
            maps.lines().any(|line| line.split_whitespace().nth(4) == Some(&*inode) && line.contains("map_"))
        })
    })
}
