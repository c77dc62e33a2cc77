//! The frames that `dataplane frames` writes, taken apart by tshark: sound, and with the fields that the profile says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use bench_tests::bin;
use bench_tests::decoder::{self, VALID, assert_sound, decode_frames};
use bench_tests::flows::{S100, SDSD7, frames};

/// Values of one field in all frames.
fn column(frames: &[Vec<u8>], field: &str) -> Vec<String> {
    decode_frames(frames, &[field]).into_iter().flatten().collect()
}

fn distinct(frames: &[Vec<u8>], field: &str) -> BTreeSet<String> {
    column(frames, field).into_iter().collect()
}

#[test]
fn pktgens_own_frames_and_ours_are_the_same_to_tshark() {
    if !decoder::is_here() {
        return;
    }
    let fields = [
        "eth.dst",
        "eth.src",
        "eth.type",
        "ip.version",
        "ip.hdr_len",
        "ip.dsfield",
        "ip.len",
        "ip.flags",
        "ip.frag_offset",
        "ip.ttl",
        "ip.proto",
        "ip.checksum.status",
        "ip.src",
        "ip.dst",
        "udp.srcport",
        "udp.dstport",
        "udp.length",
        "udp.checksum",
        "udp.checksum.status",
        "udp.payload",
        "frame.len",
    ];
    for golden in [S100, SDSD7] {
        let (ours, theirs) = (golden.ours(golden.flows, &[]), golden.pktgen());
        assert_sound(&ours, golden.name);
        let (ours, theirs) = (decode_frames(&ours, &fields), decode_frames(&theirs, &fields));
        // Pktgen's capture begins somewhere in the range; from there on it goes through the range as we do.
        let first = ours.iter().position(|row| *row == theirs[0]).unwrap();
        for (n, row) in theirs.iter().enumerate() {
            assert_eq!(*row, ours[(first + n) % ours.len()], "frame {n} of the capture of {}", golden.name);
        }
    }
}

#[test]
fn marked_frames_are_valid_and_keep_their_addresses() {
    if !decoder::is_here() {
        return;
    }
    let (plain, marked) = (S100.ours(200, &[]), frames(&S100.script(), 200, &[]));
    assert_sound(&marked, "marked frames");
    let fields = ["ip.src", "ip.dst", "udp.srcport", "udp.dstport", "udp.length", "udp.checksum.status"];
    assert_eq!(decode_frames(&plain, &fields), decode_frames(&marked, &fields));
    assert_ne!(column(&plain, "udp.payload"), column(&marked, "udp.payload"));
}

#[test]
fn tcp_segments_are_what_the_profile_says() {
    if !decoder::is_here() {
        return;
    }
    let fields = [
        ("frame.len", "8996"),
        ("eth.dst", "00:50:56:ab:a2:ef"),
        ("ip.len", "8982"),
        ("ip.ttl", "32"),
        ("ip.src", "10.0.0.1"),
        ("ip.dst", "10.0.0.2"),
        ("tcp.srcport", "40000"),
        ("tcp.dstport", "80"),
        ("tcp.flags", "0x0010"),
        ("tcp.seq", "305419896"),
        ("tcp.ack", "305419920"),
        ("ip.checksum.status", VALID),
        ("tcp.checksum.status", VALID),
        ("tcp.hdr_len", "20"),
    ];
    let profile = bin::data("profiles/tcp_one_flow_9000.json");
    for args in [&["--no-stamp"][..], &[]] {
        let frames = frames(&profile, 3, args);
        assert_sound(&frames, "TCP segments");
        for row in decode_frames(&frames, &fields.map(|(name, _)| name)) {
            assert_eq!(row, fields.map(|(_, value)| value));
        }
    }
}

#[test]
fn ranges_are_as_wide_as_the_profile_says() {
    if !decoder::is_here() {
        return;
    }
    let frames = frames(&bin::data("profiles/udp_sdpp_1500.yaml"), 1155, &["--no-stamp"]);
    assert_sound(&frames, "all 1155 flows");
    for (field, values) in [("ip.src", 7), ("ip.dst", 5), ("udp.srcport", 3), ("udp.dstport", 11)] {
        assert_eq!(distinct(&frames, field).len(), values, "{field}");
    }
    let rows = decode_frames(&frames, &["ip.src", "ip.dst", "udp.srcport", "udp.dstport"]);
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>().len(), 1155);
}
