//! `deploy/`: the orchestrator's own image, as a Job with a service account of its own, runs an experiment and leaves
//! results.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bench_tests::kube::{Kube, assert_is_whole};
use bench_tests::process::run;
use bench_tests::{bin, wait};

const NAMESPACE: &str = "dpdk-k8s-bench";
const IMAGE: &str = "E2E_ORCHESTRATOR_IMAGE";

/// A file of `deploy/`, with the images of this test.
fn manifest(name: &str) -> String {
    let image = |variable: &str| {
        std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `make e2e`"))
    };
    let text = fs::read_to_string(bin::repository().join("deploy").join(name)).unwrap();
    let swapped = text.lines().map(|line| match line.trim() {
        l if l.starts_with("image: dpdk-k8s-bench/dataplane:") => {
            line.replace(l, &format!("image: {}", image("E2E_IMAGE")))
        }
        l if l.starts_with("image: dpdk-k8s-bench/orchestrator:") => {
            line.replace(l, &format!("image: {}", image(IMAGE)))
        }
        _ => line.to_owned(),
    });
    swapped.collect::<Vec<_>>().join("\n") + "\n"
}

/// `text` with `old` replaced, which must be in it.
fn with(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old} in {text}");
    text.replace(old, new)
}

/// A volume for the claim: this cluster makes none by itself.
fn volume(place: &Path) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: e2e-results}}\nspec:\n  capacity: {{storage: 1Gi}}\n  \
         accessModes: [ReadWriteOnce]\n  storageClassName: e2e\n  hostPath: {{path: {}}}\n",
        place.display()
    )
}

#[test]
fn the_job_of_deploy_runs_an_experiment_and_leaves_its_results() {
    let kube = Kube::new("in-cluster");
    let place = tempfile::tempdir().unwrap();
    // The Job is nobody in particular, and a hostPath has no fsGroup.
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // What deploy/README.md says is to change; and less of it, for two CPUs.
    let text = manifest("plain.yaml");
    let text = with(
        &text,
        "  accessModes:\n  - ReadWriteOnce\n",
        "  storageClassName: e2e\n  accessModes:\n  - ReadWriteOnce\n",
    );
    let text = with(&text, "cpu: \"2\"", "cpu: \"1\"");
    let text = with(&text, "duration = 10", "duration = 2");
    let text = with(&text, "flows = [1, 100]", "flows = [100]");
    let (label, number) = kube.nodes.selector();
    // Its pods on the nodes of this test.
    let text = ["        ", "    "].iter().fold(text, |text, indent| {
        let everywhere = format!("\n{indent}kubernetes.io/os: linux\n");
        with(&text, &everywhere, &format!("{everywhere}{indent}{label}: \"{number}\"\n"))
    });
    kube.write("volume.yaml", &volume(place.path()));
    kube.write("plain.yaml", &text);
    kube.write("results.yaml", &manifest("results.yaml"));
    let path = |name: &str| kube.folder.path().join(name).display().to_string();
    let apply = |file: &str| {
        // The namespace is the manifest's.
        Kube::cluster(&["kubectl", "apply", "-f", &path(file)]);
    };
    let in_it = |words: &[&str]| Kube::cluster(&[&["kubectl", "-n", NAMESPACE], words].concat());
    apply("volume.yaml");
    apply("plain.yaml");
    let done = wait::within(wait::PATIENCE * 2, || {
        let status = in_it(&["get", "job", "experiment", "-o", "jsonpath={.status.succeeded}"]);
        (status.trim() == "1").then_some(())
    });
    let log = || in_it(&["logs", "job/experiment", "--tail=50"]);
    assert!(done.is_some(), "the Job did not end: {}\n{}", in_it(&["get", "pods,events"]), log());
    assert!(log().contains("2 of 2 done"), "{}", log());

    apply("results.yaml");
    in_it(&["wait", "--for=condition=Ready", "--timeout=60s", "pod/results"]);
    let copied = path("copied");
    Kube::cluster(&["kubectl", "cp", &format!("{NAMESPACE}/results:/results/runs"), &copied]);
    let results = kube.results_in("copied");
    assert_eq!(results.len(), 2);
    for (folder, result) in results {
        assert_is_whole(&result);
        let validated = run(bin::orchestrator().args(["results", "validate"]).arg(&folder));
        assert!(validated.status.success(), "{}{}", validated.stdout, validated.stderr);
    }
    let files = ["results.yaml", "plain.yaml", "volume.yaml"].map(path);
    let [results, plain, volume] = files.each_ref().map(String::as_str);
    // In one call, which waits for all of them at once.
    Kube::cluster(&["kubectl", "delete", "-f", results, "-f", plain, "-f", volume]);
    kube.delete();
}
