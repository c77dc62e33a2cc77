//! A link that goes away in mid-run and comes back: both ends go on, say so, and the account holds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::process::Command;

use bench_tests::memif::wait_for_frames;
use bench_tests::netns::Netns;
use bench_tests::process;
use bench_tests::profiles::UdpFlows;
use bench_tests::run::{Outcome, Run, got, sent};
use bench_tests::{bin, cpus, needs};
use nix::sys::signal::Signal;
use traffic::wire::Sample;

const RATE: &str = "5kpps";
const COUNT: u64 = 8000;
/// Frames before the link goes, and while it is away: more than af_packet's ring of 1024 holds.
const BEFORE: u64 = 1000;
const AWAY: u64 = 3000;

/// Frames that were due.
fn offered(sample: &Sample) -> u64 {
    sent(sample) + sample.cores.iter().map(|core| core.unsent_packets).sum::<u64>()
}

/// What the kernel of the receiver's end has counted, as the witness.
fn arrived(receiver: &Netns) -> u64 {
    let mut cat = Command::new("cat");
    cat.arg("/sys/class/net/rx0/statistics/rx_packets");
    process::run(&mut receiver.wrap(cat)).stdout.trim().parse().unwrap()
}

/// Runs a pair over veth; one end's link goes down and comes up again meanwhile.
fn flap(at_sender: bool) -> (Outcome, Outcome, u64) {
    let (sender, receiver) = (Netns::new("tx"), Netns::new("rx"));
    sender.join("tx0", &receiver, "rx0");
    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: 100, frame_size: 128, rate: RATE, count: Some(COUNT) };
    let profile = profile.write(folder.path());
    let verb = |verb: &str, device: &str, lcores: &str| {
        let mut command = bin::dataplane();
        command.args([verb, "--output", "json", "--interval-ms", "50", "--device", device]);
        command.args(["--lcores", lcores, "--profile"]).arg(&profile);
        command
    };
    let mut rx = Run::spawn(&mut receiver.wrap(verb("rx", "iface:rx0", &cpus::rx(1))));
    rx.ready();
    let mut tx = Run::spawn(&mut sender.wrap(verb("tx", "iface:tx0", &cpus::tx(1))));
    tx.wait_for_sample(|s| offered(s) >= BEFORE);
    let (netns, interface) = if at_sender { (&sender, "tx0") } else { (&receiver, "rx0") };
    netns.set_link(interface, "down");
    let first = Cell::new(None);
    tx.wait_for_sample(|s| {
        let now = offered(s);
        let from = first.get().unwrap_or(now);
        first.set(Some(from));
        now >= from + AWAY
    });
    netns.set_link(interface, "up");
    let tx = tx.finish();
    wait_for_frames(&mut rx, COUNT);
    let witness = arrived(&receiver);
    rx.process().signal(Signal::SIGINT);
    (tx, rx.finish(), witness)
}

/// What holds whatever the link did.
fn assert_accounted(tx: &Outcome, rx: &Outcome, witness: u64) {
    let (frames, account) = (sent(&tx.summary.totals), rx.summary.totals.account.unwrap());
    assert_eq!(frames, COUNT, "the sender goes on until the driver has taken all");
    // The kernel may drop what comes all at once when the link is back.
    assert!(got(&rx.summary.totals) <= witness, "{} received of {witness}", got(&rx.summary.totals));
    // Kernels differ in what they do to frames meanwhile: drop them, or keep them until the ring is full.
    assert_eq!(account.received + account.lost, COUNT, "{account:?}");
    let missing = offered(&tx.summary.totals) - account.received;
    assert!(missing > AWAY / 2, "{missing} of {AWAY} frames that were due while there was no link");
    assert_eq!([account.reordered, account.duplicated, account.invalid, account.too_late], [0; 4]);
    assert_eq!(account.flows_seen, Some(100));
    assert_eq!([tx.summary.mbufs_missing, rx.summary.mbufs_missing], [0, 0], "mbufs missing");
    for (name, outcome) in [("tx0", tx), ("rx0", rx)] {
        let told = outcome.summary.warnings.join("\n");
        assert!(told.contains(&format!("iface:{name}: the link went down 1 time")), "{told}");
        assert!(!told.contains("down at the end"), "{told}");
    }
}

#[test]
fn at_the_receivers_end_both_go_on() {
    if needs::root_and(&["ip", "cat"]) {
        let (tx, rx, witness) = flap(false);
        assert_accounted(&tx, &rx, witness);
    }
}

#[test]
fn at_the_senders_end_both_go_on() {
    if needs::root_and(&["ip", "cat"]) {
        let (tx, rx, witness) = flap(true);
        assert_accounted(&tx, &rx, witness);
    }
}
