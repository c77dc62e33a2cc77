//! What `dataplane frames` makes of a replay is the capture, rewritten as the profile says, with tshark as the judge.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use bench_tests::decoder::{self, assert_sound, decode, decode_frames};
use bench_tests::flows::{S100, SDSD7, frames};
use bench_tests::pcapdiff::assert_same_sequence;
use bench_tests::process::run;
use bench_tests::{bin, replays};

/// Frames of a replay with these settings; `more` goes to `dataplane frames`.
fn replayed(capture: &Path, settings: &str, count: usize, more: &[&str]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    frames(&replays::write(folder.path(), capture, settings), count, more)
}

#[test]
fn a_replays_frames_are_the_captures_round_after_round() {
    for name in [S100.name, SDSD7.name] {
        let capture = bin::data(&format!("golden/{name}.pcap"));
        let expected = replays::frames(&capture);
        let twice = [&expected[..], &expected].concat();
        // Two rounds, however many frames are asked for; and an end in mid-round.
        assert_same_sequence(
            &replayed(&capture, "loops = 2", 100_000, &[]),
            "two rounds",
            &twice,
            "the capture",
        );
        let some = replayed(&capture, "loops = 0", 500, &[]);
        assert_same_sequence(&some, "500 frames", &twice[..500], "the capture");
    }
}

#[test]
fn pcapng_is_read_as_tshark_reads_it() {
    if !decoder::is_here() {
        return;
    }
    let ours = replays::timed(&replays::mixed());
    let theirs = decode(&replays::mixed(), &["frame.time_epoch", "frame.len"]);
    assert_eq!(ours.len(), 35);
    for ((ns, frame), row) in ours.iter().zip(theirs) {
        let time = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
        assert_eq!([time, frame.len().to_string()], *row);
    }
}

#[test]
fn gaps_are_the_captures_by_the_factor() {
    let folder = tempfile::tempdir().unwrap();
    let captured = replays::timed(&replays::mixed());
    for (settings, num, den) in
        [("", 1, 1), ("timing = { factor = 2.5 }", 5, 2), ("timing = { factor = 0.5 }", 1, 2)]
    {
        let profile = replays::write(folder.path(), &replays::mixed(), settings);
        let file = folder.path().join("out.pcap");
        let mut command = bin::dataplane();
        command.args(["frames", "--count", "99", "--profile"]).arg(profile).arg("--pcap").arg(&file);
        assert!(run(&mut command).status.success());
        let sent = replays::timed(&file);
        assert_eq!(sent.len(), 35);
        for ((ns, frame), (captured_ns, captured_frame)) in sent.iter().zip(&captured) {
            let due = (captured_ns - captured[0].0) * num / den;
            // A pcap has microseconds.
            assert!(ns.abs_diff(due) <= 1000, "{settings}: {ns} is not {due}");
            assert_eq!(frame, captured_frame);
        }
    }
}

const REWRITE: &str = "[replay.rewrite]\nsrc_mac = \"02:00:00:00:aa:01\"\ndst_mac = \"02:00:00:00:aa:02\"\n\
                       src_ip = \"172.16.5.6\"\ndst_ip = \"172.16.7.8\"\nsrc_ip6 = \"2001:db8::5\"\n\
                       dst_ip6 = \"2001:db8::6\"\nsrc_port = 7777\ndst_port = 8888\nvlan_id = 99";

#[test]
fn rewritten_frames_are_sound_and_have_the_new_fields() {
    if !decoder::is_here() {
        return;
    }
    let old = replays::frames(&replays::mixed());
    assert_sound(&old, "the capture");
    let new = replayed(&replays::mixed(), REWRITE, 99, &[]);
    assert_sound(&new, "rewritten frames");
    let wanted = [
        ("eth.src", "02:00:00:00:aa:01"),
        ("eth.dst", "02:00:00:00:aa:02"),
        ("ip.src", "172.16.5.6"),
        ("ip.dst", "172.16.7.8"),
        ("ipv6.src", "2001:db8::5"),
        ("ipv6.dst", "2001:db8::6"),
        ("udp.srcport", "7777"),
        ("udp.dstport", "8888"),
        ("tcp.srcport", "7777"),
        ("tcp.dstport", "8888"),
        ("vlan.id", "99"),
    ];
    let names = wanted.map(|(name, _)| name);
    let mut seen = BTreeMap::new();
    for (before, after) in decode_frames(&old, &names).iter().zip(decode_frames(&new, &names)) {
        for (((name, value), before), after) in wanted.iter().zip(before).zip(&after) {
            // A frame has a field after it if it had it before, and with the new value.
            let expected = if before.is_empty() { "" } else { value };
            assert_eq!(after, expected, "{name}");
            *seen.entry(*name).or_insert(0) += usize::from(!before.is_empty());
        }
    }
    assert!(seen.values().all(|frames| *frames >= 3), "the capture has every field: {seen:?}");
    // Everything else is as it was.
    let others = [
        "frame.len",
        "eth.type",
        "vlan.priority",
        "ip.id",
        "ip.ttl",
        "ip.flags",
        "ip.frag_offset",
        "ipv6.flow",
        "tcp.seq",
        "tcp.flags",
        "data.data",
        "icmp.seq",
        "icmpv6.echo.sequence_number",
        "arp.src.proto_ipv4",
        "arp.src.hw_mac",
    ];
    assert_eq!(decode_frames(&old, &others), decode_frames(&new, &others));
}

#[test]
fn workers_divide_the_capture_by_flow() {
    let all = replays::frames(&replays::mixed());
    for (split, workers) in [("symmetric", 2), ("symmetric", 5), ("five_tuple", 3)] {
        let settings = format!("split = \"{split}\"\nloops = 3");
        let part = |worker: usize| {
            let args = ["--workers", &workers.to_string(), "--worker", &worker.to_string()];
            replayed(&replays::mixed(), &settings, 1000, &args)
        };
        let parts: Vec<Vec<Vec<u8>>> = (0..workers).map(part).collect();
        assert!(
            parts.iter().filter(|part| !part.is_empty()).count() > 1,
            "more than one has something to do"
        );
        let mut union: Vec<&Vec<u8>> = parts.iter().flatten().collect();
        let mut wanted: Vec<&Vec<u8>> = all.iter().cycle().take(3 * all.len()).collect();
        union.sort();
        wanted.sort();
        assert_eq!(union, wanted, "{split} over {workers}");
        for part in &parts {
            // No frame of one worker is in another one's part, and each part is a part of the capture in its order.
            let own: Vec<&Vec<u8>> =
                all.iter().cycle().take(3 * all.len()).filter(|frame| part.contains(frame)).collect();
            assert_eq!(own, part.iter().collect::<Vec<_>>());
        }
        if split == "symmetric" {
            // TCP between 40000 and 9000, both ways.
            let ports = [[0x9c, 0x40, 0x23, 0x28], [0x23, 0x28, 0x9c, 0x40]];
            let has = |part: &Vec<Vec<u8>>, ports: &[u8; 4]| part.iter().any(|f| f[34..].starts_with(ports));
            let owners = ports.map(|ports| parts.iter().position(|part| has(part, &ports)).unwrap());
            assert_eq!(owners[0], owners[1], "both directions go to one worker");
        }
    }
}

#[test]
fn captures_that_can_not_be_replayed_are_refused_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short.pcap");
    let whole = std::fs::read(bin::data("golden/udp_s100_64.pcap")).unwrap();
    std::fs::write(&short, &whole[..whole.len() - 5]).unwrap();
    let text = folder.path().join("text.pcap");
    std::fs::write(&text, "no capture at all").unwrap();
    let missing = folder.path().join("missing.pcap");
    for (capture, settings, parts) in [
        (&missing, "", ["can't open the capture", "missing.pcap", "profile's folder"]),
        (&text, "", ["text.pcap", "is no pcap or pcapng file", "save the capture"]),
        (&short, "", ["short.pcap", "is cut off behind its frame 319", "limit_frames"]),
        (
            &replays::mixed(),
            "loops = 0\nlimit_frames = 1",
            ["mixed.pcapng", "have the same time", "timing = \"rate\""],
        ),
    ] {
        let profile = replays::write(folder.path(), capture, settings);
        for verb in ["frames", "tx"] {
            let mut command = bin::dataplane();
            command.arg(verb).arg("--profile").arg(&profile);
            if verb == "tx" {
                command.args(["--device", "vdev:net_null0", "--no-huge"]);
            }
            let done = run(&mut command);
            assert!(!done.status.success(), "{verb}");
            assert!(parts.iter().all(|part| done.stderr.contains(part)), "{verb}: {}", done.stderr);
        }
    }
    // The next step works.
    assert_eq!(replayed(&short, "limit_frames = 319", 1000, &[]).len(), 319);
}
