//! `orchestrator run --local`: a paired Pktgen profile in, trusted results out, by two agents and two engines.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use bench_tests::process::{is_alive, run};
use bench_tests::profiles::UdpFlows;
use bench_tests::refused::Refusal;
use bench_tests::results::{self, PairResults};
use bench_tests::{bin, needs};

/// Runs `profile` with `args` and reads the results.
fn run_local(python: &Path, profile: &Path, args: &[&str]) -> PairResults {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let mut command = bin::orchestrator();
    command.args(["run", "--local", "--warmup-duration", "1"]).args(args);
    command.arg("--profile").arg(profile).arg("--results").arg(&results).current_dir(folder.path());
    let done = run(&mut command);
    assert!(done.status.success(), "{}: {}\n{}", done.status, done.stdout, done.stderr);
    let name = profile.file_stem().unwrap().to_str().unwrap();
    let pair = results::read(python, &results, name);
    assert!(done.stdout.contains(&pair.expid), "the path of the results is told: {}", done.stdout);
    for side in ["tx", "rx"] {
        let agent = u32::try_from(pair.result["trial"][side]["agent_pid"].as_u64().unwrap()).unwrap();
        assert!(!is_alive(agent), "the {side} agent, pid {agent}, is still there");
    }
    pair
}

/// Whatever the machine could send has arrived.
fn assert_trusted(pair: &PairResults, flows: u64) {
    assert_eq!(pair.result["status"], "complete", "{}", pair.result["error"]);
    let sent = pair.verdict("sent");
    assert!(sent > 0 && sent <= pair.verdict("offered"));
    assert_eq!(pair.verdict("received"), sent, "received = sent");
    for name in ["lost", "reordered", "duplicated", "invalid", "too_late", "foreign"] {
        assert_eq!(pair.verdict(name), 0, "{name}");
    }
    assert_eq!(pair.verdict("flows_asked"), flows);
    assert_eq!(pair.verdict("flows_seen"), flows);
    let received = pair.rx.integers("rx_packets");
    assert!(received.is_sorted(), "totals only grow: {received:?}");
    // A run that does not end with a second has frames behind its last value.
    let last = |values: Vec<i64>| u64::try_from(*values.last().unwrap()).unwrap();
    assert!((1..=sent).contains(&last(received)), "totals of the receiver's series end below {sent}");
    assert!((1..=sent).contains(&last(pair.tx.integers("port_opackets"))), "so do the sender's");
}

#[test]
fn a_paired_lua_profile_gives_results_that_load_in_numpy() {
    let Some(python) = needs::python_with("numpy") else { return };
    let pair = run_local(python, &bin::data("profiles/paired_100_flows_64B.lua"), &["--duration", "3"]);
    assert_trusted(&pair, 100);
    // One value a second; a busy machine may be late by some.
    let values = pair.rx.len("rx_pps");
    assert!((2..=8).contains(&values), "{values} values for 3 s");
}

#[test]
fn a_hundred_thousand_flows_over_two_workers_without_hugepages() {
    let Some(python) = needs::python_with("numpy") else { return };
    let folder = tempfile::tempdir().unwrap();
    // By count, since how long that takes is the machine's affair: each flow is sent twice.
    let profile = UdpFlows { flows: 100_000, frame_size: 256, rate: "50kpps", count: Some(200_000) };
    let profile = profile.write(folder.path());
    let args = ["--no-huge", "--tx-num-core", "2", "--rx-num-core", "2", "--sample-interval", "1"];
    let pair = run_local(python, &profile, &args);
    assert_trusted(&pair, 100_000);
    assert_eq!(pair.verdict("sent"), 200_000, "the count is kept to the frame");
    assert!(pair.tx.len("pkts_tx") >= 3, "a value a second");
}

#[test]
fn a_results_folder_that_can_not_be_written_is_refused() {
    for (folder, why) in [("/proc/nope", "No such file"), ("/dev/null", "Not a directory")] {
        let mut command = bin::orchestrator();
        command.args(["run", "--local", "--duration", "1", "--results", folder, "--profile"]);
        command.arg(bin::data("profiles/udp_100_flows_64.toml"));
        Refusal::new().of(&mut command, &[folder, why, "--results"]);
    }
}

#[test]
fn a_profile_with_faults_is_refused_before_anything_starts() {
    let faulty = bin::data("profiles/faulty.toml");
    let mut command = bin::orchestrator();
    command.args(["run", "--local", "--duration", "1", "--profile"]).arg(&faulty);
    Refusal::new().of(&mut command, &["faulty.toml", "streams[0].frame_size", "streams[0].tcp.src.min"]);
}

#[test]
fn a_dataplane_that_is_not_there_is_refused() {
    let mut command = bin::orchestrator();
    command.args(["run", "--local", "--duration", "1", "--dataplane", "/no/such/dataplane", "--profile"]);
    command.arg(bin::data("profiles/udp_100_flows_64.toml"));
    Refusal::new().of(&mut command, &["/no/such/dataplane", "--dataplane"]);
}
