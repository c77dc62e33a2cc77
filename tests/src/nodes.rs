//! Two nodes of the real cluster for one test alone: several tests run at once, and none is in another's way.

use std::fs::{File, read_dir, read_to_string};
use std::time::Duration;

use crate::wait;

/// What the nodes of a pair are labelled with: its number.
const LABEL: &str = "e2e.dpdk-k8s-bench/nodes";
/// As long as the longest test.
const PATIENCE: Duration = Duration::from_secs(240);

/// Leased until it is dropped, or its process ends.
#[derive(Debug)]
pub struct Nodes {
    /// Their names.
    pub names: [String; 2],
    number: usize,
    _lock: File,
}

impl Nodes {
    /// Two of `all` that no other test has; the first call of `label` labels them.
    pub fn lease(all: &[String], label: impl Fn(&[&str])) -> Nodes {
        let pairs: Vec<[String; 2]> = all.chunks_exact(2).map(|p| [p[0].clone(), p[1].clone()]).collect();
        assert!(!pairs.is_empty(), "two nodes are needed: {all:?}");
        let leased = wait::within(PATIENCE, || {
            pairs.iter().enumerate().find_map(|(number, names)| {
                let path = std::env::temp_dir().join(format!("dpdk-k8s-bench-e2e-{number}.lock"));
                let lock = File::create(path).unwrap();
                lock.try_lock().ok().map(|()| Nodes { names: names.clone(), number, _lock: lock })
            })
        });
        let nodes = leased.expect("no two nodes were free: are other tests of the cluster running?");
        let [first, second] = &nodes.names;
        label(&["label", "--overwrite", "node", first, second, &format!("{LABEL}={}", nodes.number)]);
        nodes
    }

    /// The label that selects them: key and value.
    pub fn selector(&self) -> (&'static str, usize) {
        (LABEL, self.number)
    }

    /// Processes of `dataplane agent` and its engines in pods of theirs.
    pub fn dataplanes(&self) -> Vec<u32> {
        let is_ours = |pid: &u32| {
            let read = |name: &str| read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let groups = read("cgroup");
            let is_here = self.names.iter().any(|name| groups.contains(&format!("/{name}/")));
            is_here && groups.contains("kubepods") && read("comm").trim() == "dataplane"
        };
        let entries = read_dir("/proc").unwrap().flatten();
        entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(is_ours).collect()
    }
}
