//! The frames that `dataplane frames` makes of Pktgen's own scripts are those that Pktgen 23.03 sent.
//!
//! Frames are compared field by field, as sets of distinct frames. Two fields stand aside: the IP id, which Pktgen
//! counts up and we leave at 0, and the IP checksum that follows from it – that it is valid is compared. Pktgen sends
//! from a pool that it filled once, so its 320 frames are a stretch of its range, in turns: all 100 flows of the first
//! script, 320 of the 1155 flows of the second. So for the first both sets are equal; for the second the capture's set
//! is the part of ours that Pktgen got to, a stretch of our sequence without a gap.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use bench_tests::decode::{Fields, decode};
use bench_tests::flows::{Golden, S100, SDSD7, frames};
use bench_tests::pcapdiff::{assert_same_sequence, assert_within, distinct, without_per_packet};
use bench_tests::{bin, process};

/// All of Pktgen's distinct frames are ours too, and ours are as many flows as the script says.
fn compare(golden: Golden) -> (BTreeSet<Fields>, BTreeSet<Fields>) {
    let pktgen = golden.pktgen();
    let ours = golden.ours(golden.flows.max(pktgen.len()), &[]);
    let theirs = distinct(pktgen.iter().map(Vec::as_slice));
    let mine = distinct(ours.iter().map(Vec::as_slice));
    assert_eq!(theirs.len(), golden.captured_flows, "distinct frames of Pktgen's capture");
    assert_eq!(mine.len(), golden.flows, "distinct frames of ours");
    assert_within(&theirs, "Pktgen's capture", &mine, "our frames");
    for fields in theirs.iter().chain(&mine) {
        assert_eq!(fields["ip.checksum_valid"], "true", "{fields:?}");
        assert_eq!(fields["udp.checksum_valid"], "true", "{fields:?}");
    }
    (theirs, mine)
}

#[test]
fn s100_has_exactly_the_frames_of_pktgen() {
    let (theirs, mine) = compare(S100);
    assert_within(&mine, "our frames", &theirs, "Pktgen's capture");
}

#[test]
fn sdsd7_has_the_frames_of_pktgen_and_the_rest_of_its_range() {
    let (theirs, mine) = compare(SDSD7);
    // Where our sequence reaches what was captured, it runs through all of it before it leaves it.
    let in_order: Vec<Fields> =
        SDSD7.ours(SDSD7.flows, &[]).iter().map(|frame| without_per_packet(frame)).collect();
    let places: Vec<usize> = (0..in_order.len()).filter(|n| theirs.contains(&in_order[*n])).collect();
    assert_eq!(places.len(), SDSD7.captured_flows);
    assert_eq!(places.last().unwrap() - places[0], SDSD7.captured_flows - 1, "a stretch without a gap");
    // And what Pktgen did not get to differs from what it sent in nothing but the four fields that step.
    let steps = ["ip.src", "ip.dst", "udp.src", "udp.dst", "udp.checksum"];
    let without_steps = |fields: &Fields| -> Fields {
        fields.iter().filter(|(name, _)| !steps.contains(name)).map(|(n, v)| (*n, v.clone())).collect()
    };
    let (theirs, mine): (BTreeSet<_>, BTreeSet<_>) =
        (theirs.iter().map(without_steps).collect(), mine.iter().map(without_steps).collect());
    assert_eq!(mine, theirs, "the fields that stay the same");
}

#[test]
fn ranges_step_in_lockstep_as_pktgen_steps_them() {
    for golden in [S100, SDSD7] {
        let of = |frames: Vec<Vec<u8>>| -> Vec<Fields> {
            frames.iter().map(|frame| without_per_packet(frame)).collect()
        };
        let (ours, theirs) = (of(golden.ours(golden.flows, &[])), of(golden.pktgen()));
        // Its capture begins somewhere in the range; from there on it goes through the range as we do, round and round.
        let first = ours.iter().position(|fields| *fields == theirs[0]).unwrap();
        for (n, fields) in theirs.iter().enumerate() {
            assert_eq!(*fields, ours[(first + n) % ours.len()], "frame {n} of the capture");
        }
    }
}

#[test]
fn marked_frames_differ_in_the_mark_and_the_checksum_only() {
    for golden in [S100, SDSD7] {
        let plain = golden.ours(200, &[]);
        let marked = frames(&golden.script(), 200, &[]);
        for (plain, marked) in plain.iter().zip(&marked) {
            let mark = (marked.len() - traffic::stamp::STAMP_BYTES) & !1;
            let (mut a, mut b) = (decode(plain), decode(marked));
            assert_eq!(b["udp.checksum_valid"], "true");
            for fields in [&mut a, &mut b] {
                fields.remove("udp.checksum");
                let payload = fields.remove("payload").unwrap();
                // Two digits a byte; Ethernet, IPv4 and UDP take 42 bytes before it.
                fields.insert("payload", payload[..(mark - 42) * 2].to_owned());
            }
            assert_eq!(a, b);
        }
    }
}

#[test]
fn workers_together_send_the_whole_stream_each_in_its_order() {
    const WORKERS: usize = 3;
    const ROUNDS: usize = 2;
    for golden in [S100, SDSD7] {
        let round = golden.ours(golden.flows, &[]);
        let mut places = Vec::new();
        for worker in 0..WORKERS {
            // A worker owns whole flows, those whose place is its number modulo three, and goes through them in order.
            let own: Vec<usize> = (worker..golden.flows).step_by(WORKERS).collect();
            let expected: Vec<Vec<u8>> =
                own.iter().cycle().take(ROUNDS * own.len()).map(|n| round[*n].clone()).collect();
            let args = ["--workers", "3", "--worker", &worker.to_string()];
            let part = golden.ours(expected.len(), &args);
            assert_same_sequence(&part, &format!("worker {worker}"), &expected, "its part of the stream");
            places.extend(own);
        }
        places.sort_unstable();
        assert!(
            places.into_iter().eq(0..golden.flows),
            "the parts are the whole, and no flow is in two of them"
        );
    }
}

#[test]
fn every_profile_in_the_tests_folder_loads_but_the_faulty_one() {
    let mut loaded = 0;
    for entry in std::fs::read_dir(bin::data("profiles")).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if !["toml", "json", "yaml", "lua"].contains(&extension) || path.file_stem().unwrap() == "faulty" {
            continue;
        }
        let done = process::run(bin::dataplane().args(["frames", "--count", "3", "--profile"]).arg(&path));
        assert!(done.status.success(), "{}: {}", path.display(), done.stderr);
        assert_eq!(done.stdout.lines().filter(|l| l.starts_with("frame ")).count(), 3, "{}", done.stdout);
        loaded += 1;
    }
    assert!(loaded >= 4, "only {loaded} profiles were found");
}
