//! Which CPUs the engines of pods use: a pod with exclusive CPUs has them to itself; pods that share the CPUs of a
//! machine are kept out of each other's way as far as there are CPUs.

use std::collections::BTreeMap;

use traffic::wire::Inventory;

use crate::lab::{CoreWish, LabError, PairCores, PairInventory};

/// The CPUs of all pairs.
pub fn assign(inventories: &[PairInventory], wish: CoreWish) -> Result<Vec<PairCores>, LabError> {
    let ends = inventories.iter().flat_map(|pair| [(&pair.tx, wish.tx_workers), (&pair.rx, wish.rx_workers)]);
    let ends: Vec<(&Inventory, Option<u16>)> = ends.collect();
    // Pods with one and the same set on one machine share it; exclusive sets are all different.
    let mut groups: BTreeMap<(&str, Vec<u32>), Vec<usize>> = BTreeMap::new();
    for (index, (inventory, _)) in ends.iter().enumerate() {
        let cpus: Vec<u32> = inventory.cores.iter().map(|c| c.cpu).collect();
        if cpus.len() < 2 {
            return Err(LabError::TooFewCpus(cpus.len()));
        }
        groups.entry((machine(inventory), cpus)).or_default().push(index);
    }
    let mut given: Vec<Given> = vec![Given::default(); ends.len()];
    for ((_, cpus), members) in groups {
        let workers: Vec<u16> =
            members.iter().map(|i| workers(ends[*i].0, ends[*i].1, cpus.len(), members.len())).collect();
        let warning = warning(&workers, &cpus, members.len());
        for ((index, workers), lcores) in members.iter().zip(&workers).zip(spread(&cpus, &workers)) {
            given[*index] = Given { lcores, workers: *workers, warning: warning.clone() };
        }
    }
    let mut given = given.into_iter();
    let mut pairs = Vec::new();
    while let (Some(tx), Some(rx)) = (given.next(), given.next()) {
        pairs.push(PairCores {
            tx_workers: tx.workers,
            rx_workers: rx.workers,
            tx: tx.lcores,
            rx: rx.lcores,
            warning: tx.warning.or(rx.warning),
        });
    }
    Ok(pairs)
}

#[derive(Clone, Default)]
struct Given {
    lcores: Vec<u32>,
    workers: u16,
    warning: Option<String>,
}

/// One kernel is one machine, whatever its pods are called.
fn machine(inventory: &Inventory) -> &str {
    &inventory.clock.boot_id
}

/// As asked; else what the pod may use beside its main core: its quota where it has one, a fair share of shared CPUs.
fn workers(inventory: &Inventory, asked: Option<u16>, cpus: usize, sharers: usize) -> u16 {
    let share = if sharers > 1 { cpus / sharers } else { cpus };
    let quota = inventory.cpu_quota.map_or(usize::MAX, |q| q.ceil().max(1.0) as usize);
    let usable = share.min(quota).saturating_sub(1).max(1);
    asked.unwrap_or_else(|| u16::try_from(usable).unwrap_or(u16::MAX))
}

/// Main first for each of the engines that share `cpus`. Workers get CPUs of their own as long as there are enough,
/// from the last one down; main cores sleep, so they share where they must.
fn spread(cpus: &[u32], workers: &[u16]) -> Vec<Vec<u32>> {
    let n = cpus.len();
    let pollers: usize = workers.iter().map(|w| usize::from(*w)).sum();
    let mut next = 0;
    let lists: Vec<Vec<u32>> = workers
        .iter()
        .map(|count| {
            let from = next;
            next += usize::from(*count);
            (from..next).map(|k| cpus[n - 1 - k % n]).collect()
        })
        .collect();
    let main = |engine: usize| {
        if pollers + workers.len() <= n {
            // One of its own, from the first up.
            cpus[engine]
        } else if pollers < n {
            cpus[engine % (n - pollers)]
        } else {
            // On a worker's CPU, but not on one of its own.
            lists[(engine + 1) % lists.len()].first().copied().unwrap_or(cpus[0])
        }
    };
    lists
        .iter()
        .enumerate()
        .map(|(engine, list)| std::iter::once(main(engine)).chain(list.iter().copied()).collect())
        .collect()
}

fn warning(workers: &[u16], cpus: &[u32], sharers: usize) -> Option<String> {
    let pollers: usize = workers.iter().map(|w| usize::from(*w)).sum();
    let n = cpus.len();
    if sharers > 1 && pollers > n {
        return Some(format!(
            "{sharers} pods share {n} CPUs, which {pollers} workers poll: the counts hold, but rates and times mean \
             nothing; exclusive CPUs need the kubelet's cpuManagerPolicy static"
        ));
    }
    (sharers > 1).then(|| {
        format!(
            "{sharers} pods share {n} CPUs: latencies and top rates include waits for the CPU; exclusive CPUs need the \
             kubelet's cpuManagerPolicy static"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::wire::{ClockId, CoreInfo};

    fn pod(boot: &str, cpus: &[u32], quota: Option<f64>) -> Inventory {
        Inventory {
            clock: ClockId { boot_id: boot.into(), ..ClockId::default() },
            cores: cpus.iter().map(|cpu| CoreInfo { cpu: *cpu, ..CoreInfo::default() }).collect(),
            cpu_quota: quota,
            ..Inventory::default()
        }
    }

    fn pair(tx: Inventory, rx: Inventory) -> PairInventory {
        PairInventory { tx, rx }
    }

    #[test]
    fn exclusive_cpus_are_used_whole() {
        let pairs = [pair(pod("a", &[2, 3, 4], Some(3.0)), pod("a", &[5, 6], Some(2.0)))];
        let cores = assign(&pairs, CoreWish::default()).unwrap();
        assert_eq!((cores[0].tx.as_slice(), cores[0].tx_workers), (&[2, 4, 3][..], 2));
        assert_eq!((cores[0].rx.as_slice(), &cores[0].warning), (&[5, 6][..], &None));
    }

    #[test]
    fn two_pods_of_two_shared_cpus_poll_different_ones() {
        let shared = || pod("a", &[0, 1], Some(1.0));
        let cores = assign(&[pair(shared(), shared())], CoreWish::default()).unwrap();
        assert_eq!((cores[0].tx.as_slice(), cores[0].rx.as_slice()), (&[0, 1][..], &[1, 0][..]));
        assert!(cores[0].warning.as_deref().unwrap().contains("2 pods share 2 CPUs: latencies"));
    }

    #[test]
    fn a_quota_limits_and_machines_are_apart() {
        let wide = |boot| pod(boot, &[0, 1, 2, 3, 4, 5, 6, 7], Some(2.0));
        let cores = assign(&[pair(wide("a"), wide("b"))], CoreWish::default()).unwrap();
        assert_eq!((cores[0].tx_workers, cores[0].rx_workers), (1, 1));
        assert_eq!(cores[0].tx, cores[0].rx);
        let asked = CoreWish { tx_workers: Some(3), rx_workers: None };
        let crowded = assign(&[pair(pod("a", &[0, 1], None), pod("a", &[0, 1], None))], asked).unwrap();
        assert!(crowded[0].warning.as_deref().unwrap().contains("4 workers poll"));
        assert!(matches!(
            assign(&[pair(pod("a", &[0], None), wide("b"))], CoreWish::default()),
            Err(LabError::TooFewCpus(1))
        ));
    }
}
