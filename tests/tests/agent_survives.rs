//! An engine that dies takes nothing with it but its own run: the agent lives, says why, and keeps every sample.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::agent::Agent;
use bench_tests::memif::spec;
use bench_tests::process::{is_alive, signal_pid};
use bench_tests::profiles::UdpFlows;
use bench_tests::wait;
use nix::sys::signal::Signal;
use serde_json::Value;
use traffic::wire::{Role, RunSpec, RunState, Sample};

/// A sender without end on net_null, with twenty samples a second.
fn endless(id: &str) -> RunSpec {
    let profile = UdpFlows { flows: 100, frame_size: 64, rate: "10kpps", count: None }.profile();
    let spec = spec(Role::Tx, "vdev:net_null0".to_owned(), &profile, 1);
    RunSpec { id: id.to_owned(), sample_interval_ms: 50, linger_ms: 0, ..spec }
}

/// Makes and starts a run, waits for some samples, and gives the engine's process id.
fn run_for_a_while(agent: &Agent, spec: &RunSpec) -> u32 {
    agent.create(spec);
    let pid = agent.wait_for(&spec.id, RunState::Ready).ready.unwrap().pid;
    assert!(is_alive(pid));
    agent.start_run(&spec.id);
    wait::until("five samples", || (agent.samples(&spec.id, 4, 1000).first()?.n >= 4).then_some(()));
    pid
}

fn assert_contiguous(samples: &[Sample]) {
    assert!(samples.len() >= 5, "{} samples", samples.len());
    let numbers: Vec<u64> = samples.iter().map(|s| s.n).collect();
    assert_eq!(numbers, (0..samples.len() as u64).collect::<Vec<_>>());
    assert!(samples.windows(2).all(|pair| pair[0].elapsed_ns < pair[1].elapsed_ns), "time goes on");
    let sent = |s: &Sample| s.cores.iter().map(|c| c.tx_packets).sum::<u64>();
    assert!(samples.windows(2).all(|pair| sent(&pair[0]) <= sent(&pair[1])), "counters are cumulative");
    assert!(sent(samples.last().unwrap()) > 0);
}

#[test]
fn an_engine_that_is_killed_leaves_the_agent_and_its_samples() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(folder.path());
    let pid = run_for_a_while(&agent, &endless("first"));
    signal_pid(pid, Signal::SIGKILL);

    let failed = agent.wait_for("first", RunState::Failed);
    let error = failed.error.unwrap();
    assert!(error.contains("SIGKILL") && error.contains("run again"), "{error}");
    assert!(failed.summary.is_none(), "a run that failed has no last word");
    assert!(agent.process.is_running(), "the agent lives");
    let samples = agent.samples("first", 0, 0);
    assert_contiguous(&samples);
    assert_eq!(samples.len() as u64, failed.samples);

    // On disk too, each line whole: what an orchestrator that comes later reads.
    let file = std::fs::read_to_string(folder.path().join("runs/first/samples.ndjson")).unwrap();
    let on_disk: Vec<Sample> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(on_disk, samples);

    // The device is free again, and a second run ends as it should.
    run_for_a_while(&agent, &endless("second"));
    let (status, body) = agent.call("POST", "/v1/runs/second/stop", "");
    assert_eq!(status, 200, "{body}");
    let done = agent.wait_for("second", RunState::Done);
    assert_eq!(done.summary.unwrap().mbufs_missing, 0);
    assert_contiguous(&agent.samples("second", 0, 0));
}

#[test]
fn a_device_that_another_run_holds_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(folder.path());
    run_for_a_while(&agent, &endless("holder"));
    let (status, body) = agent.call("POST", "/v1/runs", &serde_json::to_string(&endless("other")).unwrap());
    assert_eq!(status, 409, "{body}");
    let error: Value = serde_json::from_str(&body).unwrap();
    let error = error["error"].as_str().unwrap();
    for word in ["vdev:net_null0", "`holder`", "stop"] {
        assert!(error.contains(word), "no {word} in {error}");
    }
    let (status, _) = agent.call("GET", "/v1/runs/other", "");
    assert_eq!(status, 404, "nothing of the refused run is left");
    assert!(!folder.path().join("runs/other").exists());
    let (status, body) = agent.call("DELETE", "/v1/runs/holder", "");
    assert_eq!(status, 204, "{body}");
}

#[test]
fn a_run_that_can_not_be_prepared_fails_with_the_engines_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(folder.path());
    let spec = RunSpec { device: "iface:nosuch0".to_owned(), ..endless("hopeless") };
    agent.create(&spec);
    let error = agent.wait_for("hopeless", RunState::Failed).error.unwrap();
    assert!(
        error.contains("there is no interface `nosuch0`") && error.contains("name one of them"),
        "{error}"
    );
    let (status, _) = agent.call("GET", "/healthz", "");
    assert_eq!(status, 200);
}
