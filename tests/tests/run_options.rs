//! What `orchestrator run` hands on to both ends, through the local lab: who writes checksums, the ports' own
//! addresses, round trips, and each flow's own books.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use bench_tests::netns::Netns;
use bench_tests::process::{Finished, run};
use bench_tests::profiles::UdpFlows;
use bench_tests::{bin, needs};
use serde_json::Value;

const COUNT: u64 = 20_000;

/// `orchestrator run --local` with these words, of 100 flows at 10 kpps; `around` is what the command is put into.
fn run_local(words: &[&str], around: impl FnOnce(Command) -> Finished) -> (Finished, Value, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: 100, frame_size: 128, rate: "10kpps", count: Some(COUNT) };
    let (profile, results) = (profile.write(folder.path()), folder.path().join("results"));
    let mut command = bin::orchestrator();
    command.args(["run", "--local", "--warmup-duration", "0", "--no-huge", "--profile"]).arg(profile);
    command.arg("--results").arg(&results).args(words);
    let done = around(command);
    let all = std::fs::read_dir(&results).into_iter().flatten().flat_map(|e| find(&e.unwrap().path()));
    let all: Vec<_> = all.collect();
    let read =
        |name: &str| all.iter().find(|p| p.ends_with(name)).map(|p| std::fs::read_to_string(p).unwrap());
    let result = read("result.json").map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    let flows = read("rx0_flows.csv").map_or(Vec::new(), |text| text.lines().map(str::to_owned).collect());
    (done, result, flows)
}

fn find(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|e| e.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { find(&path) } else { vec![path] }).collect()
}

fn plainly(mut command: Command) -> Finished {
    run(&mut command)
}

/// All that was sent arrived, once and in order.
fn assert_whole(done: &Finished, result: &Value) {
    assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);
    let verdict = &result["verdict"];
    let figures =
        ["sent", "received", "lost", "reordered", "duplicated", "flows_seen"].map(|f| verdict[f].as_u64());
    assert_eq!(figures, [COUNT, COUNT, 0, 0, 0, 100].map(Some), "{}", result["warnings"]);
}

#[test]
fn round_trips_are_booked_by_the_sender() {
    let (done, result, flows) = run_local(&["--round-trip", "--per-flow", "100"], plainly);
    assert_whole(&done, &result);
    assert_eq!(result["verdict"]["round_trip"], true);
    let latency = &result["verdict"]["latency"];
    assert_eq!(
        (&latency["clock"], &latency["count"]),
        (&"round trip, tsc of the sender".into(), &COUNT.into())
    );
    assert!(done.stdout.contains("of what came back"), "{}", done.stdout);
    let sent_back: u64 = result["rx"]["summary"]["totals"]["cores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["tx_packets"].as_u64().unwrap())
        .sum();
    assert_eq!(sent_back, COUNT, "the receiver sent all of it back");
    assert_eq!(flows.len(), 101, "what came back of each flow");
}

#[test]
fn each_flow_has_a_row_up_to_as_many_as_asked_for() {
    let (done, result, flows) = run_local(&["--per-flow", "1000"], plainly);
    assert_whole(&done, &result);
    assert_eq!(flows[0], "stream,flow,received,lost,reordered,duplicated");
    let expected: Vec<String> = (0..100).map(|flow| format!("0,{flow},200,0,0,0")).collect();
    assert_eq!(flows[1..], expected);
    let (_, _, flows) = run_local(&["--per-flow", "7"], plainly);
    assert_eq!(flows.len(), 8, "seven, and the header");
    let (_, _, flows) = run_local(&[], plainly);
    assert!(flows.is_empty(), "not unless asked for");
}

#[test]
fn checksums_are_left_to_a_port_that_offers_it_and_to_no_other() {
    let (done, result, _) = run_local(&["--checksum", "nic"], plainly);
    assert!(!done.status.success(), "memif has no checksums to offer");
    let said = format!("{}{}{result}", done.stdout, done.stderr);
    assert!(said.contains("net_memif does not fill in checksums"), "{said}");
    if !needs::root_and(&["ip"]) {
        return;
    }
    // A tap of the sender's, which the receiver takes up behind the kernel's bridge.
    let netns = Netns::new("checksum");
    // Agents are asked over loopback.
    netns.set_link("lo", "up");
    netns.ip("link add rx0 type veth peer name rx1");
    netns.ip("link add br0 type bridge");
    netns.ip("tuntap add dev dtap0 mode tap multi_queue");
    for link in ["rx1", "dtap0"] {
        netns.ip(&format!("link set {link} master br0"));
    }
    for link in ["rx0", "rx1", "br0", "dtap0"] {
        netns.ip(&format!("link set {link} up"));
    }
    let words =
        ["--checksum", "nic", "--tx-device", "vdev:net_tap0,iface=dtap0,persist", "--rx-device", "iface:rx0"];
    let (done, result, _) = run_local(&words, |command| run(&mut netns.wrap(command)));
    assert_whole(&done, &result);
    assert_eq!(result["tx"]["ready"]["checksums"], "nic", "what is in force is shown");
}

#[test]
fn ports_answer_for_the_addresses_of_their_end() {
    let once = run_local(&["--tx-address", "10.78.0.1/24", "--tx-address", "10.78.0.2/24"], plainly).0;
    assert!(once.stderr.contains("--tx-address is given 2 time(s) for 1 pair(s)"), "{}", once.stderr);
    if !needs::root_and(&["ip", "python3"]) {
        return;
    }
    let (ends, kernel) = (Netns::new("ends"), Netns::new("asks"));
    ends.set_link("lo", "up");
    kernel.ip("link add br0 type bridge");
    for (here, there) in [("tx0", "ktx"), ("rx0", "krx")] {
        ends.join(here, &kernel, there);
        kernel.ip(&format!("link set {there} master br0"));
    }
    kernel.ip("link set br0 up");
    kernel.ip("addr add 10.78.0.9/24 dev br0");
    let shell = |script: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        kernel.wrap(shell)
    };
    assert!(run(&mut shell("echo '0 0' > /proc/sys/net/ipv4/ping_group_range")).status.success());
    // Pings all the while: those before and behind the trial find nobody.
    let ping = bin::data("devices/ping.py");
    let pings = ["10.78.0.1", "10.78.0.2"].map(|address| {
        shell(&format!("while :; do python3 {} {address} 1 0.3; done", ping.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    });
    let devices = ["--tx-device", "iface:tx0", "--rx-device", "iface:rx0"];
    let addresses = ["--tx-address", "10.78.0.1/24", "--rx-address", "10.78.0.2/24,fd78::2/64"];
    let (done, result, _) = run_local(&[devices, addresses].concat(), |command| run(&mut ends.wrap(command)));
    for mut ping in pings {
        ping.kill().unwrap();
        ping.wait().unwrap();
    }
    assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);
    for (end, announced) in [("tx", 1), ("rx", 2)] {
        let responded = &result[end]["summary"]["totals"]["cores"][0]["responded"];
        assert_eq!(responded["announced"], announced, "{end}: {responded}");
        assert!(responded["icmp"].as_u64() > Some(0), "{end}: {responded}");
    }
}
