//! Pktgen's own scripts, run on a port: the frames on the wire are those that Pktgen sent, captured from Pktgen 23.03.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::flows::{Golden, S100, SDSD7};
use bench_tests::lua::on_veth;
use bench_tests::needs;
use bench_tests::pcapdiff::{assert_within, distinct};

fn compare(golden: Golden) {
    if !needs::root_and(&["ip", "tcpdump"]) {
        return;
    }
    let (frames, end) = on_veth(&golden.script(), 320, &[]);
    assert_eq!((frames.len(), end.count(0, "opackets"), end.count(1, "ipackets")), (320, 320, 320));
    let ours = distinct(frames.iter().map(Vec::as_slice));
    let theirs = distinct(golden.pktgen().iter().map(Vec::as_slice));
    if golden.flows <= 320 {
        assert_within(&theirs, "Pktgen's capture", &ours, "the wire");
    }
    if golden.flows == golden.captured_flows {
        assert_within(&ours, "the wire", &theirs, "Pktgen's capture");
    }
}

#[test]
fn one_field_varies() {
    compare(S100);
}

#[test]
fn four_fields_vary() {
    compare(SDSD7);
}
