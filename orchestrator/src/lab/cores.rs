//! Which CPUs the engines of local pairs use.
//!
//! Main cores only take samples: they may share. Workers poll, so each gets a CPU of its own as long as there are
//! enough; where there are not, the sender's and the receiver's workers still sit on different ones.

use super::LabError;

/// Workers asked for; as many as fit when not given.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoreWish {
    /// Of every sender.
    pub tx_workers: Option<u16>,
    /// Of every receiver.
    pub rx_workers: Option<u16>,
}

/// The CPUs of one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairCores {
    /// The sender's, main first; empty where the pod's whole set is its own.
    pub tx: Vec<u32>,
    /// The receiver's.
    pub rx: Vec<u32>,
    /// How many of them send.
    pub tx_workers: u16,
    /// How many of them receive.
    pub rx_workers: u16,
    /// Said when pollers share CPUs.
    pub warning: Option<String>,
}

/// Divides `cpus` among `pairs` pairs.
pub fn divide(cpus: &[u32], pairs: usize, wish: CoreWish) -> Result<Vec<PairCores>, LabError> {
    let n = cpus.len();
    if n < 2 {
        return Err(LabError::TooFewCpus(n));
    }
    // Without a wish every engine takes an equal share, one CPU of it for its main core.
    let share = u16::try_from((n / (2 * pairs.max(1))).saturating_sub(1)).unwrap_or(u16::MAX).max(1);
    let (tx_workers, rx_workers) = (wish.tx_workers.unwrap_or(share), wish.rx_workers.unwrap_or(share));
    let (tx_n, rx_n) = (usize::from(tx_workers), usize::from(rx_workers));
    let workers = pairs * (tx_n + rx_n);
    let mains = 2 * pairs;
    let lists = (0..pairs).map(|i| {
        if workers + mains <= n { own(cpus, i, tx_n, rx_n) } else { crowded(cpus, i, tx_n, rx_n, workers) }
    });
    let lists: Vec<(Vec<u32>, Vec<u32>)> = lists.collect();
    let warning = sharing(&lists, workers, n);
    let pair = |(tx, rx)| PairCores { tx, rx, tx_workers, rx_workers, warning: warning.clone() };
    Ok(lists.into_iter().map(pair).collect())
}

/// What is to be known of CPUs that do two things.
fn sharing(lists: &[(Vec<u32>, Vec<u32>)], workers: usize, n: usize) -> Option<String> {
    if workers > n {
        return Some(format!(
            "{workers} workers share {n} CPUs: the counts hold, but rates and times mean nothing"
        ));
    }
    let engines = || lists.iter().flat_map(|(tx, rx)| [tx, rx]);
    let polls = |cpu: &u32| engines().any(|lcores| lcores[1..].contains(cpu));
    engines().any(|lcores| polls(&lcores[0])).then(|| {
        format!(
            "{n} CPUs are too few for main cores of their own: each takes its samples on the CPU of a worker, so that \
             the highest latencies (p99 and up) include waits for the CPU and top rates are lower; all counts hold"
        )
    })
}

/// Every engine has its CPUs to itself.
fn own(cpus: &[u32], pair: usize, tx_n: usize, rx_n: usize) -> (Vec<u32>, Vec<u32>) {
    let first = pair * (tx_n + rx_n + 2);
    let middle = first + 1 + tx_n;
    (cpus[first..middle].to_vec(), cpus[middle..=middle + rx_n].to_vec())
}

/// Workers first, from the last CPU down; each main core sleeps on a CPU of the other end's workers.
fn crowded(cpus: &[u32], pair: usize, tx_n: usize, rx_n: usize, workers: usize) -> (Vec<u32>, Vec<u32>) {
    let n = cpus.len();
    let from_end = |k: usize| cpus[n - 1 - k % n];
    let (tx_workers, rx_workers): (Vec<u32>, Vec<u32>) = if workers <= n {
        let base = pair * (tx_n + rx_n);
        (
            (0..tx_n).map(|k| from_end(base + k)).collect(),
            (0..rx_n).map(|k| from_end(base + tx_n + k)).collect(),
        )
    } else {
        // More pollers than CPUs: senders on the upper half, receivers on the lower one.
        let half = n / 2;
        let upper = |k: usize| cpus[half + k % (n - half)];
        let lower = |k: usize| cpus[k % half];
        (
            (0..tx_n).map(|k| upper(pair * tx_n + k)).collect(),
            (0..rx_n).map(|k| lower(pair * rx_n + k)).collect(),
        )
    };
    let spare = if workers < n { Some(cpus[0]) } else { None };
    let main = |other: &[u32]| spare.or_else(|| other.first().copied()).unwrap_or(cpus[0]);
    let (tx_main, rx_main) = (main(&rx_workers), main(&tx_workers));
    let lcores = |main: u32, workers: Vec<u32>| std::iter::once(main).chain(workers).collect();
    (lcores(tx_main, tx_workers), lcores(rx_main, rx_workers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(tx: u16, rx: u16) -> CoreWish {
        CoreWish { tx_workers: Some(tx), rx_workers: Some(rx) }
    }

    #[test]
    fn two_cpus_put_sender_and_receiver_on_different_ones() {
        let cores = divide(&[4, 7], 1, CoreWish::default()).unwrap();
        assert_eq!((cores[0].tx.as_slice(), cores[0].rx.as_slice()), (&[4, 7][..], &[7, 4][..]));
        let said = cores[0].warning.as_deref().unwrap();
        assert!(said.starts_with("2 CPUs are too few for main cores of their own"), "{said}");
    }

    #[test]
    fn enough_cpus_are_shared_by_nobody() {
        let cpus: Vec<u32> = (0..8).collect();
        let cores = divide(&cpus, 2, CoreWish::default()).unwrap();
        let mut all: Vec<u32> = cores.iter().flat_map(|c| c.tx.iter().chain(&c.rx).copied()).collect();
        all.sort_unstable();
        assert_eq!(all, cpus);
        let one = divide(&cpus, 1, CoreWish::default()).unwrap();
        assert_eq!((one[0].tx.len(), one[0].rx.len(), one[0].tx_workers), (4, 4, 3));
        assert_eq!((&cores[0].warning, &one[0].warning), (&None, &None));
    }

    #[test]
    fn three_cpus_leave_one_for_both_mains() {
        let cores = divide(&[0, 1, 2], 1, wish(1, 1)).unwrap();
        assert_eq!((cores[0].tx.as_slice(), cores[0].rx.as_slice()), (&[0, 2][..], &[0, 1][..]));
        assert_eq!(cores[0].warning, None);
    }

    #[test]
    fn too_many_workers_are_said_and_ends_stay_apart() {
        let cores = divide(&[0, 1], 2, wish(3, 1)).unwrap();
        for c in &cores {
            assert_eq!((c.tx.as_slice(), c.rx.as_slice()), (&[0, 1, 1, 1][..], &[1, 0][..]));
            assert!(c.warning.as_deref().unwrap().contains("8 workers share 2 CPUs"));
        }
        assert!(matches!(divide(&[3], 1, CoreWish::default()), Err(LabError::TooFewCpus(1))));
    }
}
