//! `experiments` and `flows generate` on stand-ins: agents of this machine, and a cluster that misbehaves.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::cluster::FakeCluster;
use support::{Bench, Said, signal, text};

const MATRIX: &str = "--flows 1,100 --pkt-size 64 --rate 10 --duration 0.6 --warmup-duration 0";
const PROFILES: [&str; 2] =
    ["profile_1_flows_pkt_size_64B_10_rate_s", "profile_100_flows_pkt_size_64B_10_rate_s"];

/// Every result in the folder: profile and pair, with status, in the order of their paths.
fn results(folder: &Path) -> BTreeMap<(String, String), Vec<Value>> {
    let mut found: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|e| e.path()).filter(|p| p.is_dir()).collect()
    };
    for pair in folders(folder).iter().flat_map(|trial| folders(trial)) {
        let Ok(bytes) = fs::read(pair.join("result.json")) else { continue };
        let result: Value = serde_json::from_slice(&bytes).unwrap();
        let word = |key: &str| result["trial"][key].as_str().unwrap().to_owned();
        found.entry((word("profile_name"), word("pair"))).or_default().push(result);
    }
    found
}

/// Each profile is done on each pair exactly once, and no sample is missing.
fn assert_all_done_once(folder: &Path, pairs: usize) {
    let found = results(folder);
    for profile in PROFILES {
        for pair in 0..pairs {
            let of = &found[&(profile.to_owned(), format!("tx{pair}-rx{pair}"))];
            let complete: Vec<&Value> = of.iter().filter(|r| r["status"] == "complete").collect();
            assert_eq!(complete.len(), 1, "{profile} tx{pair}");
            for side in ["tx", "rx"] {
                let samples = complete[0][side]["samples"].as_array().unwrap();
                assert!(!samples.is_empty());
                assert!(samples.iter().enumerate().all(|(i, sample)| sample["n"] == i), "{side}");
            }
        }
    }
}

#[test]
fn a_matrix_is_planned_run_once_and_then_done() {
    let bench = Bench::new("");
    let line = format!("experiments --local -n 2 {MATRIX}");
    let planned = bench.output(&line);
    assert!(planned.status.success(), "{}", text(&planned.stderr));
    assert!(text(&planned.stdout).contains("0 of 4 done, 4 pending"), "{}", text(&planned.stdout));
    assert!(bench.nothing_was_left());

    let ran = bench.output(&format!("{line} --run"));
    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    let folder = bench.folder.path().join("results");
    assert_all_done_once(&folder, 2);

    let again = bench.output(&format!("{line} --run"));
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(results(&folder).values().map(Vec::len).sum::<usize>(), 4);
    let scanned = text(&bench.output(&format!("{line} --scan-results")).stdout);
    assert!(scanned.contains("4 of 4 done"), "{scanned}");
    let filtered = text(&bench.output(&format!("{line} -f 100_flows --scan-results")).stdout);
    assert!(filtered.contains("2 of 2 done"), "{filtered}");
}

#[test]
fn a_profile_that_changed_is_pending_again() {
    let bench = Bench::new("");
    let line = format!("experiments --local -n 1 {MATRIX} -f 100_flows");
    assert!(bench.output(&format!("{line} --run")).status.success());
    let profile = bench.folder.path().join(format!("flows/tx0-rx0/{}.lua", PROFILES[1]));
    let changed = fs::read_to_string(&profile).unwrap().replace("192.168.2.1", "192.168.2.9");
    fs::write(&profile, changed).unwrap();
    let scanned = text(&bench.output(&format!("{line} --scan-results")).stdout);
    assert!(scanned.contains("0 of 1 done"), "{scanned}");
}

#[test]
fn a_failed_pair_is_run_again_and_the_other_is_not() {
    let bench = Bench::new("tx-dies-once@tx1");
    let ran = bench.output(&format!("experiments --local -n 2 {MATRIX} --run"));
    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    let folder = bench.folder.path().join("results");
    assert_all_done_once(&folder, 2);
    let of_pair = |pair: &str| {
        let all = results(&folder);
        all.iter().filter(|((_, p), _)| p == pair).map(|(_, r)| r.len()).sum::<usize>()
    };
    assert_eq!(of_pair("tx0-rx0"), 2);
}

#[test]
fn retries_end_and_the_failure_is_told() {
    let bench = Bench::new("tx-dies@tx1");
    let ran = bench.output(&format!("experiments --local -n 2 {MATRIX} -f 100_flows --retries 1 --run"));
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
    let said = text(&ran.stdout) + &text(&ran.stderr);
    assert!(said.contains("the engine was killed by signal 11"), "{said}");
    let done = results(&bench.folder.path().join("results"));
    assert!(done[&(PROFILES[1].to_owned(), "tx0-rx0".to_owned())].iter().any(|r| r["status"] == "complete"));
}

#[test]
fn a_killed_orchestrator_is_resumed_with_nothing_lost_and_nothing_doubled() {
    let bench = Bench::new("");
    let line = format!("experiments --local -n 2 {} --run", MATRIX.replace("0.6", "1.5"));
    let mut child = bench.command(&line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = Said::by(&mut child);
    said.wait_for("sending for");
    said.wait_for("offered");
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    let resumed = bench.output(&line);
    assert!(resumed.status.success(), "{}{}", text(&resumed.stdout), text(&resumed.stderr));
    let folder = bench.folder.path().join("results");
    assert_all_done_once(&folder, 2);
    // What was running when it was killed was brought home, not run again.
    assert_eq!(results(&folder).values().map(Vec::len).sum::<usize>(), 4);
}

#[test]
fn one_orchestrator_at_a_time_works_on_results() {
    let bench = Bench::new("");
    let line = format!("experiments --local -n 1 {} --run", MATRIX.replace("0.6", "600"));
    let mut child = bench.command(&line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = Said::by(&mut child);
    said.wait_for("sending for");
    let second = bench.output(&line);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains(&child.id().to_string()), "{}", text(&second.stderr));
    signal(&child, Signal::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_configuration_is_printed_saved_and_read_back() {
    let bench = Bench::new("");
    let printed = text(&bench.output(&format!("experiments --local -n 2 {MATRIX} --config")).stdout);
    assert!(printed.contains("duration = 0.6") && printed.contains("pairs = 2"), "{printed}");
    let saved = bench.output(&format!("experiments --local -n 2 {MATRIX} --config --config-file e.toml"));
    assert!(saved.status.success(), "{}", text(&saved.stderr));
    let again = text(&bench.output("experiments --config-file e.toml --config").stdout);
    // Of two flags for one thing only one is said.
    let without_twin = |text: &str| text.replace("# no-huge = false", "no-huge = false");
    assert_eq!(without_twin(&again), without_twin(&printed));
    let planned = text(&bench.output("experiments --config-file e.toml").stdout);
    assert!(planned.contains("0 of 4 done"), "{planned}");
    fs::write(bench.folder.path().join("bad.toml"), "no_such_option = 1\n").unwrap();
    let refused = bench.output("experiments --config-file bad.toml");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("bad.toml:1"), "{}", text(&refused.stderr));
}

#[test]
fn options_of_both_ends_come_from_the_configuration_too() {
    let bench = Bench::new("");
    let options = "checksum = \"nic\"\ntx-address = [\"10.0.0.1/24,fd00::1/64\", \"10.0.1.1/24\"]\n\
        rx-address = [\"10.0.0.2/24\", \"10.0.1.2/24\"]\nper-flow = 9\n";
    fs::write(bench.folder.path().join("e.toml"), options).unwrap();
    let ran =
        bench.output(&format!("experiments --local -n 2 {MATRIX} -f 100_flows --config-file e.toml --run"));
    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    let found = results(&bench.folder.path().join("results"));
    let spec = |pair: &str, side: &str| {
        found[&(PROFILES[1].to_owned(), pair.to_owned())][0]["trial"][side]["spec"].clone()
    };
    assert_eq!(spec("tx0-rx0", "tx")["addresses"], json!(["10.0.0.1/24", "fd00::1/64"]));
    assert_eq!(spec("tx1-rx1", "tx")["addresses"], json!(["10.0.1.1/24"]));
    assert_eq!(spec("tx1-rx1", "rx")["addresses"], json!(["10.0.1.2/24"]));
    assert_eq!(spec("tx1-rx1", "tx")["checksums"], "nic");
    assert_eq!(
        [&spec("tx0-rx0", "rx")["per_flow"], &spec("tx0-rx0", "tx")["per_flow"]],
        [&json!(9), &Value::Null]
    );

    let few = bench.output(&format!("experiments --local -n 2 {MATRIX} --tx-address 10.0.0.1"));
    assert!(
        text(&few.stderr).contains("--tx-address is given 1 time(s) for 2 pair(s)"),
        "{}",
        text(&few.stderr)
    );
    let both = bench.output(&format!("experiments --local {MATRIX} --round-trip --no-stamp --run"));
    assert!(text(&both.stderr).contains("--round-trip needs the mark"), "{}", text(&both.stderr));
}

#[test]
fn a_pod_that_is_evicted_in_mid_trial_is_waited_for_and_tried_again() {
    let fake = FakeCluster::start("--tick-ms 100 --pairs 2");
    fake.fault(&json!({"fault": "evict", "pod": "tx1", "after_samples": 3}));
    let line = format!("experiments {MATRIX} --run --wait-timeout 20");
    let mut child = fake.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = Said::by(&mut child);
    said.wait_for("tx1 is lost: the pod was evicted");
    // Whoever made it makes it again.
    let pod = fake.object("Pod", "rx1").unwrap();
    fake.wait_until("tx1 can be made again", |fake| {
        fake.api("DELETE", "/api/v1/namespaces/default/pods/tx1", &Value::Null);
        fake.object("Pod", "tx1").is_none()
    });
    let mut labels = pod["metadata"]["labels"].clone();
    labels["app.kubernetes.io/component"] = json!("tx");
    labels["role"] = json!("tx");
    let mut spec = pod["spec"].clone();
    spec["containers"][0]["name"] = json!("tx1");
    spec.as_object_mut().unwrap().remove("nodeName");
    let annotations = pod["metadata"]["annotations"].clone();
    let metadata = json!({"name": "tx1", "labels": labels, "annotations": annotations});
    let again = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    let (status, said) = fake.api("POST", "/api/v1/namespaces/default/pods", &again);
    assert_eq!(status, 201, "{said}");
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", text(&ended.stdout));
    assert_all_done_once(&fake.folder.path().join("results"), 2);
}

#[test]
fn profiles_are_made_with_the_real_addresses_of_the_pods() {
    let fake = FakeCluster::start("--pairs 2 --device iface:eth0");
    let made = fake.output("flows generate --flows 100");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let said = text(&made.stderr);
    for pair in ["tx0-rx0", "tx1-rx1"] {
        let folder = fake.folder.path().join("flows").join(pair);
        let profile = fs::read_to_string(folder.join(format!("{}.lua", PROFILES[1]))).unwrap();
        let line = said.lines().find(|line| line.starts_with(pair)).unwrap();
        let (tx, rx) = line.split_once("default: ").unwrap().1.split_once(" to ").unwrap();
        assert!(profile.contains(&format!("range.dst_mac(\"0\", \"start\", \"{rx}\")")), "{rx} in {profile}");
        assert!(profile.contains(tx));
    }
    // Where only its driver knows a port's address, the port is opened for a moment.
    let opened = FakeCluster::start("--pairs 1 --device pci:0000:03:00.0");
    let made = opened.output("flows generate");
    assert!(made.status.success(), "{}", text(&made.stderr));
}
