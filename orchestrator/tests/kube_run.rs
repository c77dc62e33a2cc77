//! `run` on pods of a stand-in cluster that misbehaves (`examples/fake_cluster`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::api::{get_over, pods};
use support::cluster::FakeCluster;
use support::{Bench, OVERHEAD_MAX_S, Said, signal, text};

const PROFILE: &str = r#"
rate = "1kpps"
[[streams]]
frame_size = 64
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
ipv4 = { src = { start = "10.0.0.1", min = "10.0.0.1", max = "10.0.0.100", inc = "0.0.0.1" }, dst = "10.9.0.2" }
udp = { src = 1024, dst = 1024 }
"#;

fn cluster(args: &str) -> FakeCluster {
    let fake = FakeCluster::start(&format!("--tick-ms 100 {args}"));
    fs::write(fake.folder.path().join("p.toml"), PROFILE).unwrap();
    fake
}

fn run(fake: &FakeCluster, more: &str) -> Output {
    let warmup = if more.contains("--warmup") { "" } else { "--warmup-duration 0.3" };
    fake.output(&format!("run --profile p.toml --duration 1.5 {warmup} {more}"))
}

fn spawn(fake: &FakeCluster, more: &str) -> Child {
    let line = format!("run --profile p.toml --warmup-duration 0 {more}");
    fake.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn trials(fake: &FakeCluster) -> Vec<PathBuf> {
    let entries = fs::read_dir(fake.folder.path().join("results")).into_iter().flatten();
    entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect()
}

fn result(fake: &FakeCluster, pair: &str) -> Value {
    let trials = trials(fake);
    assert_eq!(trials.len(), 1, "{trials:?}");
    serde_json::from_slice(&fs::read(trials[0].join(pair).join("result.json")).unwrap()).unwrap()
}

/// Whole and without holes: `n` counts up, and the last word says the same as the last sample of a run to its end.
fn assert_whole(result: &Value, sent: u64) {
    assert_eq!(result["status"], "complete", "{}", result["error"]);
    assert_eq!((&result["verdict"]["sent"], &result["verdict"]["lost"]), (&json!(sent), &json!(0)));
    for side in ["tx", "rx"] {
        let samples = result[side]["samples"].as_array().unwrap();
        assert!(samples.len() >= 5, "{side}: {}", samples.len());
        assert!(samples.iter().enumerate().all(|(i, sample)| sample["n"] == i), "{side}");
    }
}

/// Nothing of the cluster was changed.
fn assert_untouched(fake: &FakeCluster) {
    for seen in fake.log() {
        let verb = seen["verb"].as_str().unwrap_or_default();
        let is_forward = seen["resource"] == "pods/portforward";
        assert!(is_forward || matches!(verb, "get" | "list" | "watch"), "{seen}");
    }
}

#[test]
fn a_trial_on_pods_leaves_whole_results_and_the_cluster_as_it_was() {
    // No sender begins before all were told to: that one start waits for another would end in an error.
    let fake = cluster("--pairs 2 --foreign --starts-together 2");
    let ran = run(&fake, "");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    for pair in ["tx0-rx0", "tx1-rx1"] {
        let result = result(&fake, pair);
        assert_whole(&result, 1500);
        assert_eq!(result["trial"]["lab"], "kube");
        assert_eq!(result["trial"]["cluster"], json!({"context": "fake", "namespace": "default"}));
        let timing = |figure: &str| result["timing"][figure].as_f64().unwrap();
        assert!(timing("overhead_s") < OVERHEAD_MAX_S, "{}", result["timing"]);
        assert!((0.0..=timing("overhead_s")).contains(&timing("start_skew_s")), "{}", result["timing"]);
    }
    let said = text(&ran.stderr);
    assert!(said.contains("2 pair(s) in context fake, namespace default"), "{said}");
    assert!(said.contains("2 senders began within"), "{said}");
    assert_untouched(&fake);
}

#[tokio::test]
async fn a_sender_that_can_not_be_made_ready_leaves_no_receiver_behind() {
    let fake = cluster("--pairs 1 --agent-mode tx-prepare-fails@tx0");
    let ran = run(&fake, "--warmup-duration 0");
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("tx0: device"), "{}", text(&ran.stderr));
    assert!(trials(&fake).is_empty());
    for pod in ["tx0", "rx0"] {
        assert_eq!(get_over(&pods(&fake), pod, "/v1/runs").await.unwrap(), json!([]), "{pod}");
    }
}

#[test]
fn an_api_server_that_is_away_costs_no_sample() {
    let fake = cluster("--pairs 1");
    let mut child = spawn(&fake, "--duration 4");
    let mut said = Said::by(&mut child);
    said.wait_for("   1 s  offered");
    fake.fault(&json!({"fault": "stop", "ms": 1500}));
    said.wait_for("can't be asked");
    said.wait_for("answers again");
    assert!(child.wait().unwrap().success());
    assert_whole(&result(&fake, "tx0-rx0"), 4000);
}

#[test]
fn streams_that_are_cut_in_the_middle_are_resumed() {
    let fake = cluster("--pairs 1");
    fake.fault(&json!({"fault": "forward-cut", "after_bytes": 5000, "times": 6}));
    fake.fault(&json!({"fault": "forward-cut", "after_ms": 300, "times": 6}));
    let ran = run(&fake, "");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_whole(&result(&fake, "tx0-rx0"), 1500);
    assert!(fake.faults().is_empty(), "{:?}", fake.faults());
}

#[test]
fn busy_broken_and_slow_answers_are_borne() {
    let fake = cluster("--pairs 1");
    fake.fault(&json!([
        {"fault": "too-many", "retry_after_s": 1, "verb": "list", "resource": "pods", "times": 1},
        {"fault": "server-error", "verb": "list", "resource": "pods", "times": 1},
        {"fault": "slow", "ms": 300, "resource": "pods/portforward", "times": 3},
        {"fault": "server-error", "resource": "pods/portforward", "times": 2},
    ]));
    let ran = run(&fake, "");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_whole(&result(&fake, "tx0-rx0"), 1500);
}

/// The pair of `pod` fails within the time and says why; the other one ends as planned.
fn loses(fault: &Value, why: &str) {
    let fake = cluster("--pairs 2");
    fake.fault(fault);
    let begun = Instant::now();
    let ran = fake.output("run --profile p.toml --duration 3 --warmup-duration 0");
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let failed = result(&fake, "tx1-rx1");
    assert_eq!(failed["status"], "failed");
    let said = failed["error"].as_str().unwrap();
    assert!(said.contains(why), "{said}");
    assert!(text(&ran.stderr).contains(&format!("tx1-rx1 failed: {said}")));
    assert_whole(&result(&fake, "tx0-rx0"), 3000);
}

#[test]
fn a_pod_that_is_deleted_fails_its_pair_alone() {
    loses(&json!({"fault": "delete", "pod": "tx1", "after_samples": 5}), "tx1 is lost: the pod");
}

#[test]
fn a_pod_that_is_evicted_fails_its_pair_with_the_clusters_reason() {
    loses(&json!({"fault": "evict", "pod": "rx1", "after_samples": 5}), "rx1 is lost: the pod was evicted: ");
}

#[test]
fn a_container_that_starts_again_fails_its_pair() {
    // Its agent answers again, and knows that the run has lost its engine.
    loses(&json!({"fault": "restart", "pod": "tx1", "after_samples": 5}), "tx1");
}

#[test]
fn a_lost_node_is_named_while_it_is_waited_for() {
    let fake = cluster("--pairs 1 --nodes 1");
    let mut child = spawn(&fake, "--duration 600");
    let mut said = Said::by(&mut child);
    said.wait_for("   1 s  offered");
    fake.fault(&json!([
        {"fault": "node-lost", "node": "node-0"},
        {"fault": "forward-stall", "after_bytes": 0},
        // Streams that are open already end.
        {"fault": "stop", "ms": 100},
    ]));
    said.wait_for("node node-0 is not ready");
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
}

#[test]
fn what_is_no_set_of_pairs_is_refused_by_name() {
    let fake = cluster("--pairs 2 --agent-mode version@rx1");
    let said = |more: &str| text(&run(&fake, more).stderr);
    let version = said("");
    assert!(version.contains("the agent of rx1") && version.contains("version 99"), "{version}");
    assert!(said("-n 3").contains("3 pairs were asked for and 2 are there"));
    fake.api("DELETE", "/api/v1/namespaces/default/pods/rx1", &Value::Null);
    fake.wait_until("rx1 is gone", |fake| fake.object("Pod", "rx1").is_none());
    let half = said("");
    assert!(half.contains("the pods don't pair up: tx1 has no rx1"), "{half}");
    assert!(trials(&fake).is_empty());

    let unready = cluster("--pairs 1 --fault never-ready@pod=rx0");
    let ran = text(&run(&unready, "").stderr);
    assert!(ran.contains("not ready: rx0 is"), "{ran}");
    let empty = text(&run(&cluster(""), "").stderr);
    assert!(empty.contains("orchestrator pods create"), "{empty}");
}

#[test]
fn a_right_that_is_missing_is_named() {
    for (verb, resource, named) in [
        ("list", "pods", r#"cannot list resource "pods""#),
        ("create", "pods/portforward", "pods/portforward"),
    ] {
        let fake = cluster("--pairs 1");
        // A WebSocket is opened by GET, which is `get` to some servers and `create` to others.
        fake.fault(&json!({"fault": "forbid", "verb": verb, "resource": resource}));
        fake.fault(&json!({"fault": "forbid", "verb": "get", "resource": "pods/portforward"}));
        let ran = run(&fake, "");
        assert_eq!(ran.status.code(), Some(1));
        let said = text(&ran.stderr);
        assert!(said.contains(named) && said.contains("orchestrator pods rbac"), "{said}");
        // Nothing is gained by asking again.
        let mut refused: Vec<String> = fake
            .log()
            .iter()
            .filter(|seen| seen["status"] == 403)
            .map(|seen| seen["path"].to_string())
            .collect();
        let all = refused.len();
        refused.sort();
        refused.dedup();
        assert!(all > 0 && refused.len() == all, "{all} refusals of {refused:?}");
    }
}

#[test]
fn a_killed_orchestrator_loses_nothing_in_pods() {
    let fake = cluster("--pairs 2");
    let mut child = spawn(&fake, "--duration 4");
    let mut said = Said::by(&mut child);
    said.wait_for(" s  offered");
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    let recovered = fake.output("results recover results");
    assert!(recovered.status.success(), "{}", text(&recovered.stderr));
    for pair in ["tx0-rx0", "tx1-rx1"] {
        assert_whole(&result(&fake, pair), 4000);
    }
    assert_untouched(&fake);
    let again = fake.output("results recover results");
    assert!(text(&again.stderr).contains("holds no unfinished trial"), "{}", text(&again.stderr));
}

#[test]
fn a_recovery_that_can_t_ask_the_cluster_keeps_everything_for_the_next() {
    let fake = cluster("--pairs 1");
    let mut child = spawn(&fake, "--duration 4");
    let mut said = Said::by(&mut child);
    said.wait_for(" s  offered");
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    fake.fault(&json!({"fault": "server-error", "resource": "pods/portforward", "times": 1000}));
    let refused = fake.output("results recover results");
    assert_eq!(refused.status.code(), Some(1));
    fake.clear_faults();
    let recovered = fake.output("results recover results");
    assert!(recovered.status.success(), "{}", text(&recovered.stderr));
    assert_whole(&result(&fake, "tx0-rx0"), 4000);
}

/// What a result is made of: the paths of all its values, list positions left out.
fn shape(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| shape(value, &format!("{path}/{key}"), into));
        }
        Value::Array(items) => items.iter().take(1).for_each(|item| shape(item, &format!("{path}/*"), into)),
        _ => into.push(path.to_owned()),
    }
}

#[test]
fn the_same_trial_through_both_labs_gives_the_same_result() {
    let line = "run --profile p.toml --duration 1 --warmup-duration 0.3 --tx-num-core 1 --rx-num-core 1";
    let fake = cluster("--pairs 1 --pod-cpus 2");
    let ran = fake.output(line);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let on_pods = result(&fake, "tx0-rx0");

    let bench = Bench::new("");
    fs::write(bench.folder.path().join("p.toml"), PROFILE).unwrap();
    let ran = bench.output(&format!("{line} --local"));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let here = bench.result("tx0-rx0");

    for figure in ["sent", "received", "lost", "reordered", "duplicated", "flows_seen", "loss_basis"] {
        assert_eq!(on_pods["verdict"][figure], here["verdict"][figure], "{figure}");
    }
    let of = |result: &Value| {
        let mut paths = Vec::new();
        // What machines have differs; what is said of them does not.
        for part in ["status", "verdict", "timing", "tx/summary", "rx/summary", "files"] {
            let value = part.split('/').fold(result, |value, key| &value[key]);
            shape(value, part, &mut paths);
        }
        paths.sort();
        paths.dedup();
        paths
    };
    assert_eq!(of(&on_pods), of(&here));
}
