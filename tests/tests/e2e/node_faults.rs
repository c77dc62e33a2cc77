//! Nodes that stop, are cut off or lose their power in mid-trial: the reason is told, pairs on others are unharmed,
//! and what can be had afterwards is had.

use std::time::{Duration, Instant};

use bench_tests::kube::{Kube, assert_is_whole};
use bench_tests::process::Process;
use bench_tests::profiles::UdpFlows;
use bench_tests::wait;

/// From a node's silence to the reason: the cluster's own patience is 10 s of it.
const REASON_WITHIN: Duration = Duration::from_secs(30);

/// Two pairs; the node of which only the second one's receiver knows.
fn two_pairs(kube: &Kube) -> String {
    kube.create(2, "");
    let node_of = |pod: &str| kube.pod(pod)["spec"]["nodeName"].as_str().unwrap().to_owned();
    let node = node_of("rx1");
    assert!(["tx0", "rx0", "tx1"].iter().all(|pod| node_of(pod) != node));
    node
}

fn profile(kube: &Kube) -> String {
    let profile = UdpFlows { flows: 20, frame_size: 128, rate: "1kpps", count: None };
    profile.write(kube.folder.path()).display().to_string()
}

/// Waits until both pairs send.
fn wait_for_traffic(running: &mut Process) {
    wait::until("both pairs send", || {
        let said = running.stderr();
        assert!(running.is_running(), "{said}");
        let is_told =
            |pair: &str| said.lines().any(|line| line.starts_with(pair) && line.contains("offered"));
        (is_told("tx0-rx0") && is_told("tx1-rx1")).then_some(())
    });
}

/// Waits until the node is named as the reason.
fn wait_for_reason(running: &Process, node: &str) {
    let since = Instant::now();
    let reason = format!("node {node} is not ready");
    let told = wait::within(REASON_WITHIN * 2, || running.stderr().contains(&reason).then_some(()));
    assert!(told.is_some(), "{}", running.stderr());
    assert!(since.elapsed() <= REASON_WITHIN, "told after {:?}", since.elapsed());
}

#[test]
fn a_node_that_is_silent_for_a_while_costs_no_sample() {
    let kube = Kube::on_nodes("silent", 2);
    let node = two_pairs(&kube);
    let line = format!("run --profile {} --duration 6 --warmup-duration 0", profile(&kube));
    for (n, (down, up)) in [("node-cut", "node-heal"), ("node-stop", "node-start")].into_iter().enumerate() {
        // After the first fault its kubelet takes a moment to say so.
        kube.kubectl(&["wait", "--for=condition=Ready", "--timeout=60s", "pod", "--all"]);
        let mut running = kube.spawn(&line);
        wait_for_traffic(&mut running);
        Kube::cluster(&[down, &node]);
        wait_for_reason(&running, &node);
        Kube::cluster(&[up, &node]);
        assert!(running.wait().success(), "{down}: {}", running.stderr_at_end());
        for pair in ["tx0-rx0", "tx1-rx1"] {
            let results = kube.results_of(pair);
            assert_eq!(results.len(), n + 1);
            assert_is_whole(&results[n]);
            // Told from the start to the end, though nobody could ask.
            assert!(results[n]["tx"]["samples"].as_array().unwrap().len() >= 5, "{down}: {pair}");
        }
    }
    kube.delete();
}

#[test]
fn a_node_without_power_fails_its_pair_which_is_tried_again_when_it_is_back() {
    let kube = Kube::on_nodes("power", 2);
    let node = two_pairs(&kube);
    let line =
        "experiments --flows 20 --pkt-size 128 --rate 1 --duration 5 --warmup-duration 0 --run --retries 2";
    let mut running = kube.spawn(line);
    wait_for_traffic(&mut running);
    Kube::cluster(&["node-kill", &node]);
    wait_for_reason(&running, &node);
    Kube::cluster(&["node-start", &node]);
    assert!(running.wait().success(), "{}", running.stderr_at_end());
    let said = running.stderr_at_end();
    let failed: Vec<&str> = said.lines().filter(|line| line.contains("attempt 1 failed")).collect();
    assert!(matches!(failed[..], [line] if line.starts_with("tx1-rx1")), "{said}");
    for pair in ["tx0-rx0", "tx1-rx1"] {
        let results = kube.results_of(pair);
        assert_eq!(results.len(), 1, "{pair}: what failed gave way, what was measured is not measured again");
        assert_is_whole(&results[0]);
    }
    kube.delete();
}
