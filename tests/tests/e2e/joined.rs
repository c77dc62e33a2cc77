//! Both ends on one node, over the CNI's bridge, which has to learn where they are, and by memif in a folder of it; and
//! there and back between two nodes.

use bench_tests::kube::{Kube, assert_is_whole};
use bench_tests::profiles::UdpFlows;
use bench_tests::wait;

/// What the tests' CNI calls its bridge.
const BRIDGE: &str = "kcni0";

/// A few frames a second, all of which a busy machine can carry.
fn profile(kube: &Kube, rate: &'static str, count: u64) -> String {
    let profile = UdpFlows { flows: 50, frame_size: 128, rate, count: Some(count) };
    let path = profile.write(kube.folder.path());
    format!("run --profile {} --duration 60", path.display())
}

/// The bridge's ports by the MACs that it has learned.
fn learned(node: &str) -> String {
    let all = Kube::cluster(&["node-exec", node, "bridge", "fdb", "show", "br", BRIDGE]);
    all.lines().filter(|line| !line.contains("permanent")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_bridge_learns_both_ends_by_the_warm_up() {
    let kube = Kube::new("bridge");
    kube.create(1, "-s");
    let node = kube.pod("tx0")["spec"]["nodeName"].as_str().unwrap().to_owned();
    assert_eq!(kube.pod("rx0")["spec"]["nodeName"], node);
    // What the pods' start taught it is forgotten, until frames come.
    let links = Kube::cluster(&["node-exec", &node, "ls", &format!("/sys/class/net/{BRIDGE}/brif")]);
    for port in links.split_whitespace() {
        Kube::cluster(&[
            "node-exec",
            &node,
            "sh",
            "-c",
            &format!("echo 1 > /sys/class/net/{port}/brport/flush"),
        ]);
    }
    let mut running = kube.spawn(&format!("{} --warmup-duration 4", profile(&kube, "1kpps", 2000)));
    wait::until("the warm-up", || running.stderr().contains("warming up").then_some(()));
    let macs = wait::until("the bridge learns two addresses", || {
        let found = learned(&node);
        (found.lines().count() >= 2).then_some(found)
    });
    assert!(!running.stderr().contains("sending for"), "learned before the trial: {}", running.stderr());
    assert!(running.wait().success(), "{}", running.stderr());
    let (_, result) = kube.results().remove(0);
    assert_is_whole(&result);
    assert_eq!(result["trial"]["path"]["way"], "l2", "{}", result["trial"]["path"]);
    assert_eq!((&result["verdict"]["sent"], &result["verdict"]["lost"]), (&2000.into(), &0.into()));
    for side in ["tx", "rx"] {
        let mac = result["trial"]["path"][side]["mac"].as_str().unwrap();
        assert!(macs.contains(mac), "{side} {mac} is not in\n{macs}");
    }
    kube.delete();
}

#[test]
fn a_pair_joined_by_memif_loses_nothing() {
    let kube = Kube::new("memif");
    let sockets = tempfile::tempdir_in("/run").unwrap();
    let folder = sockets.path().join("memif");
    let created = kube.create_line(&format!("-n 1 -s -r none --memif-dir {}", folder.display()));
    kube.ok(&created);
    kube.ok(&profile(&kube, "20kpps", 40_000));
    let (_, result) = kube.results().remove(0);
    assert_is_whole(&result);
    let verdict = &result["verdict"];
    assert_eq!(
        (&verdict["sent"], &verdict["lost"], &verdict["reordered"]),
        (&40_000.into(), &0.into(), &0.into())
    );
    // A search in pods: so little that any machine bears it.
    let searched = kube.ok(
        "search --profile udp_50_flows_128.toml --min-rate 2kpps --max-rate 4kpps --goal pdr=0.5 --initial-trial 0.5 \
         --final-trial 0.5 --duration-sum 0.5 --latency-trial 0 --warmup-duration 1 --results searches",
    );
    assert!(searched.contains("tx0-rx0: pdr 4 kpps or more"), "{searched}");
    // And one of Pktgen's kind: a script that reads counters, port 0 in one pod and port 1 in the other.
    let script = bench_tests::lua::script("pair_rfc2544.lua");
    let found = kube.ok(&format!("lua run -f {} --warmup-duration 1 --results lua", script.display()));
    assert!(found.contains("found 0.0250 after"), "{found}");
    kube.delete();
    let left: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    assert!(left.iter().all(|path| !path.is_file()), "{left:?}");
}

#[test]
fn latency_across_two_nodes_needs_no_clock_in_common() {
    let kube = Kube::new("round-trip");
    kube.create(1, "");
    let nodes = ["tx0", "rx0"].map(|pod| kube.pod(pod)["spec"]["nodeName"].clone());
    assert_ne!(nodes[0], nodes[1]);
    kube.ok(&format!("{} --round-trip --warmup-duration 1", profile(&kube, "1kpps", 2000)));
    let (_, result) = kube.results().remove(0);
    assert_is_whole(&result);
    let verdict = &result["verdict"];
    assert_eq!((&verdict["round_trip"], &verdict["sent"]), (&true.into(), &2000.into()), "{verdict}");
    let latency = &verdict["latency"];
    assert_eq!(latency["clock"], "round trip, tsc of the sender", "{latency}");
    assert_eq!(latency["count"], verdict["received"], "{latency}");
    kube.delete();
}
