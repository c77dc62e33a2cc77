//! The CPUs of one pod: enough, its own, and no two workers on one core.

use super::check::Check;
use super::facts::End;
use crate::show::cpu_list;

/// A main core and a worker.
const CPUS_MIN: usize = 2;
/// What a quota may differ by rounding.
const QUOTA_SLACK: f64 = 0.01;

/// All of it.
pub fn checks(end: &End<'_>) -> Vec<Check> {
    let mut checks = vec![count(end), exclusive(end)];
    checks.extend(quota(end));
    checks.extend(hyperthreads(end));
    checks
}

fn count(end: &End<'_>) -> Check {
    let cpus = end.cpus();
    let found = format!("may use CPUs {}", cpu_list(&cpus));
    match cpus.len() {
        CPUS_MIN.. => Check::ok(end.pod, "cpus", found),
        n => Check::error(
            end.pod,
            "cpus",
            format!("may use {n} CPU, and a run needs {CPUS_MIN}: a main core and a worker"),
            "give it 2 whole CPUs or more (`orchestrator pods create -c 2`)",
        ),
    }
}

fn exclusive(end: &End<'_>) -> Check {
    let (cpus, inventory) = (end.cpus(), end.inventory);
    let (list, online) = (cpu_list(&cpus), inventory.online_cpus as usize);
    let remedy = "have the kubelet's cpuManagerPolicy set to static and ask for whole CPUs, requests equal to limits \
                  (`orchestrator pods create -c 2`)";
    let warn = |found: String| Check::warning(end.pod, "exclusive-cpus", found, remedy);
    if !cpus.is_empty() && cpus.iter().all(|cpu| inventory.isolated_cpus.contains(cpu)) {
        return Check::ok(end.pod, "exclusive-cpus", format!("CPUs {list}, isolated from the scheduler"));
    }
    if online > 0 && cpus.len() >= online {
        return warn(format!(
            "its CPUs {list} are all that the machine has: whatever runs there uses them too"
        ));
    }
    match inventory.cpu_quota {
        Some(quota) if quota + QUOTA_SLACK < cpus.len() as f64 => {
            warn(format!("it may use {quota} CPUs' worth of the {} CPUs {list}: a shared set", cpus.len()))
        }
        _ if online == 0 => Check::ok(end.pod, "exclusive-cpus", format!("CPUs {list}")),
        _ => Check::ok(end.pod, "exclusive-cpus", format!("CPUs {list} of {online}")),
    }
}

/// Polling workers take all the time that there is.
fn quota(end: &End<'_>) -> Option<Check> {
    let quota = end.inventory.cpu_quota?;
    let workers = f64::from(end.workers.max(1));
    Some(if quota + QUOTA_SLACK < workers {
        Check::warning(
            end.pod,
            "cpu-quota",
            format!(
                "{quota} CPUs' worth of time for {workers} polling worker(s): the kernel stalls them, many times a second"
            ),
            format!(
                "give the pod {} CPUs or more (`orchestrator pods create -c {}`), or use fewer workers",
                workers + 1.0,
                workers + 1.0
            ),
        )
    } else {
        Check::ok(
            end.pod,
            "cpu-quota",
            format!("{quota} CPUs' worth of time for {workers} polling worker(s)"),
        )
    })
}

/// Two workers on one core, in one pod; [`super::machines`] sees those of different pods.
fn hyperthreads(end: &End<'_>) -> Option<Check> {
    let polled = end.polled();
    let mates = end.inventory.cores.iter().filter(|core| polled.contains(&core.cpu)).filter_map(|core| {
        let mate = core.siblings.iter().find(|other| **other > core.cpu && polled.contains(other))?;
        Some(format!("{} and {mate}", core.cpu))
    });
    let mates: Vec<String> = mates.collect();
    (!mates.is_empty()).then(|| {
        Check::warning(
            end.pod,
            "hyperthreads",
            format!("workers share cores: CPUs {} are hyperthreads of one core each", mates.join(", ")),
            "use as many workers as there are cores (--tx-num-core, --rx-num-core): each of two gets a part of the \
             core's speed",
        )
    })
}
