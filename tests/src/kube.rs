//! A namespace of the real cluster that `make e2e` started, and what is run against it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::nodes::Nodes;
use crate::process::{Finished, Process, run, run_within};
use crate::{bin, wait};

/// Where `make e2e` says that its cluster is; tests of it run nowhere else.
const KUBECONFIG: &str = "E2E_KUBECONFIG";
const IMAGE: &str = "E2E_IMAGE";
/// What `pods create` labels all that it makes with.
const OURS: &str = "app.kubernetes.io/managed-by=dpdk-k8s-bench";
/// Until a pod is gone: its kubelet may find out what is left of it a minute later.
const PATIENCE: Duration = Duration::from_secs(150);
/// Small enough for four pods on a machine of two CPUs.
const SMALL: &str = "-c 1 -m 512Mi --hugepage-size 2Mi --output-volume empty-dir";

/// A namespace of one test, nodes of its own, and a folder to run the orchestrator in.
#[derive(Debug)]
pub struct Kube {
    /// Its nodes.
    pub nodes: Nodes,
    /// Its name.
    pub namespace: String,
    /// Where the orchestrator runs: profiles and results.
    pub folder: TempDir,
    kubeconfig: PathBuf,
}

impl Kube {
    /// Makes a namespace `e2e-<name>-…`, once two nodes are free.
    pub fn new(name: &str) -> Kube {
        Kube::on_nodes(name, 1)
    }

    /// The same, with twice so many nodes.
    pub fn on_nodes(name: &str, pairs: usize) -> Kube {
        let kubeconfig = std::env::var_os(KUBECONFIG)
            .unwrap_or_else(|| panic!("{KUBECONFIG} is not set: these tests are run by `make e2e`"));
        // That of the test's last run may still be on its way out.
        let namespace = format!("e2e-{name}-{}", std::process::id());
        let all = Kube::cluster(&["kubectl", "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"]);
        let all: Vec<String> = all.split_whitespace().map(str::to_owned).collect();
        let nodes = Nodes::lease(&all, pairs, |words| {
            Kube::cluster(&[&["kubectl"], words].concat());
        });
        let folder = tempfile::tempdir().unwrap();
        let kube = Kube { nodes, namespace, folder, kubeconfig: kubeconfig.into() };
        let name = kube.namespace.clone();
        kube.kubectl(&["create", "namespace", &name]);
        // Without it no pod is admitted, and its controller may just be coming back to an API server that was away.
        wait::until("the namespace's default account", || {
            let account = ["kubectl", "-n", &name, "get", "serviceaccount", "default"];
            run(&mut script(&account)).status.success().then_some(())
        });
        kube
    }

    /// The kubeconfig of the cluster's administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// `tests/cluster/cluster` with these words: what happens to machines, not to the API.
    pub fn cluster(words: &[&str]) -> String {
        succeeded(&mut script(words))
    }

    /// `kubectl` in this namespace, its standard output without what stands around it.
    pub fn kubectl(&self, words: &[&str]) -> String {
        succeeded(script(&["kubectl", "-n", &self.namespace]).args(words)).trim().to_owned()
    }

    /// Objects of ours, of these kinds.
    pub fn ours(&self, kinds: &str) -> Vec<Value> {
        let text = self.kubectl(&["get", kinds, "-l", OURS, "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// The pod of this name.
    pub fn pod(&self, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "pod", name, "-o", "json"])).unwrap()
    }

    /// The orchestrator in this folder, with a line of words and this namespace.
    pub fn orchestrator(&self, line: &str) -> Command {
        let mut command = bin::orchestrator();
        command.args(line.split_whitespace()).args(["-N", &self.namespace]);
        command.current_dir(self.folder.path()).env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// Runs the orchestrator to its end, whatever that is.
    pub fn run(&self, line: &str) -> Finished {
        run_within(&mut self.orchestrator(line), PATIENCE)
    }

    /// Runs the orchestrator, which must succeed; its standard output.
    pub fn ok(&self, line: &str) -> String {
        succeeded(&mut self.orchestrator(line))
    }

    /// Starts the orchestrator.
    pub fn spawn(&self, line: &str) -> Process {
        Process::spawn(&mut self.orchestrator(line))
    }

    /// `pods create` on the nodes of this test: small pods, and these words more.
    pub fn create_line(&self, more: &str) -> String {
        let image = std::env::var(IMAGE).unwrap_or_else(|_| panic!("{IMAGE} is not set: run `make e2e`"));
        let hugepages = if more.contains("-g ") { "" } else { "-g 128Mi" };
        let (label, number) = self.nodes.selector();
        format!("pods create --yes {SMALL} {hugepages} -i {image} --node-selector {label}={number} {more}")
    }

    /// So many pairs that send over the pods' own interface.
    pub fn create(&self, pairs: usize, more: &str) {
        self.ok(&self.create_line(&format!("-n {pairs} -r dpdk --device iface:eth0 {more}")));
    }

    /// Ids of the processes of a pod whose command line contains `what`, as this machine sees them.
    pub fn processes(&self, pod: &str, what: &str) -> Vec<u32> {
        let uid = self.pod(pod)["metadata"]["uid"].as_str().unwrap().to_owned();
        let is_of_pod = |pid: &u32| {
            let read =
                |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
            // The systemd driver writes it with underscores.
            let groups = read("cgroup").replace('_', "-");
            groups.contains(&uid) && read("cmdline").replace('\0', " ").contains(what)
        };
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(is_of_pod).collect()
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Every `result.json` under `results/`, with its folder, in order.
    pub fn results(&self) -> Vec<(PathBuf, Value)> {
        self.results_in("results")
    }

    /// The same of another folder.
    pub fn results_in(&self, folder: &str) -> Vec<(PathBuf, Value)> {
        let folders = |path: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|e| e.path()).filter(|p| p.is_dir()).collect()
        };
        let trials = folders(&self.folder.path().join(folder));
        let mut found: Vec<(PathBuf, Value)> = trials
            .iter()
            .flat_map(|trial| folders(trial))
            .filter_map(|pair| {
                let bytes = std::fs::read(pair.join("result.json")).ok()?;
                Some((pair, serde_json::from_slice(&bytes).unwrap()))
            })
            .collect();
        found.sort_by_key(|(_, result)| result["trial"]["started_unix_ns"].as_u64());
        found
    }

    /// The results of a pair, in order.
    pub fn results_of(&self, pair: &str) -> Vec<Value> {
        let of_pair = self.results().into_iter().filter(|(_, result)| result["trial"]["pair"] == pair);
        of_pair.map(|(_, result)| result).collect()
    }

    /// Removes the pairs, and sees that nothing of ours is left: objects, processes, hugepages.
    pub fn delete(&self) {
        self.ok("pods delete --yes");
        let left = self.ours("pods,persistentvolumeclaims");
        assert!(left.is_empty(), "{left:?}");
        wait::until("the pods' processes end", || self.nodes.dataplanes().is_empty().then_some(()));
        let files: Vec<_> = std::fs::read_dir("/dev/hugepages").into_iter().flatten().flatten().collect();
        assert!(files.is_empty(), "{files:?}");
    }
}

impl Drop for Kube {
    fn drop(&mut self) {
        // What a test that failed has left, must not keep the pods of the next one away.
        let how = if std::thread::panicking() { "--timeout=50s" } else { "--wait=false" };
        let words = ["kubectl", "delete", "namespace", &self.namespace, how];
        if std::thread::panicking() {
            let mut text = String::new();
            for of in ["pods", "events"] {
                let found = run(&mut script(&["kubectl", "-n", &self.namespace, "get", of, "-o", "wide"]));
                let _ = writeln!(text, "{}", found.stdout);
            }
            eprintln!("{}:\n{text}", self.namespace);
        }
        let _ = run(&mut script(&words));
    }
}

fn script(words: &[&str]) -> Command {
    let mut command = Command::new(bin::data("cluster/cluster"));
    command.args(words);
    command
}

fn succeeded(command: &mut Command) -> String {
    let done = run_within(command, PATIENCE);
    assert!(done.status.success(), "{command:?}: {}\n{}\n{}", done.status, done.stdout, done.stderr);
    done.stdout
}

/// No sample of either end is missing or there twice.
pub fn assert_samples_are_whole(result: &Value) {
    for side in ["tx", "rx"] {
        let samples = result[side]["samples"].as_array().unwrap();
        let numbers: Vec<_> = samples.iter().map(|sample| sample["n"].as_u64().unwrap()).collect();
        assert!(!numbers.is_empty(), "{side} has no sample");
        assert!(numbers.iter().enumerate().all(|(at, n)| *n == at as u64), "samples of {side}: {numbers:?}");
    }
}

/// A complete result whose books agree: what was sent is what was received and what was lost.
pub fn assert_is_whole(result: &Value) {
    assert_eq!(result["status"], "complete", "{}", result["error"]);
    let verdict = &result["verdict"];
    let of = |name: &str| verdict[name].as_u64().unwrap_or_else(|| panic!("no {name} in {verdict}"));
    assert!(of("received") > 0, "{verdict}");
    assert_eq!(of("sent"), of("received") + of("lost"), "{verdict}");
    assert_eq!((of("duplicated"), of("invalid")), (0, 0), "{verdict}");
    assert_eq!(verdict["flows_seen"], verdict["flows_asked"], "{verdict}");
    assert_samples_are_whole(result);
}
