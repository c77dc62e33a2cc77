//! `preflight`, and what `run` makes of it, on a stand-in for a cluster.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use support::cluster::FakeCluster;
use support::text;

const PROFILE: &str = r#"
rate = "1kpps"
[[streams]]
frame_size = 64
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
ipv4 = { src = "10.0.0.1", dst = "10.9.0.2" }
udp = { src = 1024, dst = 1024 }
"#;

/// Every check as an object.
fn checks(ran: &Output) -> Vec<Value> {
    let lines = text(&ran.stdout);
    let all = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|line| line["event"] == "check").collect()
}

fn of<'a>(checks: &'a [Value], name: &str, level: &str) -> Vec<&'a Value> {
    checks.iter().filter(|c| c["name"] == name && c["level"] == level).collect()
}

#[test]
fn a_cluster_that_is_well_passes_and_is_not_changed() {
    let fake = FakeCluster::start("--pairs 2 --foreign");
    let ran = fake.output("preflight --output json");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let checks = checks(&ran);
    for name in ["cpu-manager", "allocatable-hugepages", "exclusive-cpus", "vfio", "numa", "hugepages"] {
        assert!(!of(&checks, name, "ok").is_empty(), "{name}: {checks:?}");
    }
    assert!(checks.iter().all(|c| c["level"] != "error"), "{checks:?}");
    // What is not well says what to do.
    assert!(checks.iter().all(|c| c["level"] == "ok" || c["next_step"].is_string()), "{checks:?}");
    for seen in fake.log() {
        let is_forward = seen["resource"] == "pods/portforward";
        assert!(is_forward || matches!(seen["verb"].as_str(), Some("get" | "list" | "watch")), "{seen}");
    }
}

#[test]
fn kubelets_that_pin_nothing_and_rights_that_are_missing_are_warnings() {
    let fake = FakeCluster::start("--pairs 1 --cpu-manager none");
    let warned = fake.output("preflight --output json");
    assert!(warned.status.success(), "{}", text(&warned.stderr));
    let warnings = checks(&warned);
    assert!(of(&warnings, "cpu-manager", "warning")[0]["next_step"].as_str().unwrap().contains("static"));

    fake.fault(&json!({"fault": "forbid", "verb": "get", "resource": "nodes/proxy"}));
    let forbidden = fake.output("preflight --output json");
    assert!(forbidden.status.success(), "{}", text(&forbidden.stderr));
    assert!(text(&forbidden.stdout).contains("nodes/proxy"), "{}", text(&forbidden.stdout));
}

#[test]
fn what_can_not_work_is_an_error_with_its_exit_code() {
    let fake = FakeCluster::start("--pairs 1 --device iface:nosuch");
    let ran = fake.output("preflight");
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stdout));
    assert!(text(&ran.stdout).contains("nosuch"), "{}", text(&ran.stdout));
}

#[test]
fn a_run_that_can_not_work_stops_before_traffic_unless_forced() {
    let fake = FakeCluster::start("--tick-ms 100 --pairs 1");
    fs::write(fake.folder.path().join("p.toml"), PROFILE).unwrap();
    let line = "run --profile p.toml --duration 1 --warmup-duration 0 --tx-socket-mem 900000";
    let refused = fake.output(line);
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(said.contains("900000 MiB") && said.contains("--force"), "{said}");
    assert!(!fake.folder.path().join("results").exists());

    let forced = fake.output(&format!("{line} --force"));
    assert!(forced.status.success(), "{}", text(&forced.stderr));
    assert!(text(&forced.stdout).contains("900000 MiB"), "{}", text(&forced.stdout));
}
