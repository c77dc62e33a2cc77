//! Bad input is refused with a message that names the thing, the value and the next step; nothing is half-written.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use bench_tests::memif::{device, socket_folder};
use bench_tests::netns::Netns;
use bench_tests::refused::Refusal;
use bench_tests::run::Run;
use bench_tests::{bin, cpus, needs};

const NULL: &str = "vdev:net_null0";

fn good_profile() -> PathBuf {
    bin::data("profiles/udp_100_flows_64.toml")
}

/// `dataplane VERB --device DEVICE --profile <a good one>`.
fn verb(verb: &str, device: &str) -> Command {
    let mut command = bin::dataplane();
    command.args([verb, "--device", device, "--profile"]).arg(good_profile());
    command
}

fn frames() -> Command {
    let mut command = bin::dataplane();
    command.args(["frames", "--count", "5"]);
    command
}

/// The sender with `args` on net_null is refused with `words`.
fn tx_refused(args: &[&str], words: &[&str]) {
    Refusal::new().of(verb("tx", NULL).args(args), words);
}

#[test]
fn an_unknown_device_notation() {
    for bad in ["usb:1", "eth0", "pci:zz:00.0"] {
        Refusal::new().of(&mut verb("tx", bad), &[bad, "write pci:"]);
    }
}

#[test]
fn an_unknown_driver() {
    Refusal::new().of(&mut verb("tx", "vdev:net_nosuch0"), &["net_nosuch0", "next:", "driver"]);
}

#[test]
fn an_unknown_interface() {
    Refusal::new()
        .of(&mut verb("tx", "iface:nosuch0"), &["iface:nosuch0", "there are: ", "lo", "name one of them"]);
}

#[test]
fn no_device_from_the_device_plugin() {
    let command = &mut verb("rx", "env");
    // As outside of a pod.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PCIDEVICE_")) {
        command.env_remove(name);
    }
    Refusal::new().of(command, &["device env", "PCIDEVICE_", "--device"]);
}

#[test]
fn an_interface_that_is_down() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let (here, there) = (Netns::new("a"), Netns::new("b"));
    here.join("dp0", &there, "peer0");
    here.set_link("dp0", "down");
    for role in ["tx", "rx"] {
        let command = &mut here.wrap(verb(role, "iface:dp0"));
        Refusal::new().of(command, &["iface:dp0", "is down", "ip link set dp0 up"]);
    }
}

#[test]
fn a_link_without_carrier() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let (here, there) = (Netns::new("a"), Netns::new("b"));
    here.join("dp0", &there, "peer0");
    there.set_link("peer0", "down");
    let mut tx = verb("tx", "iface:dp0");
    tx.args(["--duration", "1"]);
    Refusal::new().of(&mut here.wrap(tx), &["iface:dp0", "link is down", "check"]);
}

#[test]
fn frames_larger_than_the_interface_takes() {
    if !needs::root_and(&["ip"]) {
        return;
    }
    let (here, there) = (Netns::new("a"), Netns::new("b"));
    here.join("dp0", &there, "peer0");
    let mut tx = bin::dataplane();
    tx.args(["tx", "--device", "iface:dp0", "--profile"]).arg(bin::data("profiles/tcp_one_flow_9000.json"));
    Refusal::new().of(&mut here.wrap(tx), &["9000 B", "1500", "ip link set dp0 mtu 8982"]);
}

#[test]
fn a_memif_socket_in_use() {
    let folder = socket_folder();
    let lcores = cpus::rx(1);
    let server = || {
        let mut rx = verb("rx", &device("server", folder.path()));
        rx.args(["--no-huge", "--output", "json", "--lcores", &lcores]);
        rx
    };
    let mut first = Run::spawn(&mut server());
    first.ready();
    let told = Refusal::new().of(&mut server(), &["m.sock", "in use"]);
    let next_step = told.rsplit("next:").next().unwrap();
    assert!(next_step.contains("socket") && !next_step.contains("installed"), "no help: {told}");
    assert!(first.process().is_running(), "the first one goes on");
}

#[test]
fn a_memif_client_without_its_server() {
    let folder = socket_folder();
    let mut tx = verb("tx", &device("client", folder.path()));
    tx.args(["--no-huge", "--lcores", &cpus::tx(1)]);
    Refusal::new().of(&mut tx, &["m.sock", "role=server"]);
}

#[test]
fn more_memif_queues_than_the_sender_has() {
    let folder = tempfile::tempdir().unwrap();
    let device = format!("vdev:net_memif0,role=server,socket={}/m.sock", folder.path().display());
    let cpu = cpus::allowed()[0];
    let mut command = verb("rx", &device);
    command.args(["--lcores", &format!("{cpu},{cpu},{cpu}"), "--workers", "2", "--tx-workers", "1"]);
    Refusal::new().of(&mut command, &["memif", "2 receiving workers", "1 sending", "at most 1"]);
}

#[test]
fn fewer_than_two_cpus() {
    if !needs::programs_are_here(&["taskset"]) {
        return;
    }
    let cpu = cpus::allowed()[0].to_string();
    let tx = verb("tx", NULL);
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", &cpu]).arg(tx.get_program()).args(tx.get_args());
    let next = format!("--lcores {cpu},{cpu}");
    Refusal::new().of(&mut pinned, &[&format!("CPU {cpu} only"), "2 CPUs at least", &next]);
}

#[test]
fn an_lcore_outside_of_the_set() {
    let lcores = format!("{},999", cpus::allowed()[0]);
    tx_refused(&["--lcores", &lcores], &["lcore 999", "CPUs ", "choose one"]);
}

#[test]
fn more_workers_than_lcores() {
    let cpu = cpus::allowed()[0];
    let lcores = format!("{cpu},{cpu}");
    tx_refused(&["--lcores", &lcores, "--workers", "2"], &["2 workers", "ask for 1 workers at most"]);
}

#[test]
fn too_little_hugepage_memory() {
    let args = ["--memory", "hugepages", "--socket-mem", "1000000"];
    tx_refused(&args, &["1000000 MiB", "are free", "echo 500000 > /proc/sys/vm/nr_hugepages", "--no-huge"]);
}

#[test]
fn a_burst_outside_of_1_to_64() {
    for burst in ["0", "65"] {
        tx_refused(&["--burst", burst], &["burst", burst, "64"]);
    }
}

#[test]
fn no_workers() {
    for role in ["tx", "rx"] {
        Refusal::new().of(verb(role, NULL).args(["--workers", "0"]), &["workers", "0", "1"]);
    }
}

#[test]
fn descriptors_intervals_and_memory_out_of_bounds() {
    tx_refused(&["--descriptors", "15"], &["descriptors", "15", "16384"]);
    tx_refused(&["--interval-ms", "9"], &["interval", "9", "3600000"]);
    tx_refused(&["--socket-mem", "15"], &["socket", "mem", "15", "1048576"]);
}

#[test]
fn a_rate_a_count_or_a_duration_that_can_not_be() {
    tx_refused(&["--rate", "200%"], &["200%", "--rate", "above 0 to 100"]);
    tx_refused(&["--rate", "fast"], &["fast", "--rate"]);
    tx_refused(&["--count", "0"], &["count", "0"]);
    tx_refused(&["--duration", "0"], &["duration", "0"]);
}

#[test]
fn a_profile_with_several_faults_is_told_all_of_them() {
    let expected = std::fs::read_to_string(bin::data("profiles/faulty.expected.txt")).unwrap();
    // Each line of the expected text, behind the path as it was typed: `…/faulty.toml:12: …`.
    let lines: Vec<&str> = expected.lines().map(str::trim).collect();
    assert!(lines.len() > 10);
    let faulty = bin::data("profiles/faulty.toml");
    let mut tx = bin::dataplane();
    tx.args(["tx", "--device", NULL, "--profile"]).arg(&faulty);
    Refusal::new().of(&mut tx, &lines);
    Refusal::new().of(frames().args(["--pcap", "out.pcap", "--profile"]).arg(&faulty), &lines);
}

#[test]
fn a_profile_that_is_not_there() {
    Refusal::new()
        .of(frames().args(["--profile", "none.toml"]), &["none.toml", "No such file", "check the path"]);
}

#[test]
fn a_lua_script_with_an_endless_loop() {
    let script = tempfile::Builder::new().suffix(".lua").tempfile().unwrap();
    let loops = [
        "while true do end",
        "local function f() return f() end f()",
        "require 'Pktgen'\nwhile true do pktgen.delay(1000) end",
        "pcall(function() while true do end end) while true do end",
    ];
    for text in loops {
        std::fs::write(script.path(), text).unwrap();
        let command = &mut frames();
        command.args(["--pcap", "out.pcap", "--profile"]).arg(script.path());
        Refusal::new().of(command, &[script.path().to_str().unwrap(), "endless"]);
    }
}

#[test]
fn a_pcap_that_can_not_be_written() {
    let refusal = Refusal::new();
    let good = good_profile();
    let to = |path: &str| {
        let mut command = frames();
        command.arg("--profile").arg(&good).args(["--pcap", path]);
        command
    };
    refusal.of(&mut to("no/such/folder/out.pcap"), &["no/such/folder/out.pcap", "--pcap"]);
    refusal.of(&mut to("."), &["can't write .", "--pcap"]);
    refusal.of(&mut to("/dev/full"), &["/dev/full", "No space left"]);
}

#[test]
fn a_worker_that_is_not_one_of_the_workers() {
    let good = good_profile();
    let command = &mut frames();
    command.args(["--workers", "2", "--worker", "2", "--profile"]).arg(good);
    Refusal::new().of(command, &["worker 2", "one of 2", "from 0"]);
}

#[test]
fn an_agents_port_that_is_taken() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let command = &mut bin::dataplane();
    command.args(["agent", "--state-dir", "state", "--listen", &format!("127.0.0.1:{port}")]);
    Refusal::new().of(command, &[&format!("port {port}"), "taken", "choose another port"]);
}

#[test]
fn an_agent_for_everybody() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let command = &mut bin::dataplane();
        command.args(["agent", "--state-dir", "state", "--listen", address]);
        Refusal::new().of(command, &[address, "not a loopback address", "127.0.0.1"]);
    }
}

#[test]
fn an_agents_folder_that_can_not_be_written() {
    let command = &mut bin::dataplane();
    command.args(["agent", "--listen", "127.0.0.1:0", "--state-dir", "/proc/nope"]);
    Refusal::new().of(command, &["/proc/nope", "--state-dir"]);
}
