//! CPUs: which ones this process may use, how they lie to each other, and which does what.

use std::collections::BTreeSet;

use traffic::wire::CoreInfo;

use super::sources::{Sources, cpu_list, numbered, text};

/// Why there is no plan.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CpuError {
    /// The kernel did not say.
    #[error("can't read which CPUs this process may use (sched_getaffinity: {0}): name them with --lcores")]
    Affinity(String),
    /// A main core and a worker are the least.
    #[error(
        "this process may use CPU {0} only, and a run needs 2 CPUs at least: one main core and one worker. \
         Set `cpu: 2` or more in the pod's requests and limits, or share CPUs for a test whose timings mean \
         nothing: --lcores {0},{0}"
    )]
    OneCpu(u32),
    /// Not even one.
    #[error("this process may use no CPU at all as far as the kernel says: check its cpuset")]
    NoCpu,
    /// Outside the process's set.
    #[error("lcore {cpu} is not among the CPUs this process may use ({}): choose one", shown(.allowed))]
    NotAllowed {
        /// As asked.
        cpu: u32,
        /// What may be asked.
        allowed: Vec<u32>,
    },
    /// A list of one.
    #[error(
        "--lcores {0} names a main core and no worker: add one CPU or more, or repeat it for a test \
         (--lcores {0},{0})"
    )]
    NoWorker(u32),
    /// No worker at all.
    #[error("0 workers were asked for, and a run needs 1 at least")]
    ZeroWorkers,
    /// More than there is room for.
    #[error(
        "{workers} workers and a main core were asked for, and there are {} CPUs ({}): ask for {} workers \
         at most, give the pod more CPUs, or name CPUs more than once with --lcores for a test whose \
         timings mean nothing",
        .cpus.len(), shown(.cpus), .cpus.len().saturating_sub(1)
    )]
    TooManyWorkers {
        /// As asked.
        workers: u16,
        /// What there is to choose from.
        cpus: Vec<u32>,
    },
}

/// Which CPU does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuPlan {
    /// Control and statistics.
    pub main: u32,
    /// One loop each.
    pub workers: Vec<u32>,
    /// What will cost speed or make timings meaningless.
    pub warnings: Vec<String>,
}

/// CPUs that this process may run on, in order.
pub fn allowed() -> Result<Vec<u32>, CpuError> {
    let set =
        rustix::thread::sched_getaffinity(None).map_err(|error| CpuError::Affinity(error.to_string()))?;
    let most = rustix::thread::CpuSet::MAX_CPU;
    Ok((0..most).filter(|cpu| set.is_set(*cpu)).filter_map(|cpu| u32::try_from(cpu).ok()).collect())
}

/// The allowed CPUs with their node and their hyperthread siblings.
pub fn cores(sources: &Sources) -> Vec<CoreInfo> {
    let system = sources.path("sys/devices/system");
    let nodes: Vec<(i32, BTreeSet<u32>)> = numbered(&system.join("node"), "node")
        .into_iter()
        .filter_map(|node| {
            let list = text(&system.join(format!("node/node{node}/cpulist")))?;
            Some((i32::try_from(node).ok()?, cpu_list(&list).into_iter().collect()))
        })
        .collect();
    let core = |cpu: &u32| {
        let siblings =
            text(&system.join(format!("cpu/cpu{cpu}/topology/thread_siblings_list"))).unwrap_or_default();
        CoreInfo {
            cpu: *cpu,
            // A kernel without NUMA has one node, which DPDK calls 0.
            numa_node: nodes.iter().find(|(_, cpus)| cpus.contains(cpu)).map_or(0, |(node, _)| *node),
            siblings: cpu_list(&siblings).into_iter().filter(|other| other != cpu).collect(),
        }
    };
    sources.allowed_cpus.iter().map(core).collect()
}

/// How many CPUs of the machine are on; 0 where the kernel does not say.
pub fn online(sources: &Sources) -> u32 {
    let list = sources.text("sys/devices/system/cpu/online").unwrap_or_default();
    u32::try_from(cpu_list(&list).len()).unwrap_or(u32::MAX)
}

/// CPUs that the kernel's scheduler leaves alone.
pub fn isolated(sources: &Sources) -> Vec<u32> {
    cpu_list(&sources.text("sys/devices/system/cpu/isolated").unwrap_or_default())
}

/// Chooses CPUs: `lcores` as asked, main first, or the best of `cores` when empty; `workers` as asked, or all
/// that are left. CPUs on `nic_numa` (−1: anywhere) go to workers first, and first one hyperthread of each
/// core.
pub fn plan(
    cores: &[CoreInfo],
    lcores: &[u32],
    workers: Option<u16>,
    nic_numa: i32,
) -> Result<CpuPlan, CpuError> {
    if workers == Some(0) {
        return Err(CpuError::ZeroWorkers);
    }
    let (main, workers, mut warnings) = match lcores {
        [] => choose(cores, workers, nic_numa)?,
        asked => as_asked(cores, asked, workers)?,
    };
    warnings.extend(sharing(main, &workers));
    warnings.extend(hyperthreads(cores, &workers));
    warnings.extend(far_away(cores, &workers, nic_numa));
    Ok(CpuPlan { main, workers, warnings })
}

type Choice = (u32, Vec<u32>, Vec<String>);

fn as_asked(cores: &[CoreInfo], lcores: &[u32], workers: Option<u16>) -> Result<Choice, CpuError> {
    if let Some(cpu) = lcores.iter().find(|cpu| !cores.iter().any(|core| core.cpu == **cpu)) {
        return Err(CpuError::NotAllowed { cpu: *cpu, allowed: cores.iter().map(|core| core.cpu).collect() });
    }
    let Some((main, rest)) = lcores.split_first() else { return Err(CpuError::NoCpu) };
    if rest.is_empty() {
        return Err(CpuError::NoWorker(*main));
    }
    let count = workers.map_or(rest.len(), usize::from);
    let Some(used) = rest.get(..count) else {
        let workers = workers.unwrap_or_default();
        return Err(CpuError::TooManyWorkers { workers, cpus: lcores.to_vec() });
    };
    let unused = &rest[count..];
    let warning = (!unused.is_empty())
        .then(|| format!("{count} workers were asked for: {} of --lcores stay unused", shown(unused)));
    Ok((*main, used.to_vec(), warning.into_iter().collect()))
}

fn choose(cores: &[CoreInfo], workers: Option<u16>, nic_numa: i32) -> Result<Choice, CpuError> {
    match cores {
        [] => return Err(CpuError::NoCpu),
        [only] => return Err(CpuError::OneCpu(only.cpu)),
        _ => {}
    }
    let mut order = best_first(cores, nic_numa);
    let count = workers.map_or(order.len() - 1, usize::from);
    if count > order.len() - 1 {
        return Err(CpuError::TooManyWorkers { workers: workers.unwrap_or_default(), cpus: order });
    }
    let is_near = |cpu: &u32| cores.iter().any(|core| core.cpu == *cpu && core.numa_node == nic_numa);
    let near = order.iter().filter(|cpu| is_near(cpu)).count();
    // The main core sends no packets: it is the first CPU of all, unless that would push a worker off the
    // NIC's node.
    let main_at = if nic_numa >= 0 && near > 0 && near < order.len() && count >= near { near } else { 0 };
    let main = order.remove(main_at);
    order.truncate(count);
    Ok((main, order, Vec::new()))
}

/// The NIC's node before others; within a node the first thread of each core before the others; then by
/// number.
fn best_first(cores: &[CoreInfo], nic_numa: i32) -> Vec<u32> {
    let mut ranked: Vec<_> = cores
        .iter()
        .map(|core| {
            let is_far = nic_numa >= 0 && core.numa_node != nic_numa;
            let threads_before = core
                .siblings
                .iter()
                .filter(|other| **other < core.cpu && cores.iter().any(|core| core.cpu == **other))
                .count();
            (is_far, threads_before, core.cpu)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(.., cpu)| cpu).collect()
}

fn sharing(main: u32, workers: &[u32]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<u32> =
        std::iter::once(&main).chain(workers).filter(|cpu| !seen.insert(**cpu)).copied().collect();
    let shared: Vec<u32> = twice.into_iter().collect();
    (!shared.is_empty()).then(|| {
        format!("{} runs more than one lcore: rates and latencies of this run mean nothing", shown(&shared))
    })
}

fn hyperthreads(cores: &[CoreInfo], workers: &[u32]) -> Vec<String> {
    let busy: BTreeSet<u32> = workers.iter().copied().collect();
    let pairs = cores.iter().filter(|core| busy.contains(&core.cpu)).filter_map(|core| {
        let mate = core.siblings.iter().find(|other| **other > core.cpu && busy.contains(other))?;
        let cpu = core.cpu;
        Some(format!(
            "workers on CPU {cpu} and CPU {mate} are hyperthreads of one core: each gets a part of its speed"
        ))
    });
    pairs.collect()
}

fn far_away(cores: &[CoreInfo], workers: &[u32], nic_numa: i32) -> Option<String> {
    let is_far = |cpu: &&u32| cores.iter().any(|core| core.cpu == **cpu && core.numa_node != nic_numa);
    let far: Vec<u32> = workers.iter().filter(is_far).copied().collect();
    (nic_numa >= 0 && !far.is_empty()).then(|| {
        format!("{} is not on the NIC's NUMA node {nic_numa}: every frame crosses between nodes", shown(&far))
    })
}

/// `CPU 3`, `CPUs 0, 1, 2`.
fn shown(cpus: &[u32]) -> String {
    let list: Vec<String> = cpus.iter().map(u32::to_string).collect();
    format!("CPU{} {}", if cpus.len() == 1 { "" } else { "s" }, list.join(", "))
}
