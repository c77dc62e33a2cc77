//! What a run says of itself: plausible figures, and no two that contradict each other.

use traffic::wire::{
    Account, Checksums, ClockId, CoreCounters, Ended, Latency, Pacing, PortStats, Ready, Role, RunSpec,
    RxShard, Sample, Summary, TxShard,
};

use super::agent::Setup;
use super::ether::{PPS, frames};
use super::run::Run;

const LOST_WHEN_LOSING: u64 = 7;
const FRAME_BYTES: u64 = 60;

/// CPUs of the run, main first.
fn cpus(setup: &Setup, spec: &RunSpec) -> Vec<u32> {
    let all = || setup.inventory.cores.iter().map(|core| core.cpu);
    let given: Vec<u32> = if spec.lcores.is_empty() { all().collect() } else { spec.lcores.clone() };
    let workers = spec.workers.map_or(given.len().saturating_sub(1), usize::from).max(1);
    let main = given.first().copied().unwrap_or(0);
    let last = given.last().copied().unwrap_or(0);
    // A CPU may be given twice, and more workers than CPUs asked for.
    let workers = given.iter().skip(1).copied().chain(std::iter::repeat(last)).take(workers);
    std::iter::once(main).chain(workers).collect()
}

pub fn ready(setup: &Setup, spec: &RunSpec) -> Ready {
    let cpus = cpus(setup, spec);
    let queues = u16::try_from(cpus.len() - 1).unwrap_or(u16::MAX);
    let is_tx = spec.role == Role::Tx;
    Ready {
        pid: setup.engine_pid,
        dpdk_version: "DPDK 0".into(),
        device: spec.device.clone(),
        port_name: "net_memif0".into(),
        driver: "net_memif".into(),
        mac: setup.mac,
        link_up: true,
        link_mbps: 10_000,
        numa_node: -1,
        main_cpu: cpus[0],
        worker_cpus: cpus[1..].to_vec(),
        queues: [queues, queues],
        descriptors: [spec.descriptors, spec.descriptors],
        requested_pps: is_tx.then_some(PPS),
        flows: 100,
        stamped: spec.profile.stamp,
        rss: Vec::new(),
        flow_control: None,
        firmware: None,
        checksums: is_tx.then_some(Checksums::Software),
        clock: setup.inventory.clock.clone(),
        memory: "ordinary pages, 64 MiB".into(),
        startup_ms: 1,
        warnings: Vec::new(),
    }
}

/// Divides over the workers; the first takes what is left over.
fn share(total: u64, workers: u64, worker: u64) -> u64 {
    total / workers + if worker == 0 { total % workers } else { 0 }
}

pub fn sample(setup: &Setup, mode: &str, run: &Run, n: u64, elapsed_ns: u64) -> Sample {
    let unix_ns = run.started_ns.unwrap_or_default() + elapsed_ns;
    let base = Sample { n, unix_ns, elapsed_ns, ..Sample::default() };
    let cpus = cpus(setup, &run.spec);
    let workers = (cpus.len() - 1) as u64;
    let cores = |rx: u64, tx: u64| -> Vec<CoreCounters> {
        let core = |(i, cpu): (usize, &u32)| {
            let (rx, tx) = (share(rx, workers, i as u64), share(tx, workers, i as u64));
            CoreCounters {
                cpu: *cpu,
                tx_packets: tx,
                tx_bytes: tx * FRAME_BYTES,
                rx_packets: rx,
                rx_bytes: rx * FRAME_BYTES,
                bursts: rx + tx,
                ..CoreCounters::default()
            }
        };
        cpus[1..].iter().enumerate().map(core).collect()
    };
    if run.spec.role == Role::Tx {
        let sent = frames(elapsed_ns);
        let port = PortStats { opackets: sent, obytes: sent * FRAME_BYTES, ..PortStats::default() };
        // What a warm-up's sender gets back.
        let received = if mode == "mute" { 0 } else { sent };
        let account = run.spec.round_trip.then(|| Account { received, ..Account::default() });
        return Sample { cores: cores(0, sent), port, account, ..base };
    }
    let lost = if mode == "loses" { LOST_WHEN_LOSING } else { 0 };
    let sent = if mode == "deaf" { 0 } else { setup.ether.sent_at(run.spec.tag, unix_ns) };
    let received = sent.saturating_sub(lost);
    let reflected = if run.spec.role == Role::Reflect && mode != "mute" { received } else { 0 };
    Sample {
        cores: cores(received, reflected),
        port: PortStats { ipackets: received, ibytes: received * FRAME_BYTES, ..PortStats::default() },
        account: Some(Account { received, flows_seen: Some(received.min(100)), ..Account::default() }),
        latency: Some(latency(received)),
        ..base
    }
}

fn latency(count: u64) -> Latency {
    Latency { clock: "tsc".into(), count, p50_ns: 850, p99_ns: 12_340, max_ns: 99_000, ..Latency::default() }
}

pub fn summary(run: &Run, totals: Sample) -> Summary {
    let (sent, received) = (totals.port.opackets, totals.port.ipackets);
    let is_tx = run.spec.role == Role::Tx;
    // Never 0: a figure that is none is no JSON.
    let seconds = (totals.elapsed_ns as f64 / 1e9).max(1e-9);
    let was_stopped = run.stopped_after_ns.is_some_and(|at| at <= totals.elapsed_ns);
    Summary {
        ended: if was_stopped && is_tx { Ended::Stopped } else { Ended::Complete },
        effective_ns: totals.elapsed_ns,
        tx_shards: if is_tx { vec![TxShard { shard: 0, stream: 0, sent }] } else { Vec::new() },
        rx_shards: if is_tx {
            Vec::new()
        } else {
            vec![RxShard { shard: 0, expected: received, received, ..RxShard::default() }]
        },
        pacing: is_tx.then(|| Pacing {
            requested_pps: PPS,
            offered_pps: sent as f64 / seconds,
            achieved_pps: sent as f64 / seconds,
            ..Pacing::default()
        }),
        totals,
        ..Summary::default()
    }
}

/// One counter for all that have the same boot id.
pub fn clock(boot_id: &str) -> ClockId {
    ClockId { name: "tsc".into(), hz: 1_000_000_000, boot_id: boot_id.into(), invariant: true }
}
