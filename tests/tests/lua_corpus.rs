//! Scripts of every group of Pktgen's API, run on ports: the frames that arrive and the counters are those that the
//! script says. The frames are seen by tcpdump at the other end of a veth pair.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use bench_tests::decode::decode;
use bench_tests::lua::{self, Ended, RING, on_veth, script};
use bench_tests::needs;

const NEEDS: &[&str] = &["ip", "tcpdump"];
const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

fn be(frame: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([frame[at], frame[at + 1]])
}

/// Sent by port 0, received by port 1: as many as the witness saw.
fn all_arrived(end: &Ended, frames: &[Vec<u8>]) {
    let count = frames.len() as u64;
    assert_eq!((end.count(0, "opackets"), end.count(1, "ipackets")), (count, count), "{}", end.stderr);
    assert_eq!(end.count(1, "ibytes"), frames.iter().map(|f| f.len() as u64).sum::<u64>());
}

#[test]
fn single_packets_have_every_setting() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let (frames, end) = on_veth(&script("single.lua"), 40, &[]);
    assert_eq!(frames.len(), 40);
    all_arrived(&end, &frames);
    assert_eq!(end.output, "sent 40 frames 3840 bytes");
    for frame in &frames {
        assert_eq!((&frame[..12], be(frame, 12), frame.len()), (&MACS[..], 0x0800, 96));
        assert_eq!((frame[15], frame[22], frame[23]), (184, 17, 17), "TOS, TTL, UDP");
        assert_eq!(frame[26..34], [10, 0, 0, 1, 10, 0, 0, 2]);
        assert_eq!((be(frame, 34), be(frame, 36)), (4321, 8765));
        assert_eq!(&frame[42..50], b"wxyzwxyz");
    }
}

#[test]
fn range_packets_step_in_all_their_fields() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let (frames, end) = on_veth(&script("range.lua"), 105, &[]);
    assert_eq!(frames.len(), 105);
    all_arrived(&end, &frames);
    for (n, frame) in frames.iter().enumerate() {
        assert_eq!(frame[..12], MACS);
        assert_eq!(usize::from(frame[29]), 1 + n % 5, "source address of frame {n}");
        assert_eq!(usize::from(frame[33]), 1 + 2 * (n % 3), "destination address of frame {n}");
        assert_eq!(usize::from(be(frame, 34)), 100 + n % 7, "source port of frame {n}");
        assert_eq!((be(frame, 36), frame[22], frame[23]), (200, 33, 17));
    }
    let sizes: BTreeSet<usize> = frames.iter().map(|f| f.len() + 4).collect();
    assert_eq!(sizes, [64, 96, 128].into());
    assert_eq!(frames.iter().filter(|f| f.len() == 60).count(), 35, "each size as often as the others");
}

#[test]
fn twenty_slots_take_turns() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let (frames, end) = on_veth(&script("seq.lua"), 100, &[]);
    assert_eq!(frames.len(), 100);
    all_arrived(&end, &frames);
    for (n, frame) in frames.iter().enumerate() {
        let slot = n % 20;
        assert_eq!(frame.len(), 60 + slot.min(19), "frame {n}");
        assert_eq!((usize::from(frame[29]), usize::from(frame[33])), (slot + 1, slot + 1), "frame {n}");
        assert_eq!((usize::from(be(frame, 34)), usize::from(be(frame, 36))), (1000 + slot, 2000 + slot));
        let is_udp = slot % 2 == 0;
        assert_eq!(frame[23], if is_udp { 17 } else { 6 });
        if slot < 18 {
            assert_eq!(usize::from(frame[15]), slot, "TOS");
        }
        if slot == 19 {
            assert_eq!(frame[47], 2, "SYN");
        }
    }
}

#[test]
fn random_bits_are_drawn_and_the_others_stay() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let (frames, end) = on_veth(&script("random.lua"), 2000, &[]);
    assert_eq!(frames.len(), 2000);
    all_arrived(&end, &frames);
    let drawn = "X".repeat(8);
    let masks = format!("26\t........................{drawn}\t14\t........1.......................");
    assert_eq!(end.output, masks);
    let hosts: BTreeSet<u8> = frames.iter().map(|f| f[29]).collect();
    let ports: BTreeSet<u16> = frames.iter().map(|f| be(f, 34)).collect();
    assert!(hosts.len() > 250, "{} of 256 hosts in 2,000 frames", hosts.len());
    assert!(ports.len() > 1500, "{} source ports in 2,000 frames", ports.len());
    assert!(frames.iter().all(|f| f[26..29] == [10, 7, 0] && f[15] == 0x80 && f[30..34] == [10, 8, 0, 1]));
}

#[test]
fn tags_and_labels() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let (frames, _) = on_veth(&script("vlan.lua"), 36, &[]);
    assert_eq!(frames.len(), 36);
    for (n, frame) in frames[..12].iter().enumerate() {
        assert_eq!(be(frame, 12), 0x8100);
        assert_eq!(usize::from(be(frame, 14)), 5 << 13 | (10 + n % 4), "frame {n}");
        assert_eq!((be(frame, 16), frame.len()), (0x0800, 96));
    }
    for frame in &frames[12..24] {
        assert_eq!((be(frame, 12), be(frame, 14), be(frame, 16), be(frame, 18)), (0x88a8, 100, 0x8100, 200));
        assert_eq!(be(frame, 20), 0x0800);
    }
    for frame in &frames[24..] {
        assert_eq!(
            (be(frame, 12), &frame[14..18]),
            (0x8847, &[0x00, 0x06, 0x41, 0x40][..]),
            "bottom of stack set"
        );
        assert_eq!(frame[18], 0x45);
    }
}

#[test]
fn tunnels() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let (frames, _) = on_veth(&script("tunnels.lua"), 20, &[]);
    assert_eq!(frames.len(), 20);
    let ends = [10, 10, 1, 1, 10, 10, 1, 2];
    for frame in &frames[..10] {
        assert_eq!((frame[23], &frame[26..34]), (47, &ends[..]), "GRE between Pktgen's ends");
        assert_eq!((be(frame, 34), &frame[38..42]), (0x2000, &[0, 0, 0, 77][..]), "the key is there");
    }
    for frame in &frames[..5] {
        assert_eq!(
            (be(frame, 36), frame[42], &frame[54..62]),
            (0x0800, 0x45, &[10, 0, 0, 1, 10, 0, 0, 2][..])
        );
    }
    for frame in &frames[5..10] {
        assert_eq!((be(frame, 36), &frame[42..54], be(frame, 54)), (0x6558, &MACS[..], 0x0800));
    }
    for frame in &frames[10..15] {
        assert_eq!(
            (be(frame, 36), frame[42], &frame[46..49]),
            (4789, 8, &[0, 4242u16.to_be_bytes()[0], 146][..])
        );
    }
    for frame in &frames[15..] {
        assert_eq!(
            (be(frame, 36), frame[42], frame[43], &frame[46..50]),
            (2152, 0x30, 0xff, &[0, 0, 0, 99][..])
        );
    }
    for frame in &frames[10..] {
        assert_eq!(decode(frame)["udp.checksum_valid"], "true", "Pktgen's is of all that UDP carries");
        let pattern = (50..196).map(|at| b"abcdefghijklmnopqrstuvwxyz012345"[at % 32]);
        assert!(frame[50..].iter().copied().eq(pattern), "Pktgen's fill pattern, and no packet");
    }
}

#[test]
fn protocols_and_what_the_other_port_counts() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let (frames, end) = on_veth(&script("kinds.lua"), 16, &[]);
    assert_eq!(frames.len(), 16);
    all_arrived(&end, &frames);
    assert_eq!(end.output, "100 B 16, arp 3, echo 3, ip 3, ipv6 7");
    assert!(frames[..3].iter().all(|f| f[23] == 6 && f[47] == 0x12), "SYN and ACK");
    assert!(frames[3..6].iter().all(|f| f[23] == 1 && f[34] == 8), "echo requests");
    assert!(frames[6..9].iter().all(|f| be(f, 12) == 0x0806 && be(f, 20) == 1), "ARP requests");
    assert!(frames[9..].iter().all(|f| be(f, 12) == 0x86dd && f[20] == 17), "UDP over IPv6");
}

#[test]
fn a_captures_frames_in_their_order_over_and_over() {
    if !needs::root_and(NEEDS) {
        return;
    }
    let capture = bench_tests::bin::data("golden/udp_s100_64.pcap");
    let file = std::fs::read(&capture).unwrap();
    let whole = traffic::pcap::frames(&file).unwrap();
    let (frames, end) = on_veth(&script("pcap.lua"), 800, &["--pcap", capture.to_str().unwrap()]);
    assert_eq!((frames.len(), end.count(0, "opackets")), (800, 800));
    assert!(whole.len() < 800, "the capture begins anew");
    for (n, frame) in frames.iter().enumerate() {
        assert_eq!(frame, whole[n % whole.len()], "frame {n}");
    }
}

#[test]
fn latency_is_measured_while_it_runs_and_sampled_into_a_file() {
    let end = lua::file(&script("latency.lua"), RING, &[]).ok();
    assert_eq!(end.output, "samples\t50");
    let file = end.file("samples/latency.txt");
    assert!(file.lines().skip(1).all(|line| line.parse::<u64>().is_ok_and(|ns| ns > 0)), "{file}");
}

#[test]
fn a_search_ends_at_what_it_was_made_to_find() {
    let end = lua::file(&script("rfc2544.lua"), RING, &[]).ok();
    // Eight halvings of 100 %: below 30 by less than 100/256.
    let found: f64 = end.output.strip_prefix("found ").unwrap().parse().unwrap();
    assert!(found <= 30.0 && found > 30.0 - 100.0 / 256.0, "{found}");
}

#[test]
fn a_sampler_writes_moving_figures() {
    let end = lua::file(&script("sampler.lua"), RING, &[]).ok();
    let rows: Vec<Vec<u64>> = end
        .file("stats.csv")
        .lines()
        .skip(1)
        .map(|row| row.split(',').map(|n| n.parse().unwrap()).collect())
        .collect();
    assert_eq!(rows.len(), 5);
    assert!(rows.windows(2).all(|pair| pair[1][1] > pair[0][1] && pair[1][2] > pair[0][2]), "{rows:?}");
    assert!(
        end.output.contains("[\"pkts_tx\"] = ") && end.output.contains("[\"mbits_rx\"] = "),
        "{}",
        end.output
    );
    assert_eq!(end.count(0, "opackets"), end.count(0, "ipackets"));
}

#[test]
fn a_rate_changes_while_the_port_sends() {
    let end = lua::file(&script("ramp.lua"), RING, &[]).ok();
    let sent: Vec<f64> = end.output.split('\t').skip(1).map(|n| n.parse().unwrap()).collect();
    // Four times as many each: no figure of time is asserted, only that each step sends clearly more than the last.
    assert!(sent[1] > 2.0 * sent[0] && sent[2] > 2.0 * sent[1], "{sent:?}");
}

#[test]
fn screens_questions_and_files() {
    let end = lua::file(&script("display.lua"), RING, &[]).ok();
    assert_eq!(end.output, "1\t1\t<UP-10000-FD>\tForever\t1234\n10");
    assert!(end.file("saved.lua").contains("pktgen.range.pkt_size(\"0\", \"start\", 300)"));
}
