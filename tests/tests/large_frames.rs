//! Frames of 9600 bytes: whole where the port takes them, an error with the next step where not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::memif::{run_pair, wait_for_frames};
use bench_tests::netns::Netns;
use bench_tests::profiles::UdpFlows;
use bench_tests::refused::Refusal;
use bench_tests::run::{Outcome, Run, sent};
use bench_tests::{bin, cpus, needs};
use nix::sys::signal::Signal;

const COUNT: u64 = 2000;
const LARGEST: UdpFlows = UdpFlows { flows: 100, frame_size: 9600, rate: "1kpps", count: Some(COUNT) };

fn assert_whole(tx: &Outcome, rx: &Outcome) {
    let (core, account) = (rx.summary.totals.cores[0], rx.summary.totals.account.unwrap());
    assert_eq!((sent(&tx.summary.totals), account.received, account.lost), (COUNT, COUNT, 0));
    assert_eq!((core.rx_packets, core.rx_bytes, account.flows_seen), (COUNT, COUNT * 9596, Some(100)));
    assert_eq!([tx.summary.mbufs_missing, rx.summary.mbufs_missing], [0, 0], "mbufs missing");
}

#[test]
fn an_interface_with_a_smaller_mtu_is_refused_before_the_start() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let profile = LARGEST.write(folder.path());
    let (here, there) = (Netns::new("a"), Netns::new("b"));
    here.join("dp0", &there, "peer0");
    for verb in ["tx", "rx"] {
        let mut command = bin::dataplane();
        command.args([verb, "--device", "iface:dp0", "--profile"]).arg(&profile);
        let words = ["9600 B", "an MTU of 9582", "has 1500", "ip link set dp0 mtu 9582"];
        Refusal::new().of(&mut here.wrap(command), &words);
    }
}

#[test]
fn over_memif_they_arrive_whole() {
    let (tx, rx) = run_pair(&LARGEST.profile(), 1);
    assert_whole(&tx, &rx);
}

#[test]
fn an_interface_with_that_mtu_takes_them_whole() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let (here, there) = (Netns::new("a"), Netns::new("b"));
    here.join("dp0", &there, "peer0");
    here.set_mtu("dp0", 9582);
    there.set_mtu("peer0", 9582);
    let folder = tempfile::tempdir().unwrap();
    let profile = LARGEST.write(folder.path());
    let verb = |verb: &str, device: &str, lcores: &str| {
        let mut command = bin::dataplane();
        command
            .args([verb, "--output", "json", "--device", device, "--lcores", lcores, "--profile"])
            .arg(&profile);
        command
    };
    let mut rx = Run::spawn(&mut there.wrap(verb("rx", "iface:peer0", &cpus::rx(1))));
    rx.ready();
    let tx = Run::spawn(&mut here.wrap(verb("tx", "iface:dp0", &cpus::tx(1)))).finish();
    wait_for_frames(&mut rx, COUNT);
    rx.process().signal(Signal::SIGINT);
    assert_whole(&tx, &rx.finish());
}

#[test]
fn a_tap_that_does_not_take_them_is_refused_before_the_start() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let profile = LARGEST.write(folder.path());
    let here = Netns::new("tap");
    for verb in ["tx", "rx"] {
        let mut command = bin::dataplane();
        command.args([verb, "--device", "vdev:net_tap0,iface=dtap0", "--profile"]).arg(&profile);
        let words = ["9600 B", "an MTU of 9582", "net_tap has 1504 at most", "1522 B or less"];
        Refusal::new().of(&mut here.wrap(command), &words);
    }
}
