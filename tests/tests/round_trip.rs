//! A sender whose frames are reflected books every one of them and measures round trips by its own clock.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use bench_tests::decode::decode;
use bench_tests::memif::{device, socket_folder, spec};
use bench_tests::netns::Netns;
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Outcome, Run, got, sent};
use bench_tests::tcpdump::Tcpdump;
use bench_tests::{bin, cpus, needs};
use nix::sys::signal::Signal;
use traffic::swap::Swap;
use traffic::wire::{Command, Role, RunSpec};

const CLOCK: &str = "round trip, tsc of the sender";

/// Sends `count` frames over memif to a peer of this role, booking what comes back: the sender's and the peer's
/// outcome.
fn over_memif(peer: Role, swap: Swap, workers: u16, rate: &'static str, count: u64) -> (Outcome, Outcome) {
    let profile = UdpFlows { flows: 100, frame_size: 64, rate, count: Some(count) }.profile();
    let folder = socket_folder();
    let peer = RunSpec { swap, ..spec(peer, device("server", folder.path()), &profile, workers) };
    let mut peer = Run::engine(&peer);
    peer.ready();
    let tx = spec(Role::Tx, device("client", folder.path()), &profile, workers);
    let mut tx = Run::engine(&RunSpec { round_trip: true, ..tx });
    tx.ready();
    peer.start();
    tx.start();
    // Once nothing comes back any more.
    tx.wait_until_sent();
    peer.command(Command::Stop);
    let peer = peer.finish();
    tx.command(Command::Stop);
    (tx.finish(), peer)
}

/// All `count` frames came back, each once and timed.
fn assert_all_came_back(tx: &Outcome, count: u64) {
    let totals = &tx.summary.totals;
    assert_eq!((sent(totals), got(totals)), (count, count), "sent, got back");
    let account = totals.account.unwrap();
    assert_eq!(account.received, count, "{account:?}");
    let nothing = [account.lost, account.reordered, account.duplicated, account.too_late, account.invalid];
    assert_eq!(nothing, [0; 5], "lost, reordered, duplicated, too late, invalid");
    assert_eq!(account.flows_seen, Some(tx.ready.flows));
    let latency = totals.latency.as_ref().unwrap();
    assert_eq!((latency.clock.as_str(), latency.count, latency.rejected), (CLOCK, count, 0));
    assert!(0 < latency.min_ns && latency.min_ns <= latency.p50_ns && latency.p50_ns <= latency.max_ns);
    assert_eq!(tx.summary.mbufs_missing, 0);
    let (shards, sent): (Vec<_>, Vec<_>) = (
        tx.summary.rx_shards.iter().map(|s| (s.shard, s.received)).collect(),
        tx.summary.tx_shards.iter().map(|s| (s.shard, s.sent)).collect(),
    );
    assert_eq!(shards, sent, "shard by shard");
    let live = tx.samples.iter().filter_map(|s| Some((s.account?.received, s.latency.as_ref()?.count)));
    let live: Vec<_> = live.filter(|(received, _)| *received > 0).collect();
    assert!(
        !live.is_empty() && live.iter().all(|(received, timed)| received == timed),
        "in samples: {live:?}"
    );
}

#[test]
fn every_frame_comes_back_over_memif_and_is_timed() {
    let (tx, reflector) = over_memif(Role::Reflect, Swap::Port, 1, "50kpps", 50_000);
    assert_all_came_back(&tx, 50_000);
    assert_eq!((got(&reflector.summary.totals), sent(&reflector.summary.totals)), (50_000, 50_000));
}

#[test]
fn three_workers_book_what_comes_back_to_them() {
    // Six loops share two CPUs: a ring must hold what comes while one of them has none.
    let (tx, _) = over_memif(Role::Reflect, Swap::Mac, 3, "12kpps", 20_000);
    assert_all_came_back(&tx, 20_000);
}

#[test]
fn what_does_not_come_back_is_lost() {
    let (tx, rx) = over_memif(Role::Rx, Swap::Mac, 1, "50kpps", 20_000);
    assert_eq!(rx.summary.totals.account.unwrap().received, 20_000, "it arrived, and stayed there");
    let account = tx.summary.totals.account.unwrap();
    assert_eq!((account.received, account.lost), (0, 20_000));
    assert_eq!(tx.summary.totals.latency.unwrap().count, 0);
}

#[test]
fn only_senders_of_marked_frames_book_round_trips() {
    let profile = UdpFlows { flows: 1, frame_size: 64, rate: "1kpps", count: Some(1) }.profile();
    let mut spec = spec(Role::Rx, "vdev:net_null0".to_owned(), &profile, 1);
    spec.round_trip = true;
    let error = Run::engine(&spec).fail();
    assert!(error.contains("round_trip is true") && error.contains("mark"), "{error}");
    spec.role = Role::Tx;
    spec.profile.stamp = false;
    assert!(Run::engine(&spec).fail().contains("mark"));
}

/// Frames that come back over a veth pair to `dataplane tx --round-trip`, as tcpdump saw them there.
fn over_veth(swap: &str, count: usize) -> (Outcome, Vec<Vec<u8>>) {
    let (sender, reflector) = (Netns::new("tx"), Netns::new("reflect"));
    sender.join("tx0", &reflector, "re0");
    let witness = Tcpdump::start(&sender, "tx0");
    let mut reflect = bin::dataplane();
    reflect.args(["reflect", "--device", "iface:re0", "--output", "json", "--swap", swap]);
    reflect.args(["--lcores", &cpus::rx(1)]);
    let mut reflect = Run::spawn(&mut reflector.wrap(reflect));
    reflect.ready();
    // It reflects from its first sample on.
    reflect.wait_for_sample(|_| true);
    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: 10, frame_size: 128, rate: "2kpps", count: Some(count as u64) };
    let profile = profile.write(folder.path());
    // Ports that can be told apart.
    let text = std::fs::read_to_string(&profile).unwrap().replace("dst = 1024 }", "dst = 2048 }");
    std::fs::write(&profile, text).unwrap();
    let mut tx = bin::dataplane();
    tx.args(["tx", "--device", "iface:tx0", "--output", "json", "--interval-ms", "100", "--round-trip"]);
    tx.args(["--lcores", &cpus::tx(1), "--profile"]).arg(&profile);
    let tx = Run::spawn(&mut sender.wrap(tx)).finish();
    let seen = witness.stop(count);
    reflect.process().signal(Signal::SIGINT);
    reflect.finish();
    (tx, seen)
}

#[test]
fn on_the_wire_addresses_and_ports_come_back_swapped_with_valid_checksums() {
    if !needs::root_and(&["ip", "tcpdump"]) {
        return;
    }
    for swap in ["mac", "ip", "port"] {
        let (tx, seen) = over_veth(swap, 300);
        assert_all_came_back(&tx, 300);
        assert_eq!(seen.len(), 300, "{swap}: frames that came back");
        let flows: BTreeSet<_> = seen.iter().map(|frame| assert_swapped(frame, swap)).collect();
        assert_eq!(flows.len(), 10, "{swap}: every flow came back as one: {flows:?}");
    }
}

/// A frame that came back has changed sides as far as was asked, and no further. The addresses of its flow.
fn assert_swapped(frame: &[u8], swap: &str) -> (String, String) {
    let f = decode(frame);
    assert_eq!((&*f["eth.src"], &*f["eth.dst"]), ("02:00:00:00:00:02", "02:00:00:00:00:01"), "{swap}");
    let (sender, other) = if swap == "mac" { ("ip.src", "ip.dst") } else { ("ip.dst", "ip.src") };
    assert!(f[sender].starts_with("10.0.0.") && f[other] == "192.168.2.1", "{swap}: {f:?}");
    let ports = if swap == "port" { ("2048", "1024") } else { ("1024", "2048") };
    assert_eq!((&*f["udp.src"], &*f["udp.dst"]), ports, "{swap}");
    assert!(f["ip.checksum_valid"] == "true" && f["udp.checksum_valid"] == "true", "{swap}: {f:?}");
    (f["ip.src"].clone(), f["ip.dst"].clone())
}
