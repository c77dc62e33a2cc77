//! The agent as process 1 of a real PID namespace, as in a pod: it waits for orphans, and ends in order at SIGTERM.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use bench_tests::agent::Agent;
use bench_tests::memif::{device, socket_folder, spec};
use bench_tests::process::{run, signal_pid};
use bench_tests::profiles::UdpFlows;
use bench_tests::{bin, needs, wait};
use nix::sys::signal::Signal;
use traffic::wire::{Ended, Role, RunSpec, RunState, Summary};

/// An agent that is process 1, and its process id outside.
fn process_1(state_dir: &Path) -> (Agent, u32) {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(bin::path("dataplane"));
    let agent = Agent::start_by(command, state_dir, &[]);
    let [pid] = children(agent.process.pid())[..] else { panic!("unshare has one child") };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let inside = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    assert_eq!(inside.split_whitespace().last(), Some("1"), "{inside}");
    (agent, pid)
}

fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// All of its threads' children.
fn orphans(pid: u32) -> usize {
    let names =
        children(pid).into_iter().filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    names.filter(|name| name.trim_end() == "sleep").count()
}

#[test]
fn orphans_are_waited_for_and_engines_keep_their_last_word() {
    if !needs::root_and(&["unshare", "nsenter"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (agent, pid) = process_1(folder.path());
    let profile = UdpFlows { flows: 10, frame_size: 64, rate: "1kpps", count: Some(300) }.profile();
    let sender = spec(Role::Tx, "vdev:net_null0".to_owned(), &profile, 1);
    let sender = RunSpec { memory: traffic::wire::Memory::NoHuge, linger_ms: 0, ..sender };
    agent.create(&sender);
    agent.wait_for("tx", RunState::Ready);
    agent.start_run("tx");
    // As `kubectl exec` does: a process from outside, which leaves its own behind.
    let script = "for i in 1 2 3 4 5 6 7 8; do sleep 2 </dev/null >/dev/null 2>&1 & done";
    let mut exec = Command::new("nsenter");
    exec.args(["--target", &pid.to_string(), "--pid", "--mount", "sh", "-c", script]);
    assert!(run(&mut exec).status.success());
    wait::until("orphans become the agent's", || (orphans(pid) == 8).then_some(()));
    // Their entries go only when somebody has waited for them.
    wait::until("orphans are waited for", || (orphans(pid) == 0).then_some(()));
    assert_eq!(agent.wait_for("tx", RunState::Done).summary.unwrap().ended, Ended::Complete);
    wait::until("no zombie is left", || children(pid).is_empty().then_some(()));

    let check = |listen: &str| run(bin::dataplane().args(["agent", "--check", "--listen", listen])).status;
    let listen = agent.address().to_string();
    assert_eq!(check(&listen).code(), Some(0));
    signal_pid(pid, Signal::SIGTERM);
    let Agent { mut process, .. } = agent;
    assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
    assert_eq!(check(&listen).code(), Some(1));
}

#[test]
fn sigterm_ends_the_sender_before_the_receiver_and_loses_no_frame() {
    if !needs::root_and(&["unshare"]) {
        return;
    }
    let (folder, sockets) = (tempfile::tempdir().unwrap(), socket_folder());
    let (agent, pid) = process_1(folder.path());
    let profile = UdpFlows { flows: 10, frame_size: 64, rate: "5kpps", count: None }.profile();
    // The sender would hold its port for a minute, were it not told to close.
    agent.create(&spec(Role::Rx, device("server", sockets.path()), &profile, 1));
    agent.wait_for("rx", RunState::Ready);
    agent.create(&spec(Role::Tx, device("client", sockets.path()), &profile, 1));
    agent.wait_for("tx", RunState::Ready);
    agent.start_run("rx");
    agent.start_run("tx");
    wait::until("frames arrive", || {
        let samples = agent.samples("rx", 3, 1000);
        samples.first()?.account.filter(|account| account.received > 100)
    });
    signal_pid(pid, Signal::SIGTERM);
    let Agent { mut process, .. } = agent;
    assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
    let summary = |id: &str| -> Summary {
        let file = folder.path().join(format!("runs/{id}/summary.json"));
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    };
    let (tx, rx) = (summary("tx"), summary("rx"));
    assert_eq!((tx.ended, rx.ended), (Ended::Stopped, Ended::Stopped));
    let (sent, account) = (tx.tx_shards[0].sent, rx.totals.account.unwrap());
    assert!(sent > 100);
    assert_eq!((account.received, account.lost), (sent, 0), "the receiver took what was on the way");
    let ended = |id: &str| {
        folder.path().join(format!("runs/{id}/summary.json")).metadata().unwrap().modified().unwrap()
    };
    assert!(ended("rx") < ended("tx"), "the sender held its port until the receiver had ended");
    assert_eq!([tx.mbufs_missing, rx.mbufs_missing], [0, 0], "mbufs missing");
}
