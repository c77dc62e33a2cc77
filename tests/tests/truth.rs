//! What results say beside counts is true too: clocks, departures, foreign and invalid frames, queues, NIC counters.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::inject::inject;
use bench_tests::memif::{device, socket_folder, spec, wait_for_frames};
use bench_tests::netns::Netns;
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Outcome, Run, got};
use bench_tests::{bin, cpus, flows, needs};
use nix::sys::signal::Signal;
use traffic::pacer::Gap;
use traffic::wire::{Account, Command, DumpKind, MarkClock, Role, RunSpec};

const COUNT: u64 = 20_000;
const FLOWS: UdpFlows = UdpFlows { flows: 100, frame_size: 64, rate: "20kpps", count: Some(COUNT) };

/// A pair over memif whose two specs were bent.
fn pair(bend_tx: impl FnOnce(&mut RunSpec), bend_rx: impl FnOnce(&mut RunSpec)) -> (Outcome, Outcome) {
    let folder = socket_folder();
    let profile = FLOWS.profile();
    let mut rx_spec = spec(Role::Rx, device("server", folder.path()), &profile, 1);
    let mut tx_spec = spec(Role::Tx, device("client", folder.path()), &profile, 1);
    bend_rx(&mut rx_spec);
    bend_tx(&mut tx_spec);
    let mut rx = Run::engine(&rx_spec);
    rx.ready();
    let mut tx = Run::engine(&tx_spec);
    tx.ready();
    rx.start();
    tx.start();
    tx.wait_until_sent();
    wait_for_frames(&mut rx, COUNT);
    rx.command(Command::Stop);
    let rx = rx.finish();
    tx.command(Command::Stop);
    (tx.finish(), rx)
}

#[test]
fn clock_realtime_at_both_ends_is_a_clock_with_its_stated_error() {
    let realtime = |spec: &mut RunSpec| spec.clock = MarkClock::Realtime { error_ns: 2000 };
    let (_, rx) = pair(realtime, realtime);
    let latency = rx.summary.totals.latency.unwrap();
    assert_eq!(
        (latency.clock.as_str(), latency.clock_error_ns),
        ("CLOCK_REALTIME of both hosts", Some(2000))
    );
    assert_eq!((latency.count, latency.rejected), (COUNT, 0), "{latency:?}");
    assert!(latency.p50_ns > 0 && latency.p50_ns <= latency.p99_99_ns && latency.p99_99_ns <= latency.max_ns);
}

#[test]
fn times_of_another_clock_are_absurd_and_in_no_figure() {
    let (_, rx) = pair(|_| (), |spec| spec.clock = MarkClock::Realtime { error_ns: 0 });
    let latency = rx.summary.totals.latency.unwrap();
    assert_eq!(rx.summary.totals.account.unwrap().received, COUNT);
    assert_eq!(latency.count + latency.rejected, COUNT);
    // By chance both clocks modulo 2^48 are within minutes of each other; then all frames are minutes old.
    assert!(latency.count == 0 && latency.max_ns == 0 || latency.min_ns > 1_000_000_000, "{latency:?}");
}

#[test]
fn departures_are_those_of_every_frame_and_every_sample_has_the_nics_counters() {
    let (tx, rx) = pair(|_| (), |_| ());
    let pacing = tx.summary.pacing.unwrap();
    let departures = pacing.departures.unwrap();
    assert_eq!(departures.frames, COUNT);
    assert_eq!(departures.log2_ns.iter().sum::<u64>(), COUNT);
    let shares = [
        departures.within_64_ns,
        departures.within_128_ns,
        departures.within_256_ns,
        departures.within_512_ns,
        departures.within_1000_ns,
    ];
    assert!(shares.is_sorted() && shares[0] >= 0.0 && shares[4] <= 1.0, "{shares:?}");
    assert!(departures.p50_ns <= departures.p99_ns && departures.p99_ns <= departures.max_ns);
    for sample in rx.samples.iter().chain([&rx.summary.totals]) {
        let xstat = sample.xstats.get("rx_good_packets").copied().unwrap_or(0);
        assert_eq!(xstat, sample.port.ipackets, "one moment, two ways to ask: {sample:?}");
    }
    assert_eq!(rx.summary.totals.xstats["rx_good_packets"], COUNT);
    let queues: Vec<_> = rx.summary.rx_queues.iter().map(|q| (q.queue, q.packets)).collect();
    assert_eq!(queues, [(0, COUNT)]);
}

#[test]
fn every_gap_sends_the_count_at_its_mean_rate() {
    for gap in [Gap::Poisson, Gap::Burst { burst: 50, every_s: 0.0025 }] {
        let bend = |spec: &mut RunSpec| spec.profile.gap = gap;
        let (tx, rx) = pair(bend, bend);
        assert_eq!(rx.summary.totals.account.unwrap().received, COUNT, "{gap:?}");
        // 20,000 frames a second, by the profile's rate or by 50 frames every 2.5 ms.
        let pacing = tx.summary.pacing.unwrap();
        assert_eq!(pacing.requested_pps, 20_000.0, "{gap:?}");
        assert_eq!(pacing.departures.unwrap().frames, COUNT, "{gap:?}");
    }
}

/// `dataplane rx` on an interface of `netns`, ready.
fn receiver(netns: &Netns, device: &str, workers: usize, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut rx = bin::dataplane();
    rx.args([
        "rx",
        "--output",
        "json",
        "--interval-ms",
        "100",
        "--device",
        device,
        "--lcores",
        &cpus::rx(workers),
    ]);
    rx.args(["--workers", &workers.to_string()]).args(more).arg("--profile").arg(FLOWS.write(folder.path()));
    let mut rx = Run::spawn(&mut netns.wrap(rx));
    rx.ready();
    rx
}

fn end(mut rx: Run, frames: u64) -> Outcome {
    wait_for_frames(&mut rx, frames);
    rx.process().signal(Signal::SIGINT);
    rx.finish()
}

/// A frame of 60 bytes with these addresses' first byte, tags and type.
fn frame(dst: [u8; 6], tags: &[[u8; 4]], ether_type: [u8; 2]) -> Vec<u8> {
    let mut bytes = [&dst[..], &[2, 0, 0, 0, 0, 9], &tags.concat(), &ether_type].concat();
    bytes.resize(60, 0x5a);
    bytes
}

#[test]
fn foreign_frames_are_counted_by_kind_behind_tags_and_kept_on_demand() {
    if !needs::root_and(&["ip", "python3"]) {
        return;
    }
    let (here, there) = (Netns::new("fab"), Netns::new("rx"));
    here.join("fab0", &there, "rx0");
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("kept.pcap");
    let rx =
        receiver(&there, "iface:rx0", 1, &["--dump-foreign", "3", "--dump-file", dump.to_str().unwrap()]);
    let fabric = [
        frame([0xff; 6], &[], [8, 6]),
        frame([1, 0x80, 0xc2, 0, 0, 0x0e], &[], [0x88, 0xcc]),
        frame([0xff; 6], &[[0x81, 0, 0, 7]], [8, 6]),
        frame([0x33, 0x33, 0, 0, 0, 1], &[[0x88, 0xa8, 0, 7], [0x81, 0, 0, 8]], [0x86, 0xdd]),
        frame([2, 0, 0, 0, 0, 8], &[], [8, 0]),
        frame([2, 0, 0, 0, 0, 8], &[], [0x88, 0xf7]),
    ];
    inject(&here, "fab0", &fabric);
    let rx = end(rx, fabric.len() as u64);
    let expected = Account {
        foreign_arp: 2,
        foreign_lldp: 1,
        foreign_ipv6: 1,
        foreign_ipv4: 1,
        foreign_other: 1,
        foreign_tagged: 2,
        foreign_broadcast: 2,
        foreign_multicast: 2,
        flows_seen: Some(0),
        ..Account::default()
    };
    assert_eq!(rx.summary.totals.account, Some(expected));
    assert!(rx.summary.dumped.iter().all(|f| f.kind == DumpKind::Foreign && f.len == 60 && f.unix_ns > 0));
    let file = std::fs::read(&dump).unwrap();
    assert_eq!(
        traffic::pcap::frames(&file).unwrap(),
        fabric[..3].iter().map(Vec::as_slice).collect::<Vec<_>>()
    );
}

#[test]
fn the_first_invalid_frames_are_kept() {
    // The receiver is told of 15,000 frames; the rest of 20,000 can't be.
    let (_, rx) = pair(
        |_| (),
        |spec| {
            spec.profile.stop = traffic::profile::Stop::Count(15_000);
            (spec.dump.invalid, spec.dump.foreign) = (4, 4);
        },
    );
    let account = rx.summary.totals.account.unwrap();
    assert_eq!((account.received, account.invalid, account.foreign()), (15_000, 5_000, 0));
    let marks: Vec<u64> = rx
        .summary
        .dumped
        .iter()
        .map(|f| traffic::stamp::read(&f.bytes(), 0x7465_7374).unwrap().seq)
        .collect();
    assert_eq!(marks, [15_000, 15_001, 15_002, 15_003]);
    assert!(rx.summary.dumped.iter().all(|f| f.kind == DumpKind::Invalid && f.len == 60));
}

#[test]
fn a_taps_two_queues_share_a_hundred_flows_and_each_share_is_told() {
    if !needs::root_and(&["ip", "python3"]) {
        return;
    }
    let netns = Netns::new("tap");
    let mut rx = receiver(&netns, "vdev:net_tap0,iface=tap0", 2, &[]);
    let rss = rx.ready().rss.clone();
    assert!(
        rss.iter().any(|field| field == "ipv4") && rss.iter().any(|field| field == "udp ports"),
        "{rss:?}"
    );
    assert_eq!(rx.ready().flow_control.as_deref(), Some("off"));
    let folder = tempfile::tempdir().unwrap();
    let frames = flows::frames(&FLOWS.write(folder.path()), 1000, &[]);
    inject(&netns, "tap0", &frames);
    let rx = end(rx, 1000);
    let account = rx.summary.totals.account.unwrap();
    assert_eq!((account.received, account.flows_seen, got(&rx.summary.totals)), (1000, Some(100), 1000));
    let shares: Vec<u64> = rx.summary.rx_queues.iter().map(|q| q.packets).collect();
    // A hash that leaves one of two queues fewer than 20 of 100 flows is none: 10^-10 by chance.
    assert!(
        shares.len() == 2 && shares.iter().sum::<u64>() == 1000 && shares.iter().all(|n| *n >= 200),
        "{shares:?}"
    );
    assert!(rx.summary.warnings.iter().all(|w| !w.contains("RX queue")), "{:?}", rx.summary.warnings);
}
