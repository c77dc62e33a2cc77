//! The manifests in deploy/: what this version prints and understands, and what Kubernetes' OpenAPI schema says.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Pod, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde_json::Value;

const NAMESPACE: &str = "dpdk-k8s-bench";
const PLAIN: &str = "plain.yaml";
const BASE: [&str; 4] = ["base/namespace.yaml", "base/rights.yaml", "base/pair.yaml", "base/experiment.yaml"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// All of the base, in an order that does not depend on the file.
fn base() -> Vec<Value> {
    sorted(BASE.iter().flat_map(|name| documents(&read(name))).collect())
}

fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_key(|v| format!("{} {}", v["kind"], v["metadata"]["name"]));
    values
}

fn of_kind(values: &[Value], kind: &str) -> Vec<Value> {
    values.iter().filter(|value| value["kind"] == kind).cloned().collect()
}

/// The program in a folder without a cluster; what it printed.
fn orchestrator(words: &[&str], folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orchestrator"));
    command.args(words).current_dir(folder).env("HOME", folder).env_remove("KUBECONFIG");
    let done = command.output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// What the schema finds wrong, and what a typed reader does not know.
fn faults<K>(value: &Value) -> Vec<String>
where
    K: schemars::JsonSchema + serde::de::DeserializeOwned + serde::Serialize,
{
    let schema = serde_json::to_value(schemars::schema_for!(K)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut faults: Vec<String> =
        validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    match serde_json::from_value::<K>(value.clone()) {
        Ok(typed) if serde_json::to_value(&typed).unwrap() != *value => {
            faults.push("a field that Kubernetes does not know".to_owned());
        }
        Ok(_) => {}
        Err(error) => faults.push(error.to_string()),
    }
    faults
}

fn faults_of(value: &Value) -> Vec<String> {
    match value["kind"].as_str().unwrap() {
        "Namespace" => faults::<Namespace>(value),
        "ServiceAccount" => faults::<ServiceAccount>(value),
        "Role" => faults::<Role>(value),
        "RoleBinding" => faults::<RoleBinding>(value),
        "ClusterRole" => faults::<ClusterRole>(value),
        "ClusterRoleBinding" => faults::<ClusterRoleBinding>(value),
        "ConfigMap" => faults::<ConfigMap>(value),
        "PersistentVolumeClaim" => faults::<PersistentVolumeClaim>(value),
        "Pod" => faults::<Pod>(value),
        "Job" => faults::<Job>(value),
        other => vec![format!("a kind that nobody checks: {other}")],
    }
}

#[test]
fn every_manifest_is_what_kubernetes_openapi_schema_says() {
    let mut values = base();
    values.extend(documents(&read("results.yaml")));
    assert_eq!(values.len(), 12);
    for value in &mut values {
        assert_eq!(faults_of(value), Vec::<String>::new(), "{}", value["metadata"]["name"]);
    }
    // It would say so.
    let mut job = of_kind(&values, "Job").remove(0);
    job["spec"]["template"]["spec"]["contaners"] = serde_json::json!([]);
    job["spec"]["backoffLimit"] = serde_json::json!("six");
    assert!(faults_of(&job).len() > 1, "{:?}", faults_of(&job));
}

#[test]
fn the_pod_monitor_finds_the_pods_that_show_metrics() {
    let monitor = documents(&read("podmonitor.yaml")).remove(0);
    assert_eq!(monitor["kind"], "PodMonitor");
    let here = tempfile::tempdir().unwrap();
    let words = "pods create -n 1 --metrics-port 9480 --device iface:eth0 --output-volume empty-dir -g 0 --dry-run -N";
    orchestrator(&words.split(' ').chain([NAMESPACE]).collect::<Vec<_>>(), here.path());
    let pod = documents(&fs::read_to_string(here.path().join("pods/rx0.yaml")).unwrap()).remove(0);
    let container = &pod["spec"]["containers"][0];
    let port = &container["ports"][0];
    assert_eq!(port["name"], monitor["spec"]["podMetricsEndpoints"][0]["port"]);
    assert_eq!(port["containerPort"], 9480);
    let command: Vec<&str> =
        container["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(command.ends_with(&["--metrics-listen", "0.0.0.0:9480"]), "{command:?}");
    assert_eq!(pod["metadata"]["namespace"], monitor["metadata"]["namespace"]);
    let wanted = &monitor["spec"]["selector"]["matchExpressions"][0];
    let label = &pod["metadata"]["labels"][wanted["key"].as_str().unwrap()];
    assert!(wanted["values"].as_array().unwrap().contains(label), "{label}");
}

#[test]
fn the_plain_manifest_is_the_base() {
    assert_eq!(sorted(documents(&read(PLAIN))), base());
    let listed = documents(&read("base/kustomization.yaml")).remove(0);
    let expected = BASE.map(|name| name.trim_start_matches("base/"));
    assert_eq!(listed["resources"], serde_json::json!(expected));
}

#[test]
fn rights_and_pair_are_what_this_version_prints() {
    let here = tempfile::tempdir().unwrap();
    let rights = ["pods", "rbac", "--service-account", "orchestrator", "-N", NAMESPACE];
    assert_eq!(read("base/rights.yaml"), orchestrator(&rights, here.path()));
    let words = "pods create -n 1 --device iface:eth0 --output-volume empty-dir -g 0 -m 512Mi --dry-run -N";
    assert!(read("base/pair.yaml").contains(words.trim_end_matches(" -N")), "the file says how it was made");
    let words: Vec<&str> = words.split(' ').chain([NAMESPACE]).collect();
    orchestrator(&words, here.path());
    let pods = |name: &str| documents(&fs::read_to_string(here.path().join("pods").join(name)).unwrap());
    let printed: Vec<Value> = ["tx0.yaml", "rx0.yaml"].into_iter().flat_map(pods).collect();
    assert_eq!(documents(&read("base/pair.yaml")), printed);
}

#[test]
fn the_job_runs_what_this_version_understands() {
    let values = base();
    let job = of_kind(&values, "Job").remove(0);
    let spec = &job["spec"]["template"]["spec"];
    let container = &spec["containers"][0];
    let image = format!("dpdk-k8s-bench/orchestrator:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(container["image"], image.as_str());
    let account = of_kind(&values, "ServiceAccount").remove(0);
    assert_eq!(spec["serviceAccountName"], account["metadata"]["name"]);
    // Its file is understood: a dry run, here and not in a cluster, says what would be run.
    let here = tempfile::tempdir().unwrap();
    let toml =
        of_kind(&values, "ConfigMap").remove(0)["data"]["experiment.toml"].as_str().unwrap().to_owned();
    let file = here.path().join("experiment.toml");
    fs::write(&file, &toml).unwrap();
    let args: Vec<&str> = container["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    assert_eq!(args, ["experiments", "--run", "--config-file", "/experiment/experiment.toml"]);
    let plan = ["experiments", "--dry-run", "--local", "--config-file", file.to_str().unwrap()];
    let results = toml.replace("/results/", &format!("{}/", here.path().display()));
    fs::write(&file, results).unwrap();
    let said = orchestrator(&plan, here.path());
    assert!(said.contains("profile_100_flows_pkt_size_512B_1_rate_sp"), "{said}");
}

#[test]
fn the_experiment_is_restricted_and_the_pair_has_no_token() {
    let mut values = base();
    values.extend(documents(&read("results.yaml")));
    let job = of_kind(&values, "Job").remove(0)["spec"]["template"]["spec"].clone();
    let results =
        of_kind(&values, "Pod").into_iter().find(|pod| pod["metadata"]["name"] == "results").unwrap()["spec"]
            .clone();
    for spec in [&job, &results] {
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let context = &spec["containers"][0]["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false);
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["capabilities"], serde_json::json!({"drop": ["ALL"]}));
    }
    for pod in of_kind(&values, "Pod") {
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false, "{}", pod["metadata"]["name"]);
    }
}
