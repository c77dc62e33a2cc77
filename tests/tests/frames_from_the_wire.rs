//! What `dataplane tx` puts on the wire is what `dataplane frames` shows and what Pktgen sent, tcpdump being witness.
//!
//! af_packet sends into one end of a veth pair; tcpdump captures at the other, in another network namespace.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::flows::{Golden, S100, SDSD7, frames};
use bench_tests::netns::Netns;
use bench_tests::pcapdiff::{assert_same_sequence, assert_within, distinct};
use bench_tests::run::{Outcome, Run, sent};
use bench_tests::tcpdump::Tcpdump;
use bench_tests::{bin, cpus, needs};

/// Sends `count` frames of a golden script, slowly enough for any witness, and gives what the witness saw.
fn send(golden: Golden, count: usize, workers: usize, more: &[&str]) -> (Vec<Vec<u8>>, Outcome) {
    let (sender, receiver) = (Netns::new("tx"), Netns::new("rx"));
    sender.join("tx0", &receiver, "rx0");
    let witness = Tcpdump::start(&receiver, "rx0");
    let mut tx = bin::dataplane();
    tx.args([
        "tx",
        "--device",
        "iface:tx0",
        "--output",
        "json",
        "--rate",
        "2kpps",
        "--count",
        &count.to_string(),
    ]);
    tx.args(["--workers", &workers.to_string(), "--lcores", &cpus::tx(workers)]).args(more);
    tx.arg("--profile").arg(golden.script());
    let tx = Run::spawn(&mut sender.wrap(tx)).finish();
    (witness.stop(count), tx)
}

/// The same comparison as in `frames_golden`, with the wire in between.
fn compare(golden: Golden) {
    let count = golden.flows.max(320);
    let (wire, tx) = send(golden, count, 1, &["--no-stamp"]);
    assert_eq!(sent(&tx.summary.totals), count as u64);
    assert_eq!(tx.summary.mbufs_missing, 0);
    assert_same_sequence(&wire, "the wire", &golden.ours(count, &[]), "dataplane frames");
    let (on_wire, theirs) =
        (distinct(wire.iter().map(Vec::as_slice)), distinct(golden.pktgen().iter().map(Vec::as_slice)));
    assert_within(&theirs, "Pktgen's capture", &on_wire, "the wire");
    if golden.flows == golden.captured_flows {
        assert_within(&on_wire, "the wire", &theirs, "Pktgen's capture");
    }
}

#[test]
fn s100_on_the_wire_has_exactly_the_frames_of_pktgen() {
    if needs::root_and(&["ip", "tcpdump"]) {
        compare(S100);
    }
}

#[test]
fn sdsd7_on_the_wire_has_the_frames_of_pktgen() {
    if needs::root_and(&["ip", "tcpdump"]) {
        compare(SDSD7);
    }
}

#[test]
fn three_workers_put_the_same_frames_on_the_wire_as_one() {
    if !needs::root_and(&["ip", "tcpdump"]) {
        return;
    }
    let (mut wire, tx) = send(S100, 320, 3, &["--no-stamp"]);
    let sorted = |mut frames: Vec<Vec<u8>>| {
        frames.sort();
        frames
    };
    wire = sorted(wire);
    // Workers own whole flows, 34, 33 and 33 of them: three rounds of each, and 20 frames more.
    let shares: Vec<u64> = tx.summary.tx_shards.iter().map(|shard| shard.sent).collect();
    assert_eq!(shares, [109, 106, 105]);
    assert_same_sequence(&wire, "the wire", &sorted(S100.ours(320, &[])), "dataplane frames");
}

#[test]
fn marked_frames_on_the_wire_carry_valid_checksums_and_every_number_once() {
    if !needs::root_and(&["ip", "tcpdump"]) {
        return;
    }
    let (wire, _) = send(S100, 500, 1, &["--tag", "0badcafe"]);
    let marks: Vec<_> = wire.iter().map(|frame| traffic::stamp::read(frame, 0x0bad_cafe).unwrap()).collect();
    assert_eq!(marks.iter().map(|mark| mark.seq).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    assert!(marks.windows(2).all(|pair| pair[0].time <= pair[1].time), "time does not run backwards");
    let fields = distinct(wire.iter().map(Vec::as_slice));
    assert!(fields.iter().all(|f| f["udp.checksum_valid"] == "true" && f["ip.checksum_valid"] == "true"));
    let unmarked = frames(&S100.script(), 500, &["--no-stamp"]);
    assert!(wire.iter().zip(&unmarked).all(|(a, b)| a[..40] == b[..40]), "the mark is in the payload only");
}
