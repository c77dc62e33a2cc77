//! A device plugin on the kubelets' sockets, as the SR-IOV one is: pods that ask for its resource get an address each,
//! and discovery, preflight and `--device env` see it. `make e2e` runs it last on its cluster: the kubelets count the
//! plugin's devices from then on.

use std::process::Command;

use bench_tests::bin;
use bench_tests::kube::Kube;
use bench_tests::process::Process;
use serde_json::Value;

const RESOURCE: &str = "intel.com/dpdk";
const VARIABLE: &str = "PCIDEVICE_INTEL_COM_DPDK";
/// Of no device that this machine has: what is proved here is the way of an address, not a device.
const ADDRESSES: [&str; 2] = ["0000:3b:02.1", "0000:af:0a.7"];

/// Starts the plugin in a node; it ends with its standard input.
fn plugin(node: &str, address: &str) -> Process {
    let cluster = bin::repository().join("tests/cluster/cluster");
    let script = bin::repository().join("tests/cluster/device-plugin");
    let mut command = Command::new(cluster);
    command.args(["node-exec", node]).arg(script).args([RESOURCE, address]);
    let mut process = Process::spawn(&mut command);
    let said = process.line().unwrap_or_else(|| panic!("{}", process.stderr_at_end()));
    assert_eq!(said, format!("registered {RESOURCE}: {address}"));
    process
}

#[test]
fn an_address_that_a_device_plugin_hands_out_is_found_and_told() {
    let kube = Kube::new("plugin");
    let addresses: Vec<(&str, &str)> = kube.nodes.names.iter().map(String::as_str).zip(ADDRESSES).collect();
    let mut plugins: Vec<Process> = addresses.iter().map(|(node, address)| plugin(node, address)).collect();
    for (node, _) in &addresses {
        bench_tests::wait::until("the kubelet counts the plugin's one device", || {
            let path = "jsonpath={.status.allocatable.intel\\.com/dpdk}";
            (kube.kubectl(&["get", "node", node, "-o", path]) == "1").then_some(())
        });
    }
    // `env` is the default device.
    kube.ok(&kube.create_line("-n 1 -r dpdk"));
    for plugin in &mut plugins {
        assert!(plugin.line().unwrap().starts_with(VARIABLE), "each pod was given a device");
    }
    let address_in = |pod: &str| {
        let node = kube.pod(pod)["spec"]["nodeName"].as_str().unwrap().to_owned();
        addresses.iter().find(|(name, _)| *name == node).unwrap().1
    };
    assert_ne!(address_in("tx0"), address_in("rx0"));
    let done = kube.run("preflight --output json");
    let checks: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for pod in ["tx0", "rx0"] {
        let given = kube.kubectl(&["exec", pod, "--", "dataplane", "probe", "--output", "json"]);
        assert!(given.contains(address_in(pod)) && given.contains(VARIABLE), "{given}");
        let device = checks.iter().find(|c| c["name"] == "device" && c["scope"] == pod);
        let device = device.unwrap_or_else(|| panic!("no device of {pod}: {checks:?}"));
        assert!(device["level"] == "error" && device.to_string().contains(address_in(pod)), "{device}");
    }
    let profile = bin::data("profiles/udp_100_flows_64.toml");
    let run = kube.run(&format!("run --force --duration 1 --profile {}", profile.display()));
    assert!(!run.status.success() && run.stderr.contains(address_in("tx0")), "{}", run.stderr);
    kube.delete();
    for mut plugin in plugins {
        plugin.close_stdin();
        plugin.wait();
    }
}
