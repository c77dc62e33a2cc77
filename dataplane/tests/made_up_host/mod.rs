//! Hosts that are files in a folder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use dataplane::inventory::{HostFacts, Sources};
use tempfile::TempDir;
use traffic::wire::DeviceInfo;

/// A host with some files; a value that starts with `->` is a link.
pub fn host(files: &[(&str, &str)], allowed_cpus: &[u32], env: &[(&str, &str)]) -> (TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    for (at, content) in files {
        let path = dir.path().join(at);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix("->") {
            Some(target) => symlink(target, path).unwrap(),
            None => fs::write(path, content).unwrap(),
        }
    }
    let sources = Sources {
        root: dir.path().to_owned(),
        allowed_cpus: allowed_cpus.to_vec(),
        env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
        addresses: [("eth0", "10.0.0.7/24"), ("eth0", "fe80::7/64"), ("lo", "127.0.0.1/8")]
            .map(|(interface, address)| (interface.to_owned(), address.to_owned()))
            .to_vec(),
        facts: HostFacts { dpdk_version: "DPDK 22.11.11".into(), tsc_hz: 2_500_000_000 },
    };
    (dir, sources)
}

/// The device of that name.
pub fn find<'a>(devices: &'a [DeviceInfo], name: &str) -> &'a DeviceInfo {
    devices.iter().find(|device| device.device == name).unwrap_or_else(|| panic!("no {name} in {devices:?}"))
}
