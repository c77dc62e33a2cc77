//! A replayed capture on the wire: the same bytes in the same order, tcpdump being witness; and over memif, counted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use bench_tests::decoder::{self, assert_sound, decode_frames};
use bench_tests::lua::script;
use bench_tests::netns::Netns;
use bench_tests::pcapdiff::assert_same_sequence;
use bench_tests::process::run;
use bench_tests::run::{Outcome, Run, sent};
use bench_tests::tcpdump::Tcpdump;
use bench_tests::{bin, cpus, needs, replays};

/// Replays `capture` over veth; what the witness saw of `expected` frames, and what the sender says.
fn replay(capture: &Path, settings: &str, expected: usize, more: &[&str]) -> (Vec<Vec<u8>>, Outcome) {
    let folder = tempfile::tempdir().unwrap();
    let workers = if more.contains(&"--workers") { 2 } else { 1 };
    let (sender, receiver) = (Netns::new("tx"), Netns::new("rx"));
    sender.join("tx0", &receiver, "rx0");
    let witness = Tcpdump::start(&receiver, "rx0");
    let mut tx = bin::dataplane();
    tx.args(["tx", "--device", "iface:tx0", "--output", "json", "--lcores", &cpus::tx(workers)]).args(more);
    tx.arg("--profile").arg(replays::write(folder.path(), capture, settings));
    let tx = Run::spawn(&mut sender.wrap(tx)).finish();
    (witness.stop(expected), tx)
}

fn is_ready() -> bool {
    needs::root_and(&["ip", "tcpdump"])
}

#[test]
fn a_mixed_capture_leaves_as_it_was_captured() {
    if !is_ready() {
        return;
    }
    let expected = replays::frames(&replays::mixed());
    let (wire, tx) = replay(&replays::mixed(), "timing = { factor = 10 }", expected.len(), &[]);
    assert_same_sequence(&wire, "the wire", &expected, "the capture");
    assert_eq!(sent(&tx.summary.totals), 35);
    let bytes: u64 = tx.summary.totals.cores.iter().map(|c| c.tx_bytes).sum();
    assert_eq!(bytes, expected.iter().map(|f| f.len() as u64).sum::<u64>());
    assert_eq!(tx.summary.mbufs_missing, 0);
    // 85.2 ms between first and last; all gaps ten times as long.
    assert!(tx.summary.effective_ns >= 852_000_000, "took {} ns", tx.summary.effective_ns);
    // ARP, TCP, two VLANs, UDP, TCP and ICMP over IPv6, ICMP, fragments, a tagged one over IPv6.
    assert_eq!(tx.ready.flows, 10);
    assert!(!tx.ready.stamped);
    let said = tx.ready.warnings.join("; ");
    assert!(said.contains("carry no mark") && said.contains("loss is sent - received"), "{said}");
}

#[test]
fn rounds_follow_one_another_at_the_rate_that_was_asked() {
    if !is_ready() {
        return;
    }
    let capture = bin::data("golden/udp_sdSD7_1500.pcap");
    let round = replays::frames(&capture);
    let (wire, tx) = replay(&capture, "loops = 3", 960, &["--rate", "4kpps"]);
    assert_same_sequence(&wire, "the wire", &[&round[..], &round, &round].concat(), "three rounds");
    assert_eq!(tx.ready.requested_pps, Some(4000.0));
    assert!(tx.summary.effective_ns >= 239_000_000, "960 frames took {} ns", tx.summary.effective_ns);
    // A count ends it in mid-round, whatever the loops.
    let (wire, _) =
        replay(&capture, "loops = 0\ntiming = \"rate\"", 400, &["--rate", "max", "--count", "400"]);
    assert_same_sequence(&wire, "the wire", &[&round[..], &round[..80]].concat(), "400 frames");
}

#[test]
fn two_workers_send_the_file_and_keep_each_flows_order() {
    if !is_ready() {
        return;
    }
    let expected = replays::frames(&replays::mixed());
    let settings = "split = \"five_tuple\"\nloops = 4";
    let (wire, tx) =
        replay(&replays::mixed(), settings, 4 * expected.len(), &["--workers", "2", "--rate", "1kpps"]);
    assert!(tx.summary.tx_shards.iter().all(|shard| shard.sent > 0), "both work: {:?}", tx.summary.tx_shards);
    let rounds: Vec<Vec<u8>> = expected.iter().cycle().take(4 * expected.len()).cloned().collect();
    let sorted = |frames: &[Vec<u8>]| {
        let mut frames = frames.to_vec();
        frames.sort();
        frames
    };
    assert_same_sequence(&sorted(&wire), "the wire", &sorted(&rounds), "four rounds");
    if !decoder::is_here() {
        return;
    }
    // tshark says what a flow is, and each one's frames are those of the rounds, in their order.
    let by_flow = |frames: &[Vec<u8>]| {
        let keys = [
            "eth.src",
            "eth.dst",
            "vlan.id",
            "ip.src",
            "ip.dst",
            "ipv6.src",
            "ipv6.dst",
            "ip.proto",
            "udp.srcport",
            "tcp.srcport",
            "ip.frag_offset",
        ];
        let mut flows: BTreeMap<Vec<String>, Vec<Vec<u8>>> = BTreeMap::new();
        for (key, frame) in decode_frames(frames, &keys).into_iter().zip(frames) {
            flows.entry(key).or_default().push(frame.clone());
        }
        flows
    };
    assert_eq!(by_flow(&wire), by_flow(&rounds));
}

#[test]
fn rewritten_frames_on_the_wire_are_sound() {
    if !is_ready() || !decoder::is_here() {
        return;
    }
    let rewrite = "rewrite = { dst_mac = \"02:00:00:00:aa:02\", src_ip = \"172.16.5.6\", dst_ip6 = \"2001:db8::6\", \
                   dst_port = 8888, vlan_id = 99 }\ntiming = \"rate\"";
    let (wire, _) = replay(&replays::mixed(), rewrite, 35, &["--rate", "1kpps"]);
    assert_eq!(wire.len(), 35);
    assert_sound(&wire, "the wire");
    for row in
        decode_frames(&wire, &["eth.dst", "ip.src", "ipv6.dst", "udp.dstport", "tcp.dstport", "vlan.id"])
    {
        let is = |at: usize, value: &str| row[at].is_empty() || row[at] == value;
        let new = row[0] == "02:00:00:00:aa:02" && is(1, "172.16.5.6") && is(2, "2001:db8::6");
        assert!(new && is(3, "8888") && is(4, "8888") && is(5, "99"), "{row:?}");
    }
}

#[test]
fn a_whole_trial_counts_what_was_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let profile = replays::write(folder.path(), &replays::mixed(), "timing = \"rate\"\nloops = 2000");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, format!("rate = \"20kpps\"\n{text}")).unwrap();
    let mut command = bin::orchestrator();
    command.args(["run", "--local", "--warmup-duration", "1", "--no-huge", "--duration", "60", "--profile"]);
    // A relative path, and another folder than the agents' own.
    command.arg("replay.toml").arg("--results").arg("results").current_dir(folder.path());
    let (verdict, told) = trial(&mut command, folder.path());
    assert_eq!((&verdict["sent"], &verdict["received"]), (&70_000.into(), &70_000.into()), "{verdict}");
    assert_eq!(
        (&verdict["lost"], &verdict["loss_basis"]),
        (&serde_json::Value::Null, &"not_measured".into())
    );
    assert!(told.contains("loss is sent - received after the drain"), "{told}");
}

/// The verdict of a trial whose results are in `folder`, and what was said of it.
fn trial(command: &mut Command, folder: &Path) -> (serde_json::Value, String) {
    let done = run(command);
    assert!(done.status.success(), "{}: {}\n{}", done.status, done.stdout, done.stderr);
    let mut found = Vec::new();
    find(&folder.join("results"), "result.json", &mut found);
    let mut result: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(found.first().unwrap()).unwrap()).unwrap();
    assert_eq!(result["status"], "complete", "{result}");
    (result["verdict"].take(), format!("{}{}", done.stdout, done.stderr))
}

#[test]
fn a_lua_script_sends_the_capture_that_is_named_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let capture = bin::data("golden/udp_s100_64.pcap");
    let mut command = bin::orchestrator();
    command.args(["flows", "show"]).arg(script("pcap.lua")).arg("--pcap").arg(&capture);
    let shown = run(&mut command);
    assert!(shown.stdout.contains("100 distinct flow(s)"), "{}{}", shown.stdout, shown.stderr);
    let mut command = bin::orchestrator();
    command
        .args(["run", "--local", "--warmup-duration", "0", "--no-huge", "--profile"])
        .arg(script("pcap.lua"));
    command.arg("--pcap").arg(&capture).args(["--results", "results"]).current_dir(folder.path());
    let (verdict, _) = trial(&mut command, folder.path());
    assert_eq!((&verdict["sent"], &verdict["received"]), (&800.into(), &800.into()), "{verdict}");

    let mut command = bin::orchestrator();
    command.args(["flows", "show"]).arg(script("tunnels.lua")).arg("--pcap").arg(&capture);
    let refused = run(&mut command);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("tunnels.lua sends no capture"), "{}", refused.stderr);
}

fn find(folder: &Path, name: &str, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => find(&path, name, found),
            false if entry.file_name() == name => found.push(path),
            false => {}
        }
    }
}
