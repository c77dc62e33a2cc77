//! Nodes of the real cluster for one test alone: several tests run at once, and none is in another's way.

use std::fs::{File, read_dir, read_to_string};
use std::time::Duration;

use crate::wait;

/// What leased nodes are labelled with: the number of their first pair.
const LABEL: &str = "e2e.dpdk-k8s-bench/nodes";
/// As long as the longest test.
const PATIENCE: Duration = Duration::from_secs(240);

/// Leased, two by two, until it is dropped or its process ends.
#[derive(Debug)]
pub struct Nodes {
    /// Their names.
    pub names: Vec<String>,
    number: usize,
    _locks: Vec<File>,
}

impl Nodes {
    /// So many pairs of `all` that no other test has, labelled by calls of `kubectl`.
    pub fn lease(all: &[String], pairs: usize, kubectl: impl Fn(&[&str])) -> Nodes {
        let leased = wait::within(PATIENCE, || {
            let free = all.chunks_exact(2).enumerate().filter_map(|(number, names)| {
                let path = std::env::temp_dir().join(format!("dpdk-k8s-bench-e2e-{number}.lock"));
                let lock = File::create(path).unwrap();
                lock.try_lock().ok().map(|()| (number, names, lock))
            });
            // What is not enough is free again at the end of this.
            let free: Vec<_> = free.take(pairs).collect();
            (free.len() == pairs).then_some(free)
        });
        let leased = leased.expect("too few nodes, or other tests of the cluster are running");
        let number = leased[0].0;
        let names: Vec<String> = leased.iter().flat_map(|(_, names, _)| names.iter().cloned()).collect();
        let label = format!("{LABEL}={number}");
        // What another test's nodes were called.
        kubectl(&["label", "node", "-l", &label, &format!("{LABEL}-")]);
        let words = ["label", "--overwrite", "node"].into_iter().chain(names.iter().map(String::as_str));
        kubectl(&words.chain([label.as_str()]).collect::<Vec<_>>());
        Nodes { names, number, _locks: leased.into_iter().map(|(_, _, lock)| lock).collect() }
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
