//! Kubelets whose CPU manager is static: each pod has a CPU of its own, and preflight sees it.
//!
//! On a machine of two CPUs a node can give one away, and a run needs two: a main core and a worker. So the pods are
//! made and looked at here, and the error that preflight gives for the one CPU is part of it.

use bench_tests::kube::Kube;
use serde_json::Value;

/// CPUs that the kernel lets a pod's process 1 use.
fn allowed(kube: &Kube, pod: &str) -> String {
    let agents = kube.processes(pod, "dataplane agent");
    let [agent] = agents[..] else { panic!("one agent in {pod}: {agents:?}") };
    let status = std::fs::read_to_string(format!("/proc/{agent}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.unwrap().trim().to_owned()
}

#[test]
fn static_cpus_are_exclusive_and_preflight_says_which() {
    let kube = Kube::new("static");
    kube.create(1, "");
    let (tx, rx) = (allowed(&kube, "tx0"), allowed(&kube, "rx0"));
    assert!(tx != rx && tx.parse::<u32>().is_ok() && rx.parse::<u32>().is_ok(), "tx0 has {tx}, rx0 {rx}");
    let done = kube.run("preflight --output json");
    assert_eq!(done.status.code(), Some(1), "one CPU is too few: {}", done.stderr);
    let checks: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |name: &str, scope: &str| {
        let check = checks.iter().find(|c| c["name"] == name && c["scope"] == scope);
        check.unwrap_or_else(|| panic!("no {name} of {scope}: {checks:?}"))
    };
    for node in ["k8s-node1", "k8s-node2"] {
        let policy = find("cpu-manager", node);
        assert!(policy["level"] == "ok" && policy["found"].as_str().unwrap().contains("static"), "{policy}");
    }
    for (pod, cpu) in [("tx0", &tx), ("rx0", &rx)] {
        let exclusive = find("exclusive-cpus", pod);
        let found = exclusive["found"].as_str().unwrap();
        assert!(exclusive["level"] == "ok" && found.contains(&format!("CPUs {cpu} ")), "{exclusive}");
        assert_eq!(find("cpus", pod)["level"], "error");
    }
    // The cluster goes down behind this test: its pods need no delete.
}
