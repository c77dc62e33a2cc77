//! What one worker needs of the machine.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::memif::spec;
use bench_tests::profiles::UdpFlows;
use bench_tests::run::Run;
use bench_tests::{bin, needs, process};
use traffic::wire::{Command, Memory, Role, RunSpec};

/// The promise for one worker at 64 B.
const LIMIT_KIB: u64 = 64 * 1024;

/// KiB of hugepages that a process has mapped, by the kernel's own count.
fn hugepages_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("HugetlbPages:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn assert_within_limit(role: Role) {
    if !needs::hugepages_mib(64) {
        return;
    }
    let profile = UdpFlows { flows: 100, frame_size: 64, rate: "100kpps", count: None }.profile();
    let spec = spec(role, "vdev:net_null0".to_owned(), &profile, 1);
    let mut run = Run::engine(&RunSpec { memory: Memory::Hugepages, linger_ms: 0, ..spec });
    let ready = run.ready();
    assert!(ready.memory.contains("hugepages"), "{}", ready.memory);
    run.start();
    run.wait_for_sample(|sample| sample.n >= 2);
    let used = hugepages_kib(run.process().pid());
    assert!(used > 0, "hugepages are used");
    assert!(used <= LIMIT_KIB, "{used} KiB of hugepages for one worker at 64 B");
    run.command(Command::Stop);
    assert_eq!(run.finish().summary.mbufs_missing, 0);
}

#[test]
fn a_sender_of_64_byte_frames_takes_64_mib_of_hugepages_at_most() {
    assert_within_limit(Role::Tx);
}

#[test]
fn a_receiver_of_64_byte_frames_takes_64_mib_of_hugepages_at_most() {
    assert_within_limit(Role::Rx);
}

/// What `probe --profile` says of a profile.
fn probed(path: &std::path::Path) -> serde_json::Value {
    let ran = process::run(bin::dataplane().args(["probe", "--output", "json", "--profile"]).arg(path));
    assert!(ran.status.success(), "{}", ran.stderr);
    serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()["needs"].clone()
}

#[test]
fn probe_says_beforehand_what_a_run_takes() {
    let folder = tempfile::tempdir().unwrap();
    let small = UdpFlows { flows: 100, frame_size: 64, rate: "100kpps", count: None };
    let large = UdpFlows { flows: 100, frame_size: 9000, rate: "100kpps", count: None };
    for (profile, most_mib) in [(small, 64), (large, 256)] {
        let needs = probed(&profile.write(folder.path()));
        for (role, key) in [(Role::Tx, "sender_mib"), (Role::Rx, "receiver_mib")] {
            let spec = spec(role, "vdev:net_null0".to_owned(), &profile.profile(), 1);
            let mut run = Run::engine(&RunSpec { memory: Memory::NoHuge, linger_ms: 0, ..spec });
            let memory = run.ready().memory.clone();
            run.command(Command::Stop);
            assert_eq!(memory, format!("ordinary pages, {} MiB at most", needs[key]), "{key}");
            assert!(needs[key].as_u64().unwrap() <= most_mib, "{needs}");
        }
    }
}
