//! A user's whole day: pods, preflight, profiles, a run, experiments, numpy, and nothing left behind.

use bench_tests::kube::{Kube, assert_is_whole};
use bench_tests::process::run;
use bench_tests::{bin, needs, results};
use serde_json::Value;

const FLOWS: &str = "--flows 1,20 --pkt-size 128 --rate 1";
const PROFILES: [&str; 2] =
    ["profile_1_flows_pkt_size_128B_1_rate_s", "profile_20_flows_pkt_size_128B_1_rate_s"];

/// What an attacker in the pod would start with.
fn assert_unprivileged(pod: &Value) {
    let container = &pod["spec"]["containers"][0];
    let context = &container["securityContext"];
    assert!(!context["privileged"].as_bool().unwrap_or(false), "{context}");
    assert_eq!(context["allowPrivilegeEscalation"], false, "{context}");
    assert_eq!(context["capabilities"]["drop"][0], "ALL", "{context}");
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        assert!(!pod["spec"][key].as_bool().unwrap_or(false), "{key}");
    }
    let limits = &container["resources"]["limits"];
    assert_eq!((&limits["hugepages-2Mi"], &limits["intel.com/dpdk"]), (&"128Mi".into(), &"1".into()));
}

/// No error, and each of `names` is looked at and well.
fn assert_preflight(text: &str, names: &[&str]) {
    let checks: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors: Vec<_> = checks.iter().filter(|c| c["level"] == "error").collect();
    assert!(errors.is_empty(), "{errors:?}");
    for name in names {
        assert!(checks.iter().any(|c| c["name"] == *name && c["level"] == "ok"), "{name}: {text}");
    }
}

#[test]
fn two_pairs_over_two_nodes_from_pods_to_numpy() {
    let Some(python) = needs::python_with("numpy") else { return };
    let kube = Kube::new("journey");
    kube.create(2, "");
    let pods: Vec<Value> = ["tx0", "rx0", "tx1", "rx1"].iter().map(|name| kube.pod(name)).collect();
    pods.iter().for_each(assert_unprivileged);
    assert_ne!(pods[0]["spec"]["nodeName"], pods[1]["spec"]["nodeName"], "a pair's ends are on two nodes");
    assert_eq!(kube.nodes.dataplanes().len(), 4, "an agent a pod");
    let listed = kube.ok("pods list");
    assert!(["tx0", "rx0", "tx1", "rx1"].iter().all(|name| listed.contains(name)), "{listed}");
    let names = ["allocatable-hugepages", "allocatable-devices", "hugepages", "agent", "cpus"];
    assert_preflight(&kube.ok("preflight --output json --rx-num-core 1 --tx-num-core 1"), &names);

    kube.ok(&format!("flows generate {FLOWS}"));
    let profile = kube.folder.path().join("flows/tx1-rx1").join(format!("{}.lua", PROFILES[1]));
    let profile = std::fs::read_to_string(profile).unwrap();
    kube.ok(&format!("run --profile {}.lua --duration 2 --warmup-duration 1", PROFILES[1]));
    let ran = kube.results();
    assert_eq!(ran.len(), 2);
    for (folder, result) in &ran {
        assert_is_whole(result);
        // Two nodes: a routed way, whose frames carry the pods' own addresses.
        assert_eq!(result["trial"]["path"]["way"], "l3", "{}", result["trial"]["path"]);
        assert!(
            result["timing"]["overhead_s"].as_f64().is_some() && result["timing"]["start_skew_s"].is_number()
        );
        results::read_pair(python, folder.clone(), PROFILES[1]);
        if result["trial"]["pair"] == "tx1-rx1" {
            let real = result["trial"]["path"]["rx"]["mac"].as_str().unwrap();
            assert!(profile.contains(real), "generated with another MAC than {real}: {profile}");
        }
    }

    let matrix = format!("experiments {FLOWS} --duration 2 --warmup-duration 1 --results results2");
    let dry = kube.ok(&matrix);
    assert!(dry.contains("0 of 4 done, 4 pending"), "{dry}");
    kube.ok(&format!("{matrix} --run"));
    let scanned = kube.ok(&format!("{matrix} --scan-results"));
    assert!(scanned.contains("4 of 4 done"), "{scanned}");
    let done = kube.results_in("results2");
    assert_eq!(done.len(), 4);
    for (folder, result) in done {
        assert_is_whole(&result);
        results::read_pair(python, folder, result["trial"]["profile_name"].as_str().unwrap());
    }
    let folder = kube.folder.path();
    let report = ["report", "results", "results2", "--format", "html,json,markdown", "--speed", "10"];
    let done = run(bin::orchestrator().arg("results").args(report).current_dir(folder));
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let json = std::fs::read(folder.join("report/report.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 6, "two of the run and four of the experiments");
    assert!(json["environments"].to_string().contains(&kube.nodes.names[0]), "{}", json["environments"]);
    assert!(std::fs::read_to_string(folder.join("report/report.html")).unwrap().contains(PROFILES[1]));
    kube.delete();
}
