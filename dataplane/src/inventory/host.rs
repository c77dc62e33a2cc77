//! The machine itself: names, memory, clock.

use traffic::wire::{ClockId, NodeMemory};

use super::sources::{Sources, numbered, text};

/// The pod's, in a pod.
pub fn hostname(sources: &Sources) -> String {
    sources.text("proc/sys/kernel/hostname").unwrap_or_default()
}

/// Its release.
pub fn kernel(sources: &Sources) -> String {
    sources.text("proc/sys/kernel/osrelease").unwrap_or_default()
}

/// As /proc/cpuinfo has it; Arm kernels have none, and the architecture stands in.
pub fn cpu_model(sources: &Sources) -> String {
    cpuinfo(sources, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn cpuinfo(sources: &Sources, key: &str) -> Option<String> {
    let text = sources.text("proc/cpuinfo")?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

/// MiB of each NUMA node; all of it as one node where the kernel knows one or none. (With one node the whole
/// is also the better number: memory added to a running virtual machine is missing from some kernels' node
/// files.)
pub fn memory(sources: &Sources) -> Vec<NodeMemory> {
    let nodes = sources.path("sys/devices/system/node");
    let of = |node: u32| -> Option<NodeMemory> {
        let meminfo = text(&nodes.join(format!("node{node}/meminfo")))?;
        Some(NodeMemory { numa_node: i32::try_from(node).ok()?, total_mib: total_kib(&meminfo)? / 1024 })
    };
    let found: Vec<NodeMemory> = numbered(&nodes, "node").into_iter().filter_map(of).collect();
    if found.len() > 1 {
        return found;
    }
    let whole = sources.text("proc/meminfo").and_then(|meminfo| total_kib(&meminfo));
    whole.map(|kib| NodeMemory { numa_node: 0, total_mib: kib / 1024 }).into_iter().collect()
}

/// `MemTotal: 24682012 kB`, with or without `Node 0` in front.
fn total_kib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.contains("MemTotal:"))?;
    line.split_once("MemTotal:")?.1.split_whitespace().next()?.parse().ok()
}

/// The clock that marks are made with. Arm's generic timer is invariant by definition; x86 says so in its
/// flags.
pub fn clock(sources: &Sources) -> ClockId {
    let invariant = match std::env::consts::ARCH {
        "aarch64" => true,
        _ => cpuinfo(sources, "flags").is_some_and(|flags| {
            ["constant_tsc", "nonstop_tsc"]
                .iter()
                .all(|flag| flags.split_whitespace().any(|word| word == *flag))
        }),
    };
    ClockId {
        name: if cfg!(target_arch = "aarch64") { "cntvct" } else { "tsc" }.to_owned(),
        hz: sources.facts.tsc_hz,
        boot_id: sources.text("proc/sys/kernel/random/boot_id").unwrap_or_default(),
        invariant,
    }
}

/// What the kernel was started with.
pub fn kernel_cmdline(sources: &Sources) -> String {
    sources.text("proc/cmdline").unwrap_or_default()
}
