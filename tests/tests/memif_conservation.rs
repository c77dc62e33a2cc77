//! Between two processes joined by net_memif nothing is lost, doubled or reordered, and every flow arrives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::memif::{device, run_pair, socket_folder, wait_for_frames};
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Outcome, Run, got, sent};
use bench_tests::{bin, cpus};
use nix::sys::signal::Signal;

/// What any machine with two CPUs can do.
const RATE: &str = "100kpps";
const RATE_PPS: f64 = 100e3;

/// Nothing was lost on the way, and no mbuf either.
fn assert_conserved(tx: &Outcome, rx: &Outcome, count: u64, flows: u64) {
    let (sent, account) = (sent(&tx.summary.totals), rx.summary.totals.account.unwrap());
    assert_eq!(sent, count, "sent");
    let shards = (&tx.summary.tx_shards, &rx.summary.rx_shards, &rx.summary.totals.cores);
    assert_eq!(account.received, count, "received: {account:?}, {shards:?}");
    assert_eq!(got(&rx.summary.totals), count, "frames at the receiver's workers");
    assert_eq!(account.flows_seen, Some(flows), "flows seen");
    let nothing = [account.lost, account.reordered, account.duplicated, account.too_late, account.invalid];
    assert_eq!(nothing, [0; 5], "lost, reordered, duplicated, too late, invalid");
    assert_eq!(account.foreign(), 0, "foreign frames");
    assert_eq!([tx.summary.mbufs_missing, rx.summary.mbufs_missing], [0, 0], "mbufs missing");
    assert_eq!(tx.ready.flows, flows);
    assert!(tx.ready.stamped);
    // Shard by shard: the receiver saw what each of the sender's workers says it sent.
    let sent: Vec<_> = tx.summary.tx_shards.iter().map(|s| (s.shard, s.sent)).collect();
    let seen: Vec<_> = rx.summary.rx_shards.iter().map(|s| (s.shard, s.received)).collect();
    assert_eq!(sent, seen);
    for samples in [&tx.samples, &rx.samples] {
        let numbers: Vec<u64> = samples.iter().map(|s| s.n).collect();
        assert_eq!(
            numbers,
            (0..numbers.len() as u64).collect::<Vec<_>>(),
            "samples are numbered without holes"
        );
    }
}

fn conserve(flows: u32, frame_size: u32, count: u64, tx_workers: u16) -> (Outcome, Outcome) {
    let profile = UdpFlows { flows, frame_size, rate: RATE, count: Some(count) }.profile();
    let (tx, rx) = run_pair(&profile, tx_workers);
    assert_conserved(&tx, &rx, count, flows.into());
    (tx, rx)
}

#[test]
fn one_flow_arrives_whole() {
    conserve(1, 64, 100_000, 1);
}

#[test]
fn a_hundred_flows_arrive_whole() {
    let (_, rx) = conserve(100, 64, 100_000, 1);
    assert!(rx.summary.totals.latency.is_none(), "nobody told this receiver whose clock it is");
}

#[test]
fn a_hundred_thousand_flows_arrive_whole() {
    conserve(100_000, 64, 300_000, 1);
}

#[test]
fn frames_of_1500_bytes_arrive_whole() {
    conserve(100, 1500, 50_000, 1);
}

#[test]
fn three_workers_share_one_count_and_one_rate() {
    // Workers own whole flows, 34, 33 and 33 of them, and send in proportion; the count is kept to the frame.
    let (tx, rx) = conserve(100, 64, 200_002, 3);
    let shares: Vec<u64> = tx.summary.tx_shards.iter().map(|shard| shard.sent).collect();
    assert_eq!(shares, [68_001, 66_001, 66_000]);
    assert_eq!(tx.ready.requested_pps, Some(RATE_PPS), "the rate is the port's, not each worker's");
    assert_eq!(tx.summary.pacing.as_ref().unwrap().requested_pps, RATE_PPS);
    assert_eq!(rx.summary.rx_shards.len(), 3);
}

#[test]
fn by_hand_with_two_commands_nothing_is_lost() {
    let folder = socket_folder();
    let profile =
        UdpFlows { flows: 100, frame_size: 64, rate: RATE, count: Some(50_000) }.write(folder.path());
    let verb = |verb: &str, role: &str, lcores: &str| {
        let mut command = bin::dataplane();
        command.args([verb, "--output", "json", "--interval-ms", "100", "--lcores", lcores]);
        command.args(["--device", &device(role, folder.path()), "--profile"]).arg(&profile);
        command
    };
    let mut rx = Run::spawn(verb("rx", "server", &cpus::rx(1)).arg("--same-host"));
    rx.ready();
    let tx = Run::spawn(&mut verb("tx", "client", &cpus::tx(1))).finish();
    wait_for_frames(&mut rx, 50_000);
    rx.process().signal(Signal::SIGINT);
    let rx = rx.finish();
    assert_conserved(&tx, &rx, 50_000, 100);
    if let Some(latency) = rx.summary.totals.latency {
        assert_eq!((latency.count, latency.rejected), (50_000, 0), "latency of every frame: {latency:?}");
        assert!(latency.min_ns <= latency.p50_ns && latency.p50_ns <= latency.max_ns, "{latency:?}");
    }
}
