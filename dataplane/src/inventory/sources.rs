//! Where the inventory is read from, so that tests can read a made-up host.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::addresses;
use super::cpus::{self, CpuError};

/// What only DPDK can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// As `rte_version` says it, e.g. `DPDK 22.11.11`.
    pub dpdk_version: String,
    /// Ticks a second of the clock that marks are made with; 0 where it is not known.
    pub tsc_hz: u64,
}

/// A host to read.
#[derive(Clone, Debug)]
pub struct Sources {
    /// `/`, or a tree with the same files.
    pub root: PathBuf,
    /// CPUs that this process may run on.
    pub allowed_cpus: Vec<u32>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Interfaces and their addresses, which no file of /sys has: `("eth0", "10.0.0.7/24")`.
    pub addresses: Vec<(String, String)>,
    /// What only DPDK can tell.
    pub facts: HostFacts,
}

impl Sources {
    /// This host, as this process sees it.
    pub fn host(facts: HostFacts) -> Result<Sources, CpuError> {
        // A variable that is no text names no device.
        let env = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        Ok(Sources {
            root: PathBuf::from("/"),
            allowed_cpus: cpus::allowed()?,
            env,
            addresses: addresses::of_this_namespace(),
            facts,
        })
    }

    /// A path below the root; `at` has no leading slash.
    pub fn path(&self, at: &str) -> PathBuf {
        self.root.join(at)
    }

    /// A file's text without the space at its end.
    pub fn text(&self, at: &str) -> Option<String> {
        text(&self.path(at))
    }
}

/// A file's text without the space at its end; none when it can't be read.
pub fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}

/// A file that holds one number.
pub fn number<T: std::str::FromStr>(path: &Path) -> Option<T> {
    text(path)?.trim().parse().ok()
}

/// The last part of what a symbolic link points to.
pub fn link_name(path: &Path) -> Option<String> {
    fs::read_link(path).ok()?.file_name()?.to_str().map(str::to_owned)
}

/// Names in a directory, sorted; none of them when it can't be read.
pub fn names(path: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Numbers of directories called `<prefix><number>`, sorted.
pub fn numbered(path: &Path, prefix: &str) -> Vec<u32> {
    let mut found: Vec<u32> =
        names(path).iter().filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect();
    found.sort_unstable();
    found
}

/// The kernel's lists of CPUs: `0-2,8`.
pub fn cpu_list(text: &str) -> Vec<u32> {
    text.trim()
        .split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.trim().parse::<u32>().ok()?..=last.trim().parse::<u32>().ok()?)
        })
        .flatten()
        .collect()
}
