//! The inventory for eyes: what `dataplane probe` prints.

use std::fmt::Write;

use traffic::wire::{CoreInfo, InterfaceInfo, Inventory};

use super::limits::Surroundings;

/// Of the kernel's command line, what polling cores, hugepages and PCI devices depend on; the inventory has all of it.
const CMDLINE_MATTERS: [&str; 17] = [
    "amd_iommu",
    "default_hugepagesz",
    "hugepages",
    "hugepagesz",
    "idle",
    "intel_idle.max_cstate",
    "intel_iommu",
    "intel_pstate",
    "iommu",
    "irqaffinity",
    "isolcpus",
    "mitigations",
    "nohz_full",
    "nosmt",
    "processor.max_cstate",
    "rcu_nocbs",
    "tsc",
];
/// More capabilities than a pod is given one by one.
const CAPABILITIES_SHOWN: usize = 16;

/// Plain text, a section each, with what is wrong and what helps at its place.
pub fn render(inventory: &Inventory, around: &Surroundings) -> String {
    let mut out = String::new();
    host(&mut out, inventory);
    cpus(&mut out, inventory);
    memory(&mut out, inventory, around);
    hugepages(&mut out, inventory, around);
    interfaces(&mut out, &inventory.interfaces);
    devices(&mut out, inventory, around);
    out
}

/// Writing to a string can't fail, which is why results are let go.
fn line(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "{name:<11} {value}");
}

fn host(out: &mut String, inventory: &Inventory) {
    let clock = &inventory.clock;
    line(out, "host", &format!("{}, Linux {}", inventory.hostname, inventory.kernel));
    line(out, "cpu", &inventory.cpu_model);
    line(out, "dpdk", &inventory.dpdk_version);
    let rate =
        if clock.hz == 0 { "rate not known".to_owned() } else { format!("{:.3} GHz", clock.hz as f64 / 1e9) };
    let note = if clock.invariant { "invariant" } else { "NOT invariant: no latency can be measured" };
    line(out, "clock", &format!("{}, {rate}, {note}", clock.name));
    let matters = |word: &&str| CMDLINE_MATTERS.iter().any(|name| word.split('=').next() == Some(name));
    let words: Vec<&str> = inventory.kernel_cmdline.split_whitespace().filter(matters).collect();
    if !words.is_empty() {
        line(out, "boot", &words.join(" "));
    }
    // A list of all of them says nothing but "root".
    let capabilities = match &*inventory.capabilities {
        [] => "none".to_owned(),
        many if many.len() > CAPABILITIES_SHOWN => format!("{} of them, as root", many.len()),
        few => few.join(" "),
    };
    line(out, "may", &capabilities);
}

fn cpus(out: &mut String, inventory: &Inventory) {
    let cores = &inventory.cores;
    let usable =
        if cores.len() < 2 { "; a run needs 2 at least: set `cpu: 2` or more for the pod" } else { "" };
    let of =
        if inventory.online_cpus == 0 { String::new() } else { format!(" of {}", inventory.online_cpus) };
    line(out, "cores", &format!("{}{of} for this process{usable}", cores.len()));
    let mut nodes: Vec<i32> = cores.iter().map(|core| core.numa_node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    for node in nodes {
        let on_node = cores.iter().filter(|core| core.numa_node == node);
        let list: Vec<String> = on_node.map(core_in_words).collect();
        line(out, "", &format!("node {node}: {}", list.join(" ")));
    }
    if !inventory.isolated_cpus.is_empty() {
        let list: Vec<String> = inventory.isolated_cpus.iter().map(u32::to_string).collect();
        line(out, "", &format!("isolated by the kernel: {}", list.join(" ")));
    }
    if let Some(quota) = inventory.cpu_quota {
        let note = if quota < cores.len() as f64 {
            ": polling cores will be stalled; use whole CPUs (Guaranteed QoS)"
        } else {
            ""
        };
        line(out, "", &format!("cpu quota {quota:.3}{note}"));
    }
}

/// `3`, or `3(+35)` with its hyperthread.
fn core_in_words(core: &CoreInfo) -> String {
    let siblings: Vec<String> = core.siblings.iter().map(u32::to_string).collect();
    if siblings.is_empty() { core.cpu.to_string() } else { format!("{}(+{})", core.cpu, siblings.join(",")) }
}

fn memory(out: &mut String, inventory: &Inventory, around: &Surroundings) {
    let nodes: Vec<String> = inventory
        .memory
        .iter()
        .map(|node| format!("node {}: {} MiB", node.numa_node, node.total_mib))
        .collect();
    let limit =
        around.memory_max_mib.map_or_else(String::new, |mib| format!(", limited to {mib} MiB by the cgroup"));
    let locked = inventory
        .memlock_bytes
        .map_or_else(String::new, |bytes| format!(", {} KiB of it lockable", bytes >> 10));
    line(out, "memory", &format!("{}{limit}{locked}", nodes.join(", ")));
}

fn hugepages(out: &mut String, inventory: &Inventory, around: &Surroundings) {
    let reserved = inventory.hugepages.iter().filter(|pool| pool.total > 0);
    let mut name = "hugepages";
    for pool in reserved {
        let size = if pool.page_kib >= 1 << 20 {
            format!("{} GiB", pool.page_kib >> 20)
        } else {
            format!("{} MiB", pool.page_kib >> 10)
        };
        let free = pool.free * pool.page_kib / 1024;
        line(
            out,
            name,
            &format!(
                "node {}: {} of {} pages of {size} free ({free} MiB)",
                pool.numa_node, pool.free, pool.total
            ),
        );
        name = "";
    }
    if name == "hugepages" {
        line(out, name, "none reserved: `sysctl vm.nr_hugepages=512`, or run without (slower)");
    }
    if inventory.hugepage_mounts.is_empty() {
        line(out, "", "hugetlbfs is mounted nowhere: in a pod, add an emptyDir volume with medium HugePages");
    }
    for mount in &inventory.hugepage_mounts {
        let page = match mount.page_kib {
            0 => "default size".to_owned(),
            kib => format!("{} MiB pages", kib >> 10),
        };
        let note = if mount.writable { "" } else { ", which this user may NOT write to" };
        line(out, "", &format!("mounted at {} ({page}){note}", mount.path));
    }
    for (page_kib, left_kib) in &around.hugetlb_left_kib {
        line(
            out,
            "",
            &format!("the cgroup allows {} MiB more of {} MiB pages", left_kib >> 10, page_kib >> 10),
        );
    }
}

fn interfaces(out: &mut String, interfaces: &[InterfaceInfo]) {
    let mut name = "interfaces";
    for one in interfaces {
        let state = if one.up { "up" } else { "down" };
        let addresses =
            if one.addresses.is_empty() { "no address".to_owned() } else { one.addresses.join(" ") };
        line(out, name, &format!("{} {state}, mtu {}, {addresses}", one.name, one.mtu));
        name = "";
    }
}

fn devices(out: &mut String, inventory: &Inventory, around: &Surroundings) {
    let devices = &inventory.devices;
    let width = devices.iter().map(|device| device.device.len()).max().unwrap_or(0);
    let mut name = "devices";
    for device in devices {
        let driver = device.driver.as_deref().unwrap_or("no driver");
        let mac = device.mac.map_or_else(|| "-".to_owned(), |mac| mac.to_string());
        let node = if device.numa_node < 0 { String::new() } else { format!(", node {}", device.numa_node) };
        line(out, name, &format!("{:<width$}  {mac:<17}  {driver}{node}, {}", device.device, device.detail));
        if let Some(obstacle) = &device.obstacle {
            line(out, "", &format!("{:<width$}  not usable now: {obstacle}", ""));
        }
        name = "";
    }
    if devices.is_empty() {
        line(out, name, "none; virtual ones always work: vdev:net_null0, vdev:net_memif0,…");
    }
    let iommu = &inventory.iommu;
    let made = match iommu.groups {
        0 if iommu.no_iommu => "no IOMMU, and VFIO may do without".to_owned(),
        0 => "no IOMMU: turn it on for PCI devices (intel_iommu=on or amd_iommu=on)".to_owned(),
        groups => format!("{groups} groups"),
    };
    line(out, "iommu", &made);
    if iommu.vfio {
        let groups =
            if around.vfio_groups.is_empty() { "none".to_owned() } else { around.vfio_groups.join(" ") };
        line(out, "vfio", &format!("there; IOMMU groups here: {groups}"));
    }
    for (variable, address) in &around.env_devices {
        line(out, "env", &format!("{variable} = {address}"));
    }
}
