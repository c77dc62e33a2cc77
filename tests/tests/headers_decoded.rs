//! Every header and every kind of field, from profile to frame: the frames are those of the golden captures, and
//! tshark, which knows nothing of our generator, finds them sound and with the values that the profiles say.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo nextest run -p bench-tests --test headers_decoded`, and look at the
//! diff.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use bench_tests::bin;
use bench_tests::decoder::{self, assert_sound, decode_frames};
use bench_tests::flows::frames;
use traffic::pcap::PcapWriter;

/// Frames of a profile of `tests/profiles/headers`, equal to its golden capture, sound.
fn golden(name: &str, count: usize) -> Option<Vec<Vec<u8>>> {
    if !decoder::is_here() {
        return None;
    }
    let ours = frames(&bin::data(&format!("profiles/headers/{name}.toml")), count, &[]);
    assert_eq!(ours.len(), count);
    let path = bin::data(&format!("golden/headers/{name}.pcap"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut pcap = PcapWriter::new(File::create(&path).unwrap()).unwrap();
        ours.iter().take(GOLDEN_FRAMES).for_each(|frame| pcap.write(0, frame).unwrap());
        pcap.finish().unwrap();
    }
    let kept = bench_tests::flows::read(&path);
    assert_eq!(kept.len(), GOLDEN_FRAMES.min(ours.len()));
    for (n, (ours, kept)) in ours.iter().zip(&kept).enumerate() {
        assert_eq!(ours, kept, "frame {n} of {name}: ours, and the golden one");
    }
    assert_sound(&ours, name);
    Some(ours)
}

const GOLDEN_FRAMES: usize = 24;

/// The rows of `fields`, without the marks of checksums that are not verified.
fn rows(frames: &[Vec<u8>], fields: &[&str]) -> Vec<String> {
    decode_frames(frames, fields).into_iter().map(|row| row.join(" ")).collect()
}

#[test]
fn vlan_and_qinq() {
    let Some(one) = golden("vlan_one", 3) else { return };
    assert!(
        rows(&one, &["eth.type", "vlan.id", "vlan.priority", "ip.src"])
            .iter()
            .all(|r| r == "0x8100 4095 3 10.0.0.1")
    );
    let two = golden("vlan_qinq", 24).unwrap();
    let fields = [
        "eth.type",
        "ieee8021ad.id",
        "vlan.id",
        "ieee8021ad.priority",
        "vlan.priority",
        "ieee8021ad.dei",
        "vlan.dei",
    ];
    let decoded = rows(&two, &fields);
    assert!(decoded[0].starts_with("0x88a8"), "{decoded:?}");
    // Three ids, stepped, then the next priority: six flows.
    let tags: Vec<(u16, u16)> =
        two.iter().map(|f| (f[18] as u16 * 256 + f[19] as u16, f[14] as u16 * 256 + f[15] as u16)).collect();
    let inner: Vec<(u16, u16)> = tags.iter().map(|(t, _)| (t & 0xfff, t >> 13)).collect();
    assert_eq!(inner[..7], [(1, 0), (2, 0), (3, 0), (1, 7), (2, 7), (3, 7), (1, 0)]);
    assert!(tags.iter().all(|(t, outer)| t >> 12 & 1 == 1 && *outer == 5 << 13 | 100));
}

#[test]
fn mpls() {
    let Some(f) = golden("mpls", 24) else { return };
    let decoded = rows(
        &f,
        &[
            "mpls.label",
            "mpls.exp",
            "mpls.bottom",
            "mpls.ttl",
            "ip.src",
            "udp.srcport",
            "udp.checksum.status",
        ],
    );
    let bottom = ["0,1", "False,True"].iter().find(|b| decoded[0].contains(**b)).unwrap();
    assert_eq!(decoded[0], format!("16,1048575 4,0 {bottom} 9,64 10.0.0.1 65534 1"));
    assert_eq!(decoded[1], format!("17,1048575 4,0 {bottom} 9,64 10.0.0.1 65535 1"));
    assert_eq!(decoded[3], format!("16,1048575 4,0 {bottom} 9,64 10.0.0.1 65535 1"));
}

#[test]
fn every_field_of_ipv4() {
    let Some(f) = golden("ipv4_fields", 24) else { return };
    let fields =
        ["ip.dsfield", "ip.id", "ip.flags", "ip.ttl", "ip.dst", "ip.checksum.status", "udp.checksum.status"];
    let decoded = rows(&f, &fields);
    assert_eq!(decoded[0], "0xb8 0xffff 0x02 1 10.0.1.1 1 1");
    assert_eq!(decoded[1], "0xb8 0x0000 0x02 2 192.0.2.7 1 1");
    assert_eq!(decoded[2], "0xb8 0x0001 0x02 3 10.0.1.1 1 1");
}

#[test]
fn ipv6_with_udp() {
    let Some(f) = golden("ipv6_udp", 24) else { return };
    let fields = [
        "ipv6.src",
        "ipv6.dst",
        "ipv6.tclass",
        "ipv6.flow",
        "ipv6.hlim",
        "udp.srcport",
        "udp.checksum.status",
    ];
    let decoded = rows(&f, &fields);
    assert_eq!(decoded[0], "2001:db8::ffff 2001:db8:1::1 0x00000000 0x0ffffe 3 1 1");
    assert_eq!(decoded[1], "2001:db8::1:0 fe80::2 0x00000000 0x0fffff 3 2 1");
    assert_eq!(decoded[2], "2001:db8::fffe 2001:db8:1::1 0x00000000 0x0ffffe 3 1 1");
    // The three sources, the two others in step: six flows, then the next class.
    assert_eq!(decoded[6], "2001:db8::ffff 2001:db8:1::1 0x000000b8 0x0ffffe 3 1 1");
    assert_eq!(decoded.iter().take(12).collect::<BTreeSet<_>>().len(), 12);
    assert_eq!(decoded[12], decoded[0]);
}

#[test]
fn echoes_of_both_kinds() {
    let Some(f) = golden("icmp", 24) else { return };
    let decoded = rows(&f, &["icmp.type", "icmp.ident", "icmp.seq", "icmp.checksum.status"]);
    assert_eq!(decoded[0], "8 7 0 1");
    assert_eq!(decoded[1], "0 1 0 1");
    assert_eq!(decoded[2], "8 7 1 1");
    assert_eq!(decoded[3], "0 2 0 1");
    let f = golden("icmpv6", 24).unwrap();
    let decoded = rows(
        &f,
        &[
            "ipv6.src",
            "icmpv6.type",
            "icmpv6.echo.identifier",
            "icmpv6.echo.sequence_number",
            "icmpv6.checksum.status",
        ],
    );
    assert_eq!(decoded[4], "fe80::2 128 0x0007 4 1");
}

#[test]
fn every_field_of_tcp() {
    let Some(f) = golden("tcp", 24) else { return };
    let decoded = rows(&f, &["tcp.srcport", "tcp.seq", "tcp.ack", "tcp.flags", "tcp.checksum.status"]);
    assert_eq!(decoded[0], "1024 4294967295 0 0x0002 1");
    assert_eq!(decoded[1], "1025 0 0 0x0018 1");
    assert_eq!(decoded[2], "1026 1 0 0x0011 1");
    let windows: BTreeSet<u16> =
        rows(&f, &["tcp.window_size_value"]).iter().map(|w| w.parse().unwrap()).collect();
    assert!(windows.len() > 10 && windows.iter().all(|w| (100..=200).contains(w)), "{windows:?}");
}

#[test]
fn arp() {
    let Some(f) = golden("arp", 24) else { return };
    let decoded = rows(
        &f,
        &["arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.hw_mac", "arp.dst.proto_ipv4"],
    );
    assert_eq!(decoded[1], "1 02:00:00:00:00:02 10.0.0.1 00:00:00:00:00:00 10.0.0.3");
}

#[test]
fn gre_carries_packets_and_frames() {
    let Some(f) = golden("gre", 24) else { return };
    let decoded = rows(
        &f,
        &[
            "ip.ttl",
            "ip.dst",
            "ip.dsfield",
            "gre.key",
            "udp.srcport",
            "ip.checksum.status",
            "udp.checksum.status",
        ],
    );
    assert_eq!(decoded[0], "5,64 192.0.2.10,10.0.1.1 0x00,0x00 0xffffffff 1 1,1 1");
    assert_eq!(decoded[2], "5,64 192.0.2.11,10.0.1.1 0x00,0x04 0x00000000 2 1,1 1");
    let decoded = rows(
        &f,
        &["gre.proto", "eth.dst", "ipv6.dst", "icmpv6.echo.sequence_number", "icmpv6.checksum.status"],
    );
    assert_eq!(decoded[1], "0x6558 02:00:00:00:00:02,02:00:00:00:01:02 2001:db8::2,fe80::2 3 1");
}

#[test]
fn vxlan() {
    let Some(f) = golden("vxlan", 24) else { return };
    let fields = [
        "ip.src",
        "udp.dstport",
        "udp.checksum",
        "vxlan.vni",
        "eth.dst",
        "tcp.dstport",
        "ip.checksum.status",
        "tcp.checksum.status",
    ];
    let decoded = rows(&f, &fields);
    assert_eq!(
        decoded[0],
        "192.0.2.1,10.0.0.1 4789 0x0000 16777214 02:00:00:00:00:02,02:00:00:00:01:02 80 1,1 1"
    );
    assert_eq!(
        decoded[1],
        "192.0.2.2,10.0.0.1 4789 0x0000 16777215 02:00:00:00:00:02,02:00:00:00:01:03 443 1,1 1"
    );
    let ports: BTreeSet<u16> = rows(&f, &["udp.srcport"]).iter().map(|p| p.parse().unwrap()).collect();
    assert!(ports.len() > 10 && ports.iter().all(|p| p >> 8 == 0xc0), "random bits: {ports:?}");
}

#[test]
fn gtp_u_carries_both_kinds_of_ip() {
    let Some(f) = golden("gtpu", 24) else { return };
    let decoded =
        rows(&f, &["gtp.teid", "gtp.message", "gtp.length", "ip.src", "udp.dstport", "ip.checksum.status"]);
    assert_eq!(decoded[0], "0x00000001 0xff 86 10.0.0.1,172.16.0.1 2152,7777 1,1");
    assert_eq!(decoded[2], "0x00000002 0xff 86 10.0.0.1,172.16.0.2 2152,7777 1,1");
    let decoded = rows(&f, &["gtp.teid", "ip.dst", "ipv6.dst", "tcp.checksum.status"]);
    assert_eq!(decoded[1], "0xffffffff 10.0.1.1 2001:db8:9::2 1");
}

#[test]
fn tunnels_that_carry_the_payload_have_a_checksum_of_all_of_it() {
    let Some(f) = golden("tunnel_payload", 24) else { return };
    let vxlan = ["udp.srcport", "udp.dstport", "vxlan.vni", "udp.checksum.status"];
    let gtpu = ["udp.srcport", "udp.dstport", "gtp.teid", "gtp.length", "udp.checksum.status"];
    let of = |fields: &[&str]| -> Vec<String> { rows(&f, fields) };
    let (vxlan, gtpu) = (of(&vxlan), of(&gtpu));
    for round in 0..12 {
        let (vni, src, teid) = (16_777_213 + round % 3, 40001 + 2 * (round % 2), 65535 + round % 4);
        assert_eq!(vxlan[2 * round], format!("49152 4789 {vni} 1"));
        assert_eq!(gtpu[2 * round + 1], format!("{src} 2152 0x{teid:08x} 107 1"));
        let payload = &f[2 * round + 1][50..];
        assert!(payload.starts_with(b"stuvwxyz012345abcdefghijklmnopqrstuvwxyz012345abc"), "{payload:?}");
    }
}

/// Counts of equal values.
fn tally<T: Ord>(values: impl IntoIterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    values.into_iter().for_each(|v| *counts.entry(v).or_insert(0) += 1);
    counts
}

#[test]
fn imix_has_its_sizes_and_every_flow_has_all_of_them() {
    let Some(f) = golden("imix", 48 * 48) else { return };
    assert_eq!(
        tally(f.iter().map(|f| f.len() + 4)),
        BTreeMap::from([(64, 28 * 48), (570, 16 * 48), (1518, 4 * 48)])
    );
    let pairs: BTreeSet<(Vec<u8>, usize)> = f.iter().map(|f| (f[26..30].to_vec(), f.len())).collect();
    assert_eq!(pairs.len(), 48 * 3, "48 flows in 48 frames a cycle, and each flow in all three sizes");
}

#[test]
fn a_range_of_sizes_with_random_bytes() {
    let Some(f) = golden("sizes", 1455) else { return };
    assert_eq!(tally(f.iter().map(Vec::len)), (60..=1514).map(|n| (n, 1)).collect());
    let longest = f.iter().max_by_key(|f| f.len()).unwrap();
    assert!(tally(longest[42..1490].iter()).len() > 200, "all kinds of bytes");
    let payload = |f: &[u8], to: usize| f[42..to.max(42)].to_vec();
    assert!(f.iter().all(|f| payload(f, f.len() - 19) == payload(longest, f.len() - 19)), "the same in all");
}

#[test]
fn every_kind_of_payload() {
    let Some(f) = golden("payloads", 8) else { return };
    let rows = decode_frames(&f, &["udp.dstport", "udp.payload"]);
    let hex =
        |bytes: &mut dyn Iterator<Item = u8>| bytes.map(|byte| format!("{byte:02x}")).collect::<String>();
    let of = |port: &str| {
        let all: BTreeSet<&String> = rows.iter().filter(|row| row[0] == port).map(|row| &row[1]).collect();
        assert_eq!(all.len(), 1, "the same in every frame of stream {port}");
        all.into_iter().next().unwrap().replace(':', "")
    };
    assert_eq!(of("1"), "00".repeat(100 - 4 - 42));
    // Pktgen's letters are laid over the whole frame.
    let mut letters = b"abcdefghijklmnopqrstuvwxyz012345".iter().copied().cycle().skip(42).take(101 - 4 - 42);
    assert_eq!(of("2"), hex(&mut letters));
    let mut own = [0xde, 0xad, 0xbe, 0xef, 5].into_iter().cycle().take(102 - 4 - 62);
    assert_eq!(of("3"), hex(&mut own));
    let random: BTreeSet<String> =
        of("4").as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
    assert!(random.len() > 120, "254 random bytes have {} values", random.len());
}

#[test]
fn streams_by_weight_and_by_their_own_rates() {
    // 7 weights share 10 Gbit/s; the slow stream has a thousand a second of its own.
    let Some(f) = golden("weights", 70_000) else { return };
    let ports: Vec<u16> = f.iter().map(|f| u16::from_be_bytes([f[36], f[37]])).collect();
    let (voice, bulk) = (ports.iter().filter(|p| **p == 5060), ports.iter().filter(|p| **p == 80));
    let (voice, bulk) = (voice.count() as f64, bulk.count() as f64);
    assert!((voice / bulk - 2.5).abs() < 0.001, "{voice} {bulk}");
    assert!(
        f.iter()
            .filter(|f| f.len() == 196)
            .all(|f| f[42..170].chunks(4).all(|b| b == [0xde, 0xad, 0xbe, 0xef]))
    );
    let sizes = tally(f.iter().filter(|f| f.len() > 400).map(|f| f.len()));
    assert!((sizes[&1496] as f64 / sizes[&572] as f64 - 3.0).abs() < 0.01, "{sizes:?}");
    let slow: Vec<&Vec<u8>> = f.iter().filter(|f| f.len() == 60).collect();
    let flows: BTreeSet<&[u8]> = slow.iter().map(|f| &f[34..38]).collect();
    assert!(slow.len() > 20 && flows.len() == slow.len().min(70), "{} {}", slow.len(), flows.len());
}
