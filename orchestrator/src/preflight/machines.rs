//! What pods of one machine do to each other, and what holds for the machine as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Check, Level};
use super::facts::End;
use super::memory::{needed, want_of_pages};
use crate::show::cpu_list;

/// Boot options that matter here.
const OPTIONS: [&str; 10] = [
    "default_hugepagesz",
    "hugepagesz",
    "hugepages",
    "isolcpus",
    "nohz_full",
    "rcu_nocbs",
    "intel_iommu",
    "amd_iommu",
    "iommu",
    "iommu.passthrough",
];
/// Of those, the ones whose absence is worth a word.
const WISHED: [&str; 2] = ["isolcpus", "nohz_full"];
/// So many pods are named; the rest is counted.
const NAMED_MAX: usize = 6;

/// All of it, machine by machine.
pub fn checks(ends: &[End<'_>]) -> Vec<Check> {
    let mut machines: BTreeMap<&str, Vec<&End<'_>>> = BTreeMap::new();
    for end in ends {
        machines.entry(end.machine()).or_default().push(end);
    }
    machines.values().flat_map(|ends| of_machine(ends)).collect()
}

fn of_machine(ends: &[&End<'_>]) -> Vec<Check> {
    let Some(first) = ends.first() else { return Vec::new() };
    let mut checks = vec![options(first), shared_cpus(first.node, ends)];
    checks.extend(hyperthreads(first.node, ends));
    checks.extend(free_pages(first.node, ends));
    checks
}

fn options(end: &End<'_>) -> Check {
    let words: Vec<&str> = end.inventory.kernel_cmdline.split_whitespace().collect();
    let name = |word: &&str| word.split('=').next().is_some_and(|name| OPTIONS.contains(&name));
    let there: Vec<&str> = words.iter().copied().filter(|word| name(word)).collect();
    let absent = WISHED.iter().filter(|wish| !there.iter().any(|word| word.starts_with(**wish)));
    let absent: Vec<&str> = absent.copied().collect();
    let mut found = if there.is_empty() { "none of those that matter".to_owned() } else { there.join(" ") };
    if !absent.is_empty() {
        found.push_str(&format!("; without {}", absent.join(", ")));
    }
    Check::ok(end.node, "kernel-options", found)
}

fn shared_cpus(node: &str, ends: &[&End<'_>]) -> Check {
    let mut users: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for end in ends {
        for cpu in end.cpus() {
            users.entry(cpu).or_default().push(end.pod);
        }
    }
    let shared: Vec<(u32, Vec<&str>)> = users.into_iter().filter(|(_, pods)| pods.len() > 1).collect();
    if shared.is_empty() {
        return Check::ok(node, "shared-cpus", format!("no CPU is shared by the {} pods here", ends.len()));
    }
    let cpus: Vec<u32> = shared.iter().map(|(cpu, _)| *cpu).collect();
    let pods: BTreeSet<&str> = shared.iter().flat_map(|(_, pods)| pods.iter().copied()).collect();
    Check::warning(
        node,
        "shared-cpus",
        format!("CPUs {} are shared by {}", cpu_list(&cpus), named(&pods)),
        "have the kubelet's cpuManagerPolicy set to static, and ask for whole CPUs (`orchestrator pods create -c 2`): \
         latencies and top rates include waits for the CPU",
    )
}

/// `tx0, rx0 and 4 more`
fn named(pods: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = pods.iter().copied().take(NAMED_MAX).collect();
    match pods.len().saturating_sub(NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// Workers of different pods on one core.
fn hyperthreads(node: &str, ends: &[&End<'_>]) -> Option<Check> {
    let mut pollers: BTreeMap<u32, &str> = BTreeMap::new();
    for end in ends {
        for cpu in end.polled() {
            pollers.entry(cpu).or_insert(end.pod);
        }
    }
    let mut pods = BTreeSet::new();
    let mut cpus = BTreeSet::new();
    for end in ends {
        for core in end.inventory.cores.iter().filter(|core| pollers.get(&core.cpu) == Some(&end.pod)) {
            for mate in &core.siblings {
                if let Some(other) = pollers.get(mate).filter(|other| **other != end.pod) {
                    pods.extend([end.pod, *other]);
                    cpus.extend([core.cpu, *mate]);
                }
            }
        }
    }
    let cpus: Vec<u32> = cpus.into_iter().collect();
    (!cpus.is_empty()).then(|| {
        Check::warning(
            node,
            "hyperthreads",
            format!(
                "workers of {} share cores: CPUs {} are each other's hyperthreads",
                named(&pods),
                cpu_list(&cpus)
            ),
            "have the kubelet's cpuManagerPolicyOptions set to full-pcpus-only, or turn hyperthreads off",
        )
    })
}

/// What each may have, all can't have at once.
fn free_pages(node: &str, ends: &[&End<'_>]) -> Option<Check> {
    let users = ends.iter().filter_map(|end| Some((end, want_of_pages(end)?)));
    let users: Vec<(&&End<'_>, Level)> = users.collect();
    let level = users.iter().map(|(_, level)| *level).max()?;
    let pools = &ends.first()?.inventory.hugepages;
    let free_mib = pools.iter().map(|pool| pool.free.saturating_mul(pool.page_kib)).sum::<u64>() / 1024;
    if users.iter().any(|(end, _)| u64::from(needed(end)) > free_mib) {
        // Its own check says so.
        return None;
    }
    let needed_mib: u64 = users.iter().map(|(end, _)| u64::from(needed(end))).sum();
    let found =
        format!("{} pods here need {needed_mib} MiB of hugepages, {free_mib} MiB are free", users.len());
    Some(if needed_mib <= free_mib {
        Check::ok(node, "free-hugepages", found)
    } else {
        let instead = match level {
            Level::Error => "",
            _ => "; without, ordinary pages are used, which are slower",
        };
        let next = format!(
            "end what holds hugepages on {node}, reserve more (hugepages=), or use fewer pairs there{instead}"
        );
        Check::at(level, node, "free-hugepages", found, next)
    })
}
