//! `pods …` against a stand-in for a cluster: what it makes, what it leaves alone, and what it says when something
//! is wrong.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Output;
use std::time::Instant;

use serde_json::{Value, json};
use support::cluster::FakeCluster;
use support::text;

/// Pods that need neither a storage class nor large pages.
const SMALL: &str = "--output-volume empty-dir -g 0 --yes";

#[track_caller]
fn succeeds(ran: &Output) -> String {
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    text(&ran.stdout)
}

#[track_caller]
fn fails(ran: &Output, parts: &[&str]) -> String {
    let said = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    for part in parts {
        assert!(said.contains(part), "lacks `{part}`: {said}");
    }
    said
}

fn events(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn pairs_are_made_shown_and_removed() {
    let fake = FakeCluster::start("--nodes 2 --foreign");
    let made = fake.output("pods create -n 2 --yes --output json");
    let rows = events(&succeeds(&made));
    let pods: Vec<&str> = rows.iter().map(|row| row["pod"].as_str().unwrap()).collect();
    assert_eq!(pods, ["tx0", "rx0", "tx1", "rx1"]);
    assert!(rows.iter().all(|row| row["ready"] == true));
    let nodes: Vec<&str> = rows.iter().map(|row| row["node"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["node-0", "node-1", "node-1", "node-0"]);
    assert!(text(&made.stderr).contains("context fake, namespace default"), "{}", text(&made.stderr));
    assert!(text(&made.stderr).contains("create 4 pods and 4 claims"), "{}", text(&made.stderr));

    let again = fake.output("pods create -n 2 --yes");
    succeeds(&again);
    assert!(text(&again.stderr).contains("objects: 8 unchanged"), "{}", text(&again.stderr));

    let table = succeeds(&fake.output("pods list"));
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(!table.contains("web-0") && !table.contains("tx9"), "{table}");

    let gone = fake.output("pods delete --pair 1 --yes --output json");
    assert_eq!(events(&succeeds(&gone)), [json!({"event": "deleted", "pods": 2, "claims": 0})]);
    assert_eq!(fake.names("Pod"), ["rx0", "tx0", "tx9", "web-0"]);
    let gone = fake.output("pods delete --claims --yes --output json");
    assert_eq!(events(&succeeds(&gone)), [json!({"event": "deleted", "pods": 2, "claims": 4})]);
    // Those of others, whatever they are called and whatever the old tools selected by.
    assert_eq!(fake.names("Pod"), ["tx9", "web-0"]);
    assert_eq!(fake.names("PersistentVolumeClaim"), ["output-pvc-tx9", "somebodys-data"]);
}

#[test]
fn nothing_is_changed_without_a_yes() {
    let fake = FakeCluster::start("--pairs 1");
    let objects = fake.objects().len();
    fails(
        &fake.output("pods create -n 2"),
        &["create 4 pods and 4 claims (2 objects are there already)", "--yes"],
    );
    fails(&fake.output("pods delete"), &["delete 2 pods (rx0, tx0)", "--yes"]);
    assert_eq!(fake.objects().len(), objects);
    for verb in ["create", "patch", "delete"] {
        assert!(fake.asked(verb, "pods").is_empty(), "{verb}");
    }
}

#[test]
fn what_others_have_under_our_names_stops_all_of_it() {
    let fake = FakeCluster::start("--foreign");
    // tx9 and its claim are somebody else's.
    let said = fails(
        &fake.output("pods create -n 10 --yes"),
        &[
            "the pod tx9 in namespace default was not made by this program",
            "the claim output-pvc-tx9",
            "kubectl",
        ],
    );
    assert!(!said.contains("tx8"), "{said}");
    assert_eq!(fake.names("Pod"), ["tx9", "web-0"]);
    assert!(
        fake.asked("patch", "pods").is_empty() && fake.asked("patch", "persistentvolumeclaims").is_empty()
    );
}

#[test]
fn dry_runs_change_nothing() {
    let fake = FakeCluster::start("--nodes 2 --control-plane");
    let asked = succeeds(&fake.output("pods create -n 1 --dry-run=server"));
    assert!(asked.contains("pod tx0: would be created"), "{asked}");
    assert!(fake.names("Pod").is_empty() && fake.names("PersistentVolumeClaim").is_empty());
    let files = succeeds(&fake.output("pods create -n 1 --dry-run"));
    assert_eq!(files, "pods/tx0.yaml\npods/rx0.yaml\n");
    let yaml = std::fs::read_to_string(fake.folder.path().join("pods/rx0.yaml")).unwrap();
    assert!(yaml.contains("- node-1\n") && yaml.contains("name: output-pvc-rx0"), "{yaml}");
    assert!(
        fake.asked("patch", "pods").iter().all(|seen| seen["path"].as_str().unwrap().contains("dryRun=All"))
    );
    // Files need no cluster at all.
    let alone = fake
        .command("pods create -n 1 --dry-run --tx-node a")
        .env("KUBECONFIG", "/nowhere")
        .output()
        .unwrap();
    succeeds(&alone);
    assert!(text(&alone.stderr).contains("can't read /nowhere"), "{}", text(&alone.stderr));
}

#[test]
fn watches_that_drop_or_expire_are_taken_up_again() {
    let fake = FakeCluster::start("--ready-after-faults --bookmark-ms 100");
    fake.fault(&json!([
        {"fault": "watch-drop", "after_events": 1, "times": 2},
        {"fault": "watch-gone", "times": 1},
    ]));
    succeeds(&fake.output(&format!("pods create -n 2 {SMALL} --wait-timeout 25")));
    // Two that were dropped, of which the second was refused, and one that saw the pods ready.
    assert!(fake.asked("watch", "pods").len() >= 3, "{:?}", fake.asked("watch", "pods"));
    assert!(fake.faults().is_empty(), "{:?}", fake.faults());
}

#[test]
fn a_server_that_is_busy_slow_or_restarted_is_asked_again() {
    let fake = FakeCluster::start("");
    let once = |fault: &str, verb: &str, resource: &str| json!({"fault": fault, "verb": verb, "resource": resource, "times": 2});
    fake.fault(&json!([
        once("too-many", "list", "nodes"),
        once("server-error", "get", "pods"),
        once("server-error", "patch", "pods"),
        {"fault": "slow", "ms": 300, "verb": "patch", "resource": "pods", "times": 1},
    ]));
    succeeds(&fake.output(&format!("pods create -n 1 {SMALL}")));
    assert!(fake.faults().is_empty(), "{:?}", fake.faults());
    fake.fault(&json!([once("server-error", "delete", "pods"), once("too-many", "list", "pods")]));
    fake.fault(&json!({"fault": "stop", "ms": 700}));
    succeeds(&fake.output("pods delete --yes"));
    assert!(fake.names("Pod").is_empty());
}

#[test]
fn a_server_that_stays_busy_is_given_up_with_its_own_words() {
    let fake = FakeCluster::start("");
    fake.fault(&json!({"fault": "too-many", "verb": "list", "resource": "pods"}));
    fails(&fake.output("pods list"), &["can't list pods", "answered 429 6 times", "overloaded"]);
}

#[test]
fn a_namespace_that_is_new_is_given_time_to_have_its_account() {
    let fake = FakeCluster::start("");
    fake.fault(&json!({"fault": "no-account", "times": 5}));
    let made = fake.output(&format!("pods create -n 1 {SMALL}"));
    succeeds(&made);
    let said = text(&made.stderr);
    assert_eq!(said.matches("namespace default has no service account `default` yet").count(), 1, "{said}");
    assert!(fake.faults().is_empty(), "{:?}", fake.faults());
    succeeds(&fake.output("pods delete --yes"));

    fake.fault(&json!({"fault": "no-account"}));
    fake.clear_log();
    let said = fails(
        &fake.output(&format!("pods create -n 1 {SMALL} --wait-timeout 1")),
        &[
            "can't create pod tx0: namespace default has no service account `default`",
            "controller manager runs",
        ],
    );
    assert!(said.contains("waiting for it, 1 s at most") && !said.contains("rbac"), "{said}");
    assert!(fake.asked("patch", "pods").len() > 2, "{:?}", fake.asked("patch", "pods"));
    assert!(fake.names("Pod").is_empty());
}

#[test]
fn fields_that_somebody_else_set_are_not_taken_from_them() {
    let fake = FakeCluster::start("");
    fake.fault(&json!({"fault": "apply-conflict", "times": 1}));
    fails(&fake.output(&format!("pods create -n 1 {SMALL}")), &["somebody else has changed it", "conflict"]);
}

#[test]
fn rights_that_are_missing_are_named_with_the_way_to_get_them() {
    let cases = [
        ("list", "nodes", "pods create -n 1 --yes", "can't list nodes"),
        ("patch", "pods", "pods create -n 1 --output-volume empty-dir --yes", "can't create pod"),
        ("list", "pods", "pods list", "can't list pods"),
        ("watch", "pods", "pods create -n 1 --output-volume empty-dir --yes", "can't watch pods"),
    ];
    for (verb, resource, line, what) in cases {
        let fake = FakeCluster::start("");
        fake.fault(&json!({"fault": "forbid", "verb": verb, "resource": resource}));
        let parts =
            [what, &format!("cannot {verb} resource \"{resource}\""), "`orchestrator pods rbac -N default`"];
        fails(&fake.output(line), &parts);
    }
    // Nodes that are named need not be listed.
    let fake = FakeCluster::start("");
    fake.fault(&json!({"fault": "forbid", "verb": "list", "resource": "nodes"}));
    succeeds(&fake.output(&format!("pods create -n 1 {SMALL} --tx-node node-0 --rx-node node-1")));
}

#[test]
fn nobody_there_is_said_with_the_address_and_the_context() {
    let fake = FakeCluster::start("");
    fake.fault(&json!({"fault": "stop", "ms": 60_000}));
    fake.wait_until("the server is gone", |fake| std::net::TcpStream::connect(fake.address).is_err());
    let address = format!("http://{} (context fake) can't be reached", fake.address);
    fails(&fake.output("pods list"), &["can't list pods", &address, "refused"]);
}

#[test]
fn what_the_scheduler_lacks_is_said_while_the_wait_goes_on() {
    let fake = FakeCluster::start("--nodes 2 --hugepages-1gi 1");
    let line = "pods create -n 1 -g 2 --output-volume empty-dir --yes --wait-timeout 9";
    let said = fails(
        &fake.output(line),
        &[
            "2 of 2 pods are not ready after 9 s",
            "too few free 1 GiB hugepages",
            "--hugepage-size 2Mi",
            "pods delete",
        ],
    );
    assert_eq!(said.matches("still waiting:").count(), 1, "{said}");
    let table = succeeds(&fake.output("pods list"));
    assert!(table.contains("rx0: Unschedulable") || table.contains("tx0, rx0: Unschedulable"), "{table}");
}

#[test]
fn waiting_ends_at_once_where_it_can_not_help() {
    for (image, parts) in [
        ("registry.example/missing:1", ["can't be pulled", "-i"]),
        ("registry.example/crash:1", ["the container ends again and again", "its last words"]),
    ] {
        let fake = FakeCluster::start("");
        let begun = Instant::now();
        fails(&fake.output(&format!("pods create -n 1 {SMALL} --wait-timeout 100 -i {image}")), &parts);
        assert!(begun.elapsed().as_secs() < 60, "{image}");
    }
}

#[test]
fn a_pod_that_is_evicted_or_deleted_meanwhile_is_told() {
    let fake = FakeCluster::start("");
    fake.fault(&json!([{"fault": "never-ready", "pod": "tx0"}]));
    let line = format!("pods create -n 1 {SMALL} --wait-timeout 5");
    fails(
        &fake.output(&line),
        &["1 of 2 pods are not ready after 5 s", "tx0: NotReady", "agent does not answer yet"],
    );
    fake.fault(&json!({"fault": "evict", "pod": "tx0"}));
    fake.wait_until("tx0 is evicted", |fake| {
        fake.object("Pod", "tx0").unwrap()["status"]["phase"] == "Failed"
    });
    fails(
        &fake.output(&line),
        &["the pod tx0 has ended (Evicted)", "`orchestrator pods delete --pair 0` first"],
    );
    assert!(succeeds(&fake.output("pods list")).contains("tx0: Evicted"));
}

#[test]
fn another_specification_is_refused_with_the_way_out() {
    let fake = FakeCluster::start("");
    succeeds(&fake.output(&format!("pods create -n 1 {SMALL} -c 2")));
    fails(
        &fake.output(&format!("pods create -n 1 {SMALL} -c 4")),
        &["exists and differs in what can't be changed", "`orchestrator pods delete --pair 0`"],
    );
}
